import { TAG_SYSTEM } from '@daos/cart';
import { DaosError, PoolProp, UUID_NIL, isDaosError, type Uuid } from '@daos/common';
import type { Xstream } from '@daos/engine';

import { LeaderSearch } from '../dc/leader_search.js';
import { dcRsvcCall } from '../dc/service_call.js';
import { infoFromWire, targetInfoFromWire } from '../info_wire.js';
import { propsFromWire, propsToWire } from '../props_wire.js';
import {
  POOL_ACL_DELETE,
  POOL_ACL_UPDATE,
  POOL_CREATE,
  POOL_EVICT,
  POOL_LIST_CONT,
  POOL_PROP_GET,
  POOL_PROP_SET,
  POOL_QUERY,
  POOL_QUERY_INFO,
  RSVC_START,
  RSVC_STOP,
} from '../rpc.js';
import type { ServiceRpc } from '../service_rpc.js';
import {
  PoolQueryBit,
  type PoolContainer,
  type PoolQueryResult,
  type PoolTargetInfo,
  type PropEntry,
} from '../types.js';
import type {
  PoolAcl,
  PoolEvictParams,
  PoolSvcCreateParams,
  PoolSvcTarget,
  PoolTgtCreateParams,
} from './api.js';
import { POOL_SYSTEM } from './system.js';

/* All of these run in the system xstream of any engine; the pool's service may be on another one. */

/** Creates the pool's storage on this engine's targets; a complete one is left as it is. DER_NOSPACE, DER_AGAIN. */
export async function dsPoolTgtCreate(xs: Xstream, params: PoolTgtCreateParams): Promise<void> {
  await xs.tls(POOL_SYSTEM).createTargets(params);
}

/** Removes the pool's storage, and its service replica, from this engine. Nothing there is success. */
export async function dsPoolTgtDestroy(xs: Xstream, poolUuid: Uuid): Promise<void> {
  await xs.tls(POOL_SYSTEM).destroyTargets(poolUuid);
}

/** Creates the pool service; one that exists is left as it is. Storage must be there. Returns where its replicas are. */
export async function dsPoolSvcCreate(
  xs: Xstream,
  params: PoolSvcCreateParams,
): Promise<{ svcRanks: number[]; leaderRank: number }> {
  const { caller } = xs.tls(POOL_SYSTEM);
  const rank = [...(params.svcRanks ?? []), ...params.ranks][0];
  if (rank === undefined) throw new DaosError('INVAL', `pool ${params.poolUuid} has no ranks`);
  const to = { rank, tag: TAG_SYSTEM };
  let isNew = true;
  try {
    await caller.call(to, RSVC_START, { id: params.poolUuid, create: true });
  } catch (error) {
    if (!isDaosError(error, 'ALREADY')) throw error;
    isNew = false;
  }
  try {
    const { label, acl, props, owner, group, ranks, targetsPerRank, faultDomains = [] } = params;
    await svcCall(
      xs,
      { poolUuid: params.poolUuid, svcRanks: [rank], timeoutMs: params.timeoutMs },
      POOL_CREATE,
      {
        ranks,
        targetsPerRank,
        owner,
        group,
        faultDomains,
        props: propsToWire(props),
        ...(label === undefined ? {} : { label }),
        ...(acl === undefined ? {} : { acl }),
      },
    );
  } catch (error) {
    // The caller removes the pool's storage, and with it what this may leave.
    if (isNew)
      await caller.call(to, RSVC_STOP, { id: params.poolUuid, destroy: true }).catch(() => undefined);
    throw error;
  }
  return { svcRanks: [rank], leaderRank: rank };
}

/**
 * Prepares a destroy: refuses with DER_BUSY while handles are open (unless `force`) or containers exist (unless
 * `recursive` or `force`), then evicts all handles and lets nobody connect. The replicas go with dsPoolTgtDestroy.
 * A service that is nowhere has nothing to refuse.
 */
export async function dsPoolSvcDestroy(
  xs: Xstream,
  pool: PoolSvcTarget,
  options: { force: boolean; recursive: boolean },
): Promise<void> {
  try {
    await svcCall(xs, pool, POOL_EVICT, { handles: [], destroy: true, ...options });
  } catch (error) {
    if (!isDaosError(error, 'NOTREPLICA')) throw error;
  }
}

/** `bits`: PoolQueryBit, all by default. */
export async function dsPoolSvcQuery(
  xs: Xstream,
  pool: PoolSvcTarget,
  bits: number = PoolQueryBit.ALL,
): Promise<PoolQueryResult> {
  return infoFromWire((await svcCall(xs, pool, POOL_QUERY, { bits, mapVersion: MAP_NOT_WANTED })).info);
}

