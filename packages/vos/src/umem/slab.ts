/**
 * A slab is freed when the last piece of it is; small, so that a piece kept for long does not hold much else.
 */
const SLAB_BYTES = 16 * 1024;
const PIECE_BYTES_MAX = 1024;

/**
 * Hands out small byte arrays cut from larger ones: an allocation of its own for each would cost ten times as
 * much, most of it in the garbage collector.
 */
export class Slab {
  private buffer = new ArrayBuffer(SLAB_BYTES);
  private used = 0;

  /** Bytes of undefined content. */
  take(length: number): Uint8Array {
    if (length > PIECE_BYTES_MAX) return new Uint8Array(length);
    if (this.used + length > SLAB_BYTES) {
      this.buffer = new ArrayBuffer(SLAB_BYTES);
      this.used = 0;
    }
    const piece = new Uint8Array(this.buffer, this.used, length);
    this.used += length;
    return piece;
  }
}
