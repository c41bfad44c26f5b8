import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';

import { alignedBuffer, fileRead, fileReadNow, fileWrite, type FileRun } from '@daos/native';

export const FILE_UPDATE_REFERENCE = 'raw writes of new blocks and fdatasync, batches';
export const FILE_FETCH_REFERENCE = 'raw reads';

/** Places are read in an order that looks like chance: steps of this width. */
const STRIDE = 7919;
const PAGE_BYTES = 4096;
const MS_PER_FIGURE = 1000;
/** Reads up to this size are first tried out of the page cache, as the store does. */
const READ_NOW_BYTES_MAX = 1024 * 1024;

export interface FileFigures {
  readonly updatesPerSecond: number;
  readonly fetchesPerSecond: number;
}

/**
 * What the addon does with a new file: `batch` writes of `bytes`, each to blocks that were never written (the store
 * overwrites no data either), and one fdatasync, again and again; then reads of as many bytes, one after the other.
 */
export async function measureFile(dir: string, bytes: number, batch: number): Promise<FileFigures> {
  const fd = openSync(join(dir, 'reference.data'), constants.O_RDWR | constants.O_CREAT);
  try {
    const value = alignedBuffer(bytes, PAGE_BYTES).fill(1);
    const runsOf = (first: number): FileRun[] =>
      Array.from({ length: batch }, (_, i) => ({ offset: (first + i) * bytes, buffers: [value] }));
    let places = 0;
    const updatesPerSecond = await rate(batch, (i) => {
      places = (i + 1) * batch;
      return fileWrite(fd, runsOf(i * batch), true);
    });
    const into = alignedBuffer(bytes, PAGE_BYTES);
    const fetchesPerSecond = await rate(1, async (i) => {
      const offset = ((i * STRIDE) % places) * bytes;
      if (bytes > READ_NOW_BYTES_MAX || fileReadNow(fd, offset, into) !== bytes) await fileRead(fd, offset, into);
    });
    return { updatesPerSecond, fetchesPerSecond };
  } finally {
    closeSync(fd);
  }
}

async function rate(operationsPerCall: number, call: (i: number) => Promise<void>): Promise<number> {
  const started = performance.now();
  let calls = 0;
  do await call(calls++);
  while (performance.now() - started < MS_PER_FIGURE);
  return (calls * operationsPerCall) / ((performance.now() - started) / 1000);
}
