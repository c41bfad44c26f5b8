import { addon } from './addon.js';

/**
 * Goes on with a checksum over `data`, in place in `state`. `type` is a number of container property `cksum`; the state's
 * words are
 * - crc64 (3): the low and the high word of the register, not inverted
 * - sha1 (4), sha256 (5): multi-hash with sixteen lanes, word 0 of all lanes, then word 1 and so on; `data` is whole
 *   blocks of 1024 bytes
 * - adler32 (7): the two sums, packed
 *
 * Throws a RangeError for another type, a state of another length, or a broken block.
 */
export function digestUpdate(type: number, state: Int32Array, data: Uint8Array): void {
  addon().digestUpdate(type, state, data);
}
