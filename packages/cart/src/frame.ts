/**
 * Every frame starts with this header, little-endian:
 *
 *     0  u32 magic (24 bits) and wire version (8 bits)   32 u32 group version
 *     4  u32 length of the whole frame                   36 u64 HLC
 *     8  u8 type, u8 0, u16 destination tag              44 i32 value, by type
 *     12 u32 opcode                                      48 u32 length of the body
 *     16 u32 RPC id                                      52 u32 length of the data behind the body
 *     20 u32 source rank                                 56 u32 bulk, by type
 *     24 u32 destination rank                            60 u32 checksum of the 60 bytes before
 *     28 u16 source tag, u16 0
 *
 * `value` is the time left in ms (REQUEST), the status (REPLY, HELLO_REPLY, BULK_DATA) or the length wanted
 * (BULK_PULL). `bulk` is the length of data to be pulled (REQUEST) or the offset in it (BULK_*).
 * HELLO and HELLO_REPLY keep their layout in all versions of the wire, so that any two can tell each other apart.
 */
export const HEADER_BYTES = 64;
export const WIRE_VERSION = 1;
/** Oldest version still spoken: the one before, once there is one. */
export const WIRE_VERSION_MIN = 1;
export const NO_RANK = 0xffff_ffff;

const MAGIC = 0x4354_5200;

export const FrameType = {
  REQUEST: 1,
  REPLY: 2,
  BULK_PULL: 3,
  BULK_DATA: 4,
  HELLO: 5,
  HELLO_REPLY: 6,
} as const;

export class FrameHeader {
  version = WIRE_VERSION;
  length = 0;
  type = 0;
  dstTag = 0;
  opcode = 0;
  rpcId = 0;
  srcRank = NO_RANK;
  dstRank = NO_RANK;
  srcTag = 0;
  groupVersion = 0;
  hlc = 0n;
  value = 0;
  bodyLength = 0;
  dataLength = 0;
  bulk = 0;

  /** Reads 64 bytes at `at`. False when they are no header: wrong magic, checksum, or lengths that do not add up. */
  read(view: DataView, at: number): boolean {
    const head = view.getUint32(at, true);
    if ((head & 0xffff_ff00) !== MAGIC || view.getInt32(at + 60, true) !== checksum(view, at)) return false;
    this.version = head & 0xff;
    this.length = view.getUint32(at + 4, true);
    this.type = view.getUint8(at + 8);
    this.dstTag = view.getUint16(at + 10, true);
    this.opcode = view.getUint32(at + 12, true);
    this.rpcId = view.getUint32(at + 16, true);
    this.srcRank = view.getUint32(at + 20, true);
    this.dstRank = view.getUint32(at + 24, true);
    this.srcTag = view.getUint16(at + 28, true);
    this.groupVersion = view.getUint32(at + 32, true);
    this.hlc = view.getBigUint64(at + 36, true);
    this.value = view.getInt32(at + 44, true);
    this.bodyLength = view.getUint32(at + 48, true);
    this.dataLength = view.getUint32(at + 52, true);
    this.bulk = view.getUint32(at + 56, true);
    return this.length === HEADER_BYTES + this.bodyLength + this.dataLength;
  }

  /** Writes the header, with its length and checksum, at `at`. */
  write(view: DataView, at: number): void {
    view.setUint32(at, MAGIC | this.version, true);
    view.setUint32(at + 4, HEADER_BYTES + this.bodyLength + this.dataLength, true);
    view.setUint32(at + 8, this.type | (this.dstTag << 16), true);
    view.setUint32(at + 12, this.opcode, true);
    view.setUint32(at + 16, this.rpcId, true);
    view.setUint32(at + 20, this.srcRank, true);
    view.setUint32(at + 24, this.dstRank, true);
    view.setUint32(at + 28, this.srcTag, true);
    view.setUint32(at + 32, this.groupVersion, true);
    view.setBigUint64(at + 36, this.hlc, true);
    view.setInt32(at + 44, this.value, true);
    view.setUint32(at + 48, this.bodyLength, true);
    view.setUint32(at + 52, this.dataLength, true);
    view.setUint32(at + 56, this.bulk, true);
    view.setInt32(at + 60, checksum(view, at), true);
  }
}

/** Word-wise multiplicative hash: catches damage and lost framing for a few nanoseconds per frame. */
function checksum(view: DataView, at: number): number {
  let hash = 0x2545_f491;
  for (let i = 0; i < 60; i += 4) {
    hash = Math.imul(hash ^ view.getInt32(at + i, true), 0x9e37_79b1);
    hash ^= hash >>> 15;
  }
  return hash | 0;
}
