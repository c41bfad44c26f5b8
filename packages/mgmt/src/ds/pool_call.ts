import { DaosError, isUuid } from '@daos/common';
import { MgmtMethod } from '@daos/drpc';
import type { Xstream } from '@daos/engine';
import {
  dsPoolQueryTargets,
  dsPoolSvcDeleteAcl,
  dsPoolSvcDestroy,
  dsPoolSvcEvict,
  dsPoolSvcGetAcl,
  dsPoolSvcGetProp,
  dsPoolSvcListContainers,
  dsPoolSvcOverwriteAcl,
  dsPoolSvcQuery,
  dsPoolSvcSetProp,
  dsPoolSvcUpdateAcl,
  type PoolAcl,
  type PoolSvcTarget,
} from '@daos/pool/ds';
import { PoolQueryBit, type PoolQueryResult, type PoolTargetInfo, type PoolTierSpace } from '@daos/pool/rpc';
import { ACLResp, DeleteACLReq, GetACLReq, ModifyACLReq } from '@daos/proto/mgmt/acl';
import {
  ListContReq,
  ListContResp,
  PoolDestroyReq,
  PoolDestroyResp,
  PoolEvictReq,
  PoolEvictResp,
  PoolGetPropReq,
  PoolGetPropResp,
  PoolQueryReq,
  PoolQueryResp,
  PoolQueryTargetInfo_TargetState,
  PoolQueryTargetReq,
  PoolQueryTargetResp,
  PoolRebuildStatus_State,
  PoolServiceState,
  PoolSetPropReq,
  PoolSetPropResp,
  StorageMediaType,
  type StorageUsageStats,
} from '@daos/proto/mgmt/pool';

import { drpcMethod, type DrpcMethod } from './dispatch.js';
import { destroyTargets } from './pool_create.js';
import { propsFromWire, propsToWire } from './pool_prop.js';
import { ranksToText } from './rank_text.js';

/** The control plane waits this long for a call to a pool service; the service's own deadline is shorter. */
const SERVICE_TIMEOUT_MS = 50_000;

/** What every request about one pool carries; `svc_ranks` is filled in by the control plane. */
function svcTarget(request: { id: string; svcRanks: number[] }): PoolSvcTarget {
  if (!isUuid(request.id)) throw new DaosError('INVAL', `"${request.id}" is not a pool UUID`);
  if (request.svcRanks.length === 0) {
    throw new DaosError('INVAL', `pool ${request.id}: no service ranks given`);
  }
  return { poolUuid: request.id.toLowerCase(), svcRanks: request.svcRanks, timeoutMs: SERVICE_TIMEOUT_MS };
}

/** dRPC methods that concern one existing pool, by method id. */
export function poolMethods(xs: Xstream): ReadonlyMap<number, DrpcMethod> {
  return new Map<number, DrpcMethod>([
    [
      MgmtMethod.POOL_DESTROY,
      drpcMethod('POOL_DESTROY', PoolDestroyReq, PoolDestroyResp, async (request) => {
        if (!isUuid(request.id)) throw new DaosError('INVAL', `"${request.id}" is not a pool UUID`);
        await destroyTargets(xs, request.svcRanks, request.id.toLowerCase());
        return {};
      }),
    ],
    [
      MgmtMethod.LIST_CONTAINERS,
      drpcMethod('LIST_CONTAINERS', ListContReq, ListContResp, async (request) => {
        const containers = await dsPoolSvcListContainers(xs, svcTarget(request));
        return { containers: containers.map(({ uuid }) => ({ uuid })) };
      }),
    ],
    [
      MgmtMethod.POOL_QUERY,
      drpcMethod('POOL_QUERY', PoolQueryReq, PoolQueryResp, async (request) => poolQuery(xs, request)),
    ],
    [
      MgmtMethod.POOL_QUERY_TARGETS,
      drpcMethod('POOL_QUERY_TARGETS', PoolQueryTargetReq, PoolQueryTargetResp, async (request) => {
        const targets = request.targets.length > 0 ? request.targets : undefined;
        const infos = await dsPoolQueryTargets(xs, svcTarget(request), request.rank, targets);
        return { infos: infos.map(targetInfoToWire) };
      }),
    ],
    [
      MgmtMethod.POOL_SET_PROP,
      drpcMethod('POOL_SET_PROP', PoolSetPropReq, PoolSetPropResp, async (request) => {
        await dsPoolSvcSetProp(xs, svcTarget(request), propsFromWire(request.properties));
        return {};
      }),
    ],
    [
      MgmtMethod.POOL_GET_PROP,
      drpcMethod('POOL_GET_PROP', PoolGetPropReq, PoolGetPropResp, async (request) => {
        const props = await dsPoolSvcGetProp(
          xs,
          svcTarget(request),
          request.properties.map((property) => property.number),
        );
        return { properties: propsToWire(props) };
      }),
    ],
    [
      MgmtMethod.POOL_EVICT,
      drpcMethod('POOL_EVICT', PoolEvictReq, PoolEvictResp, async (request) => poolEvict(xs, request)),
    ],
    [
      MgmtMethod.POOL_GET_ACL,
      drpcMethod('POOL_GET_ACL', GetACLReq, ACLResp, async (request) =>
        aclToWire(await dsPoolSvcGetAcl(xs, svcTarget(request)))),
    ],
    [
      MgmtMethod.POOL_OVERWRITE_ACL,
      drpcMethod('POOL_OVERWRITE_ACL', ModifyACLReq, ACLResp, async (request) =>
        aclToWire(await dsPoolSvcOverwriteAcl(xs, svcTarget(request), request.entries))),
    ],
    [
      MgmtMethod.POOL_UPDATE_ACL,
      drpcMethod('POOL_UPDATE_ACL', ModifyACLReq, ACLResp, async (request) =>
        aclToWire(await dsPoolSvcUpdateAcl(xs, svcTarget(request), request.entries))),
    ],
    [
      MgmtMethod.POOL_DELETE_ACL,
      drpcMethod('POOL_DELETE_ACL', DeleteACLReq, ACLResp, async (request) =>
        aclToWire(await dsPoolSvcDeleteAcl(xs, svcTarget(request), request.principal))),
    ],
  ]);
}

