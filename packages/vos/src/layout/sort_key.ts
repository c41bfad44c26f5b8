import { DaosError, type KeyFlavour } from '@daos/common';

import type { IndexKey } from './index_key.js';
import { MURMUR_BYTES, murmur128 } from './murmur.js';

/** Longest dkey or akey. */
export const KEY_BYTES_MAX = 8192;
/** Lexical keys stand in the index as they are, so they must fit into an index key. */
export const LEXICAL_BYTES_MAX = 1024;
/** Hashed keys up to this length are stored as they are and cannot collide. */
export const INLINE_BYTES_MAX = 15;
/** First byte of the sort key of a hashed long key; shorter ones begin with their length. */
const HASHED_MARK = 0x80;
/** Long keys with one and the same 128-bit hash that can coexist below one parent. */
export const COLLISIONS_MAX = 256;

/** Throws DER_KEY2BIG or DER_INVAL when `key` cannot be one of this flavour. */
export function checkKey(what: string, key: Uint8Array, flavour: KeyFlavour): void {
  const length = key.length;
  if (length === 0) throw new DaosError('INVAL', `an empty ${what}`);
  if (flavour === 'uint64') {
    if (length !== 8) throw new DaosError('INVAL', `a uint64 ${what} has 8 bytes, not ${length}`);
  } else if (length > (flavour === 'lexical' ? LEXICAL_BYTES_MAX : KEY_BYTES_MAX)) {
    throw new DaosError('KEY2BIG', `a ${what} of ${length} bytes`);
  }
}

/** True when several keys may share a sort key, told apart by a last byte that counts them. */
export function mayCollide(key: Uint8Array, flavour: KeyFlavour): boolean {
  return flavour === 'hashed' && key.length > INLINE_BYTES_MAX;
}

/**
 * Appends what sorts as DAOS sorts keys of this flavour: numbers by value (little endian in the key), lexical
 * keys by bytes with the shorter first, hashed keys in a stable order without meaning.
 */
export function appendSortKey(into: IndexKey, key: Uint8Array, flavour: KeyFlavour, collision: number): void {
  if (flavour === 'lexical') into.raw(key);
  else if (flavour === 'uint64') {
    const at = into.length;
    for (let i = 0; i < 8; i++) into.bytes[at + i] = key[7 - i] as number;
    into.length = at + 8;
  } else if (key.length <= INLINE_BYTES_MAX) into.u8(key.length).raw(key);
  else {
    into.u8(HASHED_MARK);
    murmur128(key, into.bytes, into.length);
    into.length += MURMUR_BYTES;
    into.u8(collision);
  }
}
