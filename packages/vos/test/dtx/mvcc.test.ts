import { Cond, EPOCH_MAX, QueryFlag, isDaosError, uuidGenerate } from '@daos/common';

import type { DtxHandle, DtxId, VosContainer } from '../../src/index.js';
import { NEWEST, TestPool, UINT64, number64, unitOid } from '../fixture.js';
import { TxObject, begin, idOf } from './dtx_fixture.js';

/**
 * Every read followed by every write of an overlapping path, on an empty and a filled object, at epochs before, at and
 * after the read: who comes too late restarts, nobody else does.
 */
const DKEY = number64(1);
const AKEY = number64(2);
const AT = { d: DKEY, a: AKEY };

type Level = 'container' | 'object' | 'dkey' | 'akey';
const DEPTH: Record<Level, number> = { container: 0, object: 1, dkey: 2, akey: 3 };

interface Read {
  readonly name: string;
  /** What is read as a whole. */
  readonly level: Level;
  /** Fails when nothing is there. */
  readonly needsData?: boolean;
  run(object: TxObject, handle: DtxHandle): unknown;
}

interface Write {
  readonly name: string;
  readonly level: Level;
  /** Outcome on an object without data, if it is refused there; and on one with data. */
  readonly empty?: 'DER_NONEXIST' | 'DER_EXIST';
  readonly filled?: 'DER_NONEXIST' | 'DER_EXIST';
  run(object: TxObject, handle: DtxHandle): Promise<void>;
}

const list = (object: TxObject, handle: DtxHandle) => ({ oid: object.oid, flavours: UINT64, epr: { ...NEWEST, hi: handle.epoch }, limit: 10 });
const query = (flags: number) => (object: TxObject, handle: DtxHandle) =>
  object.container.queryKey({ oid: object.oid, flavours: UINT64, epoch: handle.epoch, flags, dkey: DKEY, akey: AKEY }, handle);

const READS: readonly Read[] = [
  { name: 'fetch', level: 'akey', run: (o, h) => o.get(h.epoch, h, AT) },
  { name: 'fetch of an akey that must exist', level: 'akey', needsData: true, run: (o, h) => o.get(h.epoch, h, { ...AT, flags: Cond.AKEY_FETCH }) },
  { name: 'fetch of a dkey that must exist', level: 'dkey', needsData: true, run: (o, h) => o.get(h.epoch, h, { ...AT, flags: Cond.DKEY_FETCH }) },
  { name: 'list of objects', level: 'container', run: (o, h) => o.container.listObjects({ lo: 0n, hi: h.epoch }, 10, undefined, h) },
  { name: 'list of dkeys', level: 'object', run: (o, h) => o.container.listDkeys(list(o, h), h) },
  { name: 'list of akeys', level: 'dkey', run: (o, h) => o.container.listAkeys({ ...list(o, h), dkey: DKEY }, h) },
  { name: 'list of extents', level: 'akey', run: (o, h) => o.container.listRecxs({ ...list(o, h), dkey: DKEY, akey: AKEY }, h) },
  { name: 'existence of the object', level: 'object', needsData: true, run: (o, h) => look(o, h, 'object', true) },
  { name: 'existence of the dkey', level: 'dkey', needsData: true, run: (o, h) => look(o, h, 'dkey', true) },
  { name: 'existence of the akey', level: 'akey', needsData: true, run: (o, h) => look(o, h, 'akey', true) },
  { name: 'timestamp of the object', level: 'object', run: (o, h) => look(o, h, 'object', false) },
  { name: 'timestamp of the dkey', level: 'dkey', run: (o, h) => look(o, h, 'dkey', false) },
  { name: 'timestamp of the akey', level: 'akey', run: (o, h) => look(o, h, 'akey', false) },
  { name: 'largest dkey', level: 'object', needsData: true, run: query(QueryFlag.MAX | QueryFlag.DKEY) },
  { name: 'smallest dkey and akey', level: 'object', needsData: true, run: query(QueryFlag.MIN | QueryFlag.DKEY | QueryFlag.AKEY) },
  { name: 'largest akey', level: 'dkey', needsData: true, run: query(QueryFlag.MAX | QueryFlag.AKEY) },
];

