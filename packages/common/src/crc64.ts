/**
 * CRC-64 ECMA-182, reflected, inverted before and after (CRC-64/XZ), computed eight bytes at a time
 * ("slicing-by-8", Kounavis and Berry, 2005) in 32-bit halves.
 */
const POLYNOMIAL = 0xc96c5795d7870f42n;
/** Eight tables of 256 entries: the effect of a byte followed by 0..7 zero bytes. */
const TABLE_HI = new Int32Array(8 * 256);
const TABLE_LO = new Int32Array(8 * 256);

for (let byte = 0; byte < 256; byte++) {
  let crc = BigInt(byte);
  for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ POLYNOMIAL : crc >> 1n;
  TABLE_HI[byte] = Number(crc >> 32n);
  TABLE_LO[byte] = Number(crc & 0xffff_ffffn);
}
for (let slice = 1; slice < 8; slice++) {
  for (let byte = 0; byte < 256; byte++) {
    const at = slice * 256 + byte;
    const hi = TABLE_HI[at - 256] ?? 0;
    const lo = TABLE_LO[at - 256] ?? 0;
    const head = lo & 0xff;
    TABLE_LO[at] = ((lo >>> 8) | (hi << 24)) ^ (TABLE_LO[head] ?? 0);
    TABLE_HI[at] = (hi >>> 8) ^ (TABLE_HI[head] ?? 0);
  }
}

/** A running CRC-64. The halves of the result are `hi` and `lo` after `end()`. */
export class Crc64 {
  hi = 0;
  lo = 0;

  /** Starts over; `seed` is a former CRC to go on from, zero-extended to 64 bits. */
  begin(seed: number): this {
    this.hi = -1;
    this.lo = ~seed;
    return this;
  }

  /** Adds the eight little-endian bytes of one 64-bit number. */
  word(hi: number, lo: number): this {
    const a = this.lo ^ lo;
    const b = this.hi ^ hi;
    const i0 = 1792 + (a & 0xff);
    const i1 = 1536 + ((a >>> 8) & 0xff);
    const i2 = 1280 + ((a >>> 16) & 0xff);
    const i3 = 1024 + (a >>> 24);
    const i4 = 768 + (b & 0xff);
    const i5 = 512 + ((b >>> 8) & 0xff);
    const i6 = 256 + ((b >>> 16) & 0xff);
    const i7 = b >>> 24;
    this.lo = at(TABLE_LO, i0) ^ at(TABLE_LO, i1) ^ at(TABLE_LO, i2) ^ at(TABLE_LO, i3)
      ^ at(TABLE_LO, i4) ^ at(TABLE_LO, i5) ^ at(TABLE_LO, i6) ^ at(TABLE_LO, i7);
    this.hi = at(TABLE_HI, i0) ^ at(TABLE_HI, i1) ^ at(TABLE_HI, i2) ^ at(TABLE_HI, i3)
      ^ at(TABLE_HI, i4) ^ at(TABLE_HI, i5) ^ at(TABLE_HI, i6) ^ at(TABLE_HI, i7);
    return this;
  }

  /** Adds the bytes `[from, to)`. */
  bytes(bytes: Uint8Array, from = 0, to = bytes.length): this {
    let { hi, lo } = this;
    let i = from;
    for (const end = to - 7; i < end; i += 8) {
      const a = lo ^ (byteAt(bytes, i) | (byteAt(bytes, i + 1) << 8) | (byteAt(bytes, i + 2) << 16) | (byteAt(bytes, i + 3) << 24));
      const b = hi ^ (byteAt(bytes, i + 4) | (byteAt(bytes, i + 5) << 8) | (byteAt(bytes, i + 6) << 16) | (byteAt(bytes, i + 7) << 24));
      const i0 = 1792 + (a & 0xff);
      const i1 = 1536 + ((a >>> 8) & 0xff);
      const i2 = 1280 + ((a >>> 16) & 0xff);
      const i3 = 1024 + (a >>> 24);
      const i4 = 768 + (b & 0xff);
      const i5 = 512 + ((b >>> 8) & 0xff);
      const i6 = 256 + ((b >>> 16) & 0xff);
      const i7 = b >>> 24;
      lo = at(TABLE_LO, i0) ^ at(TABLE_LO, i1) ^ at(TABLE_LO, i2) ^ at(TABLE_LO, i3)
        ^ at(TABLE_LO, i4) ^ at(TABLE_LO, i5) ^ at(TABLE_LO, i6) ^ at(TABLE_LO, i7);
      hi = at(TABLE_HI, i0) ^ at(TABLE_HI, i1) ^ at(TABLE_HI, i2) ^ at(TABLE_HI, i3)
        ^ at(TABLE_HI, i4) ^ at(TABLE_HI, i5) ^ at(TABLE_HI, i6) ^ at(TABLE_HI, i7);
    }
    for (; i < to; i++) {
      const index = (lo ^ byteAt(bytes, i)) & 0xff;
      lo = ((lo >>> 8) | (hi << 24)) ^ at(TABLE_LO, index);
      hi = (hi >>> 8) ^ at(TABLE_HI, index);
    }
    this.hi = hi;
    this.lo = lo;
    return this;
  }

  end(): this {
    this.hi = ~this.hi;
    this.lo = ~this.lo;
    return this;
  }

  toBigInt(): bigint {
    return (BigInt(this.hi >>> 0) << 32n) | BigInt(this.lo >>> 0);
  }
}

function at(table: Int32Array, index: number): number {
  return table[index] as number;
}

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] as number;
}
