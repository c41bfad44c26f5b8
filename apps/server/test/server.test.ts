import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

import { uuidGenerate } from '@daos/common';
import {
  getAttachInfo,
  leaderQuery,
  poolCreate,
  poolDestroy,
  poolList,
  poolQuery,
  poolSetProp,
  storageFormat,
  storageScan,
  systemQuery,
  systemStart,
  systemStop,
  tierBytesOfShare,
} from '@daos/control';
import { DrpcModule, SecMethod, SrvMethod, drpcCall } from '@daos/drpc';
import { encodeMessage, unaryMethod } from '@daos/proto';
import { PoolCreateReq, PoolCreateResp } from '@daos/proto/mgmt/pool';
import { DaosResp } from '@daos/proto/mgmt/svc';
import {
  SystemQueryReq,
  SystemQueryResp,
  SystemSetAttrReq,
  SystemGetAttrReq,
  SystemGetAttrResp,
} from '@daos/proto/mgmt/system';
import { ValidateCredReq, ValidateCredResp } from '@daos/proto/security/auth';
import {
  GetPoolSvcReq,
  GetPoolSvcResp,
  ListPoolsReq,
  ListPoolsResp,
  NotifyReadyReq,
  PoolFindByLabelReq,
  PoolFindByLabelResp,
} from '@daos/proto/srv/srv';
import { credentialSign } from '@daos/security/credential';

import { DaosServer } from '../src/server.js';
import { TestSystem } from './server_harness.js';

const GIB = 1024n ** 3n;
const QUERY = unaryMethod('/mgmt.MgmtSvc/SystemQuery', SystemQueryReq, SystemQueryResp);
const CREATE = unaryMethod('/mgmt.MgmtSvc/PoolCreate', PoolCreateReq, PoolCreateResp);

let system: TestSystem;
afterEach(async () => {
  await system.remove();
});

const address = () => `127.0.0.1:${system.port}`;
const logText = () => readFileSync(system.logFile, 'utf8');
const labelProp = (label: string) => [{ number: 1, value: { $case: 'strval' as const, value: label } }];
const create = (label: string, fields: Partial<Parameters<typeof poolCreate>[1]> = {}) =>
  poolCreate(system.client, {
    user: 'u@',
    userGroup: 'g@',
    properties: labelProp(label),
    tierBytes: [GIB / 8n, 2n * GIB],
    ...fields,
  });

async function running(engines = 1): Promise<void> {
  system = await TestSystem.create(engines);
  await system.start({ autoFormat: true });
  await system.waitJoined();
  await system.waitFor(() => logText().includes(`all ${engines} engines of this server have joined`));
}

