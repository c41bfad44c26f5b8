import { DaosError } from './error.js';
import { Hash64, MURMUR_SEED_DKEY, jumpHash, murmur64 } from './hash64.js';
import { objectTypeHasIntegerDkeys } from './object_type.js';

const scratch = new Hash64();

/**
 * Hash of a dkey, delivered into `out`: the number itself for types with integer dkeys, else a murmur hash.
 * Throws DER_INVAL when an integer dkey does not have 8 bytes.
 */
export function dkeyHashInto(type: number, dkey: Uint8Array, out: Hash64): void {
  if (!objectTypeHasIntegerDkeys(type)) {
    if (dkey.length === 0) out.hi = out.lo = 0;
    else murmur64(dkey, MURMUR_SEED_DKEY, out);
    return;
  }
  if (dkey.length !== 8) throw new DaosError('INVAL', `an integer dkey has 8 bytes, got ${dkey.length}`);
  out.lo = word(dkey, 0);
  out.hi = word(dkey, 4);
}

function word(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)
  );
}

/** Hash of a dkey as a 64-bit number. Throws as `dkeyHashInto`. */
export function dkeyHash(type: number, dkey: Uint8Array): bigint {
  dkeyHashInto(type, dkey, scratch);
  return scratch.toBigInt();
}

/** Redundancy group, 0 .. groupCount-1, that holds a dkey. Throws as `dkeyHashInto`. */
export function dkeyToGroup(type: number, dkey: Uint8Array, groupCount: number): number {
  dkeyHashInto(type, dkey, scratch);
  return groupCount === 1 ? 0 : jumpHash(scratch.hi, scratch.lo, groupCount);
}

/** Place inside its group of the first cell of an erasure-coded dkey (layout version 1 and later). */
export function dkeyToEcStart(type: number, dkey: Uint8Array, groupSize: number): number {
  dkeyHashInto(type, dkey, scratch);
  return Number(scratch.toBigInt() % BigInt(groupSize));
}
