import { Cond, EPOCH_MAX } from '@daos/common';

import type { VosContainer } from '../src/index.js';
import { HASHED, NEWEST, TestObject, TestPool, bytes, single, unitOid } from './fixture.js';

const d = bytes('d');
const a = bytes('a');

let test: TestPool;
let container: VosContainer;
let object: TestObject;

beforeAll(async () => {
  test = await TestPool.create();
});
beforeEach(async () => {
  container = await test.newContainer();
  object = new TestObject(container);
});
afterAll(() => test.destroy());

function count(epoch: bigint): { objects: number; dkeys: number; akeys: number; recxs: number } {
  const epr = { lo: 0n, hi: epoch };
  const common = { oid: object.oid, flavours: HASHED, epr, limit: 100 };
  return {
    objects: container.listObjects(epr, 100).items.length,
    dkeys: container.listDkeys(common).items.length,
    akeys: container.listAkeys({ ...common, dkey: d }).items.length,
    recxs: container.listRecxs({ ...common, dkey: d, akey: a }).items.length,
  };
}

describe('punches (28.8)', () => {
  it('hide what is older at their level, and nothing that is newer (59)', async () => {
    await object.updateArray(1n, d, a, 0, 'HelloLonelyWorld');
    await object.punch(2n, d, [a]);
    await object.updateArray(3n, d, a, 0, 'HelloWorld');
    expect(await object.fetchArray(4n, d, a, 0, 16)).toBe('HelloWorld......');
    await object.punch(6n, d);
    await object.updateArray(7n, d, a, 0, 'HelloWorld');
    expect(await object.fetchArray(8n, d, a, 0, 16)).toBe('HelloWorld......');
    expect(await object.fetchArray(6n, d, a, 0, 16)).toBe('................');
    await object.updateArray(9n, d, a, 0, 'HelloWorld');
    await object.punch(10n);
    await object.updateArray(11n, d, a, 0, 'Goodbye');
    expect(await object.fetchArray(11n, d, a, 0, 16)).toBe('Goodbye.........');
    expect(await object.fetchArray(5n, d, a, 0, 16)).toBe('HelloWorld......');
    expect(count(10n)).toEqual({ objects: 0, dkeys: 0, akeys: 0, recxs: 0 });
    expect(count(11n)).toEqual({ objects: 1, dkeys: 1, akeys: 1, recxs: 1 });
    expect(container.queryKey({ oid: object.oid, flavours: HASHED, epoch: 11n, flags: 1 | 16, dkey: d, akey: a })).toEqual({
      recx: { idx: 0n, nr: 7n },
      maxWrite: 11n,
    });
  });

  it('of an object do not touch a write at an older epoch made again (60)', async () => {
    await object.updateSingle(1n, d, a, 'first');
    await object.updateSingle(1n, d, bytes('b'), 'first');
    await object.punch(2n);
    await object.updateSingle(1n, d, a, 'second');
    await object.updateSingle(1n, d, bytes('b'), 'second');
    expect(await object.fetchSingle(1n, d, a)).toBe('second');
    expect(await object.fetchSingle(1n, d, bytes('b'))).toBe('second');
    expect(await object.fetchSingle(2n, d, a)).toBe('');
  });

  it('of what does not exist hide an older write that comes later', async () => {
    await object.punch(10n, d, [a]);
    await object.punch(10n, bytes('d2'));
    await new TestObject(container, unitOid(2)).punch(10n);
    await object.updateSingle(5n, d, a, 'late');
    await object.updateSingle(5n, bytes('d2'), a, 'late');
    await new TestObject(container, unitOid(2)).updateSingle(5n, d, a, 'late');
    expect(await object.fetchSingle(10n, d, a)).toBe('');
    expect(await object.fetchSingle(10n, bytes('d2'), a)).toBe('');
    expect(await new TestObject(container, unitOid(2)).fetchSingle(10n, d, a)).toBe('');
    expect(await object.fetchSingle(9n, d, a)).toBe('late');
  });

  it('of the last akey reach the dkey; while one is left they do not', async () => {
    await object.updateSingle(1n, d, a, 'x');
    await object.updateSingle(1n, d, bytes('b'), 'x');
    await object.punch(2n, d, [a]);
    expect(count(2n)).toMatchObject({ dkeys: 1, akeys: 1 });
    await object.punch(3n, d, [bytes('b')]);
    expect(count(3n)).toMatchObject({ objects: 1, dkeys: 0 });
    await object.updateSingle(4n, d, a, 'again');
    expect(count(4n)).toMatchObject({ dkeys: 1, akeys: 1 });
    expect(await object.fetchSingle(4n, d, bytes('b'))).toBe('');
  });

  it('at the epoch of an update are refused', async () => {
    await object.updateSingle(5n, d, a, 'x');
    await expect(object.punch(5n, d, [a])).rejects.toMatchObject({ der: 'NO_PERM' });
    await object.punch(6n, d);
    await object.punch(6n, d);
    await expect(object.updateSingle(6n, d, a, 'x')).rejects.toMatchObject({ der: 'NO_PERM' });
    expect(await object.fetchSingle(5n, d, a)).toBe('x');
  });

  it('of values by size 0 leave size 0 (61)', async () => {
    await object.updateSingle(1n, d, a, 'x');
    await object.updateSingle(2n, d, a, '');
    expect(await object.fetchSingle(2n, d, a)).toBe('');
    expect(await object.fetchSingle(1n, d, a)).toBe('x');
  });

  it('do not confuse thousands of similar akeys (66)', async () => {
    const akeys = Array.from({ length: 20_000 }, (_, i) => bytes(`some akey with a long common part ${i}`));
    await Promise.all(akeys.map((akey, i) => object.updateSingle(BigInt(i + 1), d, akey, `${i}`)));
    for (let i = 0; i < akeys.length; i += 7) expect(await object.fetchSingle(EPOCH_MAX, d, akeys[i] as Buffer)).toBe(`${i}`);
    const { items } = container.listAkeys({ oid: object.oid, flavours: HASHED, epr: NEWEST, limit: 65_536, dkey: d });
    expect(items.length).toBe(8192);
  });
});