describe('format and start', () => {
  it('waits for a format, joins, and comes back without one', async () => {
    system = await TestSystem.create(2);
    await system.start();
    await system.waitFor(() => logText().includes('SCM format required on instance 1'));
    await expect(systemQuery(system.client, { failOnUnavailable: true }, { timeoutMs: 1000 })).rejects
      .toThrow(/system is uninitialized/);
    const scan = await storageScan(system.client);
    expect(scan.answers[0]?.response.nvme?.ctrlrs).toHaveLength(2);
    const { answers, errors } = await storageFormat(system.client);
    expect(errors.entries()).toEqual([]);
    expect(answers[0]?.response.mrets.map((result) => [result.instanceidx, result.state?.status])).toEqual([[
      0,
      0,
    ], [1, 0]]);
    await system.waitJoined();
    const { members } = await systemQuery(system.client);
    expect(members.map((member) => [member.rank, member.addr]).sort()).toEqual([[0, address()], [
      1,
      address(),
    ]]);
    const uuids = members.map((member) => member.uuid);
    await system.stop();
    expect(existsSync(join(system.dir, 'run', 'daos_server.sock'))).toBe(false);

    await system.start();
    await system.waitJoined();
    const again = await systemQuery(system.client);
    expect(again.members.map((member) => member.uuid)).toEqual(uuids);
    expect(logText()).toMatch(/rank 0 \(.*\) rejoined the system/);
    await expect(storageFormat(system.client)).rejects.toMatchObject({ code: 509 });
  });

  it('drives an engine through SET_RANK, GROUP_UPDATE and SET_UP', async () => {
    await running();
    const steps = logText().split('\n').filter((line) => /SET_RANK|GROUP_UPDATE|SET_UP/.test(line)).map((
      line,
    ) => line.replace(/.*daos_engine:0 /, ''));
    expect(steps.slice(0, 3)).toEqual(['SET_RANK 0', 'GROUP_UPDATE 0', 'SET_UP']);
  });

  it('does not format a folder that holds something else', async () => {
    system = await TestSystem.create();
    mkdirSync(system.mount(), { recursive: true });
    writeFileSync(join(system.mount(), 'precious.txt'), 'x');
    await system.start();
    await system.waitFor(() => logText().includes('Metadata format required'));
    const { answers } = await storageFormat(system.client);
    expect(answers[0]?.response.mrets[0]?.state?.error).toMatch(
      /cannot be formatted: it holds \\?"precious.txt/,
    );
    expect(existsSync(join(system.mount(), 'precious.txt'))).toBe(true);
  });

  it('formats again when told so, and forgets the old system', async () => {
    await running();
    await create('tank');
    const { answers } = await storageFormat(system.client, { reformat: true });
    expect(answers[0]?.response.mrets[0]?.state).toMatchObject({ status: 0 });
    await system.waitJoined();
    expect((await poolList(system.client, { noQuery: true })).pools).toEqual([]);
  });

  it('refuses a second server, a port in use and a socket folder that is none', async () => {
    await running();
    await expect(DaosServer.start(system.config(), await openNullLog())).rejects.toThrow(
      /another daos_server process is already running/,
    );
    const other = await TestSystem.create();
    const blocker = (await import('node:net')).createServer().listen(other.port, '127.0.0.1');
    await expect(other.start()).rejects.toThrow(
      new RegExp(`unable to listen on 127.0.0.1:${other.port}: address already in use`),
    );
    blocker.close();
    writeFileSync(join(other.dir, 'file'), '');
    await expect(
      DaosServer.start({ ...other.config(), socketDir: join(other.dir, 'file') }, await openNullLog()),
    ).rejects.toThrow(/is not a directory/);
    await other.remove();
  });
});

async function openNullLog() {
  const { ControlLog } = await import('@daos/control');
  return ControlLog.open({ mask: 'DISABLED' });
}

describe('calls', () => {
  it('checks system name, version and component', async () => {
    await running();
    const { transport } = system.client;
    const query = (sys: string) =>
      transport.call(address(), QUERY, SystemQueryReq.fromPartial({ sys }), { timeoutMs: 5000 });
    await expect(query('other-2.9.100')).rejects.toMatchObject({ code: 603 });
    await expect(query('')).rejects.toMatchObject({ code: 603 });
    expect((await query('daos_server')).members).toHaveLength(1);
    await expect(
      transport.call(
        address(),
        unaryMethod('/mgmt.MgmtSvc/SystemErase', SystemQueryReq, DaosResp),
        SystemQueryReq.fromPartial({}),
        { timeoutMs: 5000 },
      ),
    )
      .rejects.toThrow(/Unimplemented|UNIMPLEMENTED|not implement/);
  });

  it('survives random bytes on the control port', async () => {
    await running();
    await new Promise<void>((resolve) => {
      const socket = connect(system.port, '127.0.0.1', () => {
        socket.end(Buffer.alloc(5000, 0xa5));
      });
      socket.on('close', () => {
        resolve();
      }).on('error', () => undefined).resume();
    });
    expect((await systemQuery(system.client)).members).toHaveLength(1);
  });

  it('tells attach info, the leader, attributes and properties', async () => {
    await running();
    const info = await getAttachInfo(system.client, { allRanks: true });
    expect(info.rankUris).toMatchObject([{ rank: 0, uri: 'ofi+tcp://127.0.0.1:20000', numCtxs: 4 }]);
    expect(info.clientNetHint).toMatchObject({ provider: 'ofi+tcp', netDevClass: 772, srvSrxSet: 1 });
    expect(info).toMatchObject({ msRanks: [0], sys: 'daos_server' });
    expect(await leaderQuery(system.client)).toMatchObject({ leader: address() });
    const { transport, sys } = system.client;
    const set = (attributes: Record<string, string>) =>
      transport.call(address(), unaryMethod('/mgmt.MgmtSvc/SystemSetAttr', SystemSetAttrReq, DaosResp), {
        sys,
        attributes,
      }, { timeoutMs: 5000 });
    const get = (keys: string[]) =>
      transport.call(
        address(),
        unaryMethod('/mgmt.MgmtSvc/SystemGetAttr', SystemGetAttrReq, SystemGetAttrResp),
        { sys, keys },
        { timeoutMs: 5000 },
      );
    await set({ owner: 'alice', room: '7' });
    await set({ room: '' });
    expect((await get([])).attributes).toEqual({ owner: 'alice' });
    await expect(get(['nosuch'])).rejects.toThrow(/unable to find system attribute with key "nosuch"/);
    await expect(set({ 'prop.self_heal': 'none' })).rejects.toMatchObject({ der: 'INVAL' });
  });
});

