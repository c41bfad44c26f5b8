import { DaosError } from './error.js';

/** Taken out of `Math` once: where globals are looked up slowly (`node:vm`), that would cost more than the hash. */
const { imul } = Math;

/**
 * 64-bit hashing in 32-bit halves: the data path hashes one key per operation, and BigInt would cost more than all
 * the rest. A hash is delivered into a `Hash64`, a reusable pair of signed 32-bit integers.
 */
export class Hash64 {
  hi = 0;
  lo = 0;

  toBigInt(): bigint {
    return (BigInt(this.hi >>> 0) << 32n) | BigInt(this.lo >>> 0);
  }

  static fromBigInt(value: bigint): Hash64 {
    const hash = new Hash64();
    hash.hi = Number((value >> 32n) & 0xffff_ffffn) | 0;
    hash.lo = Number(value & 0xffff_ffffn) | 0;
    return hash;
  }
}

/** Upper 32 bits of the product of two unsigned 32-bit numbers. */
function multiplyHigh(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const low = imul(a0, b0) >>> 0;
  const middle = (imul(a1, b0) >>> 0) + (low >>> 16);
  const other = (imul(a0, b1) >>> 0) + (middle & 0xffff);
  return (imul(a1, b1) + (middle >>> 16) + (other >>> 16)) | 0;
}

const MURMUR_HI = 0xc6a4a793 | 0;
const MURMUR_LO = 0x5bd1e995;

/** Seed of the hash that distributes dkeys over redundancy groups. */
export const MURMUR_SEED_DKEY = 5731;
/** Seed of the hash inside VOS's hashed keys and of look-up caches. */
export const MURMUR_SEED_VOS = 0xc0ffee;

/** MurmurHash64A (Austin Appleby, 2008) of `bytes`, delivered into `out`. */
export function murmur64(bytes: Uint8Array, seed: number, out: Hash64): void {
  const length = bytes.length;
  // h = seed ^ length * m
  let hi = (multiplyHigh(length, MURMUR_LO) + imul(length, MURMUR_HI)) | 0;
  let lo = imul(length, MURMUR_LO) ^ seed;
  let at = 0;
  for (const end = length - (length & 7); at < end; at += 8) {
    let kLo = wordAt(bytes, at);
    let kHi = wordAt(bytes, at + 4);
    let high = multiplyHigh(kLo, MURMUR_LO) + imul(kLo, MURMUR_HI) + imul(kHi, MURMUR_LO);
    kLo = imul(kLo, MURMUR_LO);
    kHi = high | 0;
    kLo ^= kHi >>> 15;
    high = multiplyHigh(kLo, MURMUR_LO) + imul(kLo, MURMUR_HI) + imul(kHi, MURMUR_LO);
    lo ^= imul(kLo, MURMUR_LO);
    hi ^= high | 0;
    high = multiplyHigh(lo, MURMUR_LO) + imul(lo, MURMUR_HI) + imul(hi, MURMUR_LO);
    lo = imul(lo, MURMUR_LO);
    hi = high | 0;
  }
  const rest = length - at;
  if (rest > 0) {
    for (let i = 0; i < rest; i++) {
      const byte = bytes[at + i] ?? 0;
      if (i < 4) lo ^= byte << (8 * i);
      else hi ^= byte << (8 * (i - 4));
    }
    const high = multiplyHigh(lo, MURMUR_LO) + imul(lo, MURMUR_HI) + imul(hi, MURMUR_LO);
    lo = imul(lo, MURMUR_LO);
    hi = high | 0;
  }
  lo ^= hi >>> 15;
  const high = multiplyHigh(lo, MURMUR_LO) + imul(lo, MURMUR_HI) + imul(hi, MURMUR_LO);
  lo = imul(lo, MURMUR_LO);
  hi = high | 0;
  out.lo = lo ^ (hi >>> 15);
  out.hi = hi;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)
  );
}

