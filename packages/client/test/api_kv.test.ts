import { Cond, ObjectType, isDaosError } from '@daos/common';

import { daosInit, integerKey, type Container, type Daos, type KvObject, type Pool } from '../src/index.js';
import { StandaloneSystem } from './harness/standalone_system.js';

/** The behaviours that DAOS's own KV and container tests check, on one real engine. */
describe('KV', () => {
  let system: StandaloneSystem;
  let daos: Daos;
  let pool: Pool;
  let cont: Container;

  beforeAll(async () => {
    system = await StandaloneSystem.start();
    daos = await daosInit({ agentDir: system.agentDir });
    pool = await daos.poolConnect('tank');
    await pool.contCreate({ label: 'kv' });
    cont = await pool.contOpen('kv', { mode: 'rw' });
  }, 30_000);
  afterAll(async () => {
    await daos.close();
    await system.remove();
  }, 30_000);

  const text = (data: Uint8Array | undefined) => data && Buffer.from(data).toString();
  const der = (call: Promise<unknown>): Promise<string> =>
    call.then(() => 'none', (error: unknown) => {
      if (isDaosError(error)) return error.der;
      throw error;
    });
  async function keysOf(kv: KvObject): Promise<string[]> {
    const keys: string[] = [];
    for await (const key of kv.keys()) keys.push(Buffer.from(key).toString());
    return keys.sort();
  }

  it('put, get, size, overwrite, remove, list, destroy', async () => {
    const kv = await cont.kvCreate();
    const names = Array.from({ length: 100 }, (_, i) => `key-${String(i).padStart(3, '0')}`);
    await Promise.all(names.map((name) => kv.put(name, Buffer.from(`value of ${name}`))));
    expect(await keysOf(kv)).toEqual(names);
    expect(text(await kv.get('key-007'))).toBe('value of key-007');
    await kv.put('key-007', Buffer.from('short'));
    expect(await kv.size('key-007')).toBe(5);
    await Promise.all(names.slice(0, 10).map((name) => kv.remove(name)));
    expect((await keysOf(kv)).length).toBe(90);
    expect(await kv.get('key-001')).toBeUndefined();
    expect(await kv.size('key-001')).toBeUndefined();
    await kv.destroy();
    expect(await keysOf(kv)).toEqual([]);
    await kv.close();
  });

  it('an empty key is INVAL', async () => {
    const kv = await cont.kvCreate();
    expect(await der(kv.put('', Buffer.from('v')))).toBe('INVAL');
    expect(await der(kv.get(''))).toBe('INVAL');
    expect(await der(kv.remove(''))).toBe('INVAL');
  });

  it('conditions: insert, update, remove', async () => {
    const kv = await cont.kvCreate({ class: 'S1' });
    const v = Buffer.from('v');
    expect(await der(kv.put('k', v, { flags: Cond.DKEY_UPDATE }))).toBe('NONEXIST');
    expect(await der(kv.put('k', v, { flags: Cond.DKEY_INSERT }))).toBe('none');
    expect(await der(kv.put('k', v, { flags: Cond.DKEY_INSERT }))).toBe('EXIST');
    expect(await der(kv.remove('other', { flags: Cond.PUNCH }))).toBe('NONEXIST');
    expect(await der(kv.remove('k', { flags: Cond.PUNCH }))).toBe('none');
  });

  it('an empty value is a value', async () => {
    const kv = await cont.kvCreate({ class: 'S1' });
    const none = Buffer.alloc(0);
    await kv.put('k', none, { flags: Cond.DKEY_INSERT });
    expect(await der(kv.put('k', none, { flags: Cond.DKEY_INSERT }))).toBe('EXIST');
    expect((await kv.get('k'))?.length).toBe(0);
    expect(await kv.size('k')).toBe(0);
    await kv.put('k', none);
    expect(await der(kv.remove('k', { flags: Cond.PUNCH }))).toBe('none');
  });

  it('works for all key-value types and no other', async () => {
    for (const type of [ObjectType.KV_HASHED, ObjectType.KV_UINT64, ObjectType.KV_LEXICAL]) {
      await using kv = cont.kvOpen(cont.generateOid({ hi: 0n, lo: await cont.allocOids(1) }, type));
      const key = type === ObjectType.KV_UINT64 ? integerKey(3n) : 'k';
      await kv.put(key, Buffer.from('v'));
      expect(text(await kv.get(key))).toBe('v');
    }
    expect(() => cont.kvOpen(cont.generateOid({ hi: 0n, lo: 1n }, ObjectType.ARRAY))).toThrow(/DER_INVAL.*not a key-value object/);
  });

  it('runs the example of the README', async () => {
    const agentDir = system.agentDir;
    await using attached = await daosInit({ agentDir });
    await using tank = await attached.poolConnect('tank');
    await tank.contCreate({ label: 'results' });
    await using results = await tank.contOpen('results', { mode: 'rw' });
    const kv = await results.kvCreate({ class: 'S2' });
    await kv.put('experiment/1', Buffer.from('42'));
    expect(text(await kv.get('experiment/1'))).toBe('42');
    expect(await keysOf(kv)).toEqual(['experiment/1']);
  });

  describe('pools and containers', () => {
    it('an unknown pool or container is NONEXIST and named', async () => {
      await expect(daos.poolConnect('nowhere')).rejects.toThrow(/DER_NONEXIST.*nowhere/);
      await expect(pool.contOpen('nothing')).rejects.toThrow(/DER_(CONT_)?NONEXIST.*nothing/);
    });

    it('a label that exists is EXIST', async () => {
      expect(await der(pool.contCreate({ label: 'kv' }))).toBe('EXIST');
    });

    it('a user without permission is refused: NO_PERM', async () => {
      system.user = 'stranger@';
      system.group = 'strangers@';
      try {
        await using stranger = await daosInit({ agentDir: system.agentDir });
        expect(await der(stranger.poolConnect('tank'))).toBe('NO_PERM');
      } finally {
        system.user = 'tester@';
        system.group = 'testers@';
      }
    });

    it('a container opened for reading refuses modification', async () => {
      await using readOnly = await pool.contOpen('kv', { mode: 'ro' });
      const kv = readOnly.kvOpen(readOnly.generateOid({ hi: 0n, lo: 5n }, ObjectType.KV_HASHED));
      expect(await der(kv.put('k', Buffer.from('v')))).toBe('NO_PERM');
    });

    it('attributes and properties', async () => {
      await cont.setAttrs({ one: Buffer.from('1'), two: Buffer.from('2') });
      expect((await cont.listAttrs()).sort()).toEqual(['one', 'two']);
      expect((await cont.getAttrs(['two', 'one'])).map(text)).toEqual(['2', '1']);
      await expect(cont.getAttrs(['one', 'three'])).rejects.toThrow(/DER_NONEXIST.*three/);
      await cont.delAttrs(['one']);
      expect(await cont.listAttrs()).toEqual(['two']);
      expect(await cont.getProps(['label', 'cksum'])).toEqual([{ name: 'label', value: 'kv' }, { name: 'cksum', value: 2n }]);
    });

    it('lists, queries, destroys; destroying an open container needs force', async () => {
      await pool.contCreate({ label: 'doomed', type: 'POSIX' });
      const doomed = await pool.contOpen('doomed', { mode: 'rw' });
      expect((await doomed.query()).layoutType).toBe('POSIX');
      expect((await pool.contList()).map(({ label }) => label)).toContain('doomed');
      expect(await der(pool.contDestroy('doomed'))).toBe('BUSY');
      await pool.contDestroy('doomed', { force: true });
      expect((await pool.contList()).map(({ label }) => label)).not.toContain('doomed');
      expect(await der(doomed.query())).toMatch(/NO_HDL|NONEXIST/);
    });

    it('tells space and targets of the pool', async () => {
      const info = await pool.query();
      expect([info.label, info.targetCount, info.activeTargetCount]).toEqual(['tank', 2, 2]);
      expect(info.tiers[0]?.totalBytes).toBeGreaterThan(0);
    });

    it('closed handles are NO_HDL', async () => {
      const closed = await pool.contOpen('kv');
      await closed.close();
      expect(await der(closed.query())).toBe('NO_HDL');
      expect(() => closed.objOpen({ hi: 0n, lo: 1n })).toThrow(/DER_NO_HDL/);
    });
  });
});
