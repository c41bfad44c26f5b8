import { uuidGenerate, uuidToBytes } from '@daos/common';

import { TS_CAPACITIES, TimestampTable } from '../../src/ts/timestamp_table.js';
import type { TimestampSet } from '../../src/ts/timestamp_set.js';
import { TsLevel } from '../../src/ts/ts_level.js';

const { CONTAINER, OBJECT, DKEY, AKEY } = TsLevel;
const START = 10n;
const SMALL = [
  { positive: 4, negative: 1 },
  { positive: 8, negative: 16 },
  { positive: 16, negative: 16 },
  { positive: 32, negative: 16 },
];
const T1 = { uuid: uuidToBytes(uuidGenerate()), hlc: 1n };
const T2 = { uuid: T1.uuid, hlc: 2n };
const T3 = { uuid: uuidToBytes(uuidGenerate()), hlc: 1n };

type Tx = typeof T1;
/** Numbers of container, object, dkey, akeys; a name instead: it does not exist, and hashes to that number. */
type Path = (number | { missing: number })[];

/** Room for all that one test touches, and negative entries without collisions. */
const ROOMY = [1, 65_536, 65_536, 65_536].map((negative) => ({ positive: 64, negative }));

function newTable(): TimestampTable {
  return new TimestampTable({ start: START, capacities: ROOMY });
}

/** A set with the path; akeys beyond the first are further akeys of the dkey. */
function setOf(table: TimestampTable, { uuid, hlc }: Tx, path: Path): TimestampSet {
  const set = table.begin(uuid, hlc);
  path.forEach((part, depth) => {
    const level = Math.min(depth, AKEY) as TsLevel;
    if (typeof part === 'number') set.add(level, part, part);
    else set.add(level, undefined, part.missing);
  });
  return set;
}

function read(table: TimestampTable, tx: Tx, epoch: bigint, path: Path, level: TsLevel): void {
  const set = setOf(table, tx, path);
  set.markRead(level);
  set.updateReads(epoch);
  set.end();
}

/** True when the write conflicts. */
function write(table: TimestampTable, tx: Tx, epoch: bigint, path: Path, level: TsLevel = AKEY): boolean {
  const set = setOf(table, tx, path);
  const conflicts = set.checkWrite(level, epoch);
  if (!conflicts) set.updateWrites(epoch);
  set.end();
  return conflicts;
}

function uncertain(table: TimestampTable, epoch: bigint, bound: bigint, path: Path): boolean {
  const set = setOf(table, T1, path);
  const result = set.checkUncertainty(epoch, bound);
  set.end();
  return result;
}