describe('conditions (28.9)', () => {
  it('on dkeys (71-73)', async () => {
    await expect(object.updateSingle(1n, d, a, 'x', Cond.DKEY_UPDATE)).rejects.toMatchObject({ der: 'NONEXIST' });
    await object.updateSingle(2n, d, a, 'first', Cond.DKEY_INSERT);
    await expect(object.updateSingle(3n, d, a, 'second', Cond.DKEY_INSERT)).rejects.toMatchObject({ der: 'EXIST' });
    expect(await object.fetchSingle(3n, d, a)).toBe('first');
    expect(await object.fetchSingle(1n, d, a)).toBe('');
    await object.punch(4n);
    expect(await object.fetchSingle(4n, d, a)).toBe('');
    await expect(object.updateSingle(5n, d, a, 'x', Cond.DKEY_UPDATE)).rejects.toMatchObject({ der: 'NONEXIST' });
    await expect(object.punch(5n, d, [a], Cond.PUNCH)).rejects.toMatchObject({ der: 'NONEXIST' });
    await expect(object.punch(5n, d, undefined, Cond.PUNCH)).rejects.toMatchObject({ der: 'NONEXIST' });
    await expect(object.punch(5n, undefined, undefined, Cond.PUNCH)).rejects.toMatchObject({ der: 'NONEXIST' });
  });

  it('on akeys and reads (74, 75)', async () => {
    const five = ['a', 'b', 'c', 'd', 'e'].map((name) => single(bytes(name), 1));
    const values = five.map(() => bytes('v'));
    await expect(object.update(1n, d, five, values, Cond.DKEY_UPDATE)).rejects.toMatchObject({ der: 'NONEXIST' });
    await object.update(2n, d, five, values, Cond.DKEY_INSERT);
    expect(await object.fetchSingle(2n, d, a, Cond.AKEY_FETCH)).toBe('v');
    await expect(object.fetchSingle(2n, d, bytes('z'), Cond.AKEY_FETCH)).rejects.toMatchObject({ der: 'NONEXIST' });
    await expect(object.fetchSingle(1n, d, a, Cond.AKEY_FETCH)).rejects.toMatchObject({ der: 'NONEXIST' });
    await expect(object.fetchSingle(2n, bytes('other'), a, Cond.DKEY_FETCH)).rejects.toMatchObject({ der: 'NONEXIST' });
    await expect(object.updateSingle(3n, d, bytes('z'), 'x', Cond.AKEY_UPDATE)).rejects.toMatchObject({ der: 'NONEXIST' });
    await expect(object.updateSingle(3n, d, a, 'x', Cond.AKEY_INSERT)).rejects.toMatchObject({ der: 'EXIST' });
  });

  it('per akey (78)', async () => {
    const b = bytes('b');
    const write = (epoch: bigint, flag: number, also = 0) =>
      object.update(epoch, d, [single(a, 1, 0), single(b, 1, flag)], [bytes('x'), bytes('y')], Cond.PER_AKEY | also);
    await expect(write(1n, Cond.AKEY_UPDATE)).rejects.toMatchObject({ der: 'NONEXIST' });
    expect(await object.fetchSingle(1n, d, a)).toBe('');
    await object.updateSingle(2n, d, a, 'x');
    await expect(write(3n, Cond.AKEY_UPDATE)).rejects.toMatchObject({ der: 'NONEXIST' });
    await write(4n, Cond.AKEY_INSERT);
    await write(5n, Cond.AKEY_UPDATE);
    await expect(write(6n, Cond.AKEY_INSERT)).rejects.toMatchObject({ der: 'EXIST' });
    const read = (epoch: bigint) =>
      container.fetch({ oid: object.oid, flavours: HASHED, epoch, flags: Cond.PER_AKEY, dkey: d, iods: [single(a, 0, 0), single(b, 0, Cond.AKEY_FETCH)] });
    expect((await read(7n)).map(({ size }) => size)).toEqual([1, 1]);
    await object.punch(8n, d, [b]);
    expect(() => read(9n)).toThrow(expect.objectContaining({ der: 'NONEXIST' }));
    const other = new TestObject(container, unitOid(9));
    await expect(
      other.update(1n, d, [single(a, 1, Cond.AKEY_UPDATE)], [bytes('x')], Cond.PER_AKEY | Cond.DKEY_INSERT),
    ).rejects.toMatchObject({ der: 'NONEXIST' });
  });

  it('of distinct objects do not touch each other (77)', async () => {
    const count77 = 2000;
    for (let i = 0; i < count77; i++) {
      const one = new TestObject(container, unitOid(1000 + i));
      const epoch = BigInt(10_000 - i);
      await Promise.all([
        one.updateSingle(epoch, d, a, 'x'),
        expect(one.updateSingle(epoch, d, bytes('a2'), 'x', Cond.AKEY_UPDATE)).rejects.toMatchObject({ der: 'NONEXIST' }),
        one.updateSingle(epoch, d, bytes('a2'), 'x', Cond.AKEY_INSERT),
      ]);
    }
  });
});
