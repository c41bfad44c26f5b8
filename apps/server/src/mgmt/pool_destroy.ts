import { DaosError, isDaosError } from '@daos/common';
import { MgmtMethod } from '@daos/drpc';
import {
  ListContReq,
  ListContResp,
  PoolDestroyReq,
  PoolDestroyResp,
  PoolEvictReq,
  PoolEvictResp,
} from '@daos/proto/mgmt/pool';

import type { ServerContext } from '../context.js';
import { faultPoolHasContainers } from '../faults.js';
import { groupUpdateOf } from '../system/group_updater.js';
import type { PoolRecord } from '../system/pool_record.js';

const DESTROY_TIMEOUT_MS = 4 * 60_000;

/**
 * Destroys a pool.
 *
 * 1. Without `recursive`, containers refuse it (fault 618).
 * 2. Handles are evicted and the pool closed for good; open handles refuse it (DER_BUSY) without `force`.
 * 3. The record becomes Destroying; a crash from here on is finished later.
 * 4. Storage goes on all ranks of the group, whether the pool's service lives or not; then the record.
 */
export async function destroyPool(context: ServerContext, request: PoolDestroyReq): Promise<PoolDestroyResp> {
  const db = context.ms.requireLeader();
  const pool = db.findPool(request.id);
  if (pool.state === 'Creating' && !(request.force && request.recursive)) {
    throw new DaosError('AGAIN', `pool ${request.id} is Creating`);
  }
  const engine = await context.harness.waitReadyClient();
  if (pool.state === 'Ready') {
    if (!request.recursive) await refuseContainers(context, pool);
    const refused = await evict(context, pool, request.force);
    const keepsReady = !request.force && isDaosError(refused, 'BUSY', 'NO_SERVICE');
    if (!keepsReady) await db.updatePool(pool.uuid, () => ({ state: 'Destroying' }));
    if (refused && !request.force) throw refused;
  } else {await db.updatePool(
      pool.uuid,
      (now) => (now.state === 'Destroying' ? undefined : { state: 'Destroying' }),
    );}
  const svcRanks = [...new Set([...groupUpdateOf(db.state).engines.map((member) => member.rank)])];
  const drpcRequest = { ...request, id: pool.uuid, svcRanks };
  await engine.call(MgmtMethod.POOL_DESTROY, PoolDestroyReq, drpcRequest, PoolDestroyResp, {
    timeoutMs: DESTROY_TIMEOUT_MS,
  });
  await db.removePool(pool.uuid);
  context.log.info(`pool ${pool.uuid} (${pool.label}) destroyed`);
  return { status: 0 };
}

async function refuseContainers(context: ServerContext, pool: PoolRecord): Promise<void> {
  const request = { sys: context.config.systemName, id: pool.uuid, svcRanks: [...pool.replicas] };
  const { containers } = await context.harness.readyClient().call(
    MgmtMethod.LIST_CONTAINERS,
    ListContReq,
    request,
    ListContResp,
  );
  if (containers.length > 0) throw faultPoolHasContainers();
}

/** The failure, if any: with `force` it does not stop the destruction. */
async function evict(context: ServerContext, pool: PoolRecord, force: boolean): Promise<Error | undefined> {
  const request = {
    sys: context.config.systemName,
    id: pool.uuid,
    svcRanks: [...pool.replicas],
    destroy: true,
    forceDestroy: force,
  };
  try {
    await context.harness.readyClient().call(MgmtMethod.POOL_EVICT, PoolEvictReq, request, PoolEvictResp);
    return undefined;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (force) context.log.notice(`pool ${pool.uuid}: eviction failed, destroyed by force: ${error.message}`);
    return error;
  }
}
