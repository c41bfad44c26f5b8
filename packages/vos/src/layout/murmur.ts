/**
 * murmur3, x86, 128 bits (Austin Appleby, public domain), on 32-bit integers only. Stands for long keys in
 * the index; collisions are told apart by the whole key, which is stored beside it.
 */
const C1 = 0x239b961b;
const C2 = 0xab0e9789;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93;

export const MURMUR_BYTES = 16;

/** Writes the hash of `key` into `into` at `at`. */
export function murmur128(key: Uint8Array, into: Uint8Array, at: number): void {
  const length = key.length;
  const blockBytes = length & ~15;
  let h1 = 0;
  let h2 = 0;
  let h3 = 0;
  let h4 = 0;
  for (let i = 0; i < blockBytes; i += 16) {
    h1 = add5(rotl(h1 ^ mixA(word(key, i)), 19), h2, 0x561ccd1b);
    h2 = add5(rotl(h2 ^ mixB(word(key, i + 4)), 17), h3, 0x0bcaa747);
    h3 = add5(rotl(h3 ^ mixC(word(key, i + 8)), 15), h4, 0x96cd1c35);
    h4 = add5(rotl(h4 ^ mixD(word(key, i + 12)), 13), h1, 0x32ac3b17);
  }
  h1 ^= mixA(tail(key, blockBytes));
  h2 ^= mixB(tail(key, blockBytes + 4));
  h3 ^= mixC(tail(key, blockBytes + 8));
  h4 ^= mixD(tail(key, blockBytes + 12));
  h1 ^= length;
  h2 ^= length;
  h3 ^= length;
  h4 ^= length;
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = (h2 + h1) | 0;
  h3 = (h3 + h1) | 0;
  h4 = (h4 + h1) | 0;
  h1 = finish(h1);
  h2 = finish(h2);
  h3 = finish(h3);
  h4 = finish(h4);
  h1 = (h1 + h2 + h3 + h4) | 0;
  put(into, at, h1);
  put(into, at + 4, h2 + h1);
  put(into, at + 8, h3 + h1);
  put(into, at + 12, h4 + h1);
}

function rotl(x: number, by: number): number {
  return (x << by) | (x >>> (32 - by));
}

function add5(h: number, other: number, constant: number): number {
  return (Math.imul((h + other) | 0, 5) + constant) | 0;
}

function mixA(k: number): number {
  return Math.imul(rotl(Math.imul(k, C1), 15), C2);
}

function mixB(k: number): number {
  return Math.imul(rotl(Math.imul(k, C2), 16), C3);
}

function mixC(k: number): number {
  return Math.imul(rotl(Math.imul(k, C3), 17), C4);
}

function mixD(k: number): number {
  return Math.imul(rotl(Math.imul(k, C4), 18), C1);
}

function finish(x: number): number {
  let h = x ^ (x >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function word(key: Uint8Array, at: number): number {
  return (
    (key[at] as number) |
    ((key[at + 1] as number) << 8) |
    ((key[at + 2] as number) << 16) |
    ((key[at + 3] as number) << 24)
  );
}

/** Up to four bytes; what lies behind the key counts as zero. */
function tail(key: Uint8Array, at: number): number {
  return (key[at] ?? 0) | ((key[at + 1] ?? 0) << 8) | ((key[at + 2] ?? 0) << 16) | ((key[at + 3] ?? 0) << 24);
}

function put(into: Uint8Array, at: number, value: number): void {
  into[at] = value >>> 24;
  into[at + 1] = value >>> 16;
  into[at + 2] = value >>> 8;
  into[at + 3] = value;
}