describe('pools', () => {
  it('are created, listed, queried and destroyed; a repeated create answers the same pool', async () => {
    await running();
    const { uuid } = await create('tank');
    expect(logText()).toMatch(/POOL_CREATE 134217728,2147483648 domains 0,2,0,1,1,1,1,0/);
    expect((await poolList(system.client, { noQuery: true })).pools).toMatchObject([{ label: 'tank', uuid }]);
    expect(await poolQuery(system.client, 'tank', [])).toMatchObject({ uuid });
    const again = await system.client.transport.call(
      address(),
      CREATE,
      PoolCreateReq.fromPartial({ uuid, sys: system.client.sys, properties: labelProp('tank') }),
      { timeoutMs: 5000 },
    );
    expect(again).toMatchObject({ svcReps: [0], tgtRanks: [0] });
    await poolDestroy(system.client, 'tank');
    await expect(poolQuery(system.client, 'tank', [])).rejects.toThrow(
      /unable to find pool service with label "tank"/,
    );
  });

  it('refuse bad requests with the reason', async () => {
    await running();
    await expect(create('')).rejects.toMatchObject({ code: 615 });
    await expect(create('bad label!')).rejects.toMatchObject({ der: 'INVAL' });
    await expect(create('tank', { tierBytes: [0n, 0n] })).rejects.toMatchObject({ der: 'INVAL' });
    await expect(create('tank', { tierBytes: [1n, 0n] })).rejects.toMatchObject({ code: 604 });
    await expect(create('tank', { tierBytes: [GIB / 8n, 5n] })).rejects.toMatchObject({ code: 605 });
    await expect(create('tank', { tierBytes: [100n * GIB, 0n] })).rejects.toMatchObject({ der: 'NOSPACE' });
    await expect(create('tank', { ranks: [0, 9] })).rejects.toMatchObject({ code: 606 });
    await expect(create('tank', { rankCount: 2 })).rejects.toMatchObject({ code: 607 });
    await expect(create('tank', { serviceReplicas: 3 })).rejects.toMatchObject({ code: 608 });
    await expect(create('tank', { memRatio: 0.5 })).rejects.toMatchObject({ code: 619 });
    await expect(
      create('tank', {
        properties: [...labelProp('tank'), { number: 11, value: { $case: 'numval', value: 1n } }],
      }),
    ).rejects.toMatchObject({ code: 621 });
    await create('tank');
    await expect(create('tank')).rejects.toMatchObject({ code: 609 });
    // Half of the NVMe tier is taken; what is left does not hold another such pool and a half.
    await expect(create('lake', { tierBytes: [GIB / 8n, 3n * GIB] })).rejects.toMatchObject({
      der: 'NOSPACE',
    });
    expect((await poolList(system.client, { noQuery: true })).pools).toHaveLength(1);
  });

  it('take a share of what is free, and give it back', async () => {
    await running();
    const all = await tierBytesOfShare(system.client, 1);
    expect(all[1]).toBe(4n * GIB);
    await create('tank');
    const left = await tierBytesOfShare(system.client, 1);
    expect([(all[0] ?? 0n) - (left[0] ?? 0n), left[1]]).toEqual([GIB / 8n, 2n * GIB]);
    await poolDestroy(system.client, 'tank');
    expect(await tierBytesOfShare(system.client, 1)).toEqual(all);
  });

  it('leave nothing behind when the engine cannot create them', async () => {
    await running();
    system.tell('create_fails');
    await expect(create('tank')).rejects.toMatchObject({ der: 'NOSPACE' });
    expect((await poolList(system.client, { noQuery: true })).pools).toEqual([]);
    system.tell('create_fails', false);
    await create('tank');
  });

  it('are cleaned up when the engine dies while creating them', async () => {
    await running();
    system.tell('create_crashes');
    const uuid = uuidGenerate();
    const message = PoolCreateReq.fromPartial({
      uuid,
      sys: system.client.sys,
      properties: labelProp('tank'),
      tierBytes: [GIB / 8n, 0n],
    });
    await expect(system.client.transport.call(address(), CREATE, message, { timeoutMs: 10_000 })).rejects
      .toThrow();
    system.tell('create_crashes', false);
    await system.waitJoined();
    await system.waitFor(async () => (await poolList(system.client, { noQuery: true })).pools.length === 0);
    await create('tank');
  });

  it('are not destroyed with containers or open handles, unless told so', async () => {
    await running();
    await create('tank');
    system.tell('has_containers');
    await expect(poolDestroy(system.client, 'tank')).rejects.toMatchObject({ code: 618 });
    system.tell('pool_busy');
    await expect(poolDestroy(system.client, 'tank', { recursive: true })).rejects.toMatchObject({
      der: 'BUSY',
    });
    expect((await poolList(system.client, { noQuery: true })).pools[0]?.state).toBe('Ready');
    system.tell('destroy_fails');
    await expect(poolDestroy(system.client, 'tank', { recursive: true, force: true })).rejects.toMatchObject({
      der: 'IO',
    });
    expect((await poolList(system.client, { noQuery: true })).pools[0]?.state).toBe('Destroying');
    system.tell('destroy_fails', false);
    await poolDestroy(system.client, 'tank', { recursive: true, force: true });
    await expect(poolDestroy(system.client, 'tank')).rejects.toThrow(/unable to find pool/);
  });

  it('change their label once and for all', async () => {
    await running();
    await create('tank');
    await create('lake', { tierBytes: [GIB / 8n, 0n] });
    await poolSetProp(system.client, 'tank', labelProp('tank'));
    await poolSetProp(system.client, 'tank', labelProp('sea'));
    await expect(poolSetProp(system.client, 'sea', labelProp('lake'))).rejects.toMatchObject({ code: 609 });
    await system.stop();
    await system.start();
    await system.waitJoined();
    expect((await poolList(system.client, { noQuery: true })).pools.map((pool) => pool.label).sort()).toEqual(
      ['lake', 'sea'],
    );
  });
});

