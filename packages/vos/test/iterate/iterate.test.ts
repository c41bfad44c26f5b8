import { DaosError, IodType, uuidGenerate, type Uuid } from '@daos/common';

import {
  EpochExpr,
  VosIterAction,
  VosIterFlag,
  VosIterType,
  VosIterator,
  vosIterate,
  type VosContainer,
  type VosIterAnchors,
  type VosIterCallbacks,
  type VosIterEntry,
  type VosIterParams,
} from '../../src/index.js';
import { begin, idOf } from '../dtx/dtx_fixture.js';
import { HASHED, MIB, NEWEST, TestObject, TestPool, UINT64, array, bytes, number64, unitOid } from '../fixture.js';

const { COUUID, OBJ, DKEY, AKEY, SINGLE, RECX, DTX } = VosIterType;
const { DELETE, SKIP, RESTART, ABORT, EXIT } = VosIterAction;
const NAMES = ['', 'cont', 'obj', 'dkey', 'akey', 'sv', 'recx', 'dtx'];
const D = bytes('d');
const A = bytes('a');

let test: TestPool;
let container: VosContainer;

beforeAll(async () => {
  test = await TestPool.create({ scmBytes: 64 * MIB, nvmeBytes: 16 * MIB });
});
beforeEach(async () => {
  container = await test.newContainer();
});
afterEach(() => container.close());
afterAll(() => test.destroy());

function nameOf(entry: VosIterEntry): string {
  switch (entry.type) {
    case COUUID:
      return entry.uuid;
    case OBJ:
      return `o${entry.oid.oid.lo}`;
    case DKEY:
    case AKEY:
      return Buffer.from(entry.key).toString();
    case SINGLE:
      return `@${entry.epoch}`;
    case RECX:
      return `${entry.recx.idx}+${entry.recx.nr}@${entry.epoch}`;
    case DTX:
      return `tx${entry.epoch}`;
  }
}

/** Names of all entries of an iteration. */
async function names(params: Partial<VosIterParams>, type: VosIterType, isRecursive = false): Promise<string[]> {
  const found: string[] = [];
  const all = { container, epr: NEWEST, flavours: HASHED, ...params };
  await vosIterate(all, type, isRecursive, {}, { pre: (entry) => void found.push(nameOf(entry)) });
  return found;
}

function at(lo: number, more: Partial<VosIterParams> = {}): Partial<VosIterParams> {
  return { oid: unitOid(lo), ...more };
}

describe('containers', () => {
  it('are visited once each, also from an anchor taken midway', async () => {
    const made = new Set<Uuid>([container.uuid]);
    const creating: Promise<void>[] = [];
    for (let i = 0; i < 200; i++) {
      const uuid = uuidGenerate();
      made.add(uuid);
      creating.push(test.pool.containerCreate(uuid));
    }
    await Promise.all(creating);
    const known = new Set(test.pool.containerList());
    const iterator = VosIterator.prepare({ pool: test.pool, epr: NEWEST }, COUUID);
    const seen: string[] = [];
    for (let isThere = await iterator.probe(), i = 0; isThere; isThere = await iterator.next(), i++) {
      seen.push(nameOf(iterator.entry));
      if (i % 50 === 0) expect(await iterator.probe(iterator.stand.anchor())).toBe(true);
    }
    expect(seen.toSorted()).toEqual([...known].toSorted());
    expect([...made].every((uuid) => seen.includes(uuid))).toBe(true);
  });

  it('are not recursed into: DER_NOSYS', async () => {
    await expect(vosIterate({ pool: test.pool, epr: NEWEST }, COUUID, true, {}, {})).rejects.toMatchObject({ der: 'NOSYS' });
  });
});

