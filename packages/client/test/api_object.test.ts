import { Cond, ObjectType, QueryFlag, isDaosError, type Recx } from '@daos/common';

import { daosInit, integerKey, integerKeyValue, type Container, type Daos, type DaosObject, type ObjectCreateOptions, type Pool } from '../src/index.js';
import { StandaloneSystem } from './harness/standalone_system.js';

/** The behaviours that DAOS's own object tests check, on one real engine with two targets. */
describe('object API', () => {
  let system: StandaloneSystem;
  let daos: Daos;
  let pool: Pool;
  let cont: Container;

  beforeAll(async () => {
    system = await StandaloneSystem.start();
    daos = await daosInit({ agentDir: system.agentDir });
    pool = await daos.poolConnect('tank');
    await pool.contCreate({ label: 'objects' });
    cont = await pool.contOpen('objects', { mode: 'rw' });
  }, 30_000);
  afterAll(async () => {
    await daos.close();
    await system.remove();
  }, 30_000);

  async function newObject(type: number = ObjectType.MULTI_HASHED, create: ObjectCreateOptions = { class: 'S1' }): Promise<DaosObject> {
    return cont.objOpen(cont.generateOid({ hi: 0n, lo: await cont.allocOids(1) }, type, create));
  }
  const text = (data: Uint8Array | undefined) => Buffer.from(data ?? []).toString();
  const recx = (idx: number | bigint, nr: number): Recx => ({ idx: BigInt(idx), nr: BigInt(nr) });
  const putText = (obj: DaosObject, dkey: string, akey: string, value: string, flags = 0) =>
    obj.update(undefined, dkey, [{ akey, type: 'single', value: Buffer.from(value) }], { flags });
  const der = (call: Promise<unknown>): Promise<string> =>
    call.then(() => 'none', (error: unknown) => {
      if (isDaosError(error)) return error.der;
      throw error;
    });
  async function count(keys: AsyncIterable<Uint8Array>): Promise<number> {
    let n = 0;
    for await (const _ of keys) n++;
    return n;
  }

  describe('update and fetch', () => {
    it('round trip of small and large values, record sizes and extreme indices', async () => {
      const obj = await newObject();
      for (const size of [1, 64, 4095, 4096, 131_071, 1 << 20, 5 << 20]) {
        const value = Buffer.alloc(size, `${size}`);
        await obj.update(undefined, 'sizes', [{ akey: `${size}`, type: 'single', value }]);
        const [found] = await obj.fetch(undefined, 'sizes', [{ akey: `${size}`, type: 'single' }]);
        expect(found?.size).toBe(size);
        expect(value.equals(found?.data ?? Buffer.alloc(0))).toBe(true);
      }
      for (const recordSize of [1, 3, 20, 4096, 65_537]) {
        const value = Buffer.alloc(recordSize * 5, `${recordSize}`);
        const iod = { akey: `r${recordSize}`, type: 'array', recordSize, recxs: [recx((1n << 63n) - 5n, 5)] } as const;
        await obj.update(undefined, 'records', [{ ...iod, value }]);
        const [found] = await obj.fetch(undefined, 'records', [iod]);
        expect(found?.size).toBe(recordSize);
        expect(value.equals(found?.data ?? Buffer.alloc(0))).toBe(true);
      }
    });

    it('keys from 1 byte to 8 KiB', async () => {
      const obj = await newObject();
      for (const length of [1, 15, 16, 511, 8192]) {
        const key = Buffer.alloc(length, 'k');
        await obj.update(undefined, key, [{ akey: key, type: 'single', value: Buffer.from('v') }]);
        const [found] = await obj.fetch(undefined, key, [{ akey: key, type: 'single' }]);
        expect(text(found?.data)).toBe('v');
      }
    });

    it('overwriting a single value with a larger or smaller one returns the last', async () => {
      const obj = await newObject();
      for (const length of [10, 10_000, 3, 5000, 1]) {
        await putText(obj, 'd', 'a', 'x'.repeat(length));
        const [found] = await obj.fetch(undefined, 'd', [{ akey: 'a', type: 'single' }]);
        expect(text(found?.data)).toBe('x'.repeat(length));
      }
    });

    it('many akeys in one call, present and absent, single and array: each gets its own size', async () => {
      const obj = await newObject();
      await obj.update(undefined, 'd', [
        { akey: 's', type: 'single', value: Buffer.from('single') },
        { akey: 'r', type: 'array', recordSize: 2, recxs: [recx(0, 2), recx(4, 1)], value: Buffer.from('aabbcc') },
      ]);
      const found = await obj.fetch(undefined, 'd', [
        { akey: 'none', type: 'single' },
        { akey: 's', type: 'single' },
        { akey: 'r', type: 'array', recordSize: 2, recxs: [recx(4, 1), recx(0, 2)] },
        { akey: 'nothing', type: 'array', recxs: [recx(0, 4)] },
      ]);
      expect(found.map(({ size }) => size)).toEqual([0, 6, 2, 0]);
      expect(text(found[2]?.data)).toBe('ccaabb');
    });

    it('nothing stored: size 0, the buffer is untouched, for small and large requests', async () => {
      const obj = await newObject();
      for (const length of [10, 200_000]) {
        const into = Buffer.alloc(length, 'u');
        const [found] = await obj.fetch(undefined, 'absent', [{ akey: 'a', type: 'array', recordSize: 1, recxs: [recx(0, length)], into }]);
        expect([found?.size, found?.present]).toEqual([0, []]);
        expect(into.every((byte) => byte === 0x75)).toBe(true);
      }
    });

    it('an extent stored in part: holes keep the caller\'s bytes, what is present is told', async () => {
      const obj = await newObject();
      await obj.update(undefined, 'd', [{ akey: 'a', type: 'array', recxs: [recx(2, 1), recx(4, 1), recx(6, 1)], value: Buffer.from('xyz') }]);
      const into = Buffer.alloc(10, '.');
      const [found] = await obj.fetch(undefined, 'd', [{ akey: 'a', type: 'array', recordSize: 1, recxs: [recx(0, 10)], into }]);
      expect(into.toString()).toBe('..x.y.z...');
      expect(found?.present).toEqual([recx(2, 1), recx(4, 1), recx(6, 1)]);
    });

    it('sizes only; a buffer too small for the records is REC2BIG', async () => {
      const obj = await newObject();
      await obj.update(undefined, 'd', [{ akey: 'a', type: 'array', recordSize: 8, recxs: [recx(0, 4)], value: Buffer.alloc(32) }]);
      await putText(obj, 'd', 's', 'value');
      const sizes = await obj.fetch(undefined, 'd', [{ akey: 'a', type: 'array', recxs: [recx(0, 4)] }, { akey: 's', type: 'single' }], { sizeOnly: true });
      expect(sizes.map(({ size, data }) => [size, data.length])).toEqual([[8, 0], [5, 0]]);
      const small = obj.fetch(undefined, 'd', [{ akey: 'a', type: 'array', recordSize: 1, recxs: [recx(0, 4)], into: Buffer.alloc(4) }]);
      expect(await der(small)).toBe('REC2BIG');
    });

    it('overlapping extents in one akey are INVAL, adjacent ones are fine', async () => {
      const obj = await newObject();
      const write = (...recxs: Recx[]) =>
        obj.update(undefined, 'd', [{ akey: 'a', type: 'array', recxs, value: Buffer.alloc(64) }]);
      expect(await der(write(recx(0, 5), recx(0, 5)))).toBe('INVAL');
      expect(await der(write(recx(10, 5), recx(12, 1), recx(0, 2)))).toBe('INVAL');
      expect(await der(write(recx(5, 5), recx(0, 5)))).toBe('none');
    });

    it('integer keys of another length than 8 are INVAL for update, fetch and punches', async () => {
      const obj = await newObject(ObjectType.MULTI_UINT64);
      const bad = Buffer.alloc(7);
      const good = integerKey(5n);
      const value = { akey: good, type: 'single', value: Buffer.from('v') } as const;
      expect(await der(obj.update(undefined, bad, [value]))).toBe('INVAL');
      expect(await der(obj.update(undefined, good, [{ ...value, akey: bad }]))).toBe('INVAL');
      expect(await der(obj.fetch(undefined, bad, [{ akey: good, type: 'single' }]))).toBe('INVAL');
      expect(await der(obj.punchDkey(undefined, bad))).toBe('INVAL');
      expect(await der(obj.punchAkeys(undefined, good, [bad]))).toBe('INVAL');
      await obj.update(undefined, good, [value]);
      const { items } = await obj.listDkeys(undefined);
      expect(items.map(integerKeyValue)).toEqual([5n]);
    });

    it('an akey keeps its value type: the other one is NO_PERM', async () => {
      const obj = await newObject();
      await putText(obj, 'd', 'a', 'v');
      expect(await der(obj.update(undefined, 'd', [{ akey: 'a', type: 'array', recxs: [recx(0, 1)], value: Buffer.from('x') }]))).toBe('NO_PERM');
    });

    it('modification through a read-only handle is NO_PERM, use after close NO_HDL', async () => {
      const obj = await newObject();
      const readOnly = cont.objOpen(obj.oid, { mode: 'ro' });
      expect(await der(putText(readOnly, 'd', 'a', 'v'))).toBe('NO_PERM');
      await readOnly.close();
      expect(await der(readOnly.fetch(undefined, 'd', [{ akey: 'a', type: 'single' }]))).toBe('NO_HDL');
    });

    it('classes with redundancy answer NOSYS and are named', async () => {
      await expect(newObject(ObjectType.MULTI_HASHED, { class: 'EC_2P1G1' })).rejects.toThrow(/DER_(NOSYS|INVAL)/);
      expect(() => cont.generateOid({ hi: 0n, lo: 1n }, 0, { class: 'nonsense' })).toThrow(/DER_INVAL.*nonsense/);
    });
  });

  describe('punch', () => {
    it('one record of ten: the others are intact, the punched one keeps the caller\'s byte', async () => {
      const obj = await newObject();
      await obj.update(undefined, 'd', [{ akey: 'a', type: 'array', recxs: [recx(0, 10)], value: Buffer.from('0123456789') }]);
      await obj.update(undefined, 'd', [{ akey: 'a', type: 'array', recxs: [recx(4, 1)], value: null }]);
      const into = Buffer.alloc(10, '.');
      await obj.fetch(undefined, 'd', [{ akey: 'a', type: 'array', recordSize: 1, recxs: [recx(0, 10)], into }]);
      expect(into.toString()).toBe('0123.56789');
      const { items } = await obj.listRecxs(undefined, 'd', 'a');
      expect(items.map((item) => item.recx)).toEqual([recx(0, 4), recx(5, 5)]);
    });

    it('akeys, then dkeys, then the object: listings shrink to nothing, inserting again works', async () => {
      const obj = await newObject(ObjectType.MULTI_HASHED, { class: 'SX' });
      for (let d = 0; d < 8; d++) for (let a = 0; a < 3; a++) await putText(obj, `d${d}`, `a${a}`, 'v');
      await obj.punchAkeys(undefined, 'd0', ['a0', 'a1']);
      expect(await count(obj.akeys('d0'))).toBe(1);
      await obj.punchAkeys(undefined, 'd0', ['a2']);
      expect(await count(obj.dkeys())).toBe(7);
      await obj.punchDkey(undefined, 'd1');
      expect(await count(obj.dkeys())).toBe(6);
      await obj.punch(undefined);
      expect(await count(obj.dkeys())).toBe(0);
      const [gone] = await obj.fetch(undefined, 'd5', [{ akey: 'a0', type: 'single' }]);
      expect(gone?.size).toBe(0);
      await putText(obj, 'd5', 'a0', 'again');
      expect(await count(obj.dkeys())).toBe(1);
      expect(await count(obj.akeys('d5'))).toBe(1);
    });
  });

  describe('conditions', () => {
    it('sequence on one key', async () => {
      const obj = await newObject();
      const fetch = () => obj.fetch(undefined, 'k', [{ akey: 'a', type: 'single' }], { flags: Cond.DKEY_FETCH });
      expect(await der(fetch())).toBe('NONEXIST');
      expect(await der(putText(obj, 'k', 'a', 'v', Cond.DKEY_UPDATE))).toBe('NONEXIST');
      expect(await der(putText(obj, 'k', 'a', 'v', Cond.DKEY_INSERT))).toBe('none');
      expect(await der(putText(obj, 'k', 'a', 'v', Cond.DKEY_INSERT))).toBe('EXIST');
      expect(await der(fetch())).toBe('none');
      expect(await der(obj.punchDkey(undefined, 'k', { flags: Cond.PUNCH }))).toBe('none');
      expect(await der(obj.punchDkey(undefined, 'k', { flags: Cond.PUNCH }))).toBe('NONEXIST');
      expect(await der(obj.punchDkey(undefined, 'k'))).toBe('none');
    });

    it('of dkey and akeys together, and per akey', async () => {
      const obj = await newObject();
      const v = Buffer.from('v');
      const update = (flags: number, ...akeys: [string, number][]) => der(obj.update(undefined, 'd',
        akeys.map(([akey, own]) => ({ akey, type: 'single', value: v, flags: own }) as const), { flags }));
      expect(await update(Cond.DKEY_UPDATE | Cond.AKEY_INSERT, ['a', 0])).toBe('NONEXIST');
      expect(await update(Cond.DKEY_INSERT | Cond.AKEY_UPDATE, ['a', 0])).toBe('NONEXIST');
      expect(await update(Cond.DKEY_INSERT | Cond.PER_AKEY, ['a', Cond.AKEY_INSERT], ['b', Cond.AKEY_UPDATE])).toBe('NONEXIST');
      expect(await update(Cond.DKEY_INSERT | Cond.PER_AKEY, ['a', Cond.AKEY_INSERT], ['b', Cond.AKEY_INSERT])).toBe('none');
      expect(await update(Cond.DKEY_UPDATE | Cond.PER_AKEY, ['a', Cond.AKEY_INSERT], ['b', Cond.AKEY_UPDATE])).toBe('EXIST');
      expect(await update(Cond.DKEY_UPDATE | Cond.AKEY_INSERT, ['a', 0])).toBe('EXIST');
      expect(await update(Cond.DKEY_UPDATE | Cond.AKEY_UPDATE, ['c', 0])).toBe('NONEXIST');
      expect(await update(Cond.PER_AKEY | Cond.AKEY_INSERT, ['c', 0])).toBe('INVAL');
    });
  });

  describe('enumeration', () => {
    it('delivers every dkey and akey exactly once over many calls, also with long keys among short ones', async () => {
      const obj = await newObject(ObjectType.MULTI_HASHED, { class: 'SX' });
      const wanted = Array.from({ length: 300 }, (_, i) => (i % 50 === 0 ? `long-${i}-`.padEnd(3000, 'x') : `key-${i}`));
      await Promise.all(wanted.map((key) => putText(obj, key, 'a', 'v')));
      await Promise.all(wanted.map((key) => putText(obj, 'one', key, 'v')));
      const seen: string[] = [];
      let anchor: Uint8Array | undefined;
      do {
        const page = await obj.listDkeys(undefined, { limit: 16, anchor });
        expect(page.items.length).toBeLessThanOrEqual(16);
        seen.push(...page.items.map(text));
        anchor = page.next;
      } while (anchor);
      expect(seen.sort()).toEqual([...wanted, 'one'].sort());
      const akeys: string[] = [];
      for await (const akey of obj.akeys('one')) akeys.push(text(akey));
      expect(akeys.sort()).toEqual([...wanted].sort());
    });

    it('lists extents forward and backward', async () => {
      const obj = await newObject();
      for (let i = 0; i < 10; i++) {
        await obj.update(undefined, 'd', [{ akey: 'a', type: 'array', recxs: [recx(i * 2, 1)], value: Buffer.from('x') }]);
      }
      for (const descending of [false, true]) {
        const found: bigint[] = [];
        let anchor: Uint8Array | undefined;
        do {
          const page = await obj.listRecxs(undefined, 'd', 'a', { limit: 3, anchor, descending });
          found.push(...page.items.map((item) => item.recx.idx));
          anchor = page.next;
        } while (anchor);
        const expected = Array.from({ length: 10 }, (_, i) => BigInt(i * 2));
        expect(found).toEqual(descending ? expected.reverse() : expected);
      }
    });

    it('a listing from a key\'s anchor starts with that key', async () => {
      const obj = await newObject();
      for (const key of ['a', 'b', 'c', 'd', 'e']) await putText(obj, 'dkey', key, 'v');
      const { items } = await obj.listAkeys(undefined, 'dkey');
      const anchor = await obj.keyToAnchor('dkey', items[2]!);
      expect((await obj.listAkeys(undefined, 'dkey', { anchor })).items).toEqual(items.slice(2));
      const start = await obj.keyToAnchor('dkey');
      expect((await obj.listDkeys(undefined, { anchor: start })).items.map(text)).toEqual(['dkey']);
      expect(await der(obj.keyToAnchor(''))).toBe('INVAL');
    });

    it('a page of no entries is INVAL', async () => {
      const obj = await newObject();
      expect(await der(obj.listDkeys(undefined, { limit: 0 }))).toBe('INVAL');
    });
  });

  describe('key query', () => {
    const { MAX, MIN, DKEY, AKEY, RECX } = QueryFlag;

    it('flags that do not go together are INVAL', async () => {
      const obj = await newObject(ObjectType.MULTI_UINT64);
      const hashed = await newObject();
      for (const flags of [DKEY, MAX, MAX | MIN, DKEY | MAX | MIN]) expect(await der(obj.queryKey(undefined, flags))).toBe('INVAL');
      expect(await der(obj.queryKey(undefined, AKEY | MIN))).toBe('INVAL');
      expect(await der(hashed.queryKey(undefined, DKEY | MIN))).toBe('INVAL');
    });

    it('finds the largest dkey, akey and extent of an integer-key object over all shards', async () => {
      const obj = await newObject(ObjectType.MULTI_UINT64, { class: 'SX' });
      const write = (dkey: number, akey: number, ...indices: number[]) => obj.update(undefined, integerKey(dkey),
        [{ akey: integerKey(akey), type: 'array', recxs: indices.map((i) => recx(i, 1)), value: Buffer.alloc(indices.length) }]);
      expect(await obj.queryKey(undefined, MAX | DKEY | AKEY | RECX)).toEqual({});
      await write(5, 5, 5);
      await write(5, 10, 5);
      await write(10, 5, 5);
      await write(10, 10, 5, 50);
      const all = await obj.queryKey(undefined, MAX | DKEY | AKEY | RECX);
      expect([integerKeyValue(all.dkey!), integerKeyValue(all.akey!), all.recx]).toEqual([10n, 10n, recx(50, 1)]);
      const below = await obj.queryKey(undefined, MAX | AKEY | RECX, { dkey: integerKey(10) });
      expect([integerKeyValue(below.akey!), below.recx]).toEqual([10n, recx(50, 1)]);
      const extent = await obj.queryKey(undefined, MAX | RECX, { dkey: integerKey(10), akey: integerKey(10) });
      expect(extent.recx).toEqual(recx(50, 1));
      const least = await obj.queryKey(undefined, MIN | DKEY | AKEY | RECX);
      expect([integerKeyValue(least.dkey!), integerKeyValue(least.akey!), least.recx]).toEqual([5n, 5n, recx(5, 1)]);
    });

    it('a refused update leaves nothing for a query to find', async () => {
      const obj = await newObject(ObjectType.MULTI_UINT64);
      await obj.update(undefined, integerKey(1), [{ akey: integerKey(1), type: 'single', value: Buffer.from('v') }]);
      const refused = obj.update(undefined, integerKey(9), [{ akey: integerKey(1), type: 'single', value: Buffer.from('v') }], { flags: Cond.DKEY_UPDATE });
      expect(await der(refused)).toBe('NONEXIST');
      expect(await count(obj.dkeys())).toBe(1);
    });

    it('the highest epoch grows with every modification and is 0 for an empty object', async () => {
      const obj = await newObject(ObjectType.MULTI_HASHED, { class: 'SX' });
      expect(await obj.queryMaxEpoch(undefined)).toBe(0n);
      let last = 0n;
      for (const key of ['a', 'b', 'c', 'd']) {
        await putText(obj, key, 'a', 'v');
        const epoch = await obj.queryMaxEpoch(undefined);
        expect(epoch).toBeGreaterThan(last);
        last = epoch;
      }
    });
  });

  describe('ids and handles', () => {
    it('ranges of object ids never overlap', async () => {
      const other = await pool.contOpen('objects', { mode: 'rw' });
      const ranges = await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 ? cont : other).allocOids(10)));
      const ids = ranges.flatMap((first) => Array.from({ length: 10 }, (_, i) => first + BigInt(i)));
      expect(new Set(ids).size).toBe(200);
      await other.close();
    });

    it('automatic classes: S1 for plain objects, as wide as possible for key-value and array types', async () => {
      expect((await newObject(ObjectType.MULTI_HASHED, {})).layout().groups.length).toBe(1);
      expect((await newObject(ObjectType.KV_HASHED, {})).layout().groups.length).toBe(2);
      expect((await newObject(ObjectType.ARRAY_BYTE, {})).layout().groups.length).toBe(2);
    });

    it('lists the objects of the container, each once', async () => {
      await pool.contCreate({ label: 'few' });
      await using few = await pool.contOpen('few', { mode: 'rw' });
      const wide = few.objOpen(few.generateOid({ hi: 0n, lo: 7n }, 0, { class: 'SX' }));
      for (let i = 0; i < 10; i++) await putText(wide, `d${i}`, 'a', 'v');
      await putText(few.objOpen(few.generateOid({ hi: 0n, lo: 8n }, 0, { class: 'S1' })), 'd', 'a', 'v');
      const seen: bigint[] = [];
      for await (const oid of few.objects()) seen.push(oid.lo);
      expect(seen.sort()).toEqual([7n, 8n]);
    });

    it('transactions answer NOSYS', async () => {
      expect(await der(cont.txOpen())).toBe('NOSYS');
    });
  });

  it('operations go on after the engine was restarted, and what was acknowledged is there', async () => {
    const obj = await newObject();
    await putText(obj, 'before', 'a', 'kept');
    await system.stopEngine();
    const during = putText(obj, 'during', 'a', 'resumed', Cond.DKEY_INSERT);
    await system.startEngine();
    await during;
    const found = await Promise.all(['before', 'during'].map((dkey) => obj.fetch(undefined, dkey, [{ akey: 'a', type: 'single' }])));
    expect(found.map(([value]) => text(value?.data))).toEqual(['kept', 'resumed']);
  }, 30_000);
});
