import { createHash } from 'node:crypto';

import { crc32c } from '@node-rs/crc32';

import { Crc64 } from './crc64.js';
import { multiHashSha1, multiHashSha256 } from './multi_hash_sha.js';

/** Checksum types as container property `cksum` numbers them. */
export const ChecksumType = {
  OFF: 0,
  CRC16: 1,
  CRC32: 2,
  CRC64: 3,
  SHA1: 4,
  SHA256: 5,
  SHA512: 6,
  ADLER32: 7,
} as const;

/** How to compute one type of checksum. */
export interface ChecksumAlgorithm {
  readonly type: number;
  readonly name: string;
  /** Bytes of a digest. */
  readonly length: number;
  /** Writes the digest of `data` to `out` at `at`. */
  digest(data: Uint8Array, out: Uint8Array, at: number): void;
}

/**
 * Raw CRC-32C register (start 0, no final inversion), as DAOS stores it: the usual function started so that its two
 * inversions cancel.
 */
let crc32Raw = (data: Uint8Array): number => ~crc32c(data, 0xffffffff);

/** Replaces the implementation of crc32 by a faster one: the raw CRC-32C register over `data`, from 0. */
export function setCrc32Implementation(raw: (data: Uint8Array) => number): void {
  crc32Raw = raw;
}

function writeWord(out: Uint8Array, at: number, word: number): void {
  out[at] = word;
  out[at + 1] = word >>> 8;
  out[at + 2] = word >>> 16;
  out[at + 3] = word >>> 24;
}

const CRC16_POLYNOMIAL = 0x8bb7;
const CRC16_TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ CRC16_POLYNOMIAL : crc << 1;
  return crc & 0xffff;
});

function crc16(data: Uint8Array, out: Uint8Array, at: number): void {
  let crc = 0;
  for (let i = 0; i < data.length; i++) {
    crc = ((crc << 8) & 0xffff) ^ (CRC16_TABLE[(crc >>> 8) ^ (data[i] ?? 0)] ?? 0);
  }
  out[at] = crc;
  out[at + 1] = crc >>> 8;
}

const ADLER_MODULUS = 65521;
/** Most bytes before the sums of Adler-32 could exceed 32 bits. */
const ADLER_RUN = 5552;

function adler32(data: Uint8Array, out: Uint8Array, at: number): void {
  let low = 0;
  let high = 0;
  for (let i = 0; i < data.length; ) {
    const end = Math.min(i + ADLER_RUN, data.length);
    for (; i < end; i++) {
      low += data[i] ?? 0;
      high += low;
    }
    low %= ADLER_MODULUS;
    high %= ADLER_MODULUS;
  }
  writeWord(out, at, (high << 16) | low);
}

const crc64State = new Crc64();

function crc64(data: Uint8Array, out: Uint8Array, at: number): void {
  crc64State.begin(0).bytes(data).end();
  writeWord(out, at, crc64State.lo);
  writeWord(out, at + 4, crc64State.hi);
}

const ALGORITHMS: readonly (ChecksumAlgorithm | undefined)[] = [
  undefined,
  { type: ChecksumType.CRC16, name: 'crc16', length: 2, digest: crc16 },
  { type: ChecksumType.CRC32, name: 'crc32', length: 4, digest: (data, out, at) => writeWord(out, at, crc32Raw(data)) },
  { type: ChecksumType.CRC64, name: 'crc64', length: 8, digest: crc64 },
  { type: ChecksumType.SHA1, name: 'sha1', length: 20, digest: (data, out, at) => out.set(multiHashSha1(data), at) },
  { type: ChecksumType.SHA256, name: 'sha256', length: 32, digest: (data, out, at) => out.set(multiHashSha256(data), at) },
  {
    type: ChecksumType.SHA512,
    name: 'sha512',
    length: 64,
    // The words of the digest are stored little-endian.
    digest: (data, out, at) => out.set(createHash('sha512').update(data).digest().swap64(), at),
  },
  { type: ChecksumType.ADLER32, name: 'adler32', length: 4, digest: adler32 },
];

/** Algorithm of a type number; undefined for `off` and unknown numbers. */
export function checksumAlgorithm(type: number): ChecksumAlgorithm | undefined {
  return ALGORITHMS[type];
}

/** Algorithm of a name such as `crc32`. */
export function checksumAlgorithmByName(name: string): ChecksumAlgorithm | undefined {
  return ALGORITHMS.find((algorithm) => algorithm?.name === name);
}
