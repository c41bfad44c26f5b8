import { DaosError } from '@daos/common';
import { MgmtMethod } from '@daos/drpc';
import { PoolEvictReq, PoolEvictResp } from '@daos/proto/mgmt/pool';
import type {
  SystemCleanupReq,
  SystemCleanupResp,
  SystemCleanupResp_CleanupResult,
} from '@daos/proto/mgmt/system';

import type { ServerContext } from '../context.js';
import type { PoolRecord } from '../system/pool_record.js';

/** Closes all pool handles that were opened on one client machine; one result per pool that had some or failed. */
export async function cleanUpMachine(
  context: ServerContext,
  request: SystemCleanupReq,
): Promise<SystemCleanupResp> {
  const db = context.ms.requireLeader();
  if (request.machine === '') throw new DaosError('INVAL', 'no machine name given');
  const results: SystemCleanupResp_CleanupResult[] = [];
  for (const pool of db.state.pools) {
    if (pool.state === 'Ready') results.push(await evictMachine(context, pool, request.machine));
  }
  return { results };
}

async function evictMachine(
  context: ServerContext,
  pool: PoolRecord,
  machine: string,
): Promise<SystemCleanupResp_CleanupResult> {
  const fields = { sys: context.config.systemName, id: pool.uuid, svcRanks: [...pool.replicas], machine };
  try {
    const engine = context.harness.readyClient();
    const { count } = await engine.call(MgmtMethod.POOL_EVICT, PoolEvictReq, fields, PoolEvictResp);
    return { status: 0, msg: '', poolId: pool.label, count };
  } catch (error) {
    const status = error instanceof DaosError ? error.status : new DaosError('MISC').status;
    return {
      status,
      msg: error instanceof Error ? error.message : String(error),
      poolId: pool.label,
      count: 0,
    };
  }
}
