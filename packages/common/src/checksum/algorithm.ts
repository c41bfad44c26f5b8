import { createHash, type Hash } from 'node:crypto';

import { crc32c } from '@node-rs/crc32';

import { Crc64 } from '../crc64.js';
import { adler32Update } from './adler32.js';
import { crc16Update } from './crc16.js';
import { kernelFor } from './kernel.js';
import { MultiHash } from './multi_hash_sha.js';
import { CHECKSUM_TYPE_NAMES, ChecksumType } from './type.js';

/**
 * A running checksum: `begin` (a new state has begun), any number of `update`s, `finish`; then `begin` for the next.
 */
export interface ChecksumState {
  begin(): void;
  /** Adds `data[from, to)`, all of `data` when the ends are left out. */
  update(data: Uint8Array, from?: number, to?: number): void;
  /**
   * Writes the digest to `out` at `at`. As in DAOS, a SHA that was never updated leaves `out` as it is (an update with
   * no bytes counts), while a CRC or Adler of nothing is 0.
   */
  finish(out: Uint8Array, at: number): void;
}

/** How to compute one type of checksum. */
export interface ChecksumAlgorithm {
  readonly type: number;
  readonly name: string;
  /** Bytes of a digest. */
  readonly length: number;
  /** Writes the digest of `data[from, to)` (all of it when left out) to `out` at `at`. */
  digest(data: Uint8Array, out: Uint8Array, at: number, from?: number, to?: number): void;
  /** A running checksum of this type. */
  start(): ChecksumState;
}

/**
 * Raw CRC-32C register (start 0, no final inversion), as DAOS stores it: the usual function started so that its two
 * inversions cancel.
 */
let crc32Raw = (data: Uint8Array, register: number): number => ~crc32c(data, ~register >>> 0);

/** Replaces the implementation of crc32 by a faster one: the raw CRC-32C register over `data`, going on from `register`. */
export function setCrc32Implementation(raw: (data: Uint8Array, register: number) => number): void {
  crc32Raw = raw;
}

function crc32Update(register: number, data: Uint8Array, from: number, to: number): number {
  return crc32Raw(part(data, from, to), register) >>> 0;
}

const adlerWords = new Int32Array(1);

function adlerUpdate(sums: number, data: Uint8Array, from: number, to: number): number {
  const kernel = kernelFor(to - from);
  if (!kernel) return adler32Update(sums, data, from, to);
  adlerWords[0] = sums;
  kernel(ChecksumType.ADLER32, adlerWords, part(data, from, to));
  return adlerWords[0] >>> 0;
}

/** A view only where it has to be. */
function part(data: Uint8Array, from: number, to: number): Uint8Array {
  return from === 0 && to === data.length ? data : data.subarray(from, to);
}

type RegisterUpdate = (register: number, data: Uint8Array, from: number, to: number) => number;

/** A checksum that is one number of up to 32 bits, starts at 0 and is stored little-endian. */
class RegisterState implements ChecksumState {
  private register = 0;

  constructor(private readonly add: RegisterUpdate, private readonly length: number) {}

  begin(): void {
    this.register = 0;
  }

  update(data: Uint8Array, from = 0, to = data.length): void {
    this.register = this.add(this.register, data, from, to);
  }

  finish(out: Uint8Array, at: number): void {
    writeLittleEndian(out, at, this.register, this.length);
  }
}

class Crc64State implements ChecksumState {
  private readonly crc = new Crc64().begin(0);
  private readonly words = new Int32Array(2);

  begin(): void {
    this.crc.begin(0);
  }

  update(data: Uint8Array, from = 0, to = data.length): void {
    const { crc, words } = this;
    const kernel = kernelFor(to - from);
    if (!kernel) {
      crc.bytes(data, from, to);
      return;
    }
    words[0] = crc.lo;
    words[1] = crc.hi;
    kernel(ChecksumType.CRC64, words, part(data, from, to));
    crc.lo = words[0];
    crc.hi = words[1];
  }

  finish(out: Uint8Array, at: number): void {
    this.crc.end();
    writeLittleEndian(out, at, this.crc.lo, 4);
    writeLittleEndian(out, at + 4, this.crc.hi, 4);
  }
}

class MultiHashState implements ChecksumState {
  private isUpdated = false;

  constructor(private readonly hash: MultiHash) {}

  begin(): void {
    this.hash.begin();
    this.isUpdated = false;
  }

  update(data: Uint8Array, from = 0, to = data.length): void {
    this.isUpdated = true;
    this.hash.update(data, from, to);
  }

  finish(out: Uint8Array, at: number): void {
    if (this.isUpdated) out.set(this.hash.digest(), at);
  }
}

class Sha512State implements ChecksumState {
  private hash: Hash | undefined;

  begin(): void {
    this.hash = undefined;
  }

  update(data: Uint8Array, from = 0, to = data.length): void {
    this.hash ??= createHash('sha512');
    this.hash.update(part(data, from, to));
  }

  finish(out: Uint8Array, at: number): void {
    // The words of the digest are stored little-endian.
    if (this.hash) out.set(this.hash.digest().swap64(), at);
  }
}

function writeLittleEndian(out: Uint8Array, at: number, value: number, length: number): void {
  for (let i = 0; i < length; i++) out[at + i] = value >>> (8 * i);
}

/** An algorithm whose one-shot digest uses a state of its own, kept. */
function algorithm(type: number, length: number, start: () => ChecksumState): ChecksumAlgorithm {
  let own: ChecksumState | undefined;
  return {
    type,
    name: CHECKSUM_TYPE_NAMES[type] as string,
    length,
    start,
    digest(data, out, at, from = 0, to = data.length) {
      own ??= start();
      own.begin();
      own.update(data, from, to);
      own.finish(out, at);
    },
  };
}

const ALGORITHMS: readonly (ChecksumAlgorithm | undefined)[] = [
  undefined,
  algorithm(ChecksumType.CRC16, 2, () => new RegisterState(crc16Update, 2)),
  algorithm(ChecksumType.CRC32, 4, () => new RegisterState(crc32Update, 4)),
  algorithm(ChecksumType.CRC64, 8, () => new Crc64State()),
  algorithm(ChecksumType.SHA1, 20, () => new MultiHashState(MultiHash.sha1())),
  algorithm(ChecksumType.SHA256, 32, () => new MultiHashState(MultiHash.sha256())),
  algorithm(ChecksumType.SHA512, 64, () => new Sha512State()),
  algorithm(ChecksumType.ADLER32, 4, () => new RegisterState(adlerUpdate, 4)),
];

/** Algorithm of a type number; undefined for `off` and unknown numbers. */
export function checksumAlgorithm(type: number): ChecksumAlgorithm | undefined {
  return ALGORITHMS[type];
}

/** Algorithm of a name such as `crc32`. */
export function checksumAlgorithmByName(name: string): ChecksumAlgorithm | undefined {
  return ALGORITHMS.find((known) => known?.name === name);
}
