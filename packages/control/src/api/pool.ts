import { uuidGenerate, isDaosError } from '@daos/common';
import { unaryMethod } from '@daos/proto';
import {
  ListPoolsReq,
  ListPoolsResp,
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
  PoolRebuildStatus_State,
  PoolServiceState,
  PoolSetPropReq,
  PoolSetPropResp,
  StorageMediaType,
  type ListPoolsResp_Pool,
  type PoolProperty,
  type StorageUsageStats,
} from '@daos/proto/mgmt/pool';

import { isFault } from '../fault.js';
import { POOL_QUERY_BITS, type PoolInfo, type PoolQueryPart, type PoolTier } from '../pool_info.js';
import { RankSet } from '../rank_set.js';
import { PoolNotFoundError } from '../wire_error.js';
import type { ControlClient, ControlOptions } from './control_client.js';

const POOL_CREATE = unaryMethod('/mgmt.MgmtSvc/PoolCreate', PoolCreateReq, PoolCreateResp);
const POOL_DESTROY = unaryMethod('/mgmt.MgmtSvc/PoolDestroy', PoolDestroyReq, PoolDestroyResp);
const POOL_EVICT = unaryMethod('/mgmt.MgmtSvc/PoolEvict', PoolEvictReq, PoolEvictResp);
const POOL_QUERY = unaryMethod('/mgmt.MgmtSvc/PoolQuery', PoolQueryReq, PoolQueryResp);
const POOL_QUERY_TARGET = unaryMethod('/mgmt.MgmtSvc/PoolQueryTarget', PoolQueryTargetReq, PoolQueryTargetResp);
const POOL_GET_PROP = unaryMethod('/mgmt.MgmtSvc/PoolGetProp', PoolGetPropReq, PoolGetPropResp);
const POOL_SET_PROP = unaryMethod('/mgmt.MgmtSvc/PoolSetProp', PoolSetPropReq, PoolSetPropResp);
const LIST_POOLS = unaryMethod('/mgmt.MgmtSvc/ListPools', ListPoolsReq, ListPoolsResp);

const POOL_CREATE_TIMEOUT_MS = 10 * 60_000;
const FAULT_DATA_PLANE_NOT_STARTED = 611;
const FAULT_POOL_LOCKED = 402;

/** Failures of a pool request that pass when engines, leaders or group maps have settled. */
export function canRetryPool(error: unknown): boolean {
  if (isFault(error, FAULT_DATA_PLANE_NOT_STARTED, FAULT_POOL_LOCKED)) return true;
  return isDaosError(error, 'TIMEDOUT', 'GRPVER', 'AGAIN', 'OOG', 'UNREACH', 'EXCLUDED');
}

export interface PoolCreateParams {
  readonly user: string;
  readonly userGroup: string;
  readonly acl?: readonly string[];
  readonly properties?: readonly PoolProperty[];
  readonly serviceReplicas?: number;
  readonly ranks?: readonly number[];
  readonly rankCount?: number;
  /** Size of the whole pool, divided over tiers by `tierRatio`; excludes `tierBytes`. */
  readonly totalBytes?: bigint;
  /** Fractions that add up to 1. */
  readonly tierRatio?: readonly number[];
  /** Size per rank and tier. */
  readonly tierBytes?: readonly bigint[];
  /** Memory file to metadata blob, 0-1; 0 when not given. */
  readonly memRatio?: number;
}

/** Creates a pool. The UUID is chosen here and kept over retries, so that one request never makes two pools. */
export async function poolCreate(
  client: ControlClient,
  params: PoolCreateParams,
  options: ControlOptions = {},
): Promise<PoolCreateResp & { uuid: string }> {
  const uuid = uuidGenerate();
  const message = PoolCreateReq.fromPartial({
    uuid,
    sys: client.sys,
    user: params.user,
    userGroup: params.userGroup,
    acl: [...(params.acl ?? [])],
    properties: [...(params.properties ?? [])],
    numSvcReps: params.serviceReplicas ?? 0,
    totalBytes: params.totalBytes ?? 0n,
    tierRatio: [...(params.tierRatio ?? [])],
    numRanks: params.rankCount ?? 0,
    ranks: [...(params.ranks ?? [])],
    tierBytes: [...(params.tierBytes ?? [])],
    memRatio: params.memRatio ?? 0,
  });
  const response = await client.callMs('PoolCreateReq', POOL_CREATE, message, {
    timeoutMs: POOL_CREATE_TIMEOUT_MS,
    ...options,
    canRetry: canRetryPool,
  });
  return { ...response, uuid };
}

