import { crc32 } from 'node:zlib';

import { Cond, IodType, type Iod, type KeyFlavour } from '@daos/common';
import type { Random } from '@daos/gurt';

import type { IodChecksums, VosPiece } from '../../src/index.js';
import { chunkCount, recordsPerChunk } from '../../src/value/chunks.js';
import { array, number64, single } from '../fixture.js';
import { Mismatch } from './history.js';
import { INDEX_LIMIT } from './model.js';

const CHUNK_BYTES = 16;
/** The third goes to the data file beside its batch, the last before it. */
const SINGLE_BYTES = [1, 20, 64, 700, 1500, 5000];
const SINGLE_BYTES_LATE = 40_000;

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.below(from.length)] as T;
}

export function shuffled<T>(random: Random, from: readonly T[]): T[] {
  return from.map((item) => ({ item, rank: random.next() })).sort((a, b) => a.rank - b.rank).map(({ item }) => item);
}

/** Distinct keys of all lengths that are stored differently. */
export function randomKeys(random: Random, flavour: KeyFlavour, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    if (flavour === 'uint64') return number64([1, 255, 256, 70_000][i] as number);
    const key = Buffer.alloc(pick(random, [1, 3, 15, 16, 40, 120]), 0x61 + random.below(2));
    key[key.length - 1] = i;
    return key;
  }).filter((key, i, all) => all.findIndex((other) => Buffer.compare(other, key) === 0) === i);
}

/** What to write to the akey with number `at`: mostly one kind per key, so that programs get somewhere. */
export function randomIod(random: Random, akey: Uint8Array, at: number, flags: number, isSmall: boolean): Iod {
  const own = flags & Cond.PER_AKEY ? pick(random, [0, 0, Cond.AKEY_INSERT, Cond.AKEY_UPDATE]) : undefined;
  const isSingle = (at % 2 === 0) !== (random.below(20) === 0);
  const isPunch = random.below(8) === 0;
  if (isSingle) {
    const bytes = random.below(12) === 0 ? SINGLE_BYTES_LATE : pick(random, SINGLE_BYTES);
    return single(akey, isPunch ? 0 : isSmall ? bytes % 1600 : bytes, own);
  }
  const recordSize = random.below(30) === 0 ? 3 : at === 1 ? 1 : 24;
  const recxs: [number, number][] = [];
  let index = 0;
  for (let i = 1 + random.below(2); i > 0; i--) {
    index += random.below(INDEX_LIMIT / 4);
    const nr = pick(random, isSmall ? [1, 2, 7, 40] : [1, 2, 7, 40, 200]);
    if (index + nr > INDEX_LIMIT) break;
    recxs.push([index, nr]);
    index += nr;
  }
  return { ...array(akey, isPunch ? 0 : recordSize, ...recxs), ...(own === undefined ? {} : { flags: own }) };
}

export function randomValue(random: Random, iod: Iod): Uint8Array {
  const bytes = iod.type === IodType.SINGLE ? iod.size : iod.size * iod.recxs.reduce((total, { nr }) => total + Number(nr), 0);
  // large values need not be random all through
  return bytes > 4096 ? Buffer.alloc(bytes, random.bytes(61)) : random.bytes(bytes);
}

/** Checksums as a client computes them: one per value, or per chunk of each extent. */
export function checksumsOf(iod: Iod, value: Uint8Array): IodChecksums {
  const sums: Buffer[] = [];
  if (iod.type === IodType.SINGLE) sums.push(digest(value));
  let at = 0;
  for (const { idx, nr } of iod.recxs) {
    sums.push(...chunkSums(idx, idx + nr - 1n, iod.size, value.subarray(at, at + Number(nr) * iod.size)));
    at += Number(nr) * iod.size;
  }
  return { type: 2, chunkBytes: CHUNK_BYTES, length: 4, bytes: Buffer.concat(sums) };
}

/** What is stored around a piece matches its checksums and contains the piece. */
export function checkStored({ stored, data, recx }: VosPiece, size: number, isSingle: boolean): void {
  if (!stored) return;
  const { idx, nr } = stored.recx;
  const sums = isSingle ? [digest(stored.data)] : chunkSums(idx, idx + nr - 1n, size, stored.data);
  if (Buffer.compare(Buffer.concat(sums), stored.checksums.bytes) !== 0) throw new Mismatch('stored checksums: they do not fit');
  const at = isSingle ? 0 : Number(recx.idx - idx) * size;
  if (Buffer.compare(data, stored.data.subarray(at, at + data.length)) !== 0) throw new Mismatch('stored data: not what was read');
}

export function show(key: Uint8Array | undefined): string {
  if (key === undefined) return '-';
  const hex = Buffer.from(key).toString('hex');
  return hex.length > 8 ? `${hex.slice(-4)}.${key.length}` : hex;
}

export function showIod(iod: Iod): string {
  const kind = iod.type === IodType.SINGLE ? 'single' : 'array';
  return `${show(iod.akey)}:${kind}:${iod.size}[${iod.recxs.map(({ idx, nr }) => `${idx}+${nr}`).join()}]${iod.flags ?? ''}`;
}

function digest(data: Uint8Array): Buffer {
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(crc32(data));
  return sum;
}

function chunkSums(lo: bigint, hi: bigint, size: number, data: Uint8Array): Buffer[] {
  const perChunk = recordsPerChunk(CHUNK_BYTES, size);
  const sums: Buffer[] = [];
  for (let i = lo; i <= hi; ) {
    const end = (i / perChunk + 1n) * perChunk - 1n;
    const last = end < hi ? end : hi;
    sums.push(digest(data.subarray(Number(i - lo) * size, Number(last + 1n - lo) * size)));
    i = last + 1n;
  }
  if (sums.length !== chunkCount(lo, hi, perChunk)) throw new Mismatch('chunk count');
  return sums;
}
