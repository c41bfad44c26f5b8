import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { cartClient, type CartContext } from '@daos/cart';
import { uuidGenerate } from '@daos/common';
import { DrpcModule, MgmtMethod, SrvMethod } from '@daos/drpc';
import { startEngine, type RunningEngine } from '@daos/engine';
import { encodeMessage, type MessageType } from '@daos/proto';
import { ACLResp, DeleteACLReq, GetACLReq, ModifyACLReq } from '@daos/proto/mgmt/acl';
import {
  ListContReq,
  ListContResp,
  PoolCreateReq,
  PoolCreateResp,
  PoolDestroyReq,
  PoolDestroyResp,
  PoolEvictReq,
  PoolEvictResp,
  PoolGetPropReq,
  PoolGetPropResp,
  PoolQueryReq,
  PoolQueryResp,
  PoolQueryTargetReq,
  PoolQueryTargetResp,
  PoolSetPropReq,
  PoolSetPropResp,
} from '@daos/proto/mgmt/pool';
import { DaosResp, GroupUpdateReq, GroupUpdateResp, PingRankReq } from '@daos/proto/mgmt/svc';
import {
  GetPoolSvcReq,
  GetPoolSvcResp,
  ListPoolsResp,
  PoolFindByLabelReq,
  PoolFindByLabelResp,
} from '@daos/proto/srv/srv';

import { dcMgmtPoolFind, dcMgmtPoolGetSvcRanks, dcMgmtPoolList } from '../src/dc/index.js';

const MIB = 1024n * 1024n;
const TARGETS = 2;
const url = (path: string) => new URL(`../../../${path}`, import.meta.url).href;
const MODULES = [
  { url: url('mgmt/dist/src/ds/index.js'), exportName: 'mgmtModule' },
  { url: url('pool/dist/src/ds/index.js'), exportName: 'poolModule' },
  { url: url('container/dist/src/ds/index.js'), exportName: 'contModule' },
];
const dir = mkdtempSync(join(tmpdir(), 'daos-mgmt-'));
const engines: RunningEngine[] = [];
const known = { uuid: uuidGenerate(), label: 'tank', svcreps: [1] };

/** daos_server's part: it knows one pool. */
async function server(module: number, method: number, body: Uint8Array): Promise<Uint8Array> {
  const reply = <T>(type: MessageType<T>, fields: object) => encodeMessage(type, type.fromPartial(fields));
  if (module !== DrpcModule.SRV) throw new Error(`unexpected module ${module}`);
  switch (method) {
    case SrvMethod.POOL_FIND_BYLABEL:
      return reply(
        PoolFindByLabelResp,
        PoolFindByLabelReq.decode(body).label === known.label ? known : { status: -1005 },
      );
    case SrvMethod.GET_POOL_SVC:
      return reply(
        GetPoolSvcResp,
        GetPoolSvcReq.decode(body).uuid === known.uuid ? known : { status: -1005 },
      );
    case SrvMethod.LIST_POOLS:
      return reply(ListPoolsResp, { pools: [known] });
    default:
      return new Uint8Array(0);
  }
}

function start(rank: number): Promise<RunningEngine> {
  return startEngine({
    modules: MODULES,
    targetCount: TARGETS,
    storageDir: join(dir, `scm${rank}`),
    dataDir: join(dir, `data${rank}`),
    socketDir: join(dir, `run${rank}`),
    standalone: { rank, server },
  });
}

async function call<Req, Resp>(
  method: number,
  requestType: MessageType<Req>,
  fields: object,
  responseType: MessageType<Resp>,
  rank = 0,
): Promise<Resp> {
  const body = encodeMessage(requestType, requestType.fromPartial(fields));
  return responseType.decode(await dispatch(rank, method, body));
}

/** As daos_server's calls arrive: a standalone engine has no socket for them. */
function dispatch(rank: number, method: number, body: Uint8Array): Promise<Uint8Array> {
  const xs = engines[rank]?.xs as unknown as {
    dispatchDrpc(module: number, method: number, body: Uint8Array): Promise<Uint8Array>;
  };
  return xs.dispatchDrpc(DrpcModule.MGMT, method, body);
}

const members = () => engines.map((engine, rank) => ({ rank, uri: engine.uri, incarnation: 1n }));
const update = (mapVersion: number) =>
  call(MgmtMethod.GROUP_UPDATE, GroupUpdateReq, { mapVersion, engines: members() }, GroupUpdateResp);