describe('engines', () => {
  it('are stopped and started by rank', async () => {
    await running(2);
    const { results } = await systemStop(system.client, { ranks: '1,7', force: true });
    expect(results).toMatchObject([{ rank: 1, action: 'stop', errored: false, state: 'stopped' }]);
    const states = async () => (await systemQuery(system.client)).members.map((member) => member.state);
    expect(await states()).toEqual(['joined', 'stopped']);
    const started = await systemStart(system.client);
    expect(started.results.map((result) => [result.rank, result.errored, result.state])).toEqual([[
      0,
      false,
      'ready',
    ], [1, false, 'ready']]);
    expect(await states()).toEqual(['joined', 'joined']);
    const stopped = await systemStop(system.client);
    expect(stopped.results.map((result) => result.action)).toEqual(['stop', 'stop']);
    await expect(create('tank')).rejects.toMatchObject({ code: 606 });
    await systemStart(system.client);
    await create('tank');
    await systemStop(system.client);
    await expect(poolQuery(system.client, 'tank', [])).rejects.toThrow(
      /no engine of this server runs: engine 0: Stopped/,
    );
  });

  it(
    'are restarted once when they die, then reported until the delay has passed or an administrator starts them',
    async () => {
      await running();
      const pid = () =>
        Number(/"pid":(\d+)/.exec(readFileSync(join(system.mount(), 'engine.pid'), 'utf8'))?.[1]);
      const first = pid();
      process.kill(first, 'SIGKILL');
      await system.waitFor(() => logText().includes('restarting engine 0'));
      await system.waitFor(async () =>
        (await systemQuery(system.client)).members[0]?.state === 'joined' &&
        existsSync(join(system.mount(), 'engine.pid')) && pid() !== first
      );
      expect(logText()).toMatch(/&&& RAS id: \[engine_died\].*rank: \[0\]/);
      await system.waitFor(() => (logText().match(/all 1 engines/g) ?? []).length === 2);
      process.kill(pid(), 'SIGKILL');
      await system.waitFor(async () => (await systemQuery(system.client)).members[0]?.state === 'errored');
      expect(logText()).toMatch(/it is restarted in \d+ s/);
      await expect(create('tank')).rejects.toMatchObject({ code: 606 });
      expect((await systemStart(system.client)).results).toMatchObject([{ rank: 0, errored: false }]);
      await create('tank');
    },
    60_000,
  );
});