describe('objects and keys', () => {
  it('are each object once, plain and by anchor', async () => {
    await Promise.all(Array.from({ length: 150 }, (_, i) => new TestObject(container, unitOid(i + 1)).updateSingle(1n, D, A, 'x')));
    const expected = Array.from({ length: 150 }, (_, i) => `o${i + 1}`);
    expect(await names({}, OBJ)).toEqual(expected);
    const anchors: VosIterAnchors = {};
    const seen: string[] = [];
    while (seen.length < 150) {
      let left = 7;
      const pre = (entry: VosIterEntry): number => {
        if (left-- === 0) return EXIT;
        seen.push(nameOf(entry));
        return 0;
      };
      await vosIterate({ container, epr: NEWEST }, OBJ, false, anchors, { pre });
    }
    expect(seen).toEqual(expected);
  });

  it('are exactly the dkeys written, also when probed by anchor and by a key', async () => {
    const object = new TestObject(container, unitOid(1), UINT64);
    await Promise.all(Array.from({ length: 300 }, (_, i) => object.updateSingle(1n, number64(i), number64(0), 'x')));
    const params = { container, oid: unitOid(1), flavours: UINT64, epr: NEWEST };
    const iterator = VosIterator.prepare(params, DKEY);
    let count = 0;
    for (let isThere = await iterator.probe(); isThere; isThere = await iterator.next()) {
      const { entry } = iterator;
      if (entry.type === DKEY) expect(Buffer.from(entry.key).readUInt32LE(0)).toBe(count);
      if (count++ % 64 === 0) await iterator.probe(iterator.stand.anchor());
    }
    expect(count).toBe(300);
    await iterator.probe(container.keyToAnchor({ oid: unitOid(1), flavours: UINT64, dkey: number64(250) }));
    let rest = 1;
    while (await iterator.next()) rest++;
    expect(rest).toBe(50);
    expect(() => iterator.entry).toThrow(DaosError);
  });

  it('go on from an anchor after what it names was deleted, and see what was added behind', async () => {
    const object = new TestObject(container);
    for (const key of ['a', 'b', 'c', 'd']) await object.updateSingle(1n, bytes(key), A, 'x');
    const iterator = VosIterator.prepare({ container, oid: unitOid(1), flavours: HASHED, epr: NEWEST }, DKEY);
    await iterator.probe();
    await iterator.next();
    const anchor = iterator.stand.anchor();
    await object.punch(5n, bytes('b'));
    await object.updateSingle(6n, bytes('bb'), A, 'x');
    await iterator.probe(anchor);
    const seen = [nameOf(iterator.entry)];
    while (await iterator.next()) seen.push(nameOf(iterator.entry));
    expect(seen).toEqual(['c', 'd', 'bb']);
  });

  it('that are punched show with PUNCHED, with the epoch of the punch', async () => {
    const object = new TestObject(container);
    await object.updateSingle(1n, bytes('x'), A, 'x');
    await object.updateSingle(1n, bytes('y'), A, 'x');
    await object.punch(5n, bytes('x'));
    await object.punch(7n);
    await object.updateSingle(9n, bytes('z'), A, 'x');
    expect(await names(at(1), DKEY)).toEqual(['z']);
    const punches: unknown[] = [];
    const pre = (entry: VosIterEntry): void => {
      if (entry.type === DKEY) punches.push([nameOf(entry), entry.epoch, entry.punchEpoch, entry.objectPunchEpoch]);
    };
    const params = { container, oid: unitOid(1), flavours: HASHED, epr: NEWEST, flags: VosIterFlag.PUNCHED };
    await vosIterate(params, DKEY, false, {}, { pre });
    expect(punches).toEqual([['x', 0n, 7n, 7n], ['y', 0n, 7n, 7n], ['z', 9n, 7n, 7n]]);
    expect(await names(at(1, { epr: { lo: 0n, hi: 6n } }), DKEY)).toEqual(['y']);
  });

  it('of an epoch range are those in which something was written in it', async () => {
    const object = new TestObject(container);
    for (let epoch = 1; epoch <= 9; epoch++) await object.updateSingle(BigInt(epoch), bytes(`k${epoch}`), A, 'x');
    const epr = { lo: 3n, hi: 6n };
    for (const expr of [EpochExpr.RE, EpochExpr.RR]) expect(await names(at(1, { epr, expr }), DKEY)).toEqual(['k3', 'k4', 'k5', 'k6']);
    expect(await names(at(1, { epr, expr: EpochExpr.GE }), DKEY)).toHaveLength(7);
    expect(await names(at(1, { epr, expr: EpochExpr.LE }), DKEY)).toHaveLength(6);
    expect(await names(at(1, { epr: { lo: 4n, hi: 4n }, expr: EpochExpr.EQ }), DKEY)).toEqual(['k4']);
    await expect(names(at(1, { epr, expr: EpochExpr.EQ }), DKEY)).rejects.toMatchObject({ der: 'INVAL' });
    expect(await names({ epr }, OBJ)).toEqual(['o1']);
    expect(await names({ epr: { lo: 10n, hi: 20n } }, OBJ)).toEqual([]);
  });

  it('of an object that does not exist are none', async () => {
    expect(await names(at(77), DKEY)).toEqual([]);
    expect(() => VosIterator.prepare({ container, oid: unitOid(77), flavours: HASHED, epr: NEWEST }, DKEY)).toThrow('does not exist');
  });
});