describe('entries of their own', () => {
  it.each([CONTAINER, OBJECT, DKEY, AKEY])('fill level %i, and four more put out the four least recently used', (level) => {
    const table = new TimestampTable({ start: START, capacities: SMALL });
    const size = SMALL[level]!.positive;
    const touch = (no: number): void => read(table, T1, 100n, [...[1, 1, 1].slice(0, level), no], level);
    for (let no = 1; no <= size; no++) touch(no);
    expect(table.level(level).count).toBe(size);
    for (let no = 1; no <= size; no++) expect(table.lookup(level, no)).toBe(true);
    for (let no = 1; no < size; no += 2) expect(table.lookup(level, no)).toBe(true);
    for (let no = size + 1; no <= size + 4; no++) touch(no);
    expect(table.level(level).count).toBe(size);
    const gone = Array.from({ length: size }, (_, i) => i + 1).filter((no) => !table.lookup(level, no));
    const expected = Array.from({ length: size }, (_, i) => i + 1);
    const byUse = [...expected.filter((no) => no % 2 === 0), ...expected.filter((no) => no % 2 === 1)];
    expect(gone).toEqual(byUse.slice(0, 4).sort((a, b) => a - b));
    for (let no = size + 1; no <= size + 4; no++) expect(table.lookup(level, no)).toBe(true);
  });

  it('are found until they are evicted, and their slot is used next', () => {
    const level = newTable().level(OBJECT);
    const slots = [1, 2, 3].map((no) => level.findOrAdd(0, no, 0));
    expect(slots.map((_, i) => level.find(0, i + 1))).toEqual(slots);
    expect(level.evict(0, 2)).toBe(true);
    expect(level.evict(0, 2)).toBe(false);
    expect(level.find(0, 2)).toBe(-1);
    expect(level.findOrAdd(0, 9, 0)).toBe(slots[1]);
  });

  it('are told apart by pool', () => {
    const table = newTable();
    const set = table.begin(T1.uuid, T1.hlc, 3);
    set.add(CONTAINER, 1, 1);
    set.end();
    expect(table.lookup(CONTAINER, 1, 3)).toBe(true);
    expect(table.lookup(CONTAINER, 1)).toBe(false);
    expect(table.evict(CONTAINER, 1, 3)).toBe(true);
  });

  it('of children are found when that of the parent was put out', () => {
    const table = newTable();
    read(table, T1, 100n, [1, 2, 3, 4], AKEY);
    for (const [level, no] of [[CONTAINER, 1], [OBJECT, 2], [DKEY, 3]] as const) {
      expect(table.evict(level, no)).toBe(true);
    }
    expect(table.lookup(AKEY, 4)).toBe(true);
    expect(write(table, T2, 100n, [1, 2, 3, 4])).toBe(true);
    expect(write(table, T2, 101n, [1, 2, 3, 4])).toBe(false);
  });

  it('keep their timestamps when they are put out', () => {
    const table = newTable();
    read(table, T1, 100n, [1, 2, 3, 4], AKEY);
    expect(write(table, T2, 200n, [1, 2, 3, 4])).toBe(false);
    expect(write(table, T2, 150n, [1, 2, 3, 4])).toBe(false);
    for (const [level, no] of [[CONTAINER, 1], [OBJECT, 2], [DKEY, 3], [AKEY, 4]] as const) table.evict(level, no);
    expect(write(table, T2, 100n, [1, 2, 3, 4])).toBe(true);
    expect(write(table, T1, 100n, [1, 2, 3, 4])).toBe(false);
    expect(uncertain(table, 160n, 199n, [1, 2, 3, 4])).toBe(false);
    expect(uncertain(table, 160n, 200n, [1, 2, 3, 4])).toBe(true);
    expect(uncertain(table, 149n, 151n, [1, 2, 3, 4])).toBe(true);
  });

  it('that fell out during an operation are stood in for by the shared ones', () => {
    const table = newTable();
    const set = setOf(table, T1, [1, 2, 3, 4]);
    for (const [level, no] of [[CONTAINER, 1], [OBJECT, 2], [DKEY, 3], [AKEY, 4]] as const) table.evict(level, no);
    set.markRead(AKEY);
    set.updateReads(100n);
    set.updateWrites(200n);
    set.end();
    expect(table.lookup(AKEY, 4)).toBe(false);
    expect(write(table, T2, 100n, [1, 2, 3, 4])).toBe(true);
    expect(uncertain(table, 150n, 200n, [1, 2, 3, 4])).toBe(true);
  });
});

describe('entities that do not exist', () => {
  it('have a shared entry at every level, so that their creation conflicts with a read before', () => {
    const table = newTable();
    const path: Path = [1, { missing: 2 }, { missing: 3 }, { missing: 4 }];
    read(table, T1, 100n, path, AKEY);
    expect(table.level(OBJECT).count).toBe(0);
    expect(write(table, T2, 100n, path)).toBe(true);
    expect(write(table, T2, 99n, path)).toBe(true);
    expect(write(table, T1, 100n, path)).toBe(false);
    expect(write(table, T2, 101n, path)).toBe(false);
    expect(write(table, T2, 100n, [1, { missing: 2 }, { missing: 3 }, { missing: 5 }])).toBe(false);
  });

  it('get entries of their own, with the timestamps so far, when their creation is committed', () => {
    const table = newTable();
    const path: Path = [1, { missing: 2 }, { missing: 3 }, { missing: 4 }];
    read(table, T1, 100n, path, AKEY);
    const set = setOf(table, T2, path);
    expect(set.checkWrite(AKEY, 150n)).toBe(false);
    set.markCreated(1, 2);
    set.markCreated(2, 3);
    set.markCreated(3, 4);
    set.updateWrites(150n);
    expect(table.lookup(AKEY, 4)).toBe(false);
    set.upgrade();
    set.end();
    for (const [level, no] of [[OBJECT, 2], [DKEY, 3], [AKEY, 4]] as const) expect(table.lookup(level, no)).toBe(true);
    expect(write(table, T3, 100n, [1, 2, 3, 4])).toBe(true);
    expect(uncertain(table, 120n, 150n, [1, 2, 3, 4])).toBe(true);
    expect(uncertain(table, 120n, 149n, [1, 2, 3, 4])).toBe(false);
  });

  it('keep their reads when the entities above them come into being, and fall out again', () => {
    const table = newTable();
    read(table, T1, 100n, [1, { missing: 2 }, { missing: 3 }, { missing: 4 }], AKEY);
    expect(write(table, T2, 90n, [1, 2, { missing: 3 }, { missing: 4 }])).toBe(true);
    expect(write(table, T2, 90n, [1, 2, 3, { missing: 4 }])).toBe(true);
    table.evict(DKEY, 3);
    table.evict(OBJECT, 2);
    expect(write(table, T2, 90n, [1, { missing: 2 }, { missing: 3 }, { missing: 4 }])).toBe(true);
    expect(write(table, T2, 90n, [1, 2, 3, 4])).toBe(true);
  });

  it('are told apart by the parent', () => {
    const table = newTable();
    read(table, T1, 100n, [1, { missing: 2 }], OBJECT);
    expect(write(table, T2, 90n, [1, { missing: 2 }], OBJECT)).toBe(true);
    expect(write(table, T2, 90n, [2, { missing: 2 }], OBJECT)).toBe(false);
  });
});