/** MurmurHash64A as a number of 64 bits; for callers that are not on the data path. */
export function murmur64BigInt(bytes: Uint8Array, seed: number): bigint {
  const out = new Hash64();
  murmur64(bytes, seed, out);
  return out.toBigInt();
}

/** Bernstein's string hash (h = 33 h + byte, from 5381), unsigned 32 bits. */
export function stringHash32(bytes: Uint8Array): number {
  let hash = 5381;
  for (let i = 0; i < bytes.length; i++) hash = (imul(hash, 33) + (bytes[i] ?? 0)) | 0;
  return hash >>> 0;
}

/** Mix of the bits of a 64-bit number (Thomas Wang, 2007): every bit of the input changes about half of the output. */
export function hashMix64(key: bigint): bigint {
  const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
  let mixed = u64(~key + (key << 21n));
  mixed ^= mixed >> 24n;
  mixed = u64(mixed + (mixed << 3n) + (mixed << 8n));
  mixed ^= mixed >> 14n;
  mixed = u64(mixed + (mixed << 2n) + (mixed << 4n));
  mixed ^= mixed >> 28n;
  return u64(mixed + (mixed << 31n));
}

/** Mix of three unsigned 32-bit numbers to one (Robert Jenkins, 1997). */
export function hashMix96(first: number, second: number, third: number): number {
  let [a, b, c] = [first | 0, second | 0, third | 0];
  const round = (x: number, y: number, z: number): void => {
    a = (a - b - c) ^ (c >>> x);
    b = (b - c - a) ^ (a << y);
    c = (c - a - b) ^ (b >>> z);
  };
  round(13, 8, 13);
  round(12, 16, 5);
  round(3, 10, 15);
  return c >>> 0;
}

const JUMP_HI = 0x27bb2ee6;
const JUMP_LO = 0x87b0b0fd;

/**
 * Jump consistent hash (Lamping and Veach, 2014): the bucket, 0 .. buckets-1, of a 64-bit key given in halves.
 * Every client and engine must agree on it, so the order of the floating-point operations is part of the function.
 * `buckets` is an integer from 1 to 2^31.
 */
export function jumpHash(keyHi: number, keyLo: number, buckets: number): number {
  let hi = keyHi;
  let lo = keyLo;
  let bucket = 0;
  for (;;) {
    const high = multiplyHigh(lo, JUMP_LO) + imul(lo, JUMP_HI) + imul(hi, JUMP_LO);
    lo = (imul(lo, JUMP_LO) + 1) | 0;
    // The carry of "+ 1" reaches the upper half only when the product's lower half was all ones.
    hi = (lo === 0 ? high + 1 : high) | 0;
    const next = (bucket + 1) * (2147483648 / ((hi >>> 1) + 1));
    if (next >= buckets) return bucket;
    bucket = next | 0;
  }
}

const HASHED_KEY_INLINE_MAX = 15;
const scratch = new Hash64();

/**
 * The 16 bytes by which a hashed dkey or akey is ordered. Up to 15 bytes stand inline behind a tag byte; longer keys
 * become length, string hash and murmur hash (equal hashes are told apart by the real bytes).
 * Throws DER_INVAL for an empty key.
 */
export function hashedKey(key: Uint8Array): Buffer {
  if (key.length === 0) throw new DaosError('INVAL', 'a key must have at least one byte');
  const out = Buffer.alloc(16);
  if (key.length <= HASHED_KEY_INLINE_MAX) {
    out[0] = (key.length << 2) | 1;
    out.set(key, 1);
    return out;
  }
  out.writeUInt32LE((key.length << 2) >>> 0, 0);
  out.writeUInt32LE(stringHash32(key), 4);
  murmur64(key, MURMUR_SEED_VOS, scratch);
  out.writeInt32LE(scratch.lo, 8);
  out.writeInt32LE(scratch.hi, 12);
  return out;
}
