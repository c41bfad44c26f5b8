import { uuidGenerate, uuidToBytes } from '@daos/common';

import { TimestampTable } from '../../src/ts/timestamp_table.js';
import type { TimestampSet } from '../../src/ts/timestamp_set.js';
import { TsLevel } from '../../src/ts/ts_level.js';

const { CONTAINER, OBJECT, DKEY, AKEY } = TsLevel;
const EPOCH = 100n;
const READER = { uuid: uuidToBytes(uuidGenerate()), hlc: 1n };
const OTHER = { uuid: READER.uuid, hlc: 2n };

/** An operation: the deepest entity on its path, and the levels that it reads as a whole or writes. */
interface Operation {
  readonly name: string;
  readonly depth: TsLevel;
  readonly reads?: TsLevel;
  readonly writes?: TsLevel;
}

const READS: readonly Operation[] = [
  { name: 'fetch', depth: AKEY, reads: AKEY },
  { name: 'fetch if the dkey exists', depth: AKEY, reads: DKEY },
  { name: 'fetch if the akey exists', depth: AKEY, reads: AKEY },
  { name: 'list objects', depth: CONTAINER, reads: CONTAINER },
  { name: 'list dkeys', depth: OBJECT, reads: OBJECT },
  { name: 'list akeys', depth: DKEY, reads: DKEY },
  { name: 'list extents', depth: AKEY, reads: AKEY },
  { name: 'object exists', depth: OBJECT, reads: OBJECT },
  { name: 'dkey exists', depth: DKEY, reads: DKEY },
  { name: 'akey exists', depth: AKEY, reads: AKEY },
  { name: 'query dkey', depth: OBJECT, reads: OBJECT },
  { name: 'query akey', depth: DKEY, reads: DKEY },
  { name: 'query extent', depth: AKEY, reads: AKEY },
  { name: 'read timestamps of the object', depth: OBJECT, reads: OBJECT },
  { name: 'read timestamps of the dkey', depth: DKEY, reads: DKEY },
  { name: 'read timestamps of the akey', depth: AKEY, reads: AKEY },
  { name: 'update if the dkey is new', depth: AKEY, reads: DKEY, writes: AKEY },
  { name: 'update if the dkey exists', depth: AKEY, reads: DKEY, writes: AKEY },
  { name: 'update if the akey is new', depth: AKEY, reads: AKEY, writes: AKEY },
  { name: 'update if the akey exists', depth: AKEY, reads: AKEY, writes: AKEY },
  { name: 'punch the object if it exists', depth: OBJECT, reads: OBJECT, writes: OBJECT },
  { name: 'punch the dkey if it exists', depth: DKEY, reads: DKEY, writes: DKEY },
  { name: 'punch the akey if it exists', depth: AKEY, reads: AKEY, writes: AKEY },
];

const WRITES: readonly Operation[] = [
  { name: 'update', depth: AKEY, writes: AKEY },
  { name: 'punch the object', depth: OBJECT, writes: OBJECT },
  { name: 'punch the dkey', depth: DKEY, writes: DKEY },
  { name: 'punch the akey', depth: AKEY, writes: AKEY },
];

/** Room for one path, and negative entries without collisions. */
function newTable(): TimestampTable {
  return new TimestampTable({ start: 1n, capacities: [1, 1024, 1024, 1024].map((negative) => ({ positive: 4, negative })) });
}

/** The path of an operation; in an empty container only that exists. */
function setOf(table: TimestampTable, tx: typeof READER, depth: TsLevel, isEmpty: boolean): TimestampSet {
  const set = table.begin(tx.uuid, tx.hlc);
  for (let level = CONTAINER as number; level <= depth; level++) {
    set.add(level as TsLevel, isEmpty && level !== CONTAINER ? undefined : 10 + level, 20 + level);
  }
  return set;
}

/** What the second operation meets after the first one read at `EPOCH`. */
function conflicts(read: Operation, write: Operation, tx: typeof READER, epoch: bigint, isEmpty: boolean): boolean {
  const table = newTable();
  const first = setOf(table, READER, read.depth, isEmpty);
  first.markRead(read.reads ?? AKEY);
  first.updateReads(EPOCH);
  first.end();
  const second = setOf(table, tx, write.depth, isEmpty);
  const result = second.checkWrite(write.writes ?? AKEY, epoch);
  second.end();
  return result;
}

describe.each([
  ['what is there', false],
  ['what is not there', true],
])('after a read of %s at an epoch', (_what, isEmpty) => {
  it.each(READS)('$name: writes on its path are refused up to that epoch, but for the reader itself at that epoch', (read) => {
    const allowed: string[] = [];
    for (const write of [...WRITES, ...READS.filter(({ writes }) => writes !== undefined)]) {
      for (const [who, tx] of [['the reader', READER], ['another', OTHER]] as const) {
        for (const distance of [-1n, 0n, 1n]) {
          if (!conflicts(read, write, tx, EPOCH + distance, isEmpty)) allowed.push(`${write.name} by ${who} at ${distance}`);
        }
      }
    }
    const expected = [...WRITES, ...READS.filter(({ writes }) => writes !== undefined)].flatMap(({ name }) => [
      `${name} by the reader at 0`,
      `${name} by the reader at 1`,
      `${name} by another at 1`,
    ]);
    expect(allowed.sort()).toEqual(expected.sort());
  });
});