/** With `destroy`, the pool is closed for good: handles go (or DER_BUSY, unless forced) and nobody may connect again. */
async function poolEvict(xs: Xstream, request: PoolEvictReq): Promise<Partial<PoolEvictResp>> {
  const target = svcTarget(request);
  if (request.destroy) {
    // Containers were looked at by the control plane, which knows whether they may go.
    await dsPoolSvcDestroy(xs, target, { force: request.forceDestroy, recursive: true });
    return { count: 0 };
  }
  const handles = request.handles.length > 0 ? request.handles : undefined;
  const machine = request.machine === '' ? undefined : request.machine;
  return { count: await dsPoolSvcEvict(xs, target, { handles, machine }) };
}

async function poolQuery(xs: Xstream, request: PoolQueryReq): Promise<Partial<PoolQueryResp>> {
  const bits = Number(request.queryMask & BigInt(PoolQueryBit.ALL));
  const result = await dsPoolSvcQuery(xs, svcTarget(request), bits);
  return { ...queryToWire(result, bits), queryMask: request.queryMask };
}

function queryToWire(result: PoolQueryResult, bits: number): Partial<PoolQueryResp> {
  const has = (bit: number) => (bits & bit) !== 0;
  return {
    uuid: result.uuid,
    label: result.label ?? '',
    totalTargets: result.targetCount,
    activeTargets: result.targetCount - result.disabledTargetCount,
    disabledTargets: result.disabledTargetCount,
    totalEngines: result.nodeCount,
    version: result.mapVersion,
    leader: result.leaderRank,
    svcLdr: result.leaderRank,
    svcReps: [...result.serviceRanks],
    poolLayoutVer: result.layoutVersion,
    upgradeLayoutVer: result.upgradeLayoutVersion,
    state: result.disabledTargetCount > 0 ? PoolServiceState.TargetsExcluded : PoolServiceState.Ready,
    enabledRanks: has(PoolQueryBit.ENGINES_ENABLED) ? ranksToText(result.enabledRanks) : '',
    disabledRanks: has(PoolQueryBit.ENGINES_DISABLED) ? ranksToText(result.disabledRanks) : '',
    deadRanks: has(PoolQueryBit.ENGINES_DEAD) ? ranksToText(result.deadRanks) : '',
    tierStats: has(PoolQueryBit.SPACE) ? result.tiers.map(tierToWire) : [],
    rebuild: has(PoolQueryBit.REBUILD_STATUS) ? rebuildToWire(result) : undefined,
  };
}

function tierToWire(tier: PoolTierSpace): StorageUsageStats {
  return {
    total: BigInt(tier.totalBytes),
    free: BigInt(tier.freeBytes),
    min: BigInt(tier.minFreeBytes),
    max: BigInt(tier.maxFreeBytes),
    mean: BigInt(Math.floor(tier.meanFreeBytes)),
    mediaType: tier.mediaType === 'scm' ? StorageMediaType.SCM : StorageMediaType.NVME,
  };
}

const REBUILD_STATES = {
  idle: PoolRebuildStatus_State.IDLE,
  busy: PoolRebuildStatus_State.BUSY,
  done: PoolRebuildStatus_State.DONE,
};

function rebuildToWire(
  { rebuild, disabledTargetCount }: PoolQueryResult,
): NonNullable<PoolQueryResp['rebuild']> {
  const state = REBUILD_STATES[rebuild.state];
  return {
    status: rebuild.errorStatus,
    state,
    objects: BigInt(rebuild.objects),
    records: BigInt(rebuild.records),
    derivedState: state === PoolRebuildStatus_State.DONE && rebuild.errorStatus !== 0
      ? PoolRebuildStatus_State.FAILED
      : state,
    degraded: disabledTargetCount > 0,
  };
}

const TARGET_STATES = {
  unknown: PoolQueryTargetInfo_TargetState.STATE_UNKNOWN,
  down_out: PoolQueryTargetInfo_TargetState.DOWN_OUT,
  down: PoolQueryTargetInfo_TargetState.DOWN,
  up: PoolQueryTargetInfo_TargetState.UP,
  up_in: PoolQueryTargetInfo_TargetState.UP_IN,
  new: PoolQueryTargetInfo_TargetState.NEW,
  drain: PoolQueryTargetInfo_TargetState.DRAIN,
};

function targetInfoToWire(info: PoolTargetInfo): PoolQueryTargetResp['infos'][number] {
  const space = (usage: { totalBytes: number; freeBytes: number }, mediaType: StorageMediaType) => ({
    total: BigInt(usage.totalBytes),
    free: BigInt(usage.freeBytes),
    mediaType,
  });
  return {
    state: TARGET_STATES[info.state],
    space: [space(info.scm, StorageMediaType.SCM), space(info.nvme, StorageMediaType.NVME)],
    memFileBytes: 0n,
    mdOnSsdActive: false,
  };
}

function aclToWire(acl: PoolAcl): Partial<ACLResp> {
  return { acl: { entries: [...acl.entries], ownerUser: acl.owner, ownerGroup: acl.group } };
}
