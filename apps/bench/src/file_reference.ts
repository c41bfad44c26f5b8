import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';

import { alignedBuffer, fileRead, fileReadNow, fileWrite, type FileRun } from '@daos/native';

export const FILE_UPDATE_REFERENCE = 'raw writes and fdatasync, batches';
export const FILE_FETCH_REFERENCE = 'raw reads';

/** The file that is written over and over, in bytes, at the most. */
const FILE_BYTES_MAX = 256 * 1024 * 1024;
const PAGE_BYTES = 4096;
const MS_PER_FIGURE = 1000;
/** Reads up to this size are first tried out of the page cache, as the store does. */
const READ_NOW_BYTES_MAX = 1024 * 1024;

export interface FileFigures {
  readonly updatesPerSecond: number;
  readonly fetchesPerSecond: number;
}

/**
 * What the addon does with a plain file that has all its blocks: `batch` writes of `bytes` to places of their own and
 * one fdatasync, again and again; then reads of as many bytes, one after the other.
 */
export async function measureFile(dir: string, bytes: number, batch: number): Promise<FileFigures> {
  const places = Math.max(batch * 2, Math.floor(FILE_BYTES_MAX / bytes));
  const fd = openSync(join(dir, 'reference.data'), constants.O_RDWR | constants.O_CREAT);
  try {
    const value = alignedBuffer(bytes, PAGE_BYTES).fill(1);
    const runsOf = (first: number): FileRun[] =>
      Array.from({ length: batch }, (_, i) => ({ offset: placeOf(first + i, places) * bytes, buffers: [value] }));
    for (let first = 0; first < places; first += batch) await fileWrite(fd, runsOf(first), first + batch >= places);
    const updatesPerSecond = await rate(batch, (i) => fileWrite(fd, runsOf(i * batch), true));
    const into = alignedBuffer(bytes, PAGE_BYTES);
    const fetchesPerSecond = await rate(1, async (i) => {
      const offset = placeOf(i, places) * bytes;
      if (bytes > READ_NOW_BYTES_MAX || fileReadNow(fd, offset, into) !== bytes) await fileRead(fd, offset, into);
    });
    return { updatesPerSecond, fetchesPerSecond };
  } finally {
    closeSync(fd);
  }
}

/** Places in an order that looks like chance: no two neighbours come one after the other. */
function placeOf(i: number, places: number): number {
  return (i * 7919) % places;
}

async function rate(operationsPerCall: number, call: (i: number) => Promise<void>): Promise<number> {
  const started = performance.now();
  let calls = 0;
  do await call(calls++);
  while (performance.now() - started < MS_PER_FIGURE);
  return (calls * operationsPerCall) / ((performance.now() - started) / 1000);
}
