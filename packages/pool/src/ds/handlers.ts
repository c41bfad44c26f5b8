import { infoToWire, targetStateToWire } from '../info_wire.js';
import { propsFromWire, propsToWire } from '../props_wire.js';
import {
  POOL_ACL_DELETE,
  POOL_ACL_UPDATE,
  POOL_ATTR_DEL,
  POOL_ATTR_GET,
  POOL_ATTR_LIST,
  POOL_ATTR_SET,
  POOL_CONNECT,
  POOL_CREATE,
  POOL_DISCONNECT,
  POOL_EVICT,
  POOL_LIST_CONT,
  POOL_PROP_GET,
  POOL_PROP_SET,
  POOL_QUERY,
  POOL_QUERY_INFO,
  POOL_TGT_MAP_UPDATE,
  POOL_TGT_QUERY,
  POOL_TGT_QUERY_MAP,
  RSVC_START,
  RSVC_STOP,
} from '../rpc.js';
import { PATH_USER } from './layout.js';
import { poolAclDelete, poolAclUpdate } from './ops/acl.js';
import { attrsGet, attrsList } from './ops/attr_ops.js';
import { poolConnect, poolDisconnect, poolEvict } from './ops/handles.js';
import { poolDelAttrs, poolGetProps, poolSetAttrs, poolSetProps } from './ops/props.js';
import { poolQuery, poolQueryTargets } from './ops/query.js';
import type { PoolService } from './pool_service.js';
import { checkPoolHandle, checkServer, servePoolRpc, serveReplicaRpc } from './serve.js';
import type { PoolSystem } from './system.js';

const SERVER = { serverOnly: true } as const;

/** Registers everything that the pool module serves in the system xstream. */
export function servePools(system: PoolSystem): void {
  serveClients(system);
  serveAttrs(system);
  serveAdmin(system);
  serveRanks(system);
  serveReplicas(system);
}

function serveClients(system: PoolSystem): void {
  servePoolRpc(system, POOL_CONNECT, async ({ service, request, body }) => {
    const user = await service.host.validateCredential(body.credential);
    const { flags, layoutVersion } = body;
    const capas = await poolConnect(service, request, { handle: request.handle, flags, user, layoutVersion });
    return {
      body: { capas, info: infoToWire(await poolQuery(service, body.bits)) },
      data: service.map.encode(),
    };
  });
  servePoolRpc(system, POOL_DISCONNECT, async ({ service, request }) => {
    await poolDisconnect(service, request, request.handle);
    return { body: {} };
  });
  servePoolRpc(system, POOL_QUERY, async (context) => {
    const { service, body } = context;
    await checkPoolHandle(context);
    const info = infoToWire(await poolQuery(service, body.bits));
    const props = body.props ? propsToWire(await poolGetProps(service, body.props)) : [];
    const isNewer = service.mapVersion > body.mapVersion;
    return { body: { info, props }, ...(isNewer ? { data: service.map.encode() } : {}) };
  });
  servePoolRpc(system, POOL_QUERY_INFO, async (context) => {
    await checkPoolHandle(context);
    return { body: await targetInfos(context.service, context.body) };
  });
  servePoolRpc(system, POOL_LIST_CONT, async (context) => {
    await checkPoolHandle(context);
    return { body: { containers: await listContainers(context.service) } };
  });
}

function serveAttrs(system: PoolSystem): void {
  servePoolRpc(system, POOL_ATTR_LIST, async (context) => {
    await checkPoolHandle(context);
    return { body: { names: await context.service.read((tx) => attrsList(tx, PATH_USER)) } };
  });
  servePoolRpc(system, POOL_ATTR_GET, async (context) => {
    await checkPoolHandle(context);
    return {
      body: { values: await context.service.read((tx) => attrsGet(tx, PATH_USER, context.body.names)) },
    };
  });
  servePoolRpc(system, POOL_ATTR_SET, async (context) => {
    await checkPoolHandle(context);
    await poolSetAttrs(context.service, context.request, context.body.attrs);
    return { body: {} };
  });
  servePoolRpc(system, POOL_ATTR_DEL, async (context) => {
    await checkPoolHandle(context);
    await poolDelAttrs(context.service, context.request, context.body.names);
    return { body: {} };
  });
}

