import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { PoolProp, uuidGenerate, type Uuid } from '@daos/common';
import {
  dcContAllocOids,
  dcContClose,
  dcContCreate,
  dcContDestroy,
  dcContGetAttrs,
  dcContList,
  dcContOpen,
  dcContQuery,
  dcContSetAttrs,
} from '@daos/container/dc';
import { ContOpenFlag } from '@daos/container/rpc';
import {
  dsPoolQueryTargets,
  dsPoolSvcCreate,
  dsPoolSvcDestroy,
  dsPoolSvcEvict,
  dsPoolSvcGetAcl,
  dsPoolSvcGetProp,
  dsPoolSvcListContainers,
  dsPoolSvcQuery,
  dsPoolSvcSetProp,
  dsPoolSvcUpdateAcl,
  dsPoolTgtCreate,
  dsPoolTgtDestroy,
} from '@daos/pool/ds';
import { POOL_PROP_SET } from '@daos/pool/rpc';

import { SystemFixture } from './system_fixture.js';

const { RO, RW } = ContOpenFlag;

describe('pools and containers on two engines', () => {
  const system = new SystemFixture();

  beforeAll(async () => {
    await system.start(2);
    await system.createPool();
  }, 30_000);
  afterAll(() => system.stop());

  const lookup = (rank: number, handle: Uuid) =>
    system.engine(rank).xs.onTargets('probe.lookup', { pool: system.pool, handle });

  it('leaves a complete pool as it is when it is created again', async () => {
    const { xs } = system.engine(0);
    await dsPoolTgtCreate(xs, { poolUuid: system.pool, scmBytesPerTarget: 1 << 26, nvmeBytesPerTarget: 0 });
    const again = await dsPoolSvcCreate(xs, {
      poolUuid: system.pool,
      label: 'tank',
      ranks: [0, 1],
      targetsPerRank: 2,
      svcRanks: [0],
      props: [],
      owner: 'alice@',
      group: 'team@',
    });
    expect(again).toEqual({ svcRanks: [0], leaderRank: 0 });
  });

  it('gives DER_NOSPACE for a pool larger than the device and leaves nothing behind', async () => {
    const { xs } = system.engine(0);
    const pool = uuidGenerate();
    await expect(
      dsPoolTgtCreate(xs, { poolUuid: pool, scmBytesPerTarget: 1e15, nvmeBytesPerTarget: 0 }),
    ).rejects.toMatchObject({ der: 'NOSPACE' });
    expect(readdirSync(system.storage(0)).filter((name) => name.includes(pool))).toEqual([]);
    expect(existsSync(join(system.storage(0), 'NEWBORNS', pool))).toBe(false);
  });

  it('answers the administrator on any engine', async () => {
    for (const { xs } of system.engines) {
      const info = await dsPoolSvcQuery(xs, system.svc);
      expect(info).toMatchObject({
        label: 'tank',
        targetCount: 4,
        disabledTargetCount: 0,
        leaderRank: 0,
        serviceRanks: [0],
        enabledRanks: [0, 1],
        deadRanks: [],
      });
      expect(info.tiers[0]?.totalBytes).toBeGreaterThan(0);
      await dsPoolSvcSetProp(xs, system.svc, [{ number: PoolProp.SPACE_RB, value: 9n }]);
      expect(await dsPoolSvcGetProp(xs, system.svc, [PoolProp.SPACE_RB])).toEqual([
        { number: PoolProp.SPACE_RB, value: 9n },
      ]);
      expect((await dsPoolSvcGetAcl(xs, system.svc)).owner).toBe('alice@');
      expect((await dsPoolSvcUpdateAcl(xs, system.svc, ['A::bob@:r'])).entries).toContain('A::bob@:r');
      expect((await dsPoolQueryTargets(xs, system.svc, 1)).map(({ state }) => state)).toEqual([
        'up_in',
        'up_in',
      ]);
    }
  });

  it('finds the leader from a rank that holds no replica, and says so when there is none', async () => {
    const { xs } = system.engine(1);
    expect((await dsPoolSvcQuery(xs, { ...system.svc, svcRanks: [1, 0] })).leaderRank).toBe(0);
    await expect(dsPoolSvcQuery(xs, { ...system.svc, svcRanks: [1] })).rejects.toMatchObject({
      der: 'NOTREPLICA',
    });
  });

  it('refuses calls between servers that come from a client', async () => {
    const pool = await system.connect();
    await expect(pool.call(POOL_PROP_SET, { props: [] })).rejects.toMatchObject({ der: 'NO_PERM' });
    await pool.disconnect();
  });

  it('connects, queries, keeps attributes and disconnects', async () => {
    const pool = await system.connect();
    expect(pool).toMatchObject({ uuid: system.pool, label: 'tank', mapVersion: 1, writable: true });
    expect(pool.map.targets).toHaveLength(4);
    expect((await pool.query()).tiers.map(({ mediaType }) => mediaType)).toEqual(['scm', 'nvme']);
    expect((await pool.queryTarget(1, 1)).state).toBe('up_in');
    expect(await pool.getProps([PoolProp.LABEL])).toEqual([{ number: PoolProp.LABEL, value: 'tank' }]);
    await pool.setAttrs({ a: Buffer.from('1'), b: Buffer.from('22') });
    expect((await pool.getAttrs(['b', 'none'])).map((value) => value?.length)).toEqual([2, undefined]);
    expect(await pool.listAttrs()).toEqual(['a', 'b']);
    await pool.delAttrs(['a', 'b']);
    const [one, two] = await Promise.all([pool.refreshMap(), pool.refreshMap()]);
    expect(one).toBe(two);
    await pool.disconnect();
    await expect(pool.query()).rejects.toMatchObject({ der: 'NO_HDL' });
  });

  it('makes a container handle known to every target of every rank, and takes it away on close', async () => {
    const pool = await system.connect();
    const uuid = await dcContCreate(pool, { label: 'home' });
    const cont = await dcContOpen(pool, 'home', { flags: RW });
    const seen = {
      wasCached: true,
      containerUuid: uuid,
      canRead: true,
      canWrite: true,
      poolMapVersion: 1,
      checksum: { type: 2, chunkBytes: 32_768, serverVerify: false },
    };
    for (const rank of [0, 1]) expect(await lookup(rank, cont.handle)).toEqual([seen, seen]);
    const reader = await dcContOpen(pool, uuid, { flags: RO });
    expect((await lookup(1, reader.handle))[0]).toMatchObject({ canRead: true, canWrite: false });
    await dcContSetAttrs(cont, { k: Buffer.from('v') });
    expect(String(Buffer.from((await dcContGetAttrs(reader, ['k']))[0] ?? []))).toBe('v');
    expect(await dcContAllocOids(cont, 10)).toBe(0n);
    expect(await dcContAllocOids(reader, 10)).toBe(10n);
    expect((await dcContQuery(cont)).handleCount).toBe(2);
    await dcContClose(reader);
    await expect(lookup(1, reader.handle)).rejects.toMatchObject({ der: 'NO_HDL' });
    await expect(dcContDestroy(pool, 'home')).rejects.toMatchObject({ der: 'BUSY' });
    await dcContDestroy(pool, 'home', { force: true });
    await expect(lookup(0, cont.handle)).rejects.toMatchObject({ der: 'NO_HDL' });
    expect(await dcContList(pool)).toEqual([]);
    await pool.disconnect();
  });

  it('refuses handles that never existed, and asks only once in a while', async () => {
    await expect(lookup(0, uuidGenerate())).rejects.toMatchObject({ der: 'NO_HDL' });
  });

  it('takes container handles away when the pool handle is evicted', async () => {
    const pool = await system.connect();
    await dcContCreate(pool, { label: 'evicted' });
    const cont = await dcContOpen(pool, 'evicted');
    expect(await dsPoolSvcEvict(system.engine(1).xs, system.svc, { handles: [pool.handle] })).toBe(1);
    await expect(lookup(1, cont.handle)).rejects.toMatchObject({ der: 'NO_HDL' });
    await expect(pool.query()).rejects.toMatchObject({ der: 'NO_HDL' });
    await expect(dcContCreate(pool)).rejects.toMatchObject({ der: 'NO_HDL' });
    const other = await system.connect();
    await dcContDestroy(other, 'evicted');
    await other.disconnect();
  });

  it('serves handles on after a restart of the service rank and of another one', async () => {
    const pool = await system.connect();
    await dcContCreate(pool, { label: 'lasting' });
    const cont = await dcContOpen(pool, 'lasting', { flags: RW });
    for (const rank of [0, 1]) {
      await system.restart(rank);
      const [first] = (await lookup(rank, cont.handle)) as { wasCached: boolean; canWrite: boolean }[];
      expect(first).toMatchObject({ wasCached: false, canWrite: true, poolMapVersion: 1 });
      expect((await lookup(rank, cont.handle))[0]).toMatchObject({ wasCached: true });
    }
    expect((await dcContQuery(cont)).label).toBe('lasting');
    expect(await dsPoolSvcListContainers(system.engine(0).xs, system.svc)).toHaveLength(1);
    await dcContClose(cont);
    await dcContDestroy(pool, 'lasting');
    await pool.disconnect();
  }, 30_000);

  it('removes what a creation cut short has left, at the next start', async () => {
    const half = join(system.storage(1), 'NEWBORNS', uuidGenerate());
    const dead = join(system.storage(1), 'ZOMBIES', 'x');
    for (const dir of [half, dead]) {
      mkdirSync(dir, { recursive: true });
      writeFileSync(join(dir, 'file'), 'x');
    }
    await system.restart(1);
    expect(existsSync(half)).toBe(false);
    expect(existsSync(dead)).toBe(false);
  }, 30_000);

  it('goes on with one rank down for reading metadata and names the rank where it cannot', async () => {
    const pool = await system.connect();
    await dcContCreate(pool, { label: 'partial' });
    await system.engine(1).stop();
    expect((await pool.query()).deadRanks).toEqual([1]);
    await expect(dcContOpen(pool, 'partial', { timeoutMs: 1500 })).rejects.toThrow(/rank 1/);
    await system.restart(1);
    await dcContClose(await dcContOpen(pool, 'partial'));
    await dcContDestroy(pool, 'partial');
    await pool.disconnect();
  }, 40_000);

  it('destroys a pool everywhere and frees its space; open handles and containers are in the way', async () => {
    const pool = await system.connect();
    await dcContCreate(pool, { label: 'last' });
    const { xs } = system.engine(1);
    await expect(dsPoolSvcDestroy(xs, system.svc, { force: false, recursive: true })).rejects.toMatchObject({
      der: 'BUSY',
    });
    await pool.disconnect();
    await expect(dsPoolSvcDestroy(xs, system.svc, { force: false, recursive: false })).rejects.toMatchObject({
      der: 'BUSY',
    });
    await dsPoolSvcDestroy(xs, system.svc, { force: false, recursive: true });
    for (const engine of system.engines) await dsPoolTgtDestroy(engine.xs, system.pool);
    for (const rank of [0, 1]) expect(existsSync(join(system.storage(rank), system.pool))).toBe(false);
    for (const engine of system.engines) await dsPoolTgtDestroy(engine.xs, system.pool);
    await dsPoolSvcDestroy(xs, system.svc, { force: false, recursive: false });
  });
});