describe('dRPC', () => {
  const call = (module: number, method: number, body: Uint8Array) =>
    drpcCall(join(system.dir, 'run', 'daos_server.sock'), module, method, body);

  it('finds pools for engines', async () => {
    await running();
    const { uuid } = await create('tank');
    const byLabel = async (label: string) =>
      PoolFindByLabelResp.decode(
        await call(DrpcModule.SRV, SrvMethod.POOL_FIND_BYLABEL, encodeMessage(PoolFindByLabelReq, { label })),
      );
    const byUuid = async (id: string) =>
      GetPoolSvcResp.decode(
        await call(DrpcModule.SRV, SrvMethod.GET_POOL_SVC, encodeMessage(GetPoolSvcReq, { uuid: id })),
      );
    expect(await byLabel('tank')).toEqual({ status: 0, uuid, svcreps: [0] });
    expect((await byLabel('nosuch')).status).toBe(-1005);
    expect(await byUuid(uuid)).toEqual({ status: 0, svcreps: [0] });
    expect((await byUuid('garbage')).status).toBe(-1005);
    const list = ListPoolsResp.decode(
      await call(DrpcModule.SRV, SrvMethod.LIST_POOLS, encodeMessage(ListPoolsReq, { includeAll: false })),
    );
    expect(list.pools).toEqual([{ uuid, label: 'tank', svcreps: [0] }]);
  });

  it('proves credentials and refuses forged ones', async () => {
    await running();
    const credential = credentialSign(
      { user: 'alice@', group: 'users@', groups: [], machine: 'host', stamp: 0n, secctx: '' } as never,
      undefined,
    );
    const validate = async (cred: typeof credential | undefined) =>
      ValidateCredResp.decode(
        await call(DrpcModule.SEC, SecMethod.VALIDATE_CREDS, encodeMessage(ValidateCredReq, { cred })),
      );
    expect((await validate(credential)).token?.data.length).toBeGreaterThan(0);
    const forged = { ...credential, verifier: { flavor: 1, data: Buffer.alloc(64) } };
    expect((await validate(forged)).status).toBe(-1001);
    expect((await validate(undefined)).status).toBe(-1003);
  });

  it('refuses engines that are not configured, sockets that do not exist and garbage', async () => {
    await running();
    const notify = (fields: object) =>
      call(
        DrpcModule.SRV,
        SrvMethod.NOTIFY_READY,
        encodeMessage(NotifyReadyReq, NotifyReadyReq.fromPartial(fields)),
      );
    await expect(notify({ instanceIdx: 7, drpcListenerSock: '/x' })).rejects.toMatchObject({ der: 'IO' });
    await expect(notify({ instanceIdx: 0, drpcListenerSock: '/x' })).rejects.toMatchObject({ der: 'IO' });
    await expect(call(DrpcModule.SRV, SrvMethod.NOTIFY_READY, Buffer.from('ffff', 'hex'))).rejects
      .toMatchObject({ der: 'PROTO' });
    await expect(call(DrpcModule.SRV, 399, Buffer.alloc(0))).rejects.toMatchObject({ der: 'NOSYS' });
    await expect(call(60, 1, Buffer.alloc(0))).rejects.toMatchObject({ der: 'NOSYS' });
  });
});
