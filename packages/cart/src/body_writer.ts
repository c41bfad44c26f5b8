import { DaosError } from '@daos/common';

const SLAB_BYTES = 64 * 1024;
/** Strings up to this length are encoded here; longer ones cost less in native code. */
const SHORT_STRING_LENGTH = 40;
const TWO_32 = 0x1_0000_0000;

/**
 * Writes msgpack into a slab. Messages are written one behind the other; when a slab is full the message being
 * written moves to a new one, so each message is contiguous. `take` hands out what was finished since the last call.
 *
 * Invariant: taken <= start <= pos <= buf.length. Bytes in [taken, start) are finished messages.
 */
export class BodyWriter {
  buf: Buffer = Buffer.allocUnsafeSlow(0);
  view: DataView = new DataView(this.buf.buffer);
  pos = 0;
  private start = 0;
  private taken = 0;
  private finished: Uint8Array[] = [];

  constructor(private readonly slabBytes = SLAB_BYTES) {}

  /** Starts a message. What was not finished by `end` is forgotten. */
  begin(): number {
    this.pos = this.start;
    return this.start;
  }

  /** Position of the first byte of the message being written; changes when the slab does. */
  get messageStart(): number {
    return this.start;
  }

  /** Finishes the message. */
  end(): void {
    this.start = this.pos;
  }

  /** Puts a block behind the finished messages without copying it. The caller leaves it unchanged until it is sent. */
  attach(block: Uint8Array): void {
    this.seal();
    this.finished.push(block);
  }

  /** Finished bytes in the present slab that nobody took yet. */
  get pendingBytes(): number {
    return this.start - this.taken;
  }

  get isEmpty(): boolean {
    return this.taken === this.start && this.finished.length === 0;
  }

  /** Finished messages and attached blocks in order, each handed out once. */
  take(): Uint8Array[] {
    this.seal();
    const out = this.finished;
    this.finished = [];
    return out;
  }

  /** Writes over the slab from its start. Only when nobody looks at anything taken before. */
  recycle(): void {
    if (!this.isEmpty || this.pos !== this.start) return;
    if (this.buf.length > this.slabBytes) {
      this.buf = Buffer.allocUnsafeSlow(0);
      this.view = new DataView(this.buf.buffer);
    }
    this.pos = 0;
    this.start = 0;
    this.taken = 0;
  }

  /** Makes room for `bytes` more. */
  ensure(bytes: number): void {
    if (this.pos + bytes > this.buf.length) this.nextSlab(bytes);
  }

  arrayHeader(count: number): void {
    this.ensure(5);
    if (count < 16) this.buf[this.pos++] = 0x90 | count;
    else this.lengthHeader(0xdc, count);
  }

  nil(): void {
    this.ensure(1);
    this.buf[this.pos++] = 0xc0;
  }

  bool(value: boolean): void {
    this.ensure(1);
    this.buf[this.pos++] = value ? 0xc3 : 0xc2;
  }

  u32(value: number): void {
    if (!(value >= 0 && value < TWO_32) || value !== Math.floor(value)) throw invalid(`${value} is not a u32`);
    this.ensure(5);
    if (value < 0x80) this.buf[this.pos++] = value;
    else this.uintWide(value);
  }

  int(value: number): void {
    if (!Number.isSafeInteger(value)) throw invalid(`${value} is not a safe integer`);
    this.ensure(9);
    if (value >= 0) {
      if (value < 0x80) this.buf[this.pos++] = value;
      else if (value < TWO_32) this.uintWide(value);
      else this.wide(0xcf, value);
    } else if (value >= -32) {
      this.buf[this.pos++] = value & 0xff;
    } else {
      this.wide(0xd3, value);
    }
  }

  u64(value: bigint): void {
    if (value < 0n || value > 0xffff_ffff_ffff_ffffn) throw invalid(`${value} is not a u64`);
    this.ensure(9);
    this.buf[this.pos] = 0xcf;
    this.view.setBigUint64(this.pos + 1, value);
    this.pos += 9;
  }