describe('values', () => {
  const value = (type: VosIterType, more: Partial<VosIterParams> = {}): Promise<string[]> => names(at(1, { dkey: D, akey: A, ...more }), type);

  it('of a single value are its versions in the range, in the order of the epoch expression', async () => {
    const object = new TestObject(container);
    const write = (epoch: bigint): Promise<void> => object.updateSingle(epoch, D, A, `v${epoch}`.padEnd(epoch % 7n === 0n ? 2000 : 5));
    await Promise.all(Array.from({ length: 150 }, (_, i) => write(BigInt(i + 1))));
    const epochs = (lo: number, hi: number): string[] => Array.from({ length: hi - lo + 1 }, (_, i) => `@${lo + i}`);
    expect(await value(SINGLE, { expr: EpochExpr.RE })).toEqual(epochs(1, 150));
    expect(await value(SINGLE, { expr: EpochExpr.RR })).toEqual(epochs(1, 150).reverse());
    const epr = { lo: 20n, hi: 140n };
    expect(await value(SINGLE, { expr: EpochExpr.RE, epr })).toEqual(epochs(20, 140));
    expect(await value(SINGLE, { expr: EpochExpr.RR, epr })).toEqual(epochs(20, 140).reverse());
    expect(await value(SINGLE, { expr: EpochExpr.LE, epr })).toEqual(epochs(1, 140).reverse());
    expect(await value(SINGLE, { expr: EpochExpr.GE, epr })).toEqual(epochs(20, 150));
    expect(await value(SINGLE, { expr: EpochExpr.EQ, epr: { lo: 77n, hi: 77n } })).toEqual(['@77']);
    expect(await value(SINGLE, { epr, flags: VosIterFlag.RECX_VISIBLE })).toEqual(['@140']);
    expect(await value(RECX)).toEqual([]);
  });

  it('have the written bytes, in the index and in the data file', async () => {
    const object = new TestObject(container);
    const large = Buffer.alloc(6000, 'L');
    await object.updateSingle(1n, D, A, large);
    await object.updateSingle(2n, D, A, 'small');
    const found: unknown[] = [];
    const pre = async (entry: VosIterEntry): Promise<void> => {
      if (entry.type !== SINGLE) return;
      found.push([entry.media, entry.recordSize, Buffer.from(await entry.read()).toString(), Buffer.from(await entry.read(1, 3)).toString()]);
      expect(() => entry.read(entry.recordSize, 1)).toThrow(DaosError);
    };
    await vosIterate({ container, oid: unitOid(1), flavours: HASHED, dkey: D, akey: A, epr: NEWEST }, SINGLE, false, {}, { pre });
    expect(found).toEqual([['nvme', 6000, large.toString(), 'LLL'], ['scm', 5, 'small', 'mal']]);
  });

  it('of an array are all extents; the visible, or all pieces in order; forward and in reverse', async () => {
    const object = new TestObject(container);
    await object.updateArray(1n, D, A, 0, 'x'.repeat(10));
    await object.updateArray(2n, D, A, 4, 'y'.repeat(2));
    await object.punchArray(3n, D, A, 8, 4);
    const { RECX_VISIBLE, RECX_COVERED, RECX_SKIP_HOLES, RECX_REVERSE } = VosIterFlag;
    expect(await value(RECX)).toEqual(['0+10@1', '4+2@2', '8+4@3']);
    const visible = ['0+4@1', '4+2@2', '6+2@1', '8+4@3'];
    expect(await value(RECX, { flags: RECX_VISIBLE })).toEqual(visible);
    expect(await value(RECX, { flags: RECX_VISIBLE | RECX_REVERSE })).toEqual(visible.toReversed());
    expect(await value(RECX, { flags: RECX_VISIBLE | RECX_SKIP_HOLES })).toEqual(visible.slice(0, 3));
    const covered = ['0+4@1', '4+2@2', '4+2@1', '6+2@1', '8+4@3', '8+2@1'];
    expect(await value(RECX, { flags: RECX_COVERED })).toEqual(covered);
    expect(await value(RECX, { flags: RECX_COVERED | RECX_REVERSE })).toEqual(covered.toReversed());
    expect(await value(RECX, { epr: { lo: 2n, hi: 2n } })).toEqual(['4+2@2']);
  });

  it('of a long array come in slices, each piece whole and once', async () => {
    const object = new TestObject(container);
    await object.updateArray(1n, D, A, 0, 'b'.repeat(2000));
    await Promise.all(Array.from({ length: 400 }, (_, i) => object.updateArray(BigInt(2 + i), D, A, i * 5 + 1, 'nn')));
    const visible = Array.from({ length: 400 }, (_, i) => [`${i * 5 + 1}+2@${2 + i}`, i < 399 ? `${i * 5 + 3}+3@1` : '1998+2@1']).flat();
    const expected = ['0+1@1', ...visible];
    const { RECX_VISIBLE, RECX_REVERSE, RECX_COVERED } = VosIterFlag;
    expect(await value(RECX, { flags: RECX_VISIBLE })).toEqual(expected);
    expect(await value(RECX, { flags: RECX_VISIBLE | RECX_REVERSE })).toEqual(expected.toReversed());
    expect(await value(RECX)).toHaveLength(401);
    expect(await value(RECX, { flags: RECX_COVERED })).toHaveLength(801 + 400);
    for (const flags of [0, RECX_VISIBLE, RECX_COVERED, RECX_VISIBLE | RECX_REVERSE]) {
      const all = await value(RECX, { flags });
      const iterator = VosIterator.prepare({ container, oid: unitOid(1), flavours: HASHED, dkey: D, akey: A, epr: NEWEST, flags }, RECX);
      const seen: string[] = [];
      for (let isThere = await iterator.probe(), i = 0; isThere; isThere = await iterator.next(), i++) {
        seen.push(nameOf(iterator.entry));
        if (i % 37 === 0) expect(await iterator.probe(iterator.stand.anchor())).toBe(true);
      }
      expect(seen).toEqual(all);
    }
  });

  it('are deleted and marked one by one; what was covered shows again', async () => {
    const object = new TestObject(container);
    await object.updateSingle(1n, D, bytes('s'), 'old');
    await object.updateSingle(2n, D, bytes('s'), 'new');
    await object.updateArray(1n, D, bytes('e'), 0, 'oooo');
    await object.updateArray(2n, D, bytes('e'), 1, 'nn');
    const gone: string[] = [];
    const pre: VosIterCallbacks['pre'] = (entry, stand) => {
      if ((entry.type !== SINGLE && entry.type !== RECX) || entry.epoch !== 2n) return 0;
      stand.delete();
      expect(stand.validate()).toBe(false);
      gone.push(nameOf(entry));
      return DELETE;
    };
    await vosIterate({ container, epr: NEWEST }, OBJ, true, {}, { pre });
    expect(gone.toSorted()).toEqual(['1+2@2', '@2']);
    expect(await object.fetchSingle(9n, D, bytes('s'))).toBe('old');
    expect(await object.fetchArray(9n, D, bytes('e'), 0, 4)).toBe('oooo');
    await vosIterate({ container, epr: NEWEST }, OBJ, true, {}, {
      pre: (entry, stand) => {
        if (entry.type === SINGLE || entry.type === RECX) stand.markCorrupt();
      },
    });
    await expect(object.fetchSingle(9n, D, bytes('s'))).rejects.toMatchObject({ der: 'CSUM' });
    await expect(object.fetchArray(9n, D, bytes('e'), 0, 1)).rejects.toMatchObject({ der: 'CSUM' });
  });
});

