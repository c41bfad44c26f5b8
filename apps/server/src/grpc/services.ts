import { DaosError } from '@daos/common';
import { MgmtMethod } from '@daos/drpc';
import type { RanksReq } from '@daos/proto/ctl/ranks';
import type { SetLogMasksReq } from '@daos/proto/ctl/server';
import type { StorageFormatReq, StorageScanReq } from '@daos/proto/ctl/storage';
import { ACLResp, DeleteACLReq, GetACLReq, ModifyACLReq } from '@daos/proto/mgmt/acl';
import {
  ListContReq,
  ListContResp,
  PoolEvictReq,
  PoolEvictResp,
  PoolGetPropReq,
  PoolGetPropResp,
  PoolQueryReq,
  PoolQueryResp,
  PoolQueryTargetReq,
  PoolQueryTargetResp,
  type ListPoolsReq,
  type ListPoolsResp,
  type PoolCreateReq,
  type PoolDestroyReq,
} from '@daos/proto/mgmt/pool';
import type {
  GetAttachInfoReq,
  JoinReq,
  JoinResp,
  LeaderQueryReq,
  LeaderQueryResp,
} from '@daos/proto/mgmt/svc';
import type {
  SystemCleanupReq,
  SystemExcludeReq,
  SystemGetAttrReq,
  SystemGetPropReq,
  SystemQueryReq,
  SystemSetAttrReq,
  SystemSetPropReq,
  SystemStartReq,
  SystemStopReq,
} from '@daos/proto/mgmt/system';
import type { ClusterEventReq, ClusterEventResp } from '@daos/proto/shared/event';

import type { ServerContext } from '../context.js';
import { setEngineLogMasks } from '../ctl/log_masks.js';
import { storageFormat } from '../ctl/storage_format.js';
import { storageScan } from '../ctl/storage_scan.js';
import { attachInfo } from '../mgmt/attach_info.js';
import type { PoolCreator } from '../mgmt/pool_create.js';
import { destroyPool } from '../mgmt/pool_destroy.js';
import { forwardToPool, setPoolProp } from '../mgmt/pool_forward.js';
import { PoolLocks } from '../mgmt/pool_locks.js';
import { cleanUpMachine } from '../mgmt/system_cleanup.js';
import { excludeRanks, startSystem, stopSystem } from '../mgmt/system_control.js';
import { querySystem } from '../mgmt/system_query.js';
import type { LocalRankHandler, RankOperation } from '../system/host_caller.js';
import { joinStateToWire } from '../system/management_service.js';
import {
  checkAttributeKeys,
  propertyAttributes,
  readAttributes,
  readProperties,
  readProperty,
} from '../system/properties.js';
import type { UnaryHandler } from './chain.js';
import type { Handlers } from './control_port.js';

/** Handlers of `ctl.CtlSvc`: what this host answers for itself. */
export function ctlHandlers(context: ServerContext, ranks: LocalRankHandler): Handlers {
  const rankOperation = (operation: RankOperation): UnaryHandler<RanksReq, unknown> => (request) =>
    ranks(operation, request);
  return handlers({
    storageScan: async (request: StorageScanReq) => storageScan(context, request),
    storageFormat: async (request: StorageFormatReq) => storageFormat(context, request),
    setEngineLogMasks: async (request: SetLogMasksReq) => setEngineLogMasks(context, request),
    prepShutdownRanks: rankOperation('PrepShutdownRanks'),
    stopRanks: rankOperation('StopRanks'),
    startRanks: rankOperation('StartRanks'),
    resetFormatRanks: rankOperation('ResetFormatRanks'),
  });
}

/** Handlers of `mgmt.MgmtSvc`: the management service. */
export function mgmtHandlers(context: ServerContext, creator: PoolCreator): Handlers {
  return { ...systemHandlers(context), ...poolHandlers(context, creator) };
}

