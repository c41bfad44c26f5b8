import { Cond, EPOCH_MAX } from '@daos/common';

import type { VosContainer } from '../../src/index.js';
import { HASHED, TestPool, bytes, single, unitOid } from '../fixture.js';
import { A, D, TxObject, begin, idOf } from './dtx_fixture.js';

let test: TestPool;
let container: VosContainer;
let object: TxObject;

beforeAll(async () => {
  test = await TestPool.create();
});
beforeEach(async () => {
  container = await test.newContainer();
  object = new TxObject(container);
});
afterAll(() => test.destroy());

const solo = (epoch: bigint) => begin(epoch, { isSolo: true });
const reader = (epoch: bigint) => begin(epoch, { modificationCount: 0 });

describe('conditional operations in transactions (28.9)', () => {
  it('a condition that failed is a read: an update below it comes too late (71)', async () => {
    await expect(object.put(20n, 'x', solo(20n), { flags: Cond.DKEY_UPDATE })).rejects.toThrow('DER_NONEXIST');
    await expect(object.put(10n, 'x', solo(10n))).rejects.toThrow('DER_TX_RESTART');
    await object.put(30n, 'x', solo(30n));
  });

  it('inserts once, and shows nothing before that (72)', async () => {
    await object.put(10n, 'first', solo(10n), { flags: Cond.DKEY_INSERT });
    await expect(object.put(20n, 'second', solo(20n), { flags: Cond.DKEY_INSERT })).rejects.toThrow('DER_EXIST');
    expect(await object.get(30n)).toBe('first');
    expect(await object.get(9n)).toBe('');
  });

  it('finds nothing to punch or update below a punched object (73)', async () => {
    await object.put(10n, 'value', solo(10n));
    await object.punch(20n, 'object', solo(20n));
    expect(await object.get(25n)).toBe('');
    await expect(object.put(30n, 'x', solo(30n), { flags: Cond.DKEY_UPDATE })).rejects.toThrow('DER_NONEXIST');
    expect(await object.get(60n, reader(60n))).toBe('');
    await expect(object.punch(50n, 'akey', solo(50n), { flags: Cond.PUNCH })).rejects.toThrow('DER_NONEXIST');
    await expect(object.punch(50n, 'dkey', solo(50n), { flags: Cond.PUNCH })).rejects.toThrow('DER_NONEXIST');
  });

  it('hold for updates of several akeys as a whole (74)', async () => {
    const iods = [1, 2, 3, 4, 5].map((i) => single(bytes(`a${i}`), 2));
    const values = iods.map(() => bytes('xx'));
    await expect(object.update(20n, iods, values, solo(20n), { flags: Cond.DKEY_UPDATE })).rejects.toThrow('DER_NONEXIST');
    await expect(object.update(10n, iods, values, solo(10n), { flags: Cond.DKEY_INSERT })).rejects.toThrow('DER_TX_RESTART');
    await object.update(30n, iods, values, solo(30n), { flags: Cond.DKEY_INSERT });
    expect(await object.get(EPOCH_MAX, undefined, { a: bytes('a5') })).toBe('xx');
  });

  it('of fetches make a later insert at an older epoch restart (75)', async () => {
    await object.put(10n, 'value', solo(10n));
    expect(await object.get(20n, reader(20n), { flags: Cond.AKEY_FETCH })).toBe('value');
    const missing = bytes('missing');
    await expect(async () => object.get(30n, reader(30n), { a: missing, flags: Cond.AKEY_FETCH })).rejects.toThrow('DER_NONEXIST');
    await expect(object.put(25n, 'x', solo(25n), { a: missing })).rejects.toThrow('DER_TX_RESTART');
    const other = bytes('other dkey');
    await expect(async () => object.get(30n, reader(30n), { d: other, flags: Cond.DKEY_FETCH })).rejects.toThrow('DER_NONEXIST');
    await expect(object.put(25n, 'x', solo(25n), { d: other })).rejects.toThrow('DER_TX_RESTART');
    await object.put(40n, 'x', solo(40n), { d: other });
    expect(await object.get(50n, reader(50n), { d: other, flags: Cond.DKEY_FETCH })).toBe('x');
    expect(await object.get(50n, undefined, { d: other, flags: Cond.DKEY_FETCH })).toBe('x');
    await expect(async () => object.get(50n, undefined, { d: missing, flags: Cond.DKEY_FETCH })).rejects.toThrow('DER_NONEXIST');
  });

  it('refuse an akey that is named twice (76)', async () => {
    await expect(object.update(10n, [single(A, 1), single(A, 1)], [bytes('x'), bytes('y')], solo(10n))).rejects.toThrow('DER_NO_PERM');
  });

  it('of many objects, later ones at older epochs, hardly ever disturb each other (77)', async () => {
    const count = 3000;
    let restarts = 0;
    const pending: Promise<unknown>[] = [];
    for (let i = 0; i < count; i++) {
      const epoch = BigInt(100_000 - i);
      const one = new TxObject(container, unitOid(i + 1));
      const attempts = [
        one.put(epoch, 'x', solo(epoch)),
        expect(one.put(epoch, 'x', solo(epoch), { a: bytes('akey2'), flags: Cond.AKEY_UPDATE })).rejects.toThrow(/DER_NONEXIST|DER_TX_RESTART/),
        one.put(epoch, 'x', solo(epoch), { a: bytes('akey3'), flags: Cond.AKEY_INSERT }),
      ];
      pending.push(...attempts.map((attempt) => attempt.catch(() => restarts++)));
      if (i % 100 === 99) await Promise.all(pending.splice(0));
    }
    // keys that do not exist share entries of the cache: two of them may be taken for one
    expect(restarts).toBeLessThan(count / 10);
  });

  it.each([['in', true], ['outside of', false]])('are asked of each akey %s a transaction (78)', async (_, isTransaction) => {
    const tx = (epoch: bigint) => (isTransaction ? solo(epoch) : undefined);
    const [a1, a2] = [bytes('akey1'), bytes('akey2')];
    const both = (epoch: bigint, second: number, d = D): Promise<void> =>
      object.update(epoch, [single(a1, 1, 0), single(a2, 1, second)], [bytes('x'), bytes('y')], tx(epoch), { d, flags: Cond.PER_AKEY });
    await expect(both(10n, Cond.AKEY_UPDATE)).rejects.toThrow('DER_NONEXIST');
    expect(await object.get(EPOCH_MAX, undefined, { a: a1 })).toBe('');
    await object.put(20n, 'x', tx(20n), { a: a1 });
    await expect(both(30n, Cond.AKEY_UPDATE)).rejects.toThrow('DER_NONEXIST');
    await both(40n, Cond.AKEY_INSERT);
    await both(50n, Cond.AKEY_UPDATE);
    await expect(both(60n, Cond.AKEY_INSERT)).rejects.toThrow('DER_EXIST');
    const fetch = async (epoch: bigint): Promise<string> => {
      const iods = [single(a1, 0, 0), single(a2, 0, Cond.AKEY_FETCH)];
      const found = await container.fetch({ oid: object.oid, flavours: HASHED, epoch, flags: Cond.PER_AKEY, dkey: D, iods }, isTransaction ? reader(epoch) : undefined);
      return found.map(({ pieces }) => Buffer.from(pieces[0]?.data ?? []).toString()).join();
    };
    expect(await fetch(65n)).toBe('x,y');
    await object.punch(70n, 'akey', tx(70n), { a: a2 });
    await expect(async () => fetch(80n)).rejects.toThrow('DER_NONEXIST');
    const fresh = bytes('fresh dkey');
    const request = [single(a1, 1, 0), single(a2, 1, Cond.AKEY_UPDATE)];
    await expect(
      object.update(90n, request, [bytes('x'), bytes('y')], tx(90n), { d: fresh, flags: Cond.PER_AKEY | Cond.DKEY_INSERT }),
    ).rejects.toThrow('DER_NONEXIST');
  });
});