  bytes(value: Uint8Array): void {
    if (!(value instanceof Uint8Array)) throw invalid(`${String(value)} is not a byte string`);
    const length = value.length;
    this.ensure(length + 5);
    this.binHeader(length);
    this.buf.set(value, this.pos);
    this.pos += length;
  }

  /** Header of a byte string whose bytes the caller writes next. */
  binHeader(length: number): void {
    this.ensure(length + 5);
    if (length < 0x100) {
      this.buf[this.pos] = 0xc4;
      this.buf[this.pos + 1] = length;
      this.pos += 2;
    } else {
      this.lengthHeader(0xc5, length);
    }
  }

  str(value: string): void {
    if (typeof value !== 'string') throw invalid(`${String(value)} is not text`);
    if (value.length > SHORT_STRING_LENGTH || !this.shortAscii(value)) this.longString(value);
  }

  /** Writes a short ASCII string; false, leaving nothing behind, when it holds anything else. */
  private shortAscii(value: string): boolean {
    const length = value.length;
    this.ensure(length + 2);
    let at = this.pos;
    if (length < 32) {
      this.buf[at++] = 0xa0 | length;
    } else {
      this.buf[at++] = 0xd9;
      this.buf[at++] = length;
    }
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code >= 0x80) return false;
      this.buf[at++] = code;
    }
    this.pos = at;
    return true;
  }

  private longString(value: string): void {
    const length = Buffer.byteLength(value);
    this.ensure(length + 5);
    if (length < 32) {
      this.buf[this.pos++] = 0xa0 | length;
    } else if (length < 0x100) {
      this.buf[this.pos] = 0xd9;
      this.buf[this.pos + 1] = length;
      this.pos += 2;
    } else {
      this.lengthHeader(0xda, length);
    }
    this.pos += this.buf.write(value, this.pos);
  }

  /** `tag` with a 16-bit length, or `tag + 1` with a 32-bit one. */
  private lengthHeader(tag: number, length: number): void {
    if (length < 0x10000) {
      this.buf[this.pos] = tag;
      this.view.setUint16(this.pos + 1, length);
      this.pos += 3;
    } else {
      this.buf[this.pos] = tag + 1;
      this.view.setUint32(this.pos + 1, length);
      this.pos += 5;
    }
  }

  private uintWide(value: number): void {
    if (value < 0x100) {
      this.buf[this.pos] = 0xcc;
      this.buf[this.pos + 1] = value;
      this.pos += 2;
    } else if (value < 0x10000) {
      this.buf[this.pos] = 0xcd;
      this.view.setUint16(this.pos + 1, value);
      this.pos += 3;
    } else {
      this.buf[this.pos] = 0xce;
      this.view.setUint32(this.pos + 1, value);
      this.pos += 5;
    }
  }

  private wide(tag: number, value: number): void {
    this.buf[this.pos] = tag;
    this.view.setInt32(this.pos + 1, Math.floor(value / TWO_32));
    this.view.setUint32(this.pos + 5, value >>> 0);
    this.pos += 9;
  }

  private seal(): void {
    if (this.start > this.taken) this.finished.push(this.buf.subarray(this.taken, this.start));
    this.taken = this.start;
  }

  private nextSlab(bytes: number): void {
    this.seal();
    const partial = this.buf.subarray(this.start, this.pos);
    this.buf = Buffer.allocUnsafeSlow(Math.max(this.slabBytes, 2 * (partial.length + bytes)));
    this.view = new DataView(this.buf.buffer, this.buf.byteOffset, this.buf.length);
    this.buf.set(partial, 0);
    this.pos = partial.length;
    this.start = 0;
    this.taken = 0;
  }
}

function invalid(message: string): DaosError {
  return new DaosError('INVAL', message);
}
