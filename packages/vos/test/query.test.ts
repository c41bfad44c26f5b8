import { EPOCH_MAX, QueryFlag } from '@daos/common';

import type { VosContainer } from '../src/index.js';
import { HASHED, TestObject, TestPool, UINT64, bytes, number64 } from './fixture.js';

const { MAX, MIN, DKEY, AKEY, RECX } = QueryFlag;

let test: TestPool;
let container: VosContainer;
let object: TestObject;

beforeAll(async () => {
  test = await TestPool.create();
});
beforeEach(async () => {
  container = await test.newContainer();
  object = new TestObject(container, undefined, UINT64);
});
afterAll(() => test.destroy());

function query(flags: number, epoch = EPOCH_MAX, dkey?: number, akey?: number): [number | undefined, number | undefined, number | undefined] {
  const found = container.queryKey({
    oid: object.oid,
    flavours: UINT64,
    epoch,
    flags,
    ...(dkey === undefined ? {} : { dkey: number64(dkey) }),
    ...(akey === undefined ? {} : { akey: number64(akey) }),
  });
  const value = (key: Uint8Array | undefined) => key && Number(Buffer.from(key).readBigUInt64LE());
  return [value(found.dkey), value(found.akey), found.recx && Number(found.recx.idx)];
}

describe('key queries (28.5)', () => {
  const missing = expect.objectContaining({ der: 'NONEXIST' });
  const invalid = expect.objectContaining({ der: 'INVAL' });

  it('find the first and the last of each level, and move on when those go (29-31)', async () => {
    for (const d of [1, 500, 70_000]) {
      for (const a of [2, 300]) {
        for (const i of [0, 1, 2]) await object.updateArray(1n + BigInt(i), number64(d), number64(a), i, 'x');
      }
    }
    expect(query(MAX | DKEY | AKEY | RECX)).toEqual([70_000, 300, 2]);
    expect(query(MIN | DKEY | AKEY | RECX)).toEqual([1, 2, 0]);
    await object.punchArray(5n, number64(70_000), number64(300), 1, 2);
    expect(query(MAX | DKEY | AKEY | RECX)).toEqual([70_000, 300, 0]);
    await object.punch(6n, number64(70_000), [number64(300)]);
    expect(query(MAX | DKEY | AKEY | RECX)).toEqual([70_000, 2, 2]);
    expect(query(MAX | AKEY, EPOCH_MAX, 70_000)).toEqual([undefined, 2, undefined]);
    await object.punch(7n, number64(70_000), [number64(2)]);
    expect(() => query(MAX | AKEY, EPOCH_MAX, 70_000)).toThrow(missing);
    expect(query(MAX | DKEY | AKEY | RECX)).toEqual([500, 300, 2]);
    await object.punch(8n, number64(1));
    expect(query(MIN | DKEY)).toEqual([500, undefined, undefined]);
    expect(query(MIN | DKEY, 7n)).toEqual([1, undefined, undefined]);
    await object.punch(9n);
    expect(() => query(MAX | DKEY)).toThrow(missing);
  });

  it('see a dkey come back after its punch (32)', async () => {
    const a = number64(0);
    await object.updateArray(1n, number64(0), a, 0, 'abc');
    await object.updateArray(2n, number64(12), a, 0, 'abcdef');
    expect(query(MAX | DKEY)).toEqual([12, undefined, undefined]);
    await object.punch(3n, number64(12));
    expect(query(MAX | DKEY)).toEqual([0, undefined, undefined]);
    await object.updateArray(4n, number64(12), a, 0, 'xy');
    const found = container.queryKey({ oid: object.oid, flavours: UINT64, epoch: 5n, flags: MAX | DKEY | RECX, akey: a });
    expect(found).toEqual({ dkey: Uint8Array.from(number64(12)), recx: { idx: 0n, nr: 2n }, maxWrite: 4n });
  });

  it('refuse bad combinations, and say so when nothing is there (33)', async () => {
    expect(() => query(MAX | DKEY)).toThrow(missing);
    expect(() => query(MIN | DKEY)).toThrow(missing);
    for (const flags of [MAX, MIN, MAX | MIN | DKEY, DKEY, MAX | AKEY, MAX | DKEY | RECX]) {
      expect(() => query(flags)).toThrow(invalid);
    }
    const hashed = { oid: object.oid, flavours: HASHED, epoch: 1n, flags: MAX | DKEY };
    expect(() => container.queryKey(hashed)).toThrow(invalid);
    expect(container.queryKey({ ...hashed, flags: 0 })).toEqual({ maxWrite: 0n });
    await new TestObject(container).updateSingle(77n, bytes('d'), bytes('a'), 'x');
    expect(container.queryKey({ ...hashed, flags: 0 })).toEqual({ maxWrite: 77n });
  });

  it('find the ends of a large array without reading it all', async () => {
    const a = number64(0);
    for (let i = 0; i < 3000; i++) void object.updateArray(BigInt(i + 1), number64(1), a, i * 10, 'abcd');
    await test.pool.flush();
    expect(query(MAX | RECX, EPOCH_MAX, 1, 0)).toEqual([undefined, undefined, 29_990]);
    expect(query(MIN | RECX, EPOCH_MAX, 1, 0)).toEqual([undefined, undefined, 0]);
    await object.punchArray(5000n, number64(1), a, 100, 1_000_000);
    expect(query(MAX | RECX, EPOCH_MAX, 1, 0)).toEqual([undefined, undefined, 90]);
    const page = container.listRecxs({ oid: object.oid, flavours: UINT64, epr: { lo: 0n, hi: 4000n }, limit: 5, dkey: number64(1), akey: a, descending: true });
    expect(page.items.map(({ recx }) => Number(recx.idx))).toEqual([29_990, 29_980, 29_970, 29_960, 29_950]);
  });
});