async function createPool(fields: object = {}) {
  const uuid = uuidGenerate();
  const response = await call(MgmtMethod.POOL_CREATE, PoolCreateReq, {
    uuid,
    user: 'alice@',
    userGroup: 'team@',
    ranks: [0, 1],
    tierBytes: [64n * MIB, 64n * MIB],
    faultDomains: [0, 2, 0, 1, 1, 1, 2, 0, 1],
    properties: [{ number: 1, value: { $case: 'strval', value: 'tank' } }],
    ...fields,
  }, PoolCreateResp);
  return { uuid, response };
}

beforeAll(async () => {
  const { mkdirSync } = await import('node:fs');
  for (const rank of [0, 1]) {
    mkdirSync(join(dir, `run${rank}`));
    engines.push(await start(rank));
  }
});
afterAll(async () => {
  for (const engine of engines) await engine.stop();
  rmSync(dir, { recursive: true, force: true });
});

describe('group map', () => {
  it('reaches all members from the engine that gets it; an older one is refused', async () => {
    expect((await update(10)).status).toBe(0);
    const deadline = Date.now() + 5000;
    while (engines[1]?.xs.groupVersion() !== 10 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(
      engines.map((
        engine,
      ) => [engine.xs.groupVersion(), engine.xs.groupRanks().map((member) => member.rank)]),
    ).toEqual([[10, [0, 1]], [10, [0, 1]]]);
    expect((await update(10)).status).toBe(0);
    expect((await update(9)).status).toBe(-1036);
  });

  it('is asked for by rank', async () => {
    expect((await call(MgmtMethod.PING_RANK, PingRankReq, { rank: 0 }, DaosResp)).status).toBe(0);
    expect((await call(MgmtMethod.PING_RANK, PingRankReq, { rank: 1 }, DaosResp)).status).toBe(-1003);
  });
});

describe('pools', () => {
  it('live from creation on two ranks to destruction', async () => {
    const { uuid, response } = await createPool();
    expect(response).toMatchObject({ status: 0, tgtRanks: [0, 1], tierBytes: [64n * MIB, 64n * MIB] });
    const pool = { id: uuid, svcRanks: response.svcReps };
    expect(existsSync(join(dir, 'scm1', uuid))).toBe(true);

    const query = await call(
      MgmtMethod.POOL_QUERY,
      PoolQueryReq,
      { ...pool, queryMask: 2n ** 64n - 1n },
      PoolQueryResp,
      1,
    );
    expect(query).toMatchObject({
      status: 0,
      uuid,
      label: 'tank',
      totalTargets: 4,
      activeTargets: 4,
      totalEngines: 2,
      enabledRanks: '0-1',
      disabledRanks: '',
    });
    expect(query.tierStats.map((tier) => tier.mediaType)).toEqual([0, 1]);
    const targets = await call(MgmtMethod.POOL_QUERY_TARGETS, PoolQueryTargetReq, {
      ...pool,
      rank: 1,
      targets: [1],
    }, PoolQueryTargetResp);
    expect(targets).toMatchObject({ status: 0, infos: [{ state: 4 }] });
    expect(
      (await call(
        MgmtMethod.POOL_QUERY_TARGETS,
        PoolQueryTargetReq,
        { ...pool, rank: 7 },
        PoolQueryTargetResp,
      )).status,
    ).toBe(-1005);

    const set = await call(MgmtMethod.POOL_SET_PROP, PoolSetPropReq, {
      ...pool,
      properties: [{ number: 1, value: { $case: 'strval', value: 'lake' } }],
    }, PoolSetPropResp);
    expect(set.status).toBe(0);
    const get = await call(
      MgmtMethod.POOL_GET_PROP,
      PoolGetPropReq,
      { ...pool, properties: [{ number: 1 }] },
      PoolGetPropResp,
    );
    expect(get.properties).toMatchObject([{ number: 1, value: { $case: 'strval', value: 'lake' } }]);
    expect(
      (await call(
        MgmtMethod.POOL_SET_PROP,
        PoolSetPropReq,
        { ...pool, properties: [{ number: 1 }] },
        PoolSetPropResp,
      )).status,
    ).toBe(-1003);

    const entries = ['A::OWNER@:rw', 'A::bob@:r', 'A:G:GROUP@:rw'];
    const acl = await call(
      MgmtMethod.POOL_UPDATE_ACL,
      ModifyACLReq,
      { ...pool, entries: ['A::bob@:r'] },
      ACLResp,
    );
    expect(acl.acl).toMatchObject({ entries, ownerUser: 'alice@', ownerGroup: 'team@' });
    const removed = await call(
      MgmtMethod.POOL_DELETE_ACL,
      DeleteACLReq,
      { ...pool, principal: 'u:bob@' },
      ACLResp,
    );
    expect(removed.acl?.entries).toEqual(['A::OWNER@:rw', 'A:G:GROUP@:rw']);
    expect((await call(MgmtMethod.POOL_GET_ACL, GetACLReq, pool, ACLResp)).acl?.entries).toHaveLength(2);

    expect(await call(MgmtMethod.LIST_CONTAINERS, ListContReq, pool, ListContResp)).toEqual({
      status: 0,
      containers: [],
    });
    expect(await call(MgmtMethod.POOL_EVICT, PoolEvictReq, pool, PoolEvictResp)).toEqual({
      status: 0,
      count: 0,
    });
    expect(await call(MgmtMethod.POOL_EVICT, PoolEvictReq, { ...pool, destroy: true }, PoolEvictResp))
      .toMatchObject({ status: 0 });
    expect(
      await call(MgmtMethod.POOL_DESTROY, PoolDestroyReq, { id: uuid, svcRanks: [0, 1] }, PoolDestroyResp),
    ).toEqual({ status: 0 });
    expect([existsSync(join(dir, 'scm0', uuid)), existsSync(join(dir, 'scm1', uuid))]).toEqual([
      false,
      false,
    ]);
    expect(
      await call(MgmtMethod.POOL_DESTROY, PoolDestroyReq, { id: uuid, svcRanks: [0, 1] }, PoolDestroyResp),
    ).toEqual({ status: 0 });
  });

  it('are refused with the reason, leaving nothing behind', async () => {
    expect((await createPool({ uuid: 'garbage' })).response.status).toBe(-1003);
    expect((await createPool({ ranks: [0, 5] })).response.status).toBe(-1019);
    expect((await createPool({ ranks: [] })).response.status).toBe(-1003);
    expect((await createPool({ tierBytes: [] })).response.status).toBe(-1003);
    const { uuid, response } = await createPool({ acl: ['garbage'] });
    expect(response.status).toBeLessThan(0);
    expect([existsSync(join(dir, 'scm0', uuid)), existsSync(join(dir, 'scm1', uuid))]).toEqual([
      false,
      false,
    ]);
    expect(
      (await call(MgmtMethod.POOL_QUERY, PoolQueryReq, { id: uuidGenerate(), svcRanks: [] }, PoolQueryResp))
        .status,
    ).toBe(-1003);
  });

  it('answers bodies that cannot be decoded and unknown methods', async () => {
    const garbage = await dispatch(0, MgmtMethod.POOL_QUERY, Buffer.from('ffff', 'hex'));
    expect(PoolQueryResp.decode(garbage).status).toBe(-1014);
    await expect(dispatch(0, 299, new Uint8Array(0))).rejects.toMatchObject({ der: 'NOSYS' });
  });
});

describe('finding pools', () => {
  let client: CartContext;
  beforeAll(() => {
    client = cartClient();
    client.setGroup(members().map(({ rank, uri }) => ({ rank, uri })), 1);
  });
  afterAll(() => client.close());

  it('asks any engine, by label or UUID', async () => {
    expect(await dcMgmtPoolFind(client, [0, 1], 'tank')).toEqual({
      uuid: known.uuid,
      label: 'tank',
      serviceRanks: [1],
    });
    expect(await dcMgmtPoolFind(client, [0, 1], known.uuid.toUpperCase())).toEqual({
      uuid: known.uuid,
      label: undefined,
      serviceRanks: [1],
    });
    expect(await dcMgmtPoolGetSvcRanks(client, [0], known.uuid)).toEqual([1]);
    expect(await dcMgmtPoolList(client, [0, 1])).toEqual([{
      uuid: known.uuid,
      label: 'tank',
      serviceRanks: [1],
    }]);
    await expect(dcMgmtPoolFind(client, [0, 1], 'nosuch')).rejects.toMatchObject({ der: 'NONEXIST' });
    await expect(dcMgmtPoolFind(client, [0, 1], uuidGenerate())).rejects.toMatchObject({ der: 'NONEXIST' });
    await expect(dcMgmtPoolFind(client, [0, 1], '')).rejects.toMatchObject({ der: 'INVAL' });
  });
});