describe('a write of a path, against a read at 100 by another transaction', () => {
  const HERE: Path = [1, 2, 3, 4];
  const OTHER_AKEY: Path = [1, 2, 3, 5];
  const OTHER_DKEY: Path = [1, 2, 6, 7];
  const OTHER_OBJECT: Path = [1, 8, 9, 10];
  const OTHER_CONTAINER: Path = [11, 12, 13, 14];
  const NEW_AKEY: Path = [1, 2, 3, { missing: 15 }];
  const CASES: [string, TsLevel, [string, Path, TsLevel, boolean][]][] = [
    ['a fetch of the akey', AKEY, [
      ['update of it', HERE, AKEY, true],
      ['update of another akey', OTHER_AKEY, AKEY, false],
      ['punch of the akey', HERE, AKEY, true],
      ['punch of its dkey', [1, 2, 3], DKEY, true],
      ['punch of its object', [1, 2], OBJECT, true],
      ['punch of another dkey', [1, 2, 6], DKEY, false],
      ['punch of another object', [1, 8], OBJECT, false],
    ]],
    ['a listing of the dkey', DKEY, [
      ['update of an akey in it', OTHER_AKEY, AKEY, true],
      ['update of a new akey in it', NEW_AKEY, AKEY, true],
      ['update in another dkey', OTHER_DKEY, AKEY, false],
      ['punch of it', [1, 2, 3], DKEY, true],
      ['punch of its object', [1, 2], OBJECT, true],
    ]],
    ['a listing of the object', OBJECT, [
      ['update in it', HERE, AKEY, true],
      ['update in another dkey of it', OTHER_DKEY, AKEY, true],
      ['punch of a dkey in it', [1, 2, 6], DKEY, true],
      ['update in another object', OTHER_OBJECT, AKEY, false],
      ['punch of it', [1, 2], OBJECT, true],
    ]],
    ['a listing of the container', CONTAINER, [
      ['update in it', OTHER_OBJECT, AKEY, true],
      ['punch of an object in it', [1, 8], OBJECT, true],
      ['update in another container', OTHER_CONTAINER, AKEY, false],
    ]],
  ];
  const flat = CASES.flatMap(([what, level, writes]) => writes.map(([name, path, writeLevel, conflicts]) => ({ what, level, name, path, writeLevel, conflicts })));

  it.each(flat)('$what: $name -> $conflicts', ({ level, path, writeLevel, conflicts }) => {
    const table = newTable();
    read(table, T1, 100n, HERE.slice(0, level + 1), level);
    expect(write(table, T2, 99n, path, writeLevel)).toBe(conflicts);
    expect(write(table, T2, 100n, path, writeLevel)).toBe(conflicts);
    expect(write(table, T3, 100n, path, writeLevel)).toBe(conflicts);
    expect(write(table, T1, 99n, path, writeLevel)).toBe(conflicts);
    expect(write(table, T1, 100n, path, writeLevel)).toBe(false);
    expect(write(table, T2, 101n, path, writeLevel)).toBe(false);
  });

  it('counts as one of the deepest entity in the set when the level asked for lies deeper', () => {
    const table = newTable();
    read(table, T1, 100n, HERE, AKEY);
    expect(write(table, T2, 100n, [1, 2], AKEY)).toBe(true);
    expect(write(table, T2, 100n, HERE, OBJECT)).toBe(true);
    expect(write(table, T2, 100n, OTHER_AKEY, DKEY)).toBe(true);
    expect(write(table, T2, 100n, OTHER_AKEY, AKEY)).toBe(false);
  });

  it('compares with the transaction that read last at the same epoch', () => {
    const table = newTable();
    read(table, T1, 100n, HERE, AKEY);
    read(table, T2, 100n, HERE, AKEY);
    read(table, T3, 99n, HERE, AKEY);
    expect(write(table, T2, 100n, HERE)).toBe(false);
    expect(write(table, T1, 100n, HERE)).toBe(true);
  });

  it('sees reads at several levels by one operation, and each of its akeys', () => {
    const table = newTable();
    const set = setOf(table, T1, [1, 2, 3, 4, 5]);
    set.markRead(AKEY);
    set.markRead(DKEY);
    set.updateReads(100n);
    set.end();
    expect(write(table, T2, 100n, [1, 2, 3, 99])).toBe(true);
    const akeys = newTable();
    read(akeys, T1, 100n, [1, 2, 3, 4, 5], AKEY);
    expect([4, 5, 6].map((akey) => write(akeys, T2, 100n, [1, 2, 3, akey]))).toEqual([true, true, false]);
    expect(write(akeys, T2, 100n, [1, 2, 3, 6, 7, 5])).toBe(true);
  });

  it('is refused when it is older than the start, at every level, and not after it', () => {
    const table = newTable();
    expect(write(table, T1, START - 1n, HERE)).toBe(true);
    expect(write(table, T1, START, [1], CONTAINER)).toBe(true);
    expect(write(table, T1, START + 1n, HERE)).toBe(false);
    const tool = new TimestampTable({ start: 0n, capacities: ROOMY });
    expect(write(tool, T1, 1n, HERE)).toBe(false);
  });

  it('compares all 64 bits of epochs', () => {
    const table = newTable();
    const big = 0x8000_0001_0000_0005n;
    read(table, T1, big, HERE, AKEY);
    expect(write(table, T2, big - 0x1_0000_0000n + 9n, HERE)).toBe(true);
    expect(write(table, T2, big + 1n, HERE)).toBe(false);
    expect(write(table, T2, 0x7fff_ffff_ffff_ffffn, HERE)).toBe(true);
    expect(write(table, T2, 0xffff_ffff_ffff_fffen, HERE)).toBe(false);
  });
});