/** Destroys a pool; `recursive` with its containers, `force` with open handles. */
export async function poolDestroy(
  client: ControlClient,
  pool: string,
  params: { recursive?: boolean; force?: boolean } = {},
  options: ControlOptions = {},
): Promise<void> {
  const message = PoolDestroyReq.fromPartial({
    sys: client.sys,
    id: pool,
    force: params.force ?? false,
    recursive: params.recursive ?? false,
  });
  await client.callMs('PoolDestroyReq', POOL_DESTROY, message, {
    ...options,
    canRetry: canRetryPool,
    // The try before may have destroyed it though its answer was lost.
    acceptError: (error, attempt) => (attempt > 0 && error instanceof PoolNotFoundError ? { status: 0 } : undefined),
  });
}

/** Closes the pool's open handles: those of one client machine, or all. Returns how many. */
export async function poolEvict(
  client: ControlClient,
  pool: string,
  params: { machine?: string } = {},
  options: ControlOptions = {},
): Promise<number> {
  const message = PoolEvictReq.fromPartial({ sys: client.sys, id: pool, machine: params.machine ?? '' });
  const response = await client.callMs('PoolEvictReq', POOL_EVICT, message, { ...options, canRetry: canRetryPool });
  return response.count;
}

/** What a pool is and how it is doing. `parts` chooses what is asked for. */
export async function poolQuery(
  client: ControlClient,
  pool: string,
  parts: readonly PoolQueryPart[],
  options: ControlOptions = {},
): Promise<PoolInfo> {
  const queryMask = parts.reduce((mask, part) => mask | POOL_QUERY_BITS[part], 0n);
  const message = PoolQueryReq.fromPartial({ sys: client.sys, id: pool, queryMask });
  const response = await client.callMs('PoolQueryReq', POOL_QUERY, message, { ...options, canRetry: canRetryPool });
  return poolInfoOf(response, parts);
}

function poolInfoOf(response: PoolQueryResp, parts: readonly PoolQueryPart[]): PoolInfo {
  const { rebuild } = response;
  const ranks = (part: PoolQueryPart, text: string): RankSet | undefined => (parts.includes(part) ? RankSet.parse(text) : undefined);
  return {
    queryParts: parts,
    state: poolStateName(response.state),
    uuid: response.uuid,
    label: response.label,
    totalTargets: response.totalTargets,
    activeTargets: response.activeTargets,
    totalEngines: response.totalEngines,
    disabledTargets: response.disabledTargets,
    version: response.version,
    serviceLeader: response.svcLdr,
    serviceRanks: response.svcReps,
    rebuild: rebuild && {
      status: rebuild.status,
      state: rebuildStateName(rebuild.state),
      derivedState: rebuildStateName(rebuild.derivedState),
      objects: rebuild.objects,
      records: rebuild.records,
      degraded: rebuild.degraded,
    },
    tiers: response.tierStats.map(tierOf),
    enabledRanks: ranks('enabled_engines', response.enabledRanks),
    disabledRanks: ranks('disabled_engines', response.disabledRanks),
    deadRanks: ranks('dead_engines', response.deadRanks),
    layoutVersion: response.poolLayoutVer,
    upgradeLayoutVersion: response.upgradeLayoutVer,
    memFileBytes: response.memFileBytes,
    mdOnSsd: response.mdOnSsdActive,
    selfHealPolicy: response.selfHealPolicy,
    sysSelfHealPolicy: response.sysSelfHealPolicy,
  };
}

function tierOf(stats: StorageUsageStats): PoolTier {
  return {
    mediaType: stats.mediaType === StorageMediaType.NVME ? 'nvme' : 'scm',
    totalBytes: stats.total,
    freeBytes: stats.free,
    minBytes: stats.min,
    maxBytes: stats.max,
    meanBytes: stats.mean,
  };
}

