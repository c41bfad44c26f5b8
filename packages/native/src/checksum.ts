import { addon } from './addon.js';

/** CRC-32C (Castagnoli) of the bytes; `seed` continues an earlier result. */
export function crc32c(data: Uint8Array, seed = 0): number {
  return addon().crc32c(data, seed);
}

/**
 * CRC-32C of every chunk of `data` into `out`, in one call. The first chunk has `firstBytes` bytes (chunks lie at
 * multiples of their size in the whole array, so the first one may be cut), the others `chunkBytes`, the last what
 * is left. Returns how many were written; throws a RangeError when `out` is too short.
 */
export function crc32cChunks(data: Uint8Array, firstBytes: number, chunkBytes: number, out: Uint32Array): number {
  return addon().crc32cChunks(data, firstBytes, chunkBytes, out);
}

/** `sse4.2`, `armv8` or `table`. */
export function crc32cImplementation(): string {
  return addon().crc32cImplementation;
}