/** What the administrator does; the calls come from engines, in the name of daos_server. */
function serveAdmin(system: PoolSystem): void {
  servePoolRpc(
    system,
    POOL_EVICT,
    async ({ service, request, body }) => {
      return { body: { count: await poolEvict(service, request, body) } };
    },
    SERVER,
  );
  servePoolRpc(
    system,
    POOL_PROP_GET,
    async ({ service, body }) => {
      return { body: { props: propsToWire(await poolGetProps(service, body.numbers)) } };
    },
    SERVER,
  );
  servePoolRpc(
    system,
    POOL_PROP_SET,
    async ({ service, request, body }) => {
      await poolSetProps(service, request, propsFromWire(body.props));
      return { body: {} };
    },
    SERVER,
  );
  servePoolRpc(
    system,
    POOL_ACL_UPDATE,
    async ({ service, request, body }) => {
      return { body: await poolAclUpdate(service, request, body.entries, body.overwrite) };
    },
    SERVER,
  );
  servePoolRpc(
    system,
    POOL_ACL_DELETE,
    async ({ service, request, body }) => {
      return { body: await poolAclDelete(service, request, body.principal) };
    },
    SERVER,
  );
}

async function targetInfos(
  service: PoolService,
  { rank, targets }: { readonly rank: number; readonly targets: readonly number[] },
) {
  const infos = await poolQueryTargets(service, rank, targets);
  return { infos: infos.map((info) => ({ ...info, state: targetStateToWire(info.state) })) };
}

async function listContainers(service: PoolService) {
  const containers = await service.read((tx) => service.listContainers(tx));
  return containers.map(({ uuid, label }) => (label === undefined ? { uuid } : { uuid, label }));
}

/** What every rank of a pool serves. */
function serveRanks(system: PoolSystem): void {
  system.caller.handle(POOL_TGT_QUERY_MAP, ({ input }) => {
    const { map } = system.lookup(input.pool);
    const isNewer = map !== undefined && map.version > input.version;
    return { output: { version: map?.version ?? 0 }, ...(isNewer ? { data: [map.encode()] } : {}) };
  });
  system.caller.handle(POOL_TGT_QUERY, async (request) => {
    checkServer(POOL_TGT_QUERY.name, request);
    const { input } = request;
    return { output: { targets: await system.querySpace(input.pool) } };
  });
  system.caller.handle(POOL_TGT_MAP_UPDATE, async (request) => {
    checkServer(POOL_TGT_MAP_UPDATE.name, request);
    const { pool, version: mapVersion, ...rest } = request.input;
    await system.updateMap(pool, { ...rest, mapVersion, map: Buffer.from(await request.data()) });
    return { output: {} };
  });
}

function serveReplicas(system: PoolSystem): void {
  system.caller.handle(RSVC_START, async (request) => {
    checkServer(RSVC_START.name, request);
    const { input } = request;
    const { id, create, capacityBytes } = input;
    if (create) await system.services.create(id, system.xs.engine.rank, { capacityBytes });
    else await system.services.start(id);
    return { output: {} };
  });
  system.caller.handle(RSVC_STOP, async (request) => {
    checkServer(RSVC_STOP.name, request);
    const { input } = request;
    await system.services.stop(input.id, { destroy: input.destroy });
    return { output: {} };
  });
  serveReplicaRpc(
    system,
    POOL_CREATE,
    async (replica, { input }) => {
      const { label, acl, props, ...rest } = input.body;
      if (replica.state === 'up') return { body: {} };
      const term = await replica.serve(async (service, servedTerm) => {
        await service.bootstrap({ ...rest, label, acl, props: propsFromWire(props) });
        return servedTerm;
      }, 'up empty');
      await replica.stepUpAfterBootstrap(term);
      return { body: {} };
    },
    SERVER,
  );
}