function poolStateName(state: PoolServiceState): string {
  return PoolServiceState[state] ?? 'Unknown';
}

function rebuildStateName(state: PoolRebuildStatus_State): string {
  return (PoolRebuildStatus_State[state] ?? 'unknown').toLowerCase();
}

/** Space and state of targets of one rank. */
export async function poolQueryTargets(
  client: ControlClient,
  pool: string,
  params: { rank: number; targets: readonly number[] },
  options: ControlOptions = {},
): Promise<PoolQueryTargetResp> {
  const message = PoolQueryTargetReq.fromPartial({ sys: client.sys, id: pool, rank: params.rank, targets: [...params.targets] });
  return client.callMs('PoolQueryTargetReq', POOL_QUERY_TARGET, message, { ...options, canRetry: canRetryPool });
}

/** Properties by number; all of `numbers`. */
export async function poolGetProp(
  client: ControlClient,
  pool: string,
  numbers: readonly number[],
  options: ControlOptions = {},
): Promise<PoolProperty[]> {
  const message = PoolGetPropReq.fromPartial({
    sys: client.sys,
    id: pool,
    properties: numbers.map((number) => ({ number, value: undefined })),
  });
  const response = await client.callMs('PoolGetPropReq', POOL_GET_PROP, message, { ...options, canRetry: canRetryPool });
  return response.properties;
}

export async function poolSetProp(
  client: ControlClient,
  pool: string,
  properties: readonly PoolProperty[],
  options: ControlOptions = {},
): Promise<void> {
  const message = PoolSetPropReq.fromPartial({ sys: client.sys, id: pool, properties: [...properties] });
  await client.callMs('PoolSetPropReq', POOL_SET_PROP, message, { ...options, canRetry: canRetryPool });
}

export interface PoolListing {
  readonly pools: readonly PoolInfo[];
  /** Pools whose query failed. */
  readonly failures: readonly { readonly name: string; readonly error: unknown }[];
}

/** Parts that a list of pools asks of each. */
const LIST_PARTS: readonly PoolQueryPart[] = ['disabled_engines', 'rebuild', 'space'];

/** All pools, each queried when it is in service, unless `noQuery` is given. Failed queries are collected. */
export async function poolList(client: ControlClient, params: { noQuery?: boolean } = {}, options: ControlOptions = {}): Promise<PoolListing> {
  const listed = await client.callMs('ListPoolsReq', LIST_POOLS, ListPoolsReq.fromPartial({ sys: client.sys }), {
    ...options,
    canRetry: canRetryPool,
  });
  const results = await Promise.all(
    listed.pools.map(async (pool): Promise<PoolInfo | { name: string; error: unknown }> => {
      if (params.noQuery || !isInService(pool.state)) return listedOnly(pool);
      try {
        const found = await poolQuery(client, pool.uuid, LIST_PARTS, options);
        if (found.uuid !== pool.uuid) throw new Error(`pool query answered with UUID ${found.uuid} in place of ${pool.uuid}`);
        return { ...found, label: pool.label };
      } catch (error) {
        return { name: pool.label === '' ? pool.uuid : pool.label, error };
      }
    }),
  );
  const pools = results.filter((result): result is PoolInfo => !('error' in result));
  return { pools, failures: results.filter((result) => 'error' in result) };
}

function isInService(state: string): boolean {
  return state === 'Ready' || state === 'TargetsExcluded';
}

function listedOnly(pool: ListPoolsResp_Pool): PoolInfo {
  return {
    queryParts: [],
    state: pool.state,
    uuid: pool.uuid,
    label: pool.label,
    totalTargets: 0,
    activeTargets: 0,
    totalEngines: 0,
    disabledTargets: 0,
    version: 0,
    serviceLeader: 0,
    serviceRanks: pool.svcReps,
    rebuild: undefined,
    tiers: undefined,
    enabledRanks: undefined,
    disabledRanks: undefined,
    deadRanks: undefined,
    layoutVersion: 0,
    upgradeLayoutVersion: 0,
    memFileBytes: 0n,
    mdOnSsd: false,
    selfHealPolicy: '',
  };
}
