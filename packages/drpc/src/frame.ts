import { DaosError } from '@daos/common';

/**
 * How a message travels: cut into packets, each with a header in little endian
 * (message bytes u64 | data bytes of this packet u64 | index u32 | number of packets u32) and its part of the message.
 * An empty message is one packet without data.
 */
export const HEADER_BYTES = 24;
export const PACKET_BYTES_MAX = 131_072;
export const CHUNK_BYTES_MAX = PACKET_BYTES_MAX - HEADER_BYTES;
/** Larger messages are refused on both sides, so that nobody can make a process collect without end. */
export const MESSAGE_BYTES_MAX = 64 * 1024 * 1024;

/** The packets of a message, each as header and data; the data are views. Throws DER_OVERFLOW above the limit. */
export function frameSplit(message: Uint8Array): (readonly [header: Uint8Array, data: Uint8Array])[] {
  if (message.length > MESSAGE_BYTES_MAX) {
    throw new DaosError('OVERFLOW', `a dRPC message of ${message.length} bytes; at most ${MESSAGE_BYTES_MAX} are possible`);
  }
  const count = Math.max(1, Math.ceil(message.length / CHUNK_BYTES_MAX));
  const packets: (readonly [Uint8Array, Uint8Array])[] = [];
  for (let index = 0; index < count; index++) {
    const data = message.subarray(index * CHUNK_BYTES_MAX, (index + 1) * CHUNK_BYTES_MAX);
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32LE(message.length, 0);
    header.writeUInt32LE(data.length, 8);
    header.writeUInt32LE(index, 16);
    header.writeUInt32LE(count, 20);
    packets.push([header, data]);
  }
  return packets;
}

interface Partial {
  readonly total: number;
  readonly packets: number;
  readonly parts: Buffer[];
  received: number;
}

/** Puts packets together again. After an error the connection is of no more use: no packet can be trusted. */
export class FrameAssembler {
  private partial: Partial | undefined;

  constructor(private readonly messageBytesMax = MESSAGE_BYTES_MAX) {}

  /** A message has begun and is not complete. */
  get isPartial(): boolean {
    return this.partial !== undefined;
  }

  /**
   * Takes one packet (a view that is not kept); returns the message when this was its last. Memory grows only with
   * what arrived, whatever was announced. Throws DER_TRUNC (a length does not fit), DER_PROTO (a count is
   * impossible or changed), DER_MISMATCH (a packet is missing or repeated), DER_OVERFLOW (too long a message).
   */
  push(packet: Uint8Array): Buffer | undefined {
    if (packet.length < HEADER_BYTES) throw new DaosError('TRUNC', `a packet of ${packet.length} bytes has no dRPC header`);
    const view = Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength);
    const total = readLength(view, 0);
    const length = readLength(view, 8);
    const index = view.readUInt32LE(16);
    const packets = view.readUInt32LE(20);
    const data = view.subarray(HEADER_BYTES);
    if (packets === 0) throw new DaosError('PROTO', 'a dRPC message of no packets');
    if (length !== data.length || length > CHUNK_BYTES_MAX) {
      throw new DaosError('TRUNC', `a dRPC packet announces ${length} bytes and carries ${data.length}`);
    }
    if (total > this.messageBytesMax) {
      throw new DaosError('OVERFLOW', `a dRPC message of ${total} bytes; at most ${this.messageBytesMax} are taken`);
    }
    const partial = (this.partial ??= { total, packets, parts: [], received: 0 });
    if (packets !== partial.packets) throw new DaosError('PROTO', `${partial.packets} dRPC packets became ${packets}`);
    if (index >= packets) throw new DaosError('PROTO', `dRPC packet ${index} of ${packets}`);
    if (index !== partial.parts.length) {
      throw new DaosError('MISMATCH', `dRPC packet ${index} came where ${partial.parts.length} was due`);
    }
    if (total !== partial.total || partial.received + length > total) {
      throw new DaosError('TRUNC', `dRPC packets do not add up to the ${partial.total} bytes announced`);
    }
    return this.append(partial, data);
  }

  private append(partial: Partial, data: Buffer): Buffer | undefined {
    const last = partial.parts.length + 1 === partial.packets;
    // only the last packet may be short: else a peer could send its message byte by byte, in millions of packets
    if (!last && data.length !== CHUNK_BYTES_MAX) throw new DaosError('TRUNC', 'a dRPC packet before the last is not full');
    partial.parts.push(Buffer.from(data));
    partial.received += data.length;
    if (!last) return undefined;
    if (partial.received !== partial.total) {
      throw new DaosError('TRUNC', `${partial.received} bytes of dRPC packets, ${partial.total} announced`);
    }
    this.partial = undefined;
    return partial.parts.length === 1 ? (partial.parts[0] as Buffer) : Buffer.concat(partial.parts);
  }
}

/** A 64-bit length as a number; one that no number can hold is far above every limit. */
function readLength(view: Buffer, at: number): number {
  return view.readUInt32LE(at) + view.readUInt32LE(at + 4) * 2 ** 32;
}
