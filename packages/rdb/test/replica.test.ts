import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';

import { DaosError, uuidGenerate } from '@daos/common';
import { RdbReplica, RDB_ROOT, rdbIntegerKey, rdbIntegerOf, rdbStringKey } from '@daos/rdb';

import { createReplica, reopenReplica, startReplica, testDb, type TestDb } from './helpers.js';

const key = rdbStringKey;

describe('RDB replica', () => {
  let db: TestDb;

  beforeEach(() => {
    db = testDb();
  });
  afterEach(() => db.remove());

  it('keeps committed data and raises its term over a restart', async () => {
    const first = await createReplica(db);
    const tx = await first.begin();
    tx.createRoot();
    tx.createKvs(RDB_ROOT, key('user'));
    tx.update([key('user')], key('name'), Buffer.from('value'));
    await tx.commit();
    const term = first.term;
    await first.stop();
    const second = await reopenReplica(db);
    expect(second.term).toBeGreaterThan(term);
    const read = await second.begin();
    expect(Buffer.from(read.lookup([key('user')], key('name')) ?? []).toString()).toBe('value');
    await second.stop();
  });

  it('refuses to create over an existing file, to open a missing, a foreign or another one', async () => {
    const params = { path: db.path, uuid: db.uuid };
    await expect(RdbReplica.open(params)).rejects.toMatchObject({ der: 'NONEXIST' });
    await (await createReplica(db)).stop();
    expect(() => RdbReplica.create({ ...params, self: { rank: 0, generation: 1 } })).toThrow(
      expect.objectContaining({ der: 'EXIST' }),
    );
    await expect(RdbReplica.open({ ...params, uuid: uuidGenerate() })).rejects.toMatchObject({
      der: 'ID_MISMATCH',
    });
    await RdbReplica.destroy(db.path);
    expect(RdbReplica.exists(db.path)).toBe(false);
    writeFileSync(db.path, Buffer.alloc(16384, 1));
    await expect(RdbReplica.open(params)).rejects.toMatchObject({ der: 'DF_INVAL' });
  });

  it('answers a caller of an older term with DER_STALE and adopts a newer one', async () => {
    const rdb = await createReplica(db);
    expect(() => rdb.ping(rdb.term - 1)).toThrow(expect.objectContaining({ der: 'STALE' }));
    const term = rdb.term;
    rdb.ping(term + 5);
    expect(rdb.term).toBe(term + 5);
    expect(rdb.isLeader).toBe(false);
    await rdb.stop();
  });

  it('steps down on resign, fails open transactions and leads again later', async () => {
    const rdb = await createReplica(db);
    const tx = await rdb.begin();
    tx.createRoot();
    await tx.commit();
    tx.update(RDB_ROOT, key('a'), Buffer.from('1'));
    rdb.resign(rdb.term);
    await expect(tx.commit()).rejects.toMatchObject({ der: 'NOTLEADER' });
    await new Promise((resolve) => setTimeout(resolve, 1300));
    expect(rdb.isLeader).toBe(true);
    expect((await rdb.begin()).lookup(RDB_ROOT, key('a'))).toBeUndefined();
    await rdb.stop();
  });

  it('asks its owner to stop when step-up fails with DER_SHUTDOWN', async () => {
    const rdb = RdbReplica.create({ path: db.path, uuid: db.uuid, self: { rank: 0, generation: 1 } });
    const stopped = startReplica(rdb, { stepUp: async () => Promise.reject(new DaosError('SHUTDOWN')) });
    await expect(stopped).rejects.toMatchObject({ der: 'SHUTDOWN' });
    await rdb.stop();
  });

  it('cuts its log while it grows', async () => {
    const rdb = await createReplica(db);
    const root = await rdb.begin();
    root.createRoot();
    await root.commit();
    for (let i = 0; i < 600; i++) {
      const tx = await rdb.begin();
      tx.update(RDB_ROOT, key('counter'), rdbIntegerKey(BigInt(i)));
      await tx.commit();
    }
    const { lastIndex, base } = rdb.info();
    expect(lastIndex).toBe(602);
    expect(lastIndex - base).toBeLessThanOrEqual(256);
    await rdb.stop();
  });

  it('shares one flush among all commits of a turn', async () => {
    const rdb = await createReplica(db);
    const root = await rdb.begin();
    root.createRoot();
    await root.commit();
    const commits = Array.from({ length: 2000 }, async (_, i) => {
      const tx = await rdb.begin();
      tx.update(RDB_ROOT, rdbIntegerKey(BigInt(i)), Buffer.from('v'));
      await tx.commit();
    });
    await Promise.all(commits);
    expect([...(await rdb.begin()).iterate(RDB_ROOT)]).toHaveLength(2000);
    await rdb.stop();
  });

  it('has every commit that was acknowledged before SIGKILL, and no half of one', async () => {
    for (let round = 0; round < 4; round++) {
      const child = fork(new URL('./kill_child.js', import.meta.url), [db.path, db.uuid], {
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      });
      let acknowledged = 0;
      child.on('message', (n: number) => {
        acknowledged = n;
      });
      while (acknowledged < 40 + round * 37) await once(child, 'message');
      child.kill('SIGKILL');
      await once(child, 'exit');
      const rdb = await reopenReplica(db);
      const tx = await rdb.begin();
      const a = rdbIntegerOf(tx.lookup(RDB_ROOT, key('a')) ?? rdbIntegerKey(0n));
      const b = rdbIntegerOf(tx.lookup(RDB_ROOT, key('b')) ?? rdbIntegerKey(0n));
      expect(a).toBe(b);
      expect(Number(a)).toBeGreaterThanOrEqual(acknowledged);
      await rdb.stop();
    }
  });
});
