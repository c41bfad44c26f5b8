import { createHash } from 'node:crypto';

/**
 * The multi-hash form of SHA-1 and SHA-256 (Gueron, "A j-lanes tree hashing mode", 2014, as in ISA-L): sixteen lanes
 * each hash every sixteenth word of 1024-byte blocks, the lanes' states are hashed once more. Only the compression
 * function is needed, which node:crypto does not offer.
 */
const BLOCK_BYTES = 1024;
const LANES = 16;
const SHA1_START = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
const SHA256_START = [
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];
const SHA256_ROUND = sha256Constants();

type Compress = (state: Int32Array, words: Int32Array) => void;

export function multiHashSha1(bytes: Uint8Array): Buffer {
  return multiHash(bytes, SHA1_START, compressSha1, 'sha1');
}

export function multiHashSha256(bytes: Uint8Array): Buffer {
  return multiHash(bytes, SHA256_START, compressSha256, 'sha256');
}

function multiHash(bytes: Uint8Array, start: readonly number[], compress: Compress, final: string): Buffer {
  const lanes = Array.from({ length: LANES }, () => Int32Array.from(start));
  const words = new Int32Array(80);
  const whole = bytes.length - (bytes.length % BLOCK_BYTES);
  for (let at = 0; at < whole; at += BLOCK_BYTES) addBlock(bytes, at, lanes, words, compress);
  const rest = bytes.length - whole;
  const tail = new Uint8Array(rest + 9 <= BLOCK_BYTES ? BLOCK_BYTES : 2 * BLOCK_BYTES);
  tail.set(bytes.subarray(whole));
  tail[rest] = 0x80;
  new DataView(tail.buffer).setBigUint64(tail.length - 8, BigInt(bytes.length) * 8n);
  for (let at = 0; at < tail.length; at += BLOCK_BYTES) addBlock(tail, at, lanes, words, compress);

  const states = Buffer.alloc(start.length * LANES * 4);
  for (let word = 0; word < start.length; word++) {
    lanes.forEach((state, lane) => states.writeInt32LE(state[word] ?? 0, (word * LANES + lane) * 4));
  }
  return createHash(final).update(states).digest().swap32();
}

function addBlock(bytes: Uint8Array, at: number, lanes: Int32Array[], words: Int32Array, compress: Compress): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, BLOCK_BYTES);
  for (let lane = 0; lane < LANES; lane++) {
    for (let i = 0; i < 16; i++) words[i] = view.getInt32((i * LANES + lane) * 4);
    const state = lanes[lane];
    if (state) compress(state, words);
  }
}

function rotateLeft(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

function rotateRight(x: number, bits: number): number {
  return (x >>> bits) | (x << (32 - bits));
}

/** FIPS 180-4, section 6.1.2. */
function compressSha1(state: Int32Array, w: Int32Array): void {
  const at = (i: number): number => w[i] ?? 0;
  for (let t = 16; t < 80; t++) w[t] = rotateLeft(at(t - 3) ^ at(t - 8) ^ at(t - 14) ^ at(t - 16), 1);
  let [a = 0, b = 0, c = 0, d = 0, e = 0] = state;
  for (let t = 0; t < 80; t++) {
    let f: number;
    if (t < 20) f = ((b & c) | (~b & d)) + 0x5a827999;
    else if (t < 40) f = (b ^ c ^ d) + 0x6ed9eba1;
    else if (t < 60) f = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    else f = (b ^ c ^ d) + 0xca62c1d6;
    const next = (rotateLeft(a, 5) + f + e + at(t)) | 0;
    e = d;
    d = c;
    c = rotateLeft(b, 30);
    b = a;
    a = next;
  }
  [a, b, c, d, e].forEach((value, i) => (state[i] = (state[i] ?? 0) + value));
}

/** FIPS 180-4, section 6.2.2. */
function compressSha256(state: Int32Array, w: Int32Array): void {
  const at = (i: number): number => w[i] ?? 0;
  for (let t = 16; t < 64; t++) {
    const s0 = rotateRight(at(t - 15), 7) ^ rotateRight(at(t - 15), 18) ^ (at(t - 15) >>> 3);
    const s1 = rotateRight(at(t - 2), 17) ^ rotateRight(at(t - 2), 19) ^ (at(t - 2) >>> 10);
    w[t] = at(t - 16) + s0 + at(t - 7) + s1;
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let t = 0; t < 64; t++) {
    const s1 = rotateRight(e, 6) ^ rotateRight(e, 11) ^ rotateRight(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + (SHA256_ROUND[t] ?? 0) + at(t)) | 0;
    const s0 = rotateRight(a, 2) ^ rotateRight(a, 13) ^ rotateRight(a, 22);
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
  [a, b, c, d, e, f, g, h].forEach((value, i) => (state[i] = (state[i] ?? 0) + value));
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
