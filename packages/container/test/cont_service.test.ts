import {
  CONTAINER_LABEL_NOT_SET,
  ContProp,
  DaosError,
  PoolConnectFlag,
  contStatusUnpack,
  uuidGenerate,
  type PropertyEntry,
  type Uuid,
} from '@daos/common';
import { poolDisconnect, poolEvict } from '@daos/pool/ds';
import { ContOpenFlag } from '@daos/container/rpc';

import { contCreate } from '../src/ds/ops/create.js';
import { contDestroy } from '../src/ds/ops/destroy.js';
import {
  contAllocOids,
  contCreateSnapshot,
  contDelAttrs,
  contDeleteAcl,
  contDestroySnapshot,
  contGetAttrs,
  contHistory,
  contListAttrs,
  contListSnapshots,
  contQuery,
  contSetAttrs,
  contSetProps,
  contUpdateAcl,
  type Under,
} from '../src/ds/ops/metadata.js';
import { contClose, contOpen, type Opened } from '../src/ds/ops/open.js';
import { ALICE, BOB, CAROL, ContFixture } from './service_fixture.js';

const { RO, RW, EX, RO_MDSTATS, EVICT, EVICT_ALL } = ContOpenFlag;

describe('container service', () => {
  let fixture: ContFixture;
  let alice: Uuid;

  beforeEach(async () => {
    fixture = new ContFixture();
    await fixture.create();
    alice = await fixture.connect(ALICE);
  });
  afterEach(() => fixture.remove());

  async function create(
    label?: string,
    props: PropertyEntry[] = [],
    poolHandle = alice,
    container = uuidGenerate(),
  ): Promise<Uuid> {
    await contCreate(fixture.service, fixture.op(), { poolHandle, container, label, props });
    return container;
  }
  async function open(
    container: Uuid | { label: string },
    flags: number,
    poolHandle = alice,
    handle = uuidGenerate(),
  ): Promise<Opened & { under: Under }> {
    const opened = await contOpen(fixture.service, fixture.op(), { poolHandle, container, handle, flags });
    return { ...opened, under: { container: opened.info.uuid, handle } };
  }
  const close = ({ container, handle }: Under) => contClose(fixture.service, fixture.op(), container, handle);
  const destroy = (container: Uuid | { label: string }, force = false, poolHandle = alice) =>
    contDestroy(fixture.service, fixture.op(), { poolHandle, container, force });
  const query = async (under: Under) => (await contQuery(fixture.service, under, undefined)).info;
  const prop = async (under: Under, number: number) =>
    (await contQuery(fixture.service, under, [number])).props[0]?.value;
  const list = () => fixture.poolService.read((tx) => fixture.poolService.listContainers(tx));
  const acl = (...entries: string[]): PropertyEntry[] => [{ number: ContProp.ACL, value: entries }];

  it('creates, opens, queries, closes and destroys by UUID and by label', async () => {
    const byUuid = await create();
    const byLabel = await create('home');
    expect(await list()).toEqual(
      expect.arrayContaining([
        { uuid: byUuid, label: undefined },
        { uuid: byLabel, label: 'home' },
      ]),
    );
    const first = await open(byUuid, RO);
    const second = await open({ label: 'home' }, RW);
    expect(second.info.uuid).toBe(byLabel);
    expect(await query(first.under)).toMatchObject({
      uuid: byUuid,
      handleCount: 1,
      snapshotCount: 0,
      latestSnapshot: 0n,
    });
    await close(first.under);
    await close(second.under);
    await destroy(byUuid);
    await destroy({ label: 'home' });
    expect(await list()).toEqual([]);
    expect(fixture.targets.destroyed.sort()).toEqual([byUuid, byLabel].sort());
  });

  it('gives DER_NONEXIST for unknown containers', async () => {
    await expect(open(uuidGenerate(), RO)).rejects.toMatchObject({ der: 'NONEXIST' });
    await expect(open({ label: 'nowhere' }, RO)).rejects.toMatchObject({ der: 'NONEXIST' });
    await expect(destroy(uuidGenerate(), true)).rejects.toMatchObject({ der: 'NONEXIST' });
  });

  it('refuses everything under a pool handle that is not known with DER_NO_HDL', async () => {
    const container = await create('home');
    await poolDisconnect(fixture.poolService, fixture.op(), alice);
    await expect(create('more')).rejects.toMatchObject({ der: 'NO_HDL' });
    await expect(open(container, RO)).rejects.toMatchObject({ der: 'NO_HDL' });
    await expect(destroy(container)).rejects.toMatchObject({ der: 'NO_HDL' });
  });

  it('refuses create and destroy through a read-only pool handle with DER_NO_PERM, and opens RW through one', async () => {
    const container = await create('home', acl('A::OWNER@:rw', 'A::EVERYONE@:rw'));
    const ro = await fixture.connect(ALICE, PoolConnectFlag.RO);
    await expect(create('more', [], ro)).rejects.toMatchObject({ der: 'NO_PERM' });
    await expect(destroy(container, false, ro)).rejects.toMatchObject({ der: 'NO_PERM' });
    expect((await open(container, RW, ro)).capas & 3).toBe(3);
  });

  it('tells which of label and UUID is taken: EXIST or INVAL', async () => {
    const container = await create('home');
    await expect(create('home', [], alice, container)).rejects.toMatchObject({ der: 'EXIST' });
    await expect(create('home')).rejects.toMatchObject({ der: 'EXIST' });
    await expect(create('other', [], alice, container)).rejects.toMatchObject({ der: 'INVAL' });
    await expect(create(undefined, [], alice, container)).rejects.toMatchObject({ der: 'EXIST' });
  });

  it('refuses bad labels, unknown properties, a status, a global version and a foreign owner with DER_INVAL', async () => {
    for (const label of ['has space', 'x'.repeat(128), uuidGenerate(), CONTAINER_LABEL_NOT_SET]) {
      await expect(create(label)).rejects.toMatchObject({ der: 'INVAL' });
    }
    const bad: PropertyEntry[] = [
      { number: 0x2000, value: 1n },
      { number: ContProp.STATUS, value: 0n },
      { number: ContProp.GLOBAL_VERSION, value: 4n },
      { number: ContProp.OWNER, value: 'bob@' },
      { number: ContProp.EC_CELL_SZ, value: 100n },
      { number: ContProp.REDUN_FAC, value: 5n },
    ];
    for (const property of bad) await expect(create('x', [property])).rejects.toMatchObject({ der: 'INVAL' });
    expect(await list()).toEqual([]);
  });

  it('returns given properties, and defaults for the others', async () => {
    await create('home', [
      { number: ContProp.CSUM, value: 0n },
      { number: ContProp.LAYOUT_TYPE, value: 1n },
      { number: ContProp.ROOTS, value: ['1.2', '3.4'] },
    ]);
    const { under, checksum } = await open({ label: 'home' }, RW);
    expect(checksum).toBeUndefined();
    const props = new Map(
      (await contQuery(fixture.service, under, [])).props.map(({ number, value }) => [number, value]),
    );
    expect(props.get(ContProp.LABEL)).toBe('home');
    expect(props.get(ContProp.LAYOUT_TYPE)).toBe(1n);
    expect(props.get(ContProp.ROOTS)).toEqual(['1.2', '3.4']);
    expect(props.get(ContProp.OWNER)).toBe('alice@');
    expect(props.get(ContProp.OWNER_GROUP)).toBe('team@');
    expect(props.get(ContProp.ACL)).toEqual(['A::OWNER@:rwdtTaAo', 'A:G:GROUP@:rwtT']);
    expect(props.get(ContProp.EC_CELL_SZ)).toBe(131_072n);
    expect(props.get(ContProp.REDUN_FAC)).toBe(0n);
    expect(contStatusUnpack(props.get(ContProp.STATUS) as bigint)).toEqual({
      healthy: true,
      flags: 0,
      mapVersion: 1,
    });
  });

  it('has checksums on by default and hands them to every target with the handle', async () => {
    const { under, checksum } = await open(await create('home'), RW);
    expect(checksum).toEqual({ type: 2, chunkBytes: 32_768, serverVerify: false });
    expect(fixture.targets.granted.get(under.handle)).toMatchObject({ container: under.container, checksum });
  });

  it('moves a label: the old one is free, a taken one is DER_EXIST', async () => {
    const { under } = await open(await create('first'), RW);
    await create('second');
    const relabel = (label: string) =>
      contSetProps(fixture.service, fixture.op(), under, [{ number: ContProp.LABEL, value: label }]);
    await expect(relabel('second')).rejects.toMatchObject({ der: 'EXIST' });
    await relabel('third');
    await relabel('third');
    await expect(open({ label: 'first' }, RO)).rejects.toMatchObject({ der: 'NONEXIST' });
    expect((await open({ label: 'third' }, RO)).info.uuid).toBe(under.container);
    await create('first');
  });

  it('refuses changes of fixed properties: NO_PERM or INVAL', async () => {
    const { under } = await open(await create('home'), RW);
    const set = (number: number, value: bigint) =>
      contSetProps(fixture.service, fixture.op(), under, [{ number, value }]);
    await expect(set(ContProp.ALLOCED_OID, 5n)).rejects.toMatchObject({ der: 'NO_PERM' });
    await expect(set(ContProp.EC_CELL_SZ, 4096n)).rejects.toMatchObject({ der: 'NO_PERM' });
    await expect(set(ContProp.OBJ_VERSION, 1n)).rejects.toMatchObject({ der: 'INVAL' });
    await expect(set(ContProp.STATUS, 1n << 32n)).rejects.toMatchObject({ der: 'INVAL' });
    await set(ContProp.STATUS, 0n);
  });

  it('opens by ACL: nothing, read only, read and delete, read and write', async () => {
    const bob = await fixture.connect(BOB);
    const cases: [string, number, boolean][] = [
      ['', RO, false],
      ['r', RO, true],
      ['r', RW, false],
      ['rd', RW, false],
      ['rw', RO, true],
      ['rw', RW, true],
      ['rw', EX, false],
    ];
    for (const [perms, flags, ok] of cases) {
      const container = await create(undefined, acl('A::OWNER@:rwdtTaAo', `A::bob@:${perms}`));
      const opening = open(container, flags, bob);
      if (ok) await opening;
      else await expect(opening).rejects.toMatchObject({ der: 'NO_PERM' });
    }
  });

  it('lets the owner without any permission read and change the ACL only', async () => {
    const container = await create('home', acl('A::OWNER@:'));
    const { under } = await open(container, RW);
    await expect(contQuery(fixture.service, under, [])).rejects.toMatchObject({ der: 'NO_PERM' });
    expect(await prop(under, ContProp.ACL)).toEqual(['A::OWNER@:']);
    expect((await query(under)).handleCount).toBe(1);
    await expect(
      contSetProps(fixture.service, fixture.op(), under, [{ number: ContProp.LABEL, value: 'x' }]),
    ).rejects.toMatchObject({ der: 'NO_PERM' });
    await contUpdateAcl(fixture.service, fixture.op(), under, ['A::bob@:r']);
    await contDeleteAcl(fixture.service, fixture.op(), under, 'u:bob@');
    await expect(contDeleteAcl(fixture.service, fixture.op(), under, 'u:bob@')).rejects.toMatchObject({
      der: 'NONEXIST',
    });
  });

  it('needs get-prop for properties, get-ACL for the ACL and either for the owner', async () => {
    const bob = await fixture.connect(BOB);
    const opened = async (perms: string) =>
      (await open(await create(undefined, acl('A::OWNER@:rw', `A::bob@:${perms}`)), RO, bob)).under;
    const props = await opened('rt');
    expect(await prop(props, ContProp.CSUM)).toBe(2n);
    expect(await prop(props, ContProp.OWNER)).toBe('alice@');
    await expect(prop(props, ContProp.ACL)).rejects.toMatchObject({ der: 'NO_PERM' });
    const list = await opened('ra');
    expect(await prop(list, ContProp.OWNER_GROUP)).toBe('team@');
    await expect(prop(list, ContProp.CSUM)).rejects.toMatchObject({ der: 'NO_PERM' });
    expect((await contQuery(fixture.service, await opened('rta'), [])).props).toHaveLength(26);
  });

  it('keeps attributes by read and write permission', async () => {
    const { under } = await open(await create('home'), RW);
    await contSetAttrs(fixture.service, fixture.op(), under, [{ name: 'k', value: Buffer.from('v') }]);
    expect((await contGetAttrs(fixture.service, under, ['k'])).map(String)).toEqual([
      String(Buffer.from('v')),
    ]);
    expect(await contListAttrs(fixture.service, under)).toEqual(['k']);
    const reader = await open({ label: 'home' }, RO);
    expect(await contListAttrs(fixture.service, reader.under)).toEqual(['k']);
    await expect(
      contSetAttrs(fixture.service, fixture.op(), reader.under, [{ name: 'k', value: Buffer.of(1) }]),
    ).rejects.toMatchObject({ der: 'NO_PERM' });
    await contDelAttrs(fixture.service, fixture.op(), under, ['k']);
    await expect(contGetAttrs(fixture.service, under, ['k'])).rejects.toMatchObject({ der: 'NONEXIST' });
  });

  it('counts handles and closes each once', async () => {
    const container = await create('home');
    const first = await open(container, RO);
    const second = await open(container, RW);
    expect(second.info.handleCount).toBe(2);
    expect((await query(first.under)).handleCount).toBe(2);
    await close(second.under);
    await close(second.under);
    expect((await query(first.under)).handleCount).toBe(1);
    await expect(query(second.under)).rejects.toMatchObject({ der: 'NO_HDL' });
    expect(fixture.targets.granted.has(second.under.handle)).toBe(false);
  });

  it('keeps an exclusive open alone and refuses bad combinations of flags', async () => {
    const container = await create('home');
    const reader = await open(container, RO);
    await expect(open(container, EX)).rejects.toMatchObject({ der: 'BUSY' });
    await close(reader.under);
    await open(container, EX);
    await expect(open(container, RO)).rejects.toMatchObject({ der: 'BUSY' });
    for (const flags of [
      0,
      RO | RW,
      RO | EX,
      RW | EX,
      RO | EVICT | EVICT_ALL,
      EX | EVICT,
      RO | EVICT_ALL,
      RW | EVICT_ALL,
    ]) {
      await expect(open(container, flags)).rejects.toMatchObject({ der: 'INVAL' });
    }
  });

  it('evicts the own handles, or with EX those of everyone', async () => {
    const container = await create('home', acl('A::OWNER@:rwdtTaAo', 'A::EVERYONE@:rw'));
    expect((await open(container, RO | EVICT)).info.handleCount).toBe(1);
    const exclusiveless = await open(container, RW);
    expect((await open(container, RW | EVICT)).info.handleCount).toBe(1);
    await close(exclusiveless.under);
    const bobs = await open(container, RO, await fixture.connect(BOB));
    expect((await open(container, RO | EVICT)).info.handleCount).toBe(2);
    expect((await open(container, EX | EVICT_ALL)).info.handleCount).toBe(1);
    await expect(query(bobs.under)).rejects.toMatchObject({ der: 'NO_HDL' });
    expect(fixture.targets.granted.size).toBe(1);
  });

  it('refuses a destroy with open handles (DER_BUSY) unless forced; the lost handle closes without error', async () => {
    const container = await create('home');
    const { under } = await open(container, RW);
    await expect(destroy(container)).rejects.toMatchObject({ der: 'BUSY' });
    await destroy(container, true);
    expect(fixture.targets.granted.size).toBe(0);
    await close(under);
    expect(await list()).toEqual([]);
  });

  it('lets either the pool or the container right destroy', async () => {
    await fixture.remove();
    fixture = new ContFixture();
    await fixture.create(['A::OWNER@:rw', 'A::bob@:rc', 'A::carol@:rd']);
    alice = await fixture.connect(ALICE);
    const [bob, carol] = [await fixture.connect(BOB), await fixture.connect(CAROL)];
    const closed = await create('closed', acl('A::OWNER@:rw'));
    await expect(destroy(closed, false, bob)).rejects.toMatchObject({ der: 'NO_PERM' });
    await destroy(closed, false, carol);
    await destroy(await create('open', acl('A::OWNER@:rw', 'A::bob@:rwd')), false, bob);
  });

  it('marks before it destroys: a failed one leaves CONT_DESTROYING, the next one completes', async () => {
    const container = await create('home');
    fixture.targets.failure = new DaosError('NOMEM', 'rank 0');
    await expect(destroy(container)).rejects.toMatchObject({ der: 'NOMEM' });
    await expect(open(container, RO)).rejects.toMatchObject({ der: 'CONT_DESTROYING' });
    expect(await list()).toEqual([]);
    await destroy({ label: 'home' });
    await expect(open(container, RO)).rejects.toMatchObject({ der: 'NONEXIST' });
    await create('home');
  });

  it('surfaces a failure of a target on open; the container can be destroyed then', async () => {
    const container = await create('home');
    fixture.targets.failure = new DaosError('IO', 'rank 0');
    await expect(open(container, RO)).rejects.toMatchObject({ der: 'IO' });
    await destroy(container);
  });

  it('updates times: open raises otime only, RO|RO_MDSTATS nothing, close and changes mtime', async () => {
    const { under, info } = await open(await create('home'), RW);
    const times = async () => {
      const { openTime, modifyTime } = await query(under);
      return [openTime, modifyTime] as const;
    };
    const [open0, modify0] = await times();
    expect(open0).toBe(info.openTime);
    const quiet = await open(under.container, RO | RO_MDSTATS);
    await close(quiet.under);
    expect(await times()).toEqual([open0, modify0]);
    const plain = await open(under.container, RO);
    const [open1, modify1] = await times();
    expect(open1 > open0).toBe(true);
    expect(modify1).toBe(modify0);
    await close(plain.under);
    const [, modify2] = await times();
    expect(modify2 > modify1).toBe(true);
    await contSetAttrs(fixture.service, fixture.op(), under, [{ name: 'k', value: Buffer.of(1) }]);
    expect((await times())[1] > modify2).toBe(true);
  });

  it('creates, lists and destroys snapshots', async () => {
    const { under } = await open(await create('home'), RW);
    const op = fixture.op();
    const first = await contCreateSnapshot(fixture.service, op, under);
    expect(await contCreateSnapshot(fixture.service, op, under)).toBe(first);
    const second = await contCreateSnapshot(fixture.service, fixture.op(), under);
    expect(await contListSnapshots(fixture.service, under)).toEqual([first, second]);
    expect(await query(under)).toMatchObject({ snapshotCount: 2, latestSnapshot: second });
    await expect(contDestroySnapshot(fixture.service, fixture.op(), under, first + 1n)).rejects.toMatchObject(
      { der: 'NONEXIST' },
    );
    await contDestroySnapshot(fixture.service, fixture.op(), under, second);
    await contDestroySnapshot(fixture.service, fixture.op(), under, first);
    expect(await query(under)).toMatchObject({ snapshotCount: 0, latestSnapshot: 0n });
  });

  it('tells targets the snapshots, the last deletion of one, and its clock', async () => {
    const { under } = await open(await create('home'), RW);
    const first = await contCreateSnapshot(fixture.service, fixture.op(), under);
    const second = await contCreateSnapshot(fixture.service, fixture.op(), under);
    const before = await contHistory(fixture.service, under.container);
    expect(before).toMatchObject({ snapshots: [first, second], snapshotDeleted: 0n, isTransformed: false });
    expect(before.now > second).toBe(true);
    await contDestroySnapshot(fixture.service, fixture.op(), under, first);
    expect(fixture.targets.snapshotsDeleted).toEqual([under.container]);
    const after = await contHistory(fixture.service, under.container);
    expect(after).toMatchObject({ snapshots: [second], isTransformed: false });
    expect(after.snapshotDeleted > before.now && after.snapshotDeleted < after.now).toBe(true);
    await expect(contHistory(fixture.service, uuidGenerate())).rejects.toMatchObject({ der: 'NONEXIST' });
    for (const number of [ContProp.DEDUP, ContProp.COMPRESS, ContProp.ENCRYPT]) {
      const other = await create(`other-${number}`, [{ number, value: 1n }]);
      expect(await contHistory(fixture.service, other)).toMatchObject({ isTransformed: true });
    }
  });

  it('never gives an object id twice, over restarts and several containers; ALLOCED_OID starts the range', async () => {
    const first = await open(await create('a'), RW);
    const second = await open(await create('b', [{ number: ContProp.ALLOCED_OID, value: 1000n }]), RW);
    const alloc = (under: Under, count: bigint) => contAllocOids(fixture.service, under, count);
    const starts = await Promise.all([
      alloc(first.under, 10n),
      alloc(first.under, 1n),
      alloc(first.under, 100n),
    ]);
    expect(starts.sort((a, b) => Number(a - b))).toEqual([0n, 10n, 11n]);
    expect(await alloc(second.under, 5n)).toBe(1000n);
    await fixture.restart();
    expect(await alloc(first.under, 1n)).toBe(111n);
    expect(await prop(second.under, ContProp.ALLOCED_OID)).toBe(1005n);
    await expect(alloc(first.under, 0n)).rejects.toMatchObject({ der: 'INVAL' });
    await expect(alloc(first.under, (1n << 64n) - 1n)).rejects.toMatchObject({ der: 'OVERFLOW' });
  });

  it('closes the containers of a pool handle that is disconnected or evicted', async () => {
    const container = await create('home');
    const { under } = await open(container, RW);
    const other = await fixture.connect(ALICE);
    await open(container, RO, other);
    await open(container, RO, other);
    await poolEvict(fixture.poolService, fixture.op(), {
      handles: [other],
      destroy: false,
      force: false,
      recursive: false,
    });
    expect((await query(under)).handleCount).toBe(1);
    await poolDisconnect(fixture.poolService, fixture.op(), alice);
    expect(fixture.targets.granted.size).toBe(0);
    await expect(query(under)).rejects.toMatchObject({ der: 'NO_HDL' });
  });

  it('keeps containers and handles over a restart', async () => {
    const { under } = await open(await create('home'), RW);
    await fixture.restart();
    expect(await query(under)).toMatchObject({ label: 'home', handleCount: 1 });
  });

  it('gives the first result to a resent create, open and destroy, after a change of leader too', async () => {
    const container = uuidGenerate();
    const ops = [fixture.op(), fixture.op(), fixture.op()] as const;
    const params = { poolHandle: alice, container, label: 'home', props: [] };
    const opening = { poolHandle: alice, container: { label: 'home' }, handle: uuidGenerate(), flags: RW };
    await contCreate(fixture.service, ops[0], params);
    const opened = await contOpen(fixture.service, ops[1], opening);
    await fixture.restart();
    await contCreate(fixture.service, ops[0], params);
    expect((await contOpen(fixture.service, ops[1], opening)).info).toEqual(opened.info);
    await contDestroy(fixture.service, ops[2], {
      poolHandle: alice,
      container: { label: 'home' },
      force: true,
    });
    await contDestroy(fixture.service, ops[2], {
      poolHandle: alice,
      container: { label: 'home' },
      force: true,
    });
    const failing = fixture.op();
    await expect(contCreate(fixture.service, failing, { ...params, label: '!' })).rejects.toMatchObject({
      der: 'INVAL',
    });
    await expect(contCreate(fixture.service, failing, params)).rejects.toMatchObject({ der: 'INVAL' });
  });

  it('refuses a pool destroy while containers exist unless recursive', async () => {
    await create('home');
    await poolDisconnect(fixture.poolService, fixture.op(), alice);
    const evict = { handles: [], destroy: true, force: false };
    await expect(
      poolEvict(fixture.poolService, fixture.op(), { ...evict, recursive: false }),
    ).rejects.toMatchObject({ der: 'BUSY' });
    await poolEvict(fixture.poolService, fixture.op(), { ...evict, recursive: true });
  });
});
