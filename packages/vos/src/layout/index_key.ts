/**
 * A key of the index under construction: one byte for the key space, then fields whose byte order is their
 * sort order (integers big endian). One object is reused for all look-ups, so that building a key allocates
 * nothing.
 */
export const INDEX_KEY_BYTES_MAX = 1280;

export class IndexKey {
  readonly bytes = new Uint8Array(INDEX_KEY_BYTES_MAX);
  private readonly view = new DataView(this.bytes.buffer);
  length = 0;

  /** Starts a new key in the given key space. */
  space(space: number): this {
    this.bytes[0] = space;
    this.length = 1;
    return this;
  }

  u8(value: number): this {
    this.bytes[this.length++] = value;
    return this;
  }

  u16(value: number): this {
    this.view.setUint16(this.length, value);
    this.length += 2;
    return this;
  }

  u32(value: number): this {
    this.view.setUint32(this.length, value);
    this.length += 4;
    return this;
  }

  u48(value: number): this {
    this.view.setUint16(this.length, Math.floor(value / 0x1_0000_0000));
    this.view.setUint32(this.length + 2, value >>> 0);
    this.length += 6;
    return this;
  }

  u64(value: bigint): this {
    this.view.setBigUint64(this.length, value);
    this.length += 8;
    return this;
  }

  /** A 64-bit field that sorts the largest value first. */
  u64Descending(value: bigint): this {
    this.view.setBigUint64(this.length, ~value);
    this.length += 8;
    return this;
  }

  raw(bytes: Uint8Array): this {
    const at = this.length;
    const count = bytes.length;
    if (count <= 32) for (let i = 0; i < count; i++) this.bytes[at + i] = bytes[i] as number;
    else this.bytes.set(bytes, at);
    this.length = at + count;
    return this;
  }

  /** Becomes a copy of stored key bytes. */
  assign(bytes: Uint8Array): this {
    this.length = 0;
    return this.raw(bytes);
  }

  /**
   * Becomes the smallest key behind all keys that start with the present bytes. The present bytes must not
   * all be 255; they never are, since key spaces are below 255.
   */
  toPrefixEnd(): this {
    let last = this.length - 1;
    while (last > 0 && this.bytes[last] === 0xff) last--;
    this.bytes[last] = (this.bytes[last] as number) + 1;
    this.length = last + 1;
    return this;
  }

  /** An own copy of the key. */
  copy(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}