describe('uncertainty after writes at 100 and 200', () => {
  it.each([
    ['the bound is the epoch', 150n, 150n, false],
    ['the epoch is that of the newest write', 200n, 300n, false],
    ['the epoch is later', 250n, 300n, false],
    ['the epoch lies before the second newest: history is lost', 99n, 100n, true],
    ['the bound reaches the newest write', 150n, 200n, true],
    ['the bound ends before the newest write', 150n, 199n, false],
    ['the epoch is that of the second newest write, the bound ends before the newest', 100n, 199n, false],
  ])('%s', (_name, epoch, bound, expected) => {
    const table = newTable();
    write(table, T2, 100n, [1, 2, 3, 4]);
    write(table, T2, 200n, [1, 2, 3, 4]);
    write(table, T3, 200n, [1, 2, 3, 4]);
    write(table, T3, 50n, [1, 2, 3, 4]);
    for (const path of [[1], [1, 2], [1, 2, 3], [1, 2, 3, 4]]) expect(uncertain(table, epoch, bound, path)).toBe(expected);
    expect(uncertain(table, epoch, bound, [1, 2, 3, 5])).toBe(false);
  });
});

describe('a table', () => {
  it('has the entries per level that a target needs', () => {
    const table = new TimestampTable({ start: START });
    expect(TS_CAPACITIES.map(({ positive }) => positive)).toEqual([1024, 32_768, 131_072, 524_288]);
    for (let no = 0; no < 1028; no++) read(table, T1, 100n, [no], CONTAINER);
    expect(table.level(CONTAINER).count).toBe(1024);
    expect([3, 4].map((no) => table.lookup(CONTAINER, no))).toEqual([false, true]);
  });
});

describe('a set', () => {
  it('wants entities from the container down', () => {
    const table = newTable();
    const set = table.begin(T1.uuid, T1.hlc);
    expect(() => set.add(OBJECT, 1, 1)).toThrow('below its parent');
    set.add(CONTAINER, 1, 1);
    expect(() => set.add(DKEY, 1, 1)).toThrow('below its parent');
    expect(() => set.add(CONTAINER, 2, 2)).toThrow('below its parent');
  });

  it('is of no use after its end, and begins anew for the next transaction', () => {
    const table = newTable();
    const set = setOf(table, T1, [1, 2, 3, 4]);
    set.markRead(AKEY);
    set.end();
    expect(() => set.end()).toThrow('has ended');
    expect(() => set.updateReads(100n)).toThrow('has ended');
    const next = setOf(table, T2, [1, 2]);
    expect(next).toBe(set);
    next.updateReads(100n);
    next.end();
    expect(write(table, T3, 100n, [1, 2], OBJECT)).toBe(false);
  });
});
