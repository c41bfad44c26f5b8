import { DaosError } from '@daos/common';
import { crc32c } from '@node-rs/crc32';

import { IndexKey } from '../layout/index_key.js';
import type { LmdbStore } from './lmdb_store.js';
import { replayOps } from './log_buffer.js';
import type { LogFile } from './log_files.js';
import { positionRead, positionReplace, type LogPosition } from './log_position.js';
import { readRecords } from './log_reader.js';
import type { DataSum, LogRecord } from './log_record.js';
import { sequenceAfter, sequenceDistance } from './sequence.js';
import type { UmemEvent } from './umem_event.js';

/** Bytes of the data file; fewer than asked for when it ends before. */
export type ReadData = (offset: number, bytes: number) => Promise<Uint8Array>;

/** So much of the log goes into LMDB in one transaction: bounds the pages that it holds in memory. */
const TRANSACTION_BYTES = 4 * 1024 * 1024;

/** What of the log counts. */
interface LogScan {
  readonly records: number;
  readonly logBytes: number;
  readonly isCut: boolean;
}

export interface Recovered {
  /** Where the log goes on. */
  readonly position: LogPosition;
  readonly event: UmemEvent;
}

/**
 * Replays the log onto LMDB. First the log is read to see how far it counts, and nothing is changed; then it is read
 * again and applied. An interrupted recovery is repeated from its beginning: it finds the same log, and putting the
 * same values again does no harm.
 *
 * Steps: 1. read the position row: a checkpoint has everything before it. 2. Find the last intact record, and the
 * highest number that any of them knew to be durable. 3. Verify the data of the records above that number; the first
 * one that fails, and all behind it, were never acknowledged. 4. Apply, in slices. 5. In the last transaction, move
 * the position behind everything that is in the files.
 *
 * Why a data write that was acknowledged never fails in step 3, although its block may have been freed and written
 * again since: a block is reused only after `Umem.sealed`, which resolves when a record is durable that says "all
 * up to the batch that freed the block is durable". The block's old record comes before that batch, so it is below
 * the highest number of step 2, and is not verified.
 */
export async function recover(store: LmdbStore, files: readonly [LogFile, LogFile], readData: ReadData | undefined): Promise<Recovered> {
  const started = performance.now();
  const begin = positionRead(store);
  const { records, logBytes, isCut } = await scanLog(files, begin, readData);
  await apply(store, files, begin, records);
  const position = {
    // beyond all that is in the files: what a torn record left there must never match a new one
    generation: sequenceAfter(begin.generation, 2),
    sequence: sequenceAfter(begin.sequence, records),
  };
  store.transactionSync(() => positionReplace(store, position));
  return { position, event: { type: 'replayed', records, logBytes, isCut, ms: performance.now() - started } };
}

async function scanLog(files: readonly [LogFile, LogFile], begin: LogPosition, readData: ReadData | undefined): Promise<LogScan> {
  let records = 0;
  let logBytes = 0;
  let durable = sequenceAfter(begin.sequence, -1);
  /** Data of records that may be unacknowledged, with the log's extent before each. */
  let unverified: { readonly sequence: number; readonly data: readonly DataSum[]; readonly before: LogScan }[] = [];
  for await (const record of recordsFrom(files, begin)) {
    if (record.durable !== undefined && sequenceDistance(durable, record.durable) > 0) {
      const { durable: known } = record;
      durable = known;
      unverified = unverified.filter(({ sequence }) => sequenceDistance(known, sequence) > 0);
    }
    if (record.data.length > 0) {
      unverified.push({ sequence: record.sequence, data: record.data, before: { records, logBytes, isCut: true } });
    }
    records++;
    logBytes += record.bytes;
  }
  for (const { data, before } of unverified) {
    for (const sum of data) if (!(await hasArrived(sum, readData))) return before;
  }
  return { records, logBytes, isCut: false };
}

async function hasArrived({ offset, bytes, crc }: DataSum, readData: ReadData | undefined): Promise<boolean> {
  if (!readData) throw new DaosError('INVAL', 'the log names data writes: opening the index needs the data file');
  const data = await readData(offset, bytes);
  return data.length === bytes && crc32c(data) === crc >>> 0;
}

async function apply(store: LmdbStore, files: readonly [LogFile, LogFile], begin: LogPosition, count: number): Promise<void> {
  const key = new IndexKey();
  let left = count;
  let slice: Buffer[] = [];
  let sliceBytes = 0;
  const commitSlice = (): void => {
    store.transactionSync(() => {
      for (const ops of slice) {
        replayOps(ops, (bytes, value) => {
          key.assign(bytes);
          if (value) store.putSync(key, value);
          else store.removeSync(key);
        });
      }
    });
    slice = [];
    sliceBytes = 0;
  };
  if (left > 0) {
    for await (const { ops } of recordsFrom(files, begin)) {
      slice.push(Buffer.from(ops));
      sliceBytes += ops.length;
      if (sliceBytes >= TRANSACTION_BYTES) commitSlice();
      if (--left === 0) break;
    }
  }
  if (left > 0) throw new DaosError('NVME_IO', 'the log reads differently the second time');
  if (slice.length > 0) commitSlice();
}

/** Intact records from a position on; a checkpoint that was under way had moved on to the next generation. */
async function* recordsFrom(files: readonly [LogFile, LogFile], begin: LogPosition): AsyncGenerator<LogRecord> {
  let { sequence } = begin;
  for (const generation of [begin.generation, sequenceAfter(begin.generation, 1)]) {
    for await (const record of readRecords(files[(generation % 2) as 0 | 1], { generation, sequence })) {
      yield record;
      sequence = sequenceAfter(sequence, 1);
    }
  }
}