const put = (flags: number) => (o: TxObject, h: DtxHandle) => o.put(h.epoch, 'written', h, { ...AT, flags });
const punch = (level: 'object' | 'dkey' | 'akey', flags: number) => (o: TxObject, h: DtxHandle) => o.punch(h.epoch, level, h, { ...AT, flags });

const WRITES: readonly Write[] = [
  { name: 'update', level: 'akey', run: put(0) },
  { name: 'insert of the dkey', level: 'akey', filled: 'DER_EXIST', run: put(Cond.DKEY_INSERT) },
  { name: 'update of a dkey that must exist', level: 'akey', empty: 'DER_NONEXIST', run: put(Cond.DKEY_UPDATE) },
  { name: 'insert of the akey', level: 'akey', filled: 'DER_EXIST', run: put(Cond.AKEY_INSERT) },
  { name: 'update of an akey that must exist', level: 'akey', empty: 'DER_NONEXIST', run: put(Cond.AKEY_UPDATE) },
  { name: 'punch of the object', level: 'object', run: punch('object', 0) },
  { name: 'punch of the dkey', level: 'dkey', run: punch('dkey', 0) },
  { name: 'punch of the akey', level: 'akey', run: punch('akey', 0) },
  { name: 'punch of an object that must exist', level: 'object', empty: 'DER_NONEXIST', run: punch('object', Cond.PUNCH) },
  { name: 'punch of a dkey that must exist', level: 'dkey', empty: 'DER_NONEXIST', run: punch('dkey', Cond.PUNCH) },
  { name: 'punch of an akey that must exist', level: 'akey', empty: 'DER_NONEXIST', run: punch('akey', Cond.PUNCH) },
];

function look(object: TxObject, handle: DtxHandle, level: 'object' | 'dkey' | 'akey', mustExist: boolean): unknown {
  const dkey = level === 'object' ? new Uint8Array(0) : DKEY;
  const iods = level === 'akey' ? [{ akey: AKEY, type: 1 as const, size: 0, recxs: [] }] : [];
  const flags = mustExist ? 1 << 13 : 1 << 12;
  return object.container.fetch({ oid: object.oid, flavours: UINT64, epoch: handle.epoch, flags, dkey, iods }, handle);
}

/** 'ok' or the name of the error. */
async function outcome(run: () => unknown): Promise<string> {
  try {
    await run();
    return 'ok';
  } catch (error) {
    if (isDaosError(error)) return `DER_${error.der}`;
    throw error;
  }
}

let test: TestPool;
let shared: VosContainer;
let nextObject = 1;

beforeAll(async () => {
  test = await TestPool.create();
  shared = await test.newContainer();
});
afterAll(() => test.destroy());

/** A fresh object; in a container of its own when that is read as a whole. */
async function freshObject(isFilled: boolean, ownContainer = false): Promise<TxObject> {
  const object = new TxObject(ownContainer ? await test.newContainer() : shared, unitOid(nextObject++), UINT64);
  // several akeys and dkeys, so that a punch below leaves the level above as it is
  if (isFilled) {
    await object.put(5n, 'old', undefined, AT);
    await object.put(5n, 'old', undefined, { d: DKEY, a: number64(9) });
    await object.put(5n, 'old', undefined, { d: number64(9), a: AKEY });
  }
  return object;
}

describe.each([['empty', false], ['filled', true]] as const)('a read of an %s object', (_, isFilled) => {
  describe.each(READS)('$name', (read) => {
    it.each(WRITES)('then $name (79, 80)', async (write) => {
      const refused = isFilled ? write.filled : write.empty;
      for (const offset of [-10n, 0n, 10n]) {
        const object = await freshObject(isFilled, read.level === 'container');
        const reader = begin(100n, { modificationCount: 0 });
        const seen = await outcome(() => read.run(object, reader));
        expect(seen).toBe(read.needsData && !isFilled ? 'DER_NONEXIST' : 'ok');
        const late = offset <= 0n;
        const expected = refused ?? (late && conflicts(read.level, write) ? 'DER_TX_RESTART' : 'ok');
        expect(`${offset}: ${await outcome(() => write.run(object, begin(100n + offset)))}`).toBe(`${offset}: ${expected}`);
      }
    });

    it('does not hold up a write of its own transaction (79)', async () => {
      const object = await freshObject(isFilled, read.level === 'container');
      const id: DtxId = { uuid: uuidGenerate(), hlc: 100n };
      await outcome(() => read.run(object, begin(100n, { id, modificationCount: 0 })));
      expect(await outcome(() => object.put(100n, 'own', begin(100n, { id }), AT))).toBe('ok');
    });
  });
});