/** All properties when no numbers are listed. */
export async function dsPoolSvcGetProp(
  xs: Xstream,
  pool: PoolSvcTarget,
  numbers: readonly number[] = [],
): Promise<PropEntry[]> {
  return propsFromWire((await svcCall(xs, pool, POOL_PROP_GET, { numbers })).props);
}

/** DER_INVAL for bad properties, DER_NO_PERM for those fixed at creation. */
export async function dsPoolSvcSetProp(
  xs: Xstream,
  pool: PoolSvcTarget,
  props: readonly PropEntry[],
): Promise<void> {
  await svcCall(xs, pool, POOL_PROP_SET, { props: propsToWire(props) });
}

/** The ACL with the owners. */
export async function dsPoolSvcGetAcl(xs: Xstream, pool: PoolSvcTarget): Promise<PoolAcl> {
  const props = await dsPoolSvcGetProp(xs, pool, [PoolProp.ACL, PoolProp.OWNER, PoolProp.OWNER_GROUP]);
  const value = (number: number): PropEntry['value'] | undefined =>
    props.find((prop) => prop.number === number)?.value;
  const entries = value(PoolProp.ACL);
  return {
    entries: Array.isArray(entries) ? (entries as readonly string[]) : [],
    owner: String(value(PoolProp.OWNER)),
    group: String(value(PoolProp.OWNER_GROUP)),
  };
}

/** Replaces the ACL; returns it as it is afterwards. DER_INVAL for a bad entry. */
export function dsPoolSvcOverwriteAcl(
  xs: Xstream,
  pool: PoolSvcTarget,
  entries: readonly string[],
): Promise<PoolAcl> {
  return svcCall(xs, pool, POOL_ACL_UPDATE, { entries, overwrite: true });
}

/** Merges entries into the ACL; returns it as it is afterwards. */
export function dsPoolSvcUpdateAcl(
  xs: Xstream,
  pool: PoolSvcTarget,
  entries: readonly string[],
): Promise<PoolAcl> {
  return svcCall(xs, pool, POOL_ACL_UPDATE, { entries, overwrite: false });
}

/** `principal`: `OWNER@`, `GROUP@`, `EVERYONE@`, `u:name@` or `g:name@`. DER_NONEXIST when it has no entry. */
export function dsPoolSvcDeleteAcl(xs: Xstream, pool: PoolSvcTarget, principal: string): Promise<PoolAcl> {
  return svcCall(xs, pool, POOL_ACL_DELETE, { principal });
}

/** Returns the number of handles evicted. */
export async function dsPoolSvcEvict(
  xs: Xstream,
  pool: PoolSvcTarget,
  params: PoolEvictParams,
): Promise<number> {
  const { handles = [], machine } = params;
  const body = {
    handles,
    destroy: false,
    force: false,
    recursive: false,
    ...(machine === undefined ? {} : { machine }),
  };
  return (await svcCall(xs, pool, POOL_EVICT, body)).count;
}

export async function dsPoolSvcListContainers(xs: Xstream, pool: PoolSvcTarget): Promise<PoolContainer[]> {
  const { containers } = await svcCall(xs, pool, POOL_LIST_CONT, {});
  return containers.map(({ uuid, label }) => ({ uuid, label }));
}

/** All targets of the rank when none are listed. DER_NONEXIST for an unknown rank or target. */
export async function dsPoolQueryTargets(
  xs: Xstream,
  pool: PoolSvcTarget,
  rank: number,
  targets: readonly number[] = [],
): Promise<PoolTargetInfo[]> {
  return (await svcCall(xs, pool, POOL_QUERY_INFO, { rank, targets })).infos.map(targetInfoFromWire);
}

const MAP_NOT_WANTED = 0xffff_ffff;

/** Calls the leader in the name of the administrator. */
async function svcCall<Req, Rep>(
  xs: Xstream,
  pool: PoolSvcTarget,
  rpc: ServiceRpc<Req, Rep>,
  body: Req,
): Promise<Rep> {
  const peer = {
    cart: xs.tls(POOL_SYSTEM).caller,
    hlc: xs.hlc,
    pool: pool.poolUuid,
    search: new LeaderSearch(pool.svcRanks),
  };
  return (await dcRsvcCall(peer, rpc, UUID_NIL, body, { timeoutMs: pool.timeoutMs })).body;
}