describe('callbacks', () => {
  /** Two objects of two dkeys, each with two akeys of one value. */
  beforeEach(async () => {
    for (const lo of [1, 2]) {
      const object = new TestObject(container, unitOid(lo));
      for (const d of ['d1', 'd2']) for (const a of ['a1', 'a2']) await object.updateSingle(1n, bytes(d), bytes(a), 'x');
    }
  });

  /** Counts of calls; `answer` decides for each. */
  async function counts(answer: (where: string, entry: VosIterEntry) => number, isAsync = false): Promise<Record<string, number>> {
    const calls: Record<string, number> = {};
    const callback = (kind: string) => (entry: VosIterEntry): number | Promise<number> => {
      const where = `${kind} ${NAMES[entry.type]}`;
      calls[where] = (calls[where] ?? 0) + 1;
      const actions = answer(where, entry);
      return isAsync ? new Promise((resolve) => setImmediate(() => resolve(actions))) : actions;
    };
    const callbacks = { filter: callback('filter'), pre: callback('pre'), post: callback('post') };
    await vosIterate({ container, epr: NEWEST }, OBJ, true, {}, callbacks);
    return calls;
  }

  const keys = { 'filter obj': 2, 'filter dkey': 4, 'filter akey': 8 };
  const all = { ...keys, 'pre obj': 2, 'pre dkey': 4, 'pre akey': 8, 'pre sv': 8, 'post obj': 2, 'post dkey': 4, 'post akey': 8, 'post sv': 8 };

  it('are called for each entry; values have no filter', async () => {
    expect(await counts(() => 0)).toEqual(all);
    expect(await counts(() => 0, true)).toEqual(all);
    expect(await counts(() => VosIterAction.YIELD)).toEqual(all);
  });

  it('that skip in the filter suppress pre and post; in pre only what is below', async () => {
    expect(await counts((where) => (where === 'filter dkey' ? SKIP : 0))).toEqual({ 'filter obj': 2, 'pre obj': 2, 'post obj': 2, 'filter dkey': 4 });
    const skipped = { 'filter obj': 2, 'pre obj': 2, 'post obj': 2, 'filter dkey': 4, 'pre dkey': 4, 'post dkey': 4 };
    expect(await counts((where) => (where === 'pre dkey' ? SKIP : 0))).toEqual(skipped);
  });

  it('that abort leave their level only; exit leaves all', async () => {
    const aborted = await counts((where) => (where === 'pre akey' ? ABORT : 0));
    expect(aborted).toEqual({ 'filter obj': 2, 'pre obj': 2, 'post obj': 2, 'filter dkey': 4, 'pre dkey': 4, 'post dkey': 4, 'filter akey': 4, 'pre akey': 4 });
    expect(await counts((where) => (where === 'pre sv' ? EXIT : 0))).toEqual({
      'filter obj': 1, 'pre obj': 1, 'filter dkey': 1, 'pre dkey': 1, 'filter akey': 1, 'pre akey': 1, 'pre sv': 1,
    });
  });

  it('that restart begin their level anew', async () => {
    let restarts = 2;
    const calls = await counts((where) => (where === 'post dkey' && restarts-- > 0 ? RESTART : 0));
    expect(calls['pre dkey']).toBe(6);
    expect(calls['pre obj']).toBe(2);
  });

  it('that exit leave anchors with which all entries are met once', async () => {
    const anchors: VosIterAnchors = {};
    const seen: string[] = [];
    let path = '';
    for (let isDone = false; !isDone;) {
      let left = 3;
      isDone = true;
      await vosIterate({ container, epr: NEWEST }, OBJ, true, anchors, {
        pre: (entry) => {
          if (entry.type === OBJ) path = nameOf(entry);
          if (entry.type !== SINGLE) return 0;
          if (left-- === 0) {
            isDone = false;
            return EXIT;
          }
          seen.push(path);
          return 0;
        },
      });
    }
    expect(seen).toEqual(['o1', 'o1', 'o1', 'o1', 'o2', 'o2', 'o2', 'o2']);
  });

  it('may change the store between entries', async () => {
    const seen: string[] = [];
    await vosIterate({ container, epr: NEWEST, flavours: HASHED, oid: unitOid(1) }, DKEY, false, {}, {
      pre: async (entry) => {
        seen.push(nameOf(entry));
        const object = new TestObject(container, unitOid(1));
        if (nameOf(entry) !== 'd1') return;
        await object.punch(5n, bytes('d2'));
        await object.updateSingle(5n, bytes('d3'), A, 'x');
      },
    });
    expect(seen).toEqual(['d1', 'd3']);
  });

  it('that throw end the iteration with their error', async () => {
    await expect(counts(() => { throw new DaosError('CANCELED', 'enough'); })).rejects.toMatchObject({ der: 'CANCELED' });
  });

  it('delete a key with everything below it', async () => {
    const pre: VosIterCallbacks['pre'] = (entry, stand) => {
      if (entry.type !== DKEY) return 0;
      stand.delete();
      return VosIterAction.DELETE | VosIterAction.SKIP;
    };
    await vosIterate({ container, epr: NEWEST }, OBJ, true, {}, { pre });
    const dkeys: string[] = [];
    await vosIterate({ container, epr: NEWEST }, OBJ, true, {}, { pre: (entry) => {
      if (entry.type === DKEY) dkeys.push(nameOf(entry));
    } });
    expect(dkeys).toEqual([]);
  });
});