/** A read as a whole, of what is written or of something above it, sees the write; so does a read below a punch. */
function conflicts(read: Level, write: Write): boolean {
  return DEPTH[read] <= DEPTH[write.level] || DEPTH[write.level] <= DEPTH[read];
}

describe('a write that is not committed (81)', () => {
  it.each(WRITES.filter(({ empty, filled }) => empty ?? filled))('lets $name wait when it decides', async (write) => {
    const isFilled = write.filled === undefined;
    const object = await freshObject(isFilled);
    const first = begin(100n);
    // brings what must not be there, or takes what must
    if (isFilled) await object.punch(100n, write.level === 'object' ? 'object' : 'dkey', first, AT);
    else await object.put(100n, 'first', first, AT);
    const result = await outcome(() => write.run(object, begin(110n)));
    if (isFilled) expect(['DER_INPROGRESS', 'ok']).toContain(result);
    else expect(result).toBe('DER_INPROGRESS');
    await object.container.dtxCommit([idOf(first)]);
    expect(await outcome(() => write.run(object, begin(120n)))).toBe(isFilled ? 'DER_NONEXIST' : 'DER_EXIST');
  });
});

describe('an operation that is unsure of its epoch (83)', () => {
  const operations = [...READS.filter(({ level }) => level !== 'container').map((read) => ({ ...read, isRead: true })), ...WRITES.map((write) => ({ ...write, isRead: false }))];

  it.each(operations)('$name restarts when a write may have been before it', async (operation) => {
    for (const isCommitted of [false, true]) {
      const object = await freshObject(true);
      const writer = begin(100n);
      await object.put(100n, 'later', writer, AT);
      if (isCommitted) await object.container.dtxCommit([idOf(writer)]);
      const within = begin(90n, { epochBound: 100n, modificationCount: operation.isRead ? 0 : 1 });
      const result = await outcome(() => operation.run(object, within));
      expect(['DER_TX_RESTART', ...blindOutcomes(operation)]).toContain(result);
      if (operation.level === 'akey' && operation.isRead) expect(result).toBe('DER_TX_RESTART');
    }
  });

  it.each(operations)('$name goes on when the write was after it', async (operation) => {
    const object = await freshObject(true);
    const writer = begin(100n);
    await object.put(100n, 'later', writer, AT);
    await object.container.dtxCommit([idOf(writer)]);
    const before = begin(90n, { epochBound: 99n, modificationCount: operation.isRead ? 0 : 1 });
    const result = await outcome(() => operation.run(object, before));
    const isPunch = operation.name.startsWith('punch');
    const refused = 'filled' in operation ? operation.filled : undefined;
    // no punch below a write that is there
    expect(result).toBe(isPunch ? 'DER_TX_RESTART' : (refused ?? 'ok'));
  });
});

/** Updates that are sure to succeed whatever came before need not know it. */
function blindOutcomes(operation: { readonly name: string; readonly isRead: boolean }): string[] {
  return operation.isRead ? [] : operation.name.startsWith('punch') ? [] : ['ok', 'DER_EXIST'];
}

describe('transactions and plain operations', () => {
  it('neither look at nor leave timestamps without a transaction', async () => {
    const object = await freshObject(true);
    await object.get(EPOCH_MAX, undefined, AT);
    await object.put(50n, 'late', begin(50n, { isSolo: true }), AT);
    await object.get(100n, begin(100n, { modificationCount: 0 }), AT);
    await object.put(60n, 'later still', undefined, AT);
    expect(await object.get(EPOCH_MAX, undefined, AT)).toBe('later still');
  });
});
