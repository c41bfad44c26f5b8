import { PoolConnectFlag, PoolProp, uuidGenerate, type Uuid } from '@daos/common';
import { POOL_LAYOUT_VERSION, PoolQueryBit } from '@daos/pool/rpc';
import type { AuthSys } from '@daos/security/rpc';

import { poolAclDelete, poolAclUpdate } from '../src/ds/ops/acl.js';
import { attrsGet, attrsList } from '../src/ds/ops/attr_ops.js';
import { poolConnect, poolDisconnect, poolEvict } from '../src/ds/ops/handles.js';
import { poolDelAttrs, poolGetProps, poolSetAttrs, poolSetProps } from '../src/ds/ops/props.js';
import { poolQuery, poolQueryTargets } from '../src/ds/ops/query.js';
import { PATH_SVC_OPS, PATH_USER } from '../src/ds/layout.js';
import { ALICE, BOB, CAROL, ServiceFixture } from './service_fixture.js';

const { RO, RW, EX } = PoolConnectFlag;
const MIB = 1024 * 1024;

describe('pool service', () => {
  let fixture: ServiceFixture;

  beforeEach(() => {
    fixture = new ServiceFixture();
  });
  afterEach(() => fixture.remove());

  function connect(
    user: AuthSys,
    flags: number,
    handle: Uuid = uuidGenerate(),
    op = fixture.op(),
  ): Promise<number> {
    return poolConnect(fixture.service, op, { handle, flags, user, layoutVersion: POOL_LAYOUT_VERSION });
  }
  const evictAll = { handles: [], destroy: false, force: false, recursive: false };

  it('answers DER_NOTREPLICA before it is created and DER_NOTLEADER while it does not run', async () => {
    expect(() => fixture.services.lookup(fixture.pool)).toThrow(
      expect.objectContaining({ der: 'NOTREPLICA' }),
    );
    await fixture.create();
    await fixture.services.stop(fixture.pool);
    expect(() => fixture.services.lookup(fixture.pool)).toThrow(
      expect.objectContaining({ der: 'NOTLEADER' }),
    );
  });

  it('gives DER_ALREADY when a running service is started and starts an existing one on create', async () => {
    await fixture.create();
    await expect(fixture.services.start(fixture.pool)).rejects.toMatchObject({ der: 'ALREADY' });
    await fixture.services.stop(fixture.pool);
    await fixture.services.create(fixture.pool, 0);
    expect(fixture.replica.state).toBe('up');
  });

  it('stays without metadata until its bootstrap, over restarts too', async () => {
    await fixture.services.create(fixture.pool, 0);
    expect(fixture.replica.state).toBe('up empty');
    await expect(fixture.replica.serve(() => 1)).rejects.toMatchObject({
      der: 'NOTLEADER',
      hint: { rank: 0 },
    });
    await fixture.restart();
    expect(fixture.replica.state).toBe('up empty');
  });

  it('lets a refused bootstrap be tried again', async () => {
    const bad = [{ number: PoolProp.REDUN_FAC, value: 3n }];
    await expect(fixture.create({ props: bad })).rejects.toMatchObject({ der: 'INVAL' });
    const retry = fixture.replica.serve(
      (service) =>
        service.bootstrap({
          label: undefined,
          ranks: [0],
          targetsPerRank: 1,
          props: [],
          owner: 'a@',
          group: 'g@',
          acl: undefined,
          faultDomains: [],
        }),
      'up empty',
    );
    await retry;
    await fixture.replica.stepUpAfterBootstrap(fixture.replica.rdb.term);
    expect(fixture.service.map.targets).toHaveLength(1);
  });

  it('returns given properties and defaults, after a restart too', async () => {
    await fixture.create({
      props: [
        { number: PoolProp.SPACE_RB, value: 7n },
        { number: PoolProp.SCRUB_MODE, value: 2n },
      ],
    });
    await fixture.restart();
    const props = new Map(
      (await poolGetProps(fixture.service, [])).map(({ number, value }) => [number, value]),
    );
    expect(props.get(PoolProp.LABEL)).toBe('tank');
    expect(props.get(PoolProp.SPACE_RB)).toBe(7n);
    expect(props.get(PoolProp.SCRUB_MODE)).toBe(2n);
    expect(props.get(PoolProp.EC_CELL_SZ)).toBe(131_072n);
    expect(props.get(PoolProp.REDUN_FAC)).toBe(0n);
    expect(props.get(PoolProp.OWNER)).toBe('alice@');
    expect(props.get(PoolProp.ACL)).toEqual(['A::OWNER@:rw', 'A:G:GROUP@:rw']);
    expect(props.get(PoolProp.SVC_LIST)).toEqual(['0']);
  });

  it('changes properties, refuses bad ones with DER_INVAL and those fixed at creation with DER_NO_PERM', async () => {
    await fixture.create();
    await poolSetProps(fixture.service, fixture.op(), [
      { number: PoolProp.LABEL, value: 'ocean' },
      { number: PoolProp.RECLAIM, value: 0n },
    ]);
    expect(await poolGetProps(fixture.service, [PoolProp.LABEL, PoolProp.RECLAIM])).toEqual([
      { number: PoolProp.LABEL, value: 'ocean' },
      { number: PoolProp.RECLAIM, value: 0n },
    ]);
    const set = (number: number, value: bigint) =>
      poolSetProps(fixture.service, fixture.op(), [{ number, value }]);
    await expect(set(PoolProp.SPACE_RB, 101n)).rejects.toMatchObject({ der: 'INVAL' });
    await expect(set(999, 1n)).rejects.toMatchObject({ der: 'INVAL' });
    await expect(set(PoolProp.SVC_OPS_ENABLED, 0n)).rejects.toMatchObject({ der: 'NO_PERM' });
    await expect(set(PoolProp.GLOBAL_VERSION, 5n)).rejects.toMatchObject({ der: 'INVAL' });
  });

  it('connects by ACL: none is refused, RO asks no RW, RW gets all', async () => {
    await fixture.create({ acl: ['A::OWNER@:', 'A::bob@:r', 'A:G:GROUP@:rw'] });
    await expect(connect(ALICE, RO)).rejects.toMatchObject({ der: 'NO_PERM' });
    await expect(connect(BOB, RW)).rejects.toMatchObject({ der: 'NO_PERM' });
    expect(await connect(BOB, RO)).toBe(1);
    expect(await connect(CAROL, RO)).toBe(1);
    expect(await connect(CAROL, RW)).toBe(7);
  });

  it('refuses invalid connect flags with DER_INVAL', async () => {
    await fixture.create();
    for (const flags of [0, RO | RW, 8]) {
      await expect(connect(ALICE, flags)).rejects.toMatchObject({ der: 'INVAL' });
    }
  });

  it('keeps exclusive handles alone', async () => {
    await fixture.create();
    const handle = uuidGenerate();
    await connect(ALICE, RO, handle);
    await expect(connect(ALICE, EX)).rejects.toMatchObject({ der: 'BUSY' });
    await poolDisconnect(fixture.service, fixture.op(), handle);
    const exclusive = uuidGenerate();
    await connect(ALICE, EX, exclusive);
    await expect(connect(CAROL, RO)).rejects.toMatchObject({ der: 'BUSY' });
    await poolDisconnect(fixture.service, fixture.op(), exclusive);
    await connect(CAROL, RO);
  });

  it('takes a connect of a known handle with the same flags for done, with others for DER_EXIST', async () => {
    await fixture.create();
    const handle = uuidGenerate();
    await connect(ALICE, RW, handle);
    expect(await connect(ALICE, RW, handle)).toBe(7);
    await expect(connect(ALICE, RO, handle)).rejects.toMatchObject({ der: 'EXIST' });
    expect(await poolEvict(fixture.service, fixture.op(), evictAll)).toBe(1);
  });

  it('refuses a client whose layout is too old or older than the pool with DER_NOTSUPPORTED', async () => {
    await fixture.create();
    for (const layoutVersion of [3, 6]) {
      const params = { handle: uuidGenerate(), flags: RO, user: ALICE, layoutVersion };
      await expect(poolConnect(fixture.service, fixture.op(), params)).rejects.toMatchObject({
        der: 'NOTSUPPORTED',
      });
    }
  });

  it('evicts listed handles, those of a machine, or all, and passes over unknown ones', async () => {
    await fixture.create({ acl: ['A::EVERYONE@:rw'] });
    const [a, b, c] = [uuidGenerate(), uuidGenerate(), uuidGenerate()];
    await connect(ALICE, RW, a);
    await connect(BOB, RW, b);
    await connect(CAROL, RW, c);
    expect(
      await poolEvict(fixture.service, fixture.op(), { ...evictAll, handles: [a, uuidGenerate()] }),
    ).toBe(1);
    expect(await poolEvict(fixture.service, fixture.op(), { ...evictAll, machine: 'host2' })).toBe(1);
    expect(await poolEvict(fixture.service, fixture.op(), evictAll)).toBe(1);
    expect(await poolEvict(fixture.service, fixture.op(), evictAll)).toBe(0);
  });

  it('refuses a destroy with open handles unless forced; afterwards nobody connects (DER_BUSY)', async () => {
    await fixture.create();
    await connect(ALICE, RO);
    const destroy = { ...evictAll, destroy: true };
    await expect(poolEvict(fixture.service, fixture.op(), destroy)).rejects.toMatchObject({ der: 'BUSY' });
    expect(await poolEvict(fixture.service, fixture.op(), { ...destroy, force: true })).toBe(1);
    await expect(connect(ALICE, RO)).rejects.toMatchObject({ der: 'BUSY' });
  });

  it('keeps handles over a restart', async () => {
    await fixture.create();
    const handle = uuidGenerate();
    await connect(ALICE, RW, handle);
    await fixture.restart();
    expect(await poolEvict(fixture.service, fixture.op(), { ...evictAll, handles: [handle] })).toBe(1);
  });

  it('sets, lists, gets and deletes attributes by the rules for names and values', async () => {
    await fixture.create();
    const { service } = fixture;
    const set = (name: string, value: string) =>
      poolSetAttrs(service, fixture.op(), [{ name, value: Buffer.from(value) }]);
    await set('Name', 'value');
    await set('AVeryLongName', 'another');
    await set('Name', 'changed');
    const get = (names: string[]) => service.read((tx) => attrsGet(tx, PATH_USER, names));
    expect((await service.read((tx) => attrsList(tx, PATH_USER))).sort()).toEqual(['AVeryLongName', 'Name']);
    expect(
      (await get(['Name', 'missing', 'AVeryLongName'])).map(
        (value) => value && Buffer.from(value).toString(),
      ),
    ).toEqual(['changed', undefined, 'another']);
    await expect(get(['missing'])).rejects.toMatchObject({ der: 'NONEXIST' });
    for (const [name, value] of [
      ['', 'x'],
      ['n'.repeat(512), 'x'],
      ['name', ''],
    ] as const) {
      await expect(set(name, value)).rejects.toMatchObject({ der: 'INVAL' });
    }
    await poolDelAttrs(service, fixture.op(), ['Name', 'missing', 'AVeryLongName']);
    expect(await service.read((tx) => attrsList(tx, PATH_USER))).toEqual([]);
    await expect(poolDelAttrs(service, fixture.op(), ['Name'])).rejects.toMatchObject({ der: 'NONEXIST' });
  });

  it('merges, overwrites and deletes ACL entries; an unknown principal is DER_NONEXIST', async () => {
    await fixture.create();
    const { service } = fixture;
    const merged = await poolAclUpdate(service, fixture.op(), ['A::bob@:r', 'A::OWNER@:r'], false);
    expect(merged.entries).toEqual(['A::OWNER@:r', 'A::bob@:r', 'A:G:GROUP@:rw']);
    expect((await poolAclDelete(service, fixture.op(), 'u:bob@')).entries).toHaveLength(2);
    await expect(poolAclDelete(service, fixture.op(), 'u:bob@')).rejects.toMatchObject({ der: 'NONEXIST' });
    await expect(poolAclUpdate(service, fixture.op(), ['nonsense'], false)).rejects.toMatchObject({
      der: 'INVAL',
    });
    expect(await poolAclUpdate(service, fixture.op(), ['A::EVERYONE@:r'], true)).toEqual({
      entries: ['A::EVERYONE@:r'],
      owner: 'alice@',
      group: 'team@',
    });
  });

  it('sums space over the targets of all ranks and names ranks that do not answer', async () => {
    await fixture.create();
    const all = await poolQuery(fixture.service, PoolQueryBit.ALL);
    expect(all).toMatchObject({
      label: 'tank',
      targetCount: 4,
      disabledTargetCount: 0,
      mapVersion: 1,
      enabledRanks: [0, 1],
      deadRanks: [],
    });
    expect(all.tiers[0]).toEqual({
      mediaType: 'scm',
      totalBytes: 400 * MIB,
      freeBytes: 260 * MIB,
      minFreeBytes: 50 * MIB,
      maxFreeBytes: 80 * MIB,
      meanFreeBytes: 65 * MIB,
    });
    fixture.dead.add(1);
    const half = await poolQuery(fixture.service, PoolQueryBit.SPACE);
    expect(half.deadRanks).toEqual([1]);
    expect(half.tiers[0]?.totalBytes).toBe(200 * MIB);
  });

  it('tells the state and space of single targets; unknown ones are DER_NONEXIST', async () => {
    await fixture.create();
    const infos = await poolQueryTargets(fixture.service, 1, []);
    expect(infos.map(({ rank, target, state }) => ({ rank, target, state }))).toEqual([
      { rank: 1, target: 0, state: 'up_in' },
      { rank: 1, target: 1, state: 'up_in' },
    ]);
    await expect(poolQueryTargets(fixture.service, 2, [])).rejects.toMatchObject({ der: 'NONEXIST' });
    await expect(poolQueryTargets(fixture.service, 0, [2])).rejects.toMatchObject({ der: 'NONEXIST' });
  });

  it('hands the map to all ranks after it stepped up', async () => {
    await fixture.create();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([...fixture.pushed].sort()).toEqual([0, 1]);
  });

  describe('duplicate operations', () => {
    it('answers a resend of a success and of a failure with the first outcome and does nothing again', async () => {
      await fixture.create();
      const { service } = fixture;
      const evict = fixture.op();
      await connect(ALICE, RO);
      expect(await poolEvict(service, evict, evictAll)).toBe(1);
      await connect(ALICE, RO);
      expect(await poolEvict(service, evict, evictAll)).toBe(1);
      expect(await poolEvict(service, fixture.op(), evictAll)).toBe(1);

      const del = fixture.op();
      await expect(poolDelAttrs(service, del, ['late'])).rejects.toMatchObject({ der: 'NONEXIST' });
      await poolSetAttrs(service, fixture.op(), [{ name: 'late', value: Buffer.of(1) }]);
      await expect(poolDelAttrs(service, del, ['late'])).rejects.toMatchObject({ der: 'NONEXIST' });
      expect(await service.read((tx) => attrsList(tx, PATH_USER))).toEqual(['late']);
    });

    it('answers from the record after a change of leader', async () => {
      await fixture.create();
      const op = fixture.op();
      const handle = uuidGenerate();
      await connect(ALICE, RW, handle, op);
      await fixture.restart();
      expect(await connect(ALICE, RW, handle, op)).toBe(7);
    });

    it('drops records that are older than their age, one per operation', async () => {
      await fixture.create({ props: [{ number: PoolProp.SVC_OPS_ENTRY_AGE, value: 60n }] });
      const { service, hlc } = fixture;
      const now = hlc.get();
      const old = now - 120_000n * 16_000_000n;
      for (let i = 0n; i < 5n; i++) {
        await poolSetAttrs(service, { clientId: uuidGenerate(), clientTime: old + i }, [
          { name: 'a', value: Buffer.of(1) },
        ]);
      }
      for (let i = 0; i < 10; i++)
        await poolSetAttrs(service, fixture.op(), [{ name: 'a', value: Buffer.of(1) }]);
      const records = await service.read((tx) => [...tx.iterate(PATH_SVC_OPS)].length);
      expect(records).toBe(10);
    });
  });
});
