import { RDB_ROOT, rdbIntegerKey, rdbIntegerOf, rdbStringKey, type RdbReplica } from '@daos/rdb';

import { createReplica, testDb, type TestDb } from './helpers.js';

const key = rdbStringKey;
const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('RDB transaction', () => {
  let db: TestDb;
  let rdb: RdbReplica;

  beforeEach(async () => {
    db = testDb();
    rdb = await createReplica(db, 128 * 1024 * 1024);
    const tx = await rdb.begin();
    tx.createRoot();
    await tx.commit();
  });

  afterEach(async () => {
    await rdb.stop();
    db.remove();
  });

  it('commits nothing when nothing was queued', async () => {
    const before = rdb.info().lastIndex;
    await (await rdb.begin()).commit();
    expect(rdb.info().lastIndex).toBe(before);
  });

  it('refuses a second root', async () => {
    const tx = await rdb.begin();
    tx.createRoot();
    await expect(tx.commit()).rejects.toMatchObject({ der: 'EXIST' });
  });

  it('updates, looks up, iterates, fetches the first and the last, deletes', async () => {
    const tx = await rdb.begin();
    for (const name of ['b', 'a', 'c']) tx.update(RDB_ROOT, key(name), bytes(name.toUpperCase()));
    await tx.commit();
    expect(Buffer.from(tx.lookup(RDB_ROOT, key('a')) ?? []).toString()).toBe('A');
    expect([...tx.iterate(RDB_ROOT)].map(({ value }) => Buffer.from(value).toString())).toEqual([
      'A',
      'B',
      'C',
    ]);
    expect(Buffer.from(tx.fetchFirst(RDB_ROOT)?.value ?? []).toString()).toBe('A');
    expect(tx.queryKeyMax(RDB_ROOT)).toEqual(key('c'));
    tx.delete(RDB_ROOT, key('a'));
    tx.delete(RDB_ROOT, key('never there'));
    await tx.commit();
    expect(tx.lookup(RDB_ROOT, key('a'))).toBeUndefined();
  });

  it('does not see its own updates before they are committed', async () => {
    const tx = await rdb.begin();
    tx.update(RDB_ROOT, key('a'), bytes('1'));
    expect(tx.lookup(RDB_ROOT, key('a'))).toBeUndefined();
    await tx.commit();
    expect(tx.lookup(RDB_ROOT, key('a'))).toBeDefined();
  });

  it('rolls back every change of a transaction that destroys a key which is no KVS', async () => {
    const tx = await rdb.begin();
    tx.update(RDB_ROOT, key('value'), bytes('1'));
    await tx.commit();
    tx.update(RDB_ROOT, key('other'), bytes('2'));
    tx.destroyKvs(RDB_ROOT, key('value'));
    await expect(tx.commit()).rejects.toMatchObject({ der: 'NONEXIST' });
    expect(tx.lookup(RDB_ROOT, key('other'))).toBeUndefined();
    expect(tx.lookup(RDB_ROOT, key('value'))).toBeDefined();
  });

  it('gives DER_NONEXIST for any change below a KVS that is not there', async () => {
    const tx = await rdb.begin();
    tx.update([key('nowhere')], key('a'), bytes('1'));
    await expect(tx.commit()).rejects.toMatchObject({ der: 'NONEXIST' });
    expect(() => tx.lookup([key('nowhere')], key('a'))).toThrow(expect.objectContaining({ der: 'NONEXIST' }));
  });

  it('gives DER_EXIST when a KVS is created over an existing key', async () => {
    const tx = await rdb.begin();
    tx.createKvs(RDB_ROOT, key('k'));
    await tx.commit();
    tx.createKvs(RDB_ROOT, key('k'));
    await expect(tx.commit()).rejects.toMatchObject({ der: 'EXIST' });
  });

  it('lets one transaction create a tree of KVSs and fill it', async () => {
    const tx = await rdb.begin();
    tx.createKvs(RDB_ROOT, key('conts'));
    tx.createKvs([key('conts')], key('c1'));
    tx.update([key('conts'), key('c1')], key('label'), bytes('home'));
    await tx.commit();
    expect([...tx.childKeys([key('conts')])]).toEqual([key('c1')]);
    tx.destroyKvs(RDB_ROOT, key('conts'));
    await expect(tx.commit()).rejects.toMatchObject({ der: 'INVAL' });
    tx.destroyKvs([key('conts')], key('c1'));
    tx.destroyKvs(RDB_ROOT, key('conts'));
    await tx.commit();
    expect(tx.exists([key('conts')])).toBe(false);
  });

  it('orders an integer KVS by number and refuses other keys in it', async () => {
    const tx = await rdb.begin();
    tx.createKvs(RDB_ROOT, key('snapshots'), 'integer');
    for (const n of [300n, 2n, 1n << 60n]) tx.update([key('snapshots')], rdbIntegerKey(n), bytes('x'));
    await tx.commit();
    expect([...tx.iterate([key('snapshots')])].map((e) => rdbIntegerOf(e.key))).toEqual([
      2n,
      300n,
      1n << 60n,
    ]);
    tx.update([key('snapshots')], key('text'), bytes('x'));
    await expect(tx.commit()).rejects.toMatchObject({ der: 'INVAL' });
  });

  it('refuses empty keys, empty values and over-long keys with DER_INVAL', async () => {
    const tx = await rdb.begin();
    expect(() => tx.update(RDB_ROOT, Buffer.alloc(0), bytes('x'))).toThrow(
      expect.objectContaining({ der: 'INVAL' }),
    );
    expect(() => tx.update(RDB_ROOT, key('a'), Buffer.alloc(0))).toThrow(
      expect.objectContaining({ der: 'INVAL' }),
    );
    expect(() => tx.delete(RDB_ROOT, Buffer.alloc(1025))).toThrow(expect.objectContaining({ der: 'INVAL' }));
  });

  it('drops queued changes on discard and can be used on', async () => {
    const tx = await rdb.begin();
    tx.update(RDB_ROOT, key('a'), bytes('1'));
    tx.discard();
    tx.update(RDB_ROOT, key('b'), bytes('2'));
    await tx.commit();
    expect(tx.lookup(RDB_ROOT, key('a'))).toBeUndefined();
    expect(tx.lookup(RDB_ROOT, key('b'))).toBeDefined();
  });

  it('lists more entries than one page, forwards, while entries go away', async () => {
    const tx = await rdb.begin();
    for (let i = 0; i < 500; i++) tx.update(RDB_ROOT, key(`k${String(i).padStart(4, '0')}`), bytes('x'));
    await tx.commit();
    let seen = 0;
    for (const entry of tx.iterate(RDB_ROOT)) {
      seen++;
      const other = await rdb.begin();
      if (seen % 50 === 0) {
        other.delete(RDB_ROOT, entry.key);
        await other.commit();
      }
    }
    expect(seen).toBe(500);
    expect([...tx.iterate(RDB_ROOT)]).toHaveLength(490);
  });

  it('refuses a transaction of an older term with DER_NOTLEADER', async () => {
    await expect(rdb.begin(rdb.term - 1)).rejects.toMatchObject({ der: 'NOTLEADER' });
  });

  it('keeps 4 MiB free for critical transactions', async () => {
    const tx = await rdb.begin();
    const megabyte = Buffer.alloc(1024 * 1024, 7);
    let stored = 0;
    const fill = async (): Promise<void> => {
      for (; ; stored++) {
        tx.update(RDB_ROOT, key(`blob${stored}`), megabyte);
        await tx.commit();
      }
    };
    await expect(fill()).rejects.toMatchObject({ der: 'NOSPACE' });
    expect(stored).toBeGreaterThan(110);
    tx.discard();
    tx.updateCritical(RDB_ROOT, key('small'), bytes('x'));
    await tx.commit();
    tx.delete(RDB_ROOT, key('blob0'));
    tx.delete(RDB_ROOT, key('blob1'));
    await tx.commit();
    tx.update(RDB_ROOT, key('again'), megabyte);
    await tx.commit();
  });
});
