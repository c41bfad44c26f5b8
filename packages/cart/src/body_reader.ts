import { DaosError } from '@daos/common';

import { STRING_BYTES_MAX } from './limits.js';

const TWO_32 = 0x1_0000_0000;
const SHORT_STRING_LENGTH = 24;
const EMPTY = new Uint8Array(0);
const EMPTY_VIEW = new DataView(EMPTY.buffer);

/**
 * Reads one msgpack message. Every length is checked against the bytes that are there before it is used; anything
 * unexpected throws DER_PROTO. Byte strings come back as views of the message.
 */
export class BodyReader {
  private buf: Uint8Array = EMPTY;
  private view: DataView = EMPTY_VIEW;
  private pos = 0;
  private end = 0;

  /** Reads from `start` to `end` of `buf`, of which `view` is a view. */
  reset(buf: Uint8Array, view: DataView, start: number, end: number): this {
    this.buf = buf;
    this.view = view;
    this.pos = start;
    this.end = end;
    return this;
  }

  /** A reader of the whole of `bytes`. */
  static of(bytes: Uint8Array): BodyReader {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return new BodyReader().reset(bytes, view, 0, bytes.length);
  }

  /** Throws DER_PROTO when bytes are left over. */
  finish(): void {
    if (this.pos !== this.end) throw malformed('bytes behind the last field');
  }

  /** Throws DER_PROTO unless an array of exactly `count` elements comes next. */
  expectArray(count: number): void {
    const actual = this.arrayLength();
    if (actual !== count) throw malformed(`${actual} fields where ${count} were expected`);
  }

  /** Element count of the array that comes next; never more than the bytes that are left. */
  arrayLength(): number {
    const tag = this.byte();
    let count: number;
    if ((tag & 0xf0) === 0x90) count = tag & 0x0f;
    else if (tag === 0xdc) count = this.u16Raw();
    else if (tag === 0xdd) count = this.u32Raw();
    else throw malformed('not an array');
    if (count > this.end - this.pos) throw malformed('array longer than the message');
    return count;
  }

  /** True, and the nil is consumed, when a nil comes next. */
  skipNil(): boolean {
    if (this.pos >= this.end || this.buf[this.pos] !== 0xc0) return false;
    this.pos++;
    return true;
  }

  bool(): boolean {
    const tag = this.byte();
    if (tag === 0xc3) return true;
    if (tag === 0xc2) return false;
    throw malformed('not a boolean');
  }

  u32(): number {
    const tag = this.byte();
    if (tag < 0x80) return tag;
    if (tag === 0xcc) return this.byte();
    if (tag === 0xcd) return this.u16Raw();
    if (tag === 0xce) return this.u32Raw();
    throw malformed('not a u32');
  }

  int(): number {
    const tag = this.byte();
    if (tag < 0x80) return tag;
    if (tag >= 0xe0) return tag - 0x100;
    switch (tag) {
      case 0xcc: return this.byte();
      case 0xcd: return this.u16Raw();
      case 0xce: return this.u32Raw();
      case 0xcf: return this.safe(this.u32Raw());
      case 0xd0: return (this.byte() << 24) >> 24;
      case 0xd1: return (this.u16Raw() << 16) >> 16;
      case 0xd2: return this.u32Raw() | 0;
      case 0xd3: return this.safe(this.u32Raw() | 0);
      default: throw malformed('not an integer');
    }
  }

  u64(): bigint {
    if (this.pos < this.end && this.buf[this.pos] === 0xcf) {
      this.need(9);
      const value = this.view.getBigUint64(this.pos + 1);
      this.pos += 9;
      return value;
    }
    return BigInt(this.u32());
  }

  bytes(): Uint8Array {
    const length = this.binLength();
    const at = this.pos;
    this.pos += length;
    return this.buf.subarray(at, at + length);
  }

  /** Throws DER_PROTO unless a byte string of `length` bytes comes next; returns where it starts in `viewOf()`. */
  fixedBytes(length: number): number {
    const actual = this.binLength();
    if (actual !== length) throw malformed(`${actual} bytes where ${length} were expected`);
    const at = this.pos;
    this.pos += length;
    return at;
  }

  viewOf(): DataView {
    return this.view;
  }

  str(): string {
    const length = this.strLength();
    const at = this.pos;
    this.pos += length;
    if (length <= SHORT_STRING_LENGTH) {
      const short = this.shortAscii(at, length);
      if (short !== undefined) return short;
    }
    return this.utf8(at, length);
  }

  private shortAscii(at: number, length: number): string | undefined {
    let out = '';
    for (let i = at; i < at + length; i++) {
      const code = this.buf[i] as number;
      if (code >= 0x80) return undefined;
      out += String.fromCharCode(code);
    }
    return out;
  }

  private utf8(at: number, length: number): string {
    try {
      return UTF8.decode(this.buf.subarray(at, at + length));
    } catch {
      throw malformed('text that is not UTF-8');
    }
  }

  private binLength(): number {
    const tag = this.byte();
    let length: number;
    if (tag === 0xc4) length = this.byte();
    else if (tag === 0xc5) length = this.u16Raw();
    else if (tag === 0xc6) length = this.u32Raw();
    else throw malformed('not a byte string');
    return this.checkLength(length);
  }

  private strLength(): number {
    const tag = this.byte();
    let length: number;
    if ((tag & 0xe0) === 0xa0) length = tag & 0x1f;
    else if (tag === 0xd9) length = this.byte();
    else if (tag === 0xda) length = this.u16Raw();
    else if (tag === 0xdb) length = this.u32Raw();
    else throw malformed('not a text string');
    return this.checkLength(length);
  }

  private checkLength(length: number): number {
    if (length > STRING_BYTES_MAX || length > this.end - this.pos) {
      throw malformed('string longer than the message');
    }
    return length;
  }

  private safe(high: number): number {
    const value = high * TWO_32 + this.u32Raw();
    if (!Number.isSafeInteger(value)) throw malformed('integer beyond 53 bits');
    return value;
  }

  private byte(): number {
    if (this.pos >= this.end) throw malformed('message ends early');
    return this.buf[this.pos++] as number;
  }

  private u16Raw(): number {
    this.need(2);
    const value = this.view.getUint16(this.pos);
    this.pos += 2;
    return value;
  }

  private u32Raw(): number {
    this.need(4);
    const value = this.view.getUint32(this.pos);
    this.pos += 4;
    return value;
  }

  private need(bytes: number): void {
    if (bytes > this.end - this.pos) throw malformed('message ends early');
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function malformed(what: string): DaosError {
  return new DaosError('PROTO', `malformed message: ${what}`);
}
