import { lstatSync } from 'node:fs';

import { DaosError, isUuid } from '@daos/common';
import { SrvMethod, type DrpcHandler } from '@daos/drpc';
import { encodeMessage, unaryMethod, type MessageType } from '@daos/proto';
import { SystemGetPropReq, SystemGetPropResp } from '@daos/proto/mgmt/system';
import { ClusterEventReq, ClusterEventResp } from '@daos/proto/shared/event';
import {
  GetPoolSvcReq,
  GetPoolSvcResp,
  ListPoolsReq,
  ListPoolsResp,
  NotifyReadyReq,
  PoolFindByLabelReq,
  PoolFindByLabelResp,
} from '@daos/proto/srv/srv';
import { invokeMs, versionedSystemName, SYSTEM_TIMING } from '@daos/control';

import type { ServerContext } from '../context.js';
import type { PoolRecord } from '../system/pool_record.js';
import { readProperties } from '../system/properties.js';

const PROXY_TIMEOUT_MS = 60_000;
const EMPTY = new Uint8Array(0);
const GET_PROP = unaryMethod('/mgmt.MgmtSvc/SystemGetProp', SystemGetPropReq, SystemGetPropResp);

/** What this host's engines ask of their server: module SRV of dRPC. */
export function srvModule(context: ServerContext): DrpcHandler {
  return async (method, body) => {
    switch (method) {
      case SrvMethod.NOTIFY_READY:
        notifyReady(context, decode(NotifyReadyReq, body));
        return EMPTY;
      case SrvMethod.GET_POOL_SVC:
        return getPoolSvc(context, decode(GetPoolSvcReq, body));
      case SrvMethod.POOL_FIND_BYLABEL:
        return findByLabel(context, decode(PoolFindByLabelReq, body));
      case SrvMethod.LIST_POOLS:
        return listPools(context, decode(ListPoolsReq, body));
      case SrvMethod.CLUSTER_EVENT:
        return clusterEvent(context, decode(ClusterEventReq, body));
      case SrvMethod.GET_SYS_PROPS:
        return getProps(context, decode(SystemGetPropReq, body));
      default:
        throw new DaosError('NOSYS', `server method ${method}`);
    }
  };
}

function decode<T>(type: MessageType<T>, body: Uint8Array): T {
  try {
    return type.decode(body);
  } catch (cause) {
    throw new DaosError('PROTO', 'request cannot be decoded', { cause });
  }
}

function notifyReady(context: ServerContext, notify: NotifyReadyReq): void {
  const instance = context.harness.instance(notify.instanceIdx);
  if (!instance) throw new DaosError('INVAL', `engine index ${notify.instanceIdx} is not configured`);
  const stat = lstatSync(notify.drpcListenerSock, { throwIfNoEntry: false });
  if (!stat?.isSocket()) {
    throw new DaosError(
      'INVAL',
      `engine ${notify.instanceIdx} named a socket that does not exist: ${notify.drpcListenerSock}`,
    );
  }
  instance.notifyReady(notify);
}

/** A pool that is not ready is as good as none. */
function readyPool(pool: PoolRecord | undefined): PoolRecord | undefined {
  return pool?.state === 'Ready' ? pool : undefined;
}

const NONEXIST = new DaosError('NONEXIST').status;

function getPoolSvc(context: ServerContext, request: GetPoolSvcReq): Uint8Array {
  const { state } = context.ms.requireReplica();
  const pool = isUuid(request.uuid) ? readyPool(state.poolByUuid(request.uuid)) : undefined;
  const response = pool ? { svcreps: [...pool.replicas] } : { status: NONEXIST };
  return encodeMessage(GetPoolSvcResp, GetPoolSvcResp.fromPartial(response));
}

function findByLabel(context: ServerContext, request: PoolFindByLabelReq): Uint8Array {
  const pool = readyPool(context.ms.requireReplica().state.poolByLabel(request.label));
  const response = pool ? { uuid: pool.uuid, svcreps: [...pool.replicas] } : { status: NONEXIST };
  return encodeMessage(PoolFindByLabelResp, PoolFindByLabelResp.fromPartial(response));
}

function listPools(context: ServerContext, request: ListPoolsReq): Uint8Array {
  const pools = context.ms.requireReplica().state.pools.filter((pool) =>
    request.includeAll || pool.state === 'Ready'
  );
  const listed = pools.map((pool) => ({ uuid: pool.uuid, label: pool.label, svcreps: [...pool.replicas] }));
  return encodeMessage(ListPoolsResp, ListPoolsResp.fromPartial({ pools: listed }));
}

function clusterEvent(context: ServerContext, request: ClusterEventReq): Uint8Array {
  if (!request.event || request.sequence === 0n) {
    throw new DaosError('INVAL', 'event without sequence or content');
  }
  context.events.publish(request.event);
  return encodeMessage(ClusterEventResp, ClusterEventResp.fromPartial({ sequence: request.sequence }));
}

/** A server without the system database asks one that has it. */
async function getProps(context: ServerContext, request: SystemGetPropReq): Promise<Uint8Array> {
  const { ms, config, transport } = context;
  const answer = ms.runsReplica
    ? { properties: readProperties(ms.requireReplica().state.attributes, request.keys, config.systemName) }
    : await invokeMs(
      { transport, hosts: ms.replicas, controlPort: config.port, timing: SYSTEM_TIMING },
      {
        name: 'SystemGetPropReq',
        method: GET_PROP,
        message: { ...request, sys: versionedSystemName(config.systemName) },
        timeoutMs: PROXY_TIMEOUT_MS,
      },
    );
  return encodeMessage(SystemGetPropResp, SystemGetPropResp.fromPartial(answer));
}