describe('punches and open transactions (28.8)', () => {
  it('a dkey is punched with its last akey, unless an open transaction decides that (67)', async () => {
    const [a1, a2, a3] = [bytes('a1'), bytes('a2'), bytes('a3')];
    await object.put(10n, 'x', solo(10n), { a: a1 });
    await object.put(15n, 'x', solo(15n), { a: a2 });
    const third = begin(20n);
    await object.put(20n, 'x', third, { a: a3 });
    await object.punch(25n, 'akey', solo(25n), { a: a1 });
    await expect(object.punch(30n, 'akey', solo(30n), { a: a2 })).rejects.toThrow('DER_INPROGRESS');
    await container.dtxCommit([idOf(third)]);
    await object.punch(30n, 'akey', solo(30n), { a: a2 });
    expect(object.dkeys(EPOCH_MAX)).toEqual(['dkey']);
    expect(await object.get(EPOCH_MAX, undefined, { a: a3 })).toBe('x');
  });

  it('a punch that is committed late takes what is older, not what came since (68)', async () => {
    const [a1, a2] = [bytes('a1'), bytes('a2')];
    await object.put(10n, 'old', undefined, { a: a1 });
    const punch = begin(20n);
    await object.punch(20n, 'object', punch);
    await object.put(30n, 'new', solo(30n), { a: a2 });
    await container.dtxCommit([idOf(punch)]);
    expect(await object.get(EPOCH_MAX, undefined, { a: a1 })).toBe('');
    expect(await object.get(EPOCH_MAX, undefined, { a: a2 })).toBe('new');
  });

  it('an update at the epoch of a replayed punch survives it (65)', async () => {
    await object.extent(10n, 0, 'abcde');
    await container.punch({ oid: object.oid, flavours: HASHED, epoch: 11n, flags: 1 << 15, dkey: D, akeys: [A] });
    await object.extent(11n, 5, 'fghijklmnop');
    expect(await object.getExtent(EPOCH_MAX, 0, 16)).toBe('.....fghijklmnop');
  });

  it('a removal brings older data back, a later write covers it (63)', async () => {
    const remove = (lo: bigint, hi: bigint, idx: number, nr: number): Promise<void> =>
      container.arrayRemove({ oid: object.oid, flavours: HASHED, epr: { lo, hi }, dkey: D, akey: A, recx: { idx: BigInt(idx), nr: BigInt(nr) } });
    await object.extent(10n, 0, 'aaa');
    await object.extent(10n, 3, 'bbb');
    await object.extent(10n, 6, 'cccc');
    await remove(0n, 10n, 1, 8);
    expect(await object.getExtent(EPOCH_MAX, 0, 10)).toBe('a........c');
    await object.extent(11n, 2, 'XYZ');
    expect(await object.getExtent(EPOCH_MAX, 0, 10)).toBe('a.XYZ....c');
    await remove(11n, 12n, 0, 10);
    expect(await object.getExtent(EPOCH_MAX, 0, 10)).toBe('a........c');
  });

  it('100 akeys with similar names are 100 akeys (66)', async () => {
    const names = Array.from({ length: 100 }, (_, i) => bytes(`a name that is longer than fifteen bytes and ends in ${i}`));
    await Promise.all(names.map((a, i) => object.put(10n, `value ${i}`, undefined, { a })));
    for (let i = 0; i < names.length; i++) expect(await object.get(EPOCH_MAX, undefined, { a: names[i] as Uint8Array })).toBe(`value ${i}`);
  });
});
