/**
 * The compression functions of SHA-1 and SHA-256 (FIPS 180-4) for one of sixteen lanes: `state` holds word 0 of all lanes,
 * then word 1, and so on. `words` has room for the schedule, its first sixteen are given.
 */
export const LANES = 16;

const SHA256_ROUND = sha256Constants();

/** FIPS 180-4, section 6.1.2. */
export function compressSha1(state: Int32Array, lane: number, words: Int32Array): void {
  for (let t = 16; t < 80; t++) {
    words[t] = rotateLeft(at(words, t - 3) ^ at(words, t - 8) ^ at(words, t - 14) ^ at(words, t - 16), 1);
  }
  let a = at(state, lane);
  let b = at(state, lane + LANES);
  let c = at(state, lane + 2 * LANES);
  let d = at(state, lane + 3 * LANES);
  let e = at(state, lane + 4 * LANES);
  for (let t = 0; t < 80; t++) {
    const next = (rotateLeft(a, 5) + sha1Mix(t, b, c, d) + e + at(words, t)) | 0;
    e = d;
    d = c;
    c = rotateLeft(b, 30);
    b = a;
    a = next;
  }
  add(state, lane, a);
  add(state, lane + LANES, b);
  add(state, lane + 2 * LANES, c);
  add(state, lane + 3 * LANES, d);
  add(state, lane + 4 * LANES, e);
}

/** Section 4.1.1 with the constants of section 4.2.1. */
function sha1Mix(t: number, b: number, c: number, d: number): number {
  if (t < 20) return (((b & c) | (~b & d)) + 0x5a827999) | 0;
  if (t < 40) return ((b ^ c ^ d) + 0x6ed9eba1) | 0;
  if (t < 60) return (((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc) | 0;
  return ((b ^ c ^ d) + 0xca62c1d6) | 0;
}

/** FIPS 180-4, section 6.2.2. */
export function compressSha256(state: Int32Array, lane: number, words: Int32Array): void {
  for (let t = 16; t < 64; t++) {
    const x = at(words, t - 15);
    const y = at(words, t - 2);
    const s0 = rotateLeft(x, 25) ^ rotateLeft(x, 14) ^ (x >>> 3);
    const s1 = rotateLeft(y, 15) ^ rotateLeft(y, 13) ^ (y >>> 10);
    words[t] = (at(words, t - 16) + s0 + at(words, t - 7) + s1) | 0;
  }
  let a = at(state, lane);
  let b = at(state, lane + LANES);
  let c = at(state, lane + 2 * LANES);
  let d = at(state, lane + 3 * LANES);
  let e = at(state, lane + 4 * LANES);
  let f = at(state, lane + 5 * LANES);
  let g = at(state, lane + 6 * LANES);
  let h = at(state, lane + 7 * LANES);
  for (let t = 0; t < 64; t++) {
    const s1 = rotateLeft(e, 26) ^ rotateLeft(e, 21) ^ rotateLeft(e, 7);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + at(SHA256_ROUND, t) + at(words, t)) | 0;
    const s0 = rotateLeft(a, 30) ^ rotateLeft(a, 19) ^ rotateLeft(a, 10);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  add(state, lane, a);
  add(state, lane + LANES, b);
  add(state, lane + 2 * LANES, c);
  add(state, lane + 3 * LANES, d);
  add(state, lane + 4 * LANES, e);
  add(state, lane + 5 * LANES, f);
  add(state, lane + 6 * LANES, g);
  add(state, lane + 7 * LANES, h);
}

function at(words: Int32Array, index: number): number {
  return words[index] as number;
}

function add(words: Int32Array, index: number, value: number): void {
  words[index] = at(words, index) + value;
}

function rotateLeft(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
function sha256Constants(): Int32Array {
  const constants = new Int32Array(64);
  let found = 0;
  for (let candidate = 2n; found < 64; candidate++) {
    let isPrime = true;
    for (let divisor = 2n; divisor * divisor <= candidate; divisor++) if (candidate % divisor === 0n) isPrime = false;
    if (isPrime) constants[found++] = Number(BigInt.asUintN(32, cubeRoot(candidate << 96n))) | 0;
  }
  return constants;
}

function cubeRoot(value: bigint): bigint {
  let low = 0n;
  let high = 1n << 44n;
  while (low + 1n < high) {
    const middle = (low + high) >> 1n;
    if (middle * middle * middle <= value) low = middle;
    else high = middle;
  }
  return low;
}
