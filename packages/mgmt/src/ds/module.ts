import { DaosError, isUuid } from '@daos/common';
import { DrpcModule } from '@daos/drpc';
import type { DrpcMethodHandler, EngineModule, ModuleInstance, Xstream } from '@daos/engine';
import { dsPoolTgtCreate, dsPoolTgtDestroy } from '@daos/pool/ds';

import {
  MGMT_POOL_FIND,
  MGMT_POOL_GET_SVCRANKS,
  MGMT_POOL_LIST,
  MGMT_TGT_CREATE,
  MGMT_TGT_DESTROY,
  MGMT_TGT_MAP_UPDATE,
} from '../rpc.js';
import { engineMethods } from './engine_call.js';
import { GroupDistribution } from './group.js';
import { poolMethods } from './pool_call.js';
import { findPoolByLabel, findPoolByUuid, listPools } from './upcall.js';

/**
 * The management module: what daos_server asks of an engine (dRPC), what engines ask of each other to make and remove
 * pools, and what clients ask to find pools. All of it lives in the system xstream.
 */
export const mgmtModule: EngineModule = {
  name: 'mgmt',
  id: 1,
  version: 4,
  start: (xs) => (xs.kind === 'system' ? startSystem(xs) : {}),
};

function startSystem(xs: Xstream): ModuleInstance {
  const group = new GroupDistribution(xs);
  xs.handleDrpc(DrpcModule.MGMT, drpcHandler(xs, group));
  serveClients(xs);
  serveEngines(xs);
  return { cleanup: () => group.stop() };
}

function drpcHandler(xs: Xstream, group: GroupDistribution): DrpcMethodHandler {
  const methods = new Map([...engineMethods(xs, group), ...poolMethods(xs)]);
  return async (method, body) => {
    const run = methods.get(method);
    if (!run) throw new DaosError('NOSYS', `management method ${method}`);
    return run(body);
  };
}

function serveClients(xs: Xstream): void {
  xs.handle(MGMT_POOL_GET_SVCRANKS, async ({ input }) => {
    const { svcRanks } = await findPoolByUuid(xs, input.poolUuid);
    return { output: { svcRanks } };
  });
  xs.handle(MGMT_POOL_FIND, async ({ input }) => {
    const { uuid, label } = input;
    if ((uuid === undefined) === (label === undefined)) {
      throw new DaosError('INVAL', 'give a UUID or a label');
    }
    const pool = uuid === undefined ? await findPoolByLabel(xs, label ?? '') : await findPoolByUuid(xs, uuid);
    return { output: poolOutput(pool) };
  });
  xs.handle(MGMT_POOL_LIST, async () => ({ output: { pools: (await listPools(xs)).map(poolOutput) } }));
}

type Found = Awaited<ReturnType<typeof findPoolByUuid>>;

function poolOutput(pool: Found): { uuid: string; label?: string; svcRanks: readonly number[] } {
  if (!isUuid(pool.uuid)) throw new DaosError('PROTO', `daos_server named a pool "${pool.uuid}"`);
  return {
    uuid: pool.uuid,
    svcRanks: pool.svcRanks,
    ...(pool.label === undefined ? {} : { label: pool.label }),
  };
}

function serveEngines(xs: Xstream): void {
  const fromEngine = (srcRank: number | undefined) => {
    if (srcRank === undefined) throw new DaosError('NO_PERM', 'only engines may call this');
  };
  xs.handle(MGMT_TGT_CREATE, async ({ input, srcRank }) => {
    fromEngine(srcRank);
    await dsPoolTgtCreate(xs, input);
    return { output: {} };
  });
  xs.handle(MGMT_TGT_DESTROY, async ({ input, srcRank }) => {
    fromEngine(srcRank);
    await dsPoolTgtDestroy(xs, input.poolUuid);
    return { output: {} };
  });
  xs.handle(MGMT_TGT_MAP_UPDATE, async ({ input, srcRank }) => {
    fromEngine(srcRank);
    await xs.updateGroup(input.version, input.members);
    return { output: {} };
  });
}