describe('transactions', () => {
  it('that are open are listed with what they wrote; others see their writes with UNCOMMITTED only', async () => {
    const ids = new Map<string, string>();
    for (const epoch of [10n, 20n, 30n]) {
      const handle = begin(epoch, { isLeader: true, modificationCount: 1, version: 3 });
      ids.set(`tx${epoch}`, idOf(handle).uuid);
      const request = { oid: unitOid(1), flavours: HASHED, epoch, flags: 0, dkey: bytes(`d${epoch}`), iods: [{ akey: A, type: IodType.SINGLE, size: 1, recxs: [] }], values: [bytes('x')] };
      await container.update(request, handle);
    }
    const found: VosIterEntry[] = [];
    const iterator = VosIterator.prepare({ container, epr: NEWEST }, DTX);
    for (let isThere = await iterator.probe(); isThere; isThere = await iterator.next()) {
      found.push(iterator.entry);
      await iterator.probe(iterator.stand.anchor());
    }
    expect(found.map(nameOf)).toEqual(['tx10', 'tx20', 'tx30']);
    for (const entry of found) {
      expect(entry).toMatchObject({ id: { uuid: ids.get(nameOf(entry)) }, version: 3, oid: unitOid(1) });
      expect(entry.type === DTX && entry.recordCount).toBeGreaterThan(0);
    }
    expect(await names({}, OBJ, true)).toEqual([]);
    expect(await names({ flags: VosIterFlag.UNCOMMITTED }, OBJ, true)).toEqual(['o1', 'd10', 'a', '@10', 'd20', 'a', '@20', 'd30', 'a', '@30']);
    expect(await names({ flags: VosIterFlag.FOR_CHECK }, OBJ, true)).toHaveLength(10);
    expect(await names({ flags: VosIterFlag.FOR_MIGRATION }, OBJ, true)).toEqual([]);
  });

  it('with a transaction an iteration is a read: an older write that it did not see has to begin anew', async () => {
    const object = new TestObject(container);
    await object.updateSingle(1n, D, A, 'x');
    await vosIterate({ container, oid: unitOid(1), flavours: HASHED, epr: { lo: 0n, hi: 50n } }, DKEY, false, {}, {}, begin(50n, { modificationCount: 0 }));
    const late = begin(40n, { modificationCount: 1 });
    const request = { oid: unitOid(1), flavours: HASHED, epoch: 40n, flags: 0, dkey: bytes('new'), iods: [array(A, 1, [0, 1])], values: [bytes('x')] };
    await expect(container.update(request, late)).rejects.toMatchObject({ der: 'TX_RESTART' });
  });
});
