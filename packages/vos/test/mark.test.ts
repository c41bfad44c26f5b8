import { VosFlag, VosIterFlag, VosIterType, vosIterate, type VosContainer } from '../src/index.js';
import { HASHED, MIB, NEWEST, TestObject, TestPool, bytes, single, unitOid } from './fixture.js';

const D = bytes('d');
const A = bytes('a');
const LOST = { der: 'DATA_LOSS' };

let test: TestPool;
let container: VosContainer;
let object: TestObject;

beforeEach(async () => {
  test = await TestPool.create({ scmBytes: 16 * MIB, nvmeBytes: 0 });
  container = await test.newContainer();
  object = new TestObject(container);
  for (const d of ['d', 'e']) for (const a of ['a', 'b']) await object.updateSingle(1n, bytes(d), bytes(a), 'x');
});
afterEach(() => test.destroy());

function mark(dkey?: Uint8Array, akeys?: Uint8Array[], oid = unitOid(1), flavours: typeof HASHED & { isFlat?: boolean } = HASHED): Promise<void> {
  return container.markCorruption({ oid, flavours, epoch: 5n, ...(dkey ? { dkey } : {}), ...(akeys ? { akeys } : {}) });
}

async function expectLost(where: TestObject, dkey: Uint8Array, akey: Uint8Array): Promise<void> {
  const { oid, flavours } = where;
  await expect(where.fetchSingle(9n, dkey, akey)).rejects.toMatchObject(LOST);
  await expect(where.updateSingle(9n, dkey, akey, 'y')).rejects.toMatchObject(LOST);
  await expect(where.punch(9n, dkey, [akey])).rejects.toMatchObject(LOST);
  const request = { oid, flavours, epoch: 9n, flags: VosFlag.FETCH_CHECK_EXISTENCE, dkey, iods: [single(akey, 0)] };
  expect(() => container.fetch(request)).toThrow(expect.objectContaining(LOST));
}

describe('a mark of corruption', () => {
  it('refuses akeys without a dkey, empty keys and lists, and akeys of objects that have none', async () => {
    await expect(mark(undefined, [A])).rejects.toMatchObject({ der: 'INVAL' });
    await expect(mark(D, [])).rejects.toMatchObject({ der: 'INVAL' });
    await expect(mark(D, [bytes('')])).rejects.toMatchObject({ der: 'INVAL' });
    await expect(mark(bytes(''))).rejects.toMatchObject({ der: 'INVAL' });
    await expect(mark(D, [A], unitOid(1), { ...HASHED, isFlat: true })).rejects.toMatchObject({ der: 'NO_PERM' });
    await mark(D, undefined, unitOid(9), { ...HASHED, isFlat: true });
    expect(await object.fetchSingle(9n, D, A)).toBe('x');
  });

  it('on an object makes all of it answer DER_DATA_LOSS, twice marked as once, after a restart too', async () => {
    await mark();
    await mark();
    await expectLost(object, D, A);
    await expect(object.punch(9n)).rejects.toMatchObject(LOST);
    expect(container.query().objectCount).toBe(1);
    const { uuid } = container;
    const pool = await test.reopen();
    container = pool.containerOpen(uuid);
    await expectLost(new TestObject(container), D, A);
  });

  it('on a dkey leaves its siblings usable', async () => {
    await mark(D);
    await expectLost(object, D, A);
    await expect(object.punch(9n, D)).rejects.toMatchObject(LOST);
    await object.updateSingle(9n, bytes('e'), A, 'y');
    expect(await object.fetchSingle(9n, bytes('e'), A)).toBe('y');
    await object.punch(10n, bytes('e'));
  });

  it('on an akey leaves its siblings usable', async () => {
    await mark(D, [A]);
    await expectLost(object, D, A);
    await object.updateSingle(9n, D, bytes('b'), 'y');
    expect(await object.fetchSingle(9n, D, bytes('b'))).toBe('y');
    await object.punch(10n, D, [bytes('b')]);
  });

  it('on what does not exist makes it, unreadable', async () => {
    await mark(bytes('new'), [A]);
    await expectLost(object, bytes('new'), A);
    await mark(undefined, undefined, unitOid(2));
    await expectLost(new TestObject(container, unitOid(2)), D, A);
    expect(container.query().objectCount).toBe(2);
  });

  it('shows in an iteration; only who cleans up goes below it', async () => {
    await mark(D);
    const params = { container, oid: unitOid(1), flavours: HASHED, epr: NEWEST };
    const lost: string[] = [];
    const pre = (entry: Parameters<NonNullable<Parameters<typeof vosIterate>[4]['pre']>>[0]): void => {
      if (entry.type === VosIterType.DKEY && entry.isCorrupted) lost.push(Buffer.from(entry.key).toString());
    };
    await vosIterate(params, VosIterType.DKEY, false, {}, { pre });
    expect(lost).toEqual(['d']);
    await expect(vosIterate(params, VosIterType.DKEY, true, {}, {})).rejects.toMatchObject(LOST);
    await vosIterate({ ...params, flags: VosIterFlag.FOR_DISCARD }, VosIterType.DKEY, true, {}, {});
  });
});