function systemHandlers(context: ServerContext): Handlers {
  const { ms, config } = context;
  return handlers({
    join: async (request: JoinReq, { peer }): Promise<JoinResp> => {
      const outcome = await ms.join(request, peer);
      return {
        status: 0,
        rank: outcome.rank,
        state: joinStateToWire(outcome),
        faultDomain: outcome.faultDomain,
        localJoin: false,
        mapVersion: outcome.mapVersion,
        daosVersion: 0,
      };
    },
    clusterEvent: async (request: ClusterEventReq): Promise<ClusterEventResp> => {
      ms.requireLeader();
      if (!request.event || request.sequence === 0n) {
        throw new DaosError('INVAL', 'event without sequence or content');
      }
      context.events.publish(request.event, true);
      return { sequence: request.sequence, status: 0 };
    },
    leaderQuery: async (_request: LeaderQueryReq): Promise<LeaderQueryResp> => ({
      currentLeader: ms.leaderAddress,
      replicas: [...ms.replicas],
      DownReplicas: [],
    }),
    getAttachInfo: async (request: GetAttachInfoReq) => attachInfo(context, request),
    systemQuery: async (request: SystemQueryReq) => querySystem(context, request),
    systemStop: async (request: SystemStopReq) => stopSystem(context, request),
    systemStart: async (request: SystemStartReq) => startSystem(context, request),
    systemExclude: async (request: SystemExcludeReq) => excludeRanks(context, request),
    systemCleanup: async (request: SystemCleanupReq) => cleanUpMachine(context, request),
    systemSetAttr: async (request: SystemSetAttrReq) => {
      const db = ms.requireLeader();
      checkAttributeKeys(Object.keys(request.attributes));
      await db.setAttributes(request.attributes);
      return { status: 0 };
    },
    systemGetAttr: async (request: SystemGetAttrReq) => {
      checkAttributeKeys(request.keys);
      return { attributes: readAttributes(ms.requireReplica().state.attributes, request.keys) };
    },
    systemSetProp: async (request: SystemSetPropReq) => {
      const db = ms.requireLeader();
      await db.setAttributes(propertyAttributes(request.properties));
      return { status: 0 };
    },
    systemGetProp: async (request: SystemGetPropReq) => ({
      properties: readProperties(ms.requireReplica().state.attributes, request.keys, config.systemName),
    }),
  });
}

function poolHandlers(context: ServerContext, creator: PoolCreator): Handlers {
  const locks = new PoolLocks();
  const forwardQuery = forwardToPool(context, MgmtMethod.POOL_QUERY, PoolQueryReq, PoolQueryResp);
  const requireNumbers = (request: PoolGetPropReq) => {
    if (request.properties.length === 0) throw new DaosError('INVAL', 'no properties requested');
  };
  return handlers({
    poolCreate: async (request: PoolCreateReq) => creator.create(request),
    poolDestroy: async (request: PoolDestroyReq) => {
      const { uuid } = context.ms.requireLeader().findPool(request.id);
      return locks.with(uuid, () => destroyPool(context, request));
    },
    listPools: async (_request: ListPoolsReq) => listPools(context),
    poolQuery: async (request: PoolQueryReq, call) => {
      const response = await forwardQuery(request, call);
      return {
        ...response,
        sysSelfHealPolicy: readProperty(context.ms.requireReplica().state.attributes, 'self_heal'),
      };
    },
    poolQueryTarget: forwardToPool(
      context,
      MgmtMethod.POOL_QUERY_TARGETS,
      PoolQueryTargetReq,
      PoolQueryTargetResp,
    ),
    poolSetProp: setPoolProp(context, locks),
    poolGetProp: forwardToPool(
      context,
      MgmtMethod.POOL_GET_PROP,
      PoolGetPropReq,
      PoolGetPropResp,
      undefined,
      requireNumbers,
    ),
    poolEvict: forwardToPool(context, MgmtMethod.POOL_EVICT, PoolEvictReq, PoolEvictResp, locks),
    poolGetAcl: forwardToPool(context, MgmtMethod.POOL_GET_ACL, GetACLReq, ACLResp),
    poolOverwriteAcl: forwardToPool(context, MgmtMethod.POOL_OVERWRITE_ACL, ModifyACLReq, ACLResp, locks),
    poolUpdateAcl: forwardToPool(context, MgmtMethod.POOL_UPDATE_ACL, ModifyACLReq, ACLResp, locks),
    poolDeleteAcl: forwardToPool(context, MgmtMethod.POOL_DELETE_ACL, DeleteACLReq, ACLResp, locks),
    listContainers: forwardToPool(context, MgmtMethod.LIST_CONTAINERS, ListContReq, ListContResp),
  });
}

function listPools(context: ServerContext): ListPoolsResp {
  const db = context.ms.requireReplica();
  const pools = db.state.pools.map((pool) => ({
    uuid: pool.uuid,
    label: pool.label,
    svcReps: [...pool.replicas],
    state: pool.state,
    rebuildState: '',
  }));
  return { status: 0, pools, dataVersion: BigInt(db.version) };
}

/** Handlers of different message types in one table: each is only ever called with its own method's messages. */
function handlers(table: Readonly<Record<string, UnaryHandler<never, unknown>>>): Handlers {
  return table;
}
