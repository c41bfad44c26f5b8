import { DaosError } from '@daos/common';
import { isLabel } from '@daos/control';
import { MgmtMethod } from '@daos/drpc';
import type { MessageType } from '@daos/proto';
import { PoolSetPropReq, PoolSetPropResp, type PoolProperty } from '@daos/proto/mgmt/pool';

import type { ServerContext } from '../context.js';
import { faultDuplicateLabel } from '../faults.js';
import type { UnaryHandler } from '../grpc/chain.js';
import type { PoolLocks } from './pool_locks.js';

const PROP_LABEL = 1;
const FORWARD_TIMEOUT_MS = 60_000;

interface PoolRequest {
  id: string;
  svcRanks: number[];
}

/**
 * A method that is answered by the pool's service: the id becomes a UUID, the replica ranks are filled in, and a local
 * engine passes it on. `locks`: it modifies the pool.
 */
export function forwardToPool<Req extends PoolRequest, Resp extends { status: number }>(
  context: ServerContext,
  method: number,
  requestType: MessageType<Req>,
  responseType: MessageType<Resp>,
  locks?: PoolLocks,
  check?: (request: Req) => void,
): UnaryHandler<Req, Resp> {
  return async (request, call) => {
    const db = locks ? context.ms.requireLeader() : context.ms.requireReplica();
    check?.(request);
    const pool = db.findReadyPool(request.id);
    const run = async () => {
      const engine = await context.harness.waitReadyClient();
      const filled = { ...request, id: pool.uuid, svcRanks: [...pool.replicas] };
      return engine.call(method, requestType, filled, responseType, {
        timeoutMs: FORWARD_TIMEOUT_MS,
        signal: call.signal,
      });
    };
    return locks ? locks.with(pool.uuid, run) : run();
  };
}

/** The label lives in the pool's service and in the system database: it is set in the first, then in the second. */
export function setPoolProp(
  context: ServerContext,
  locks: PoolLocks,
): UnaryHandler<PoolSetPropReq, PoolSetPropResp> {
  return async (request, call) => {
    const db = context.ms.requireLeader();
    if (request.properties.length === 0) throw new DaosError('INVAL', 'no properties given');
    const pool = db.findReadyPool(request.id);
    const label = labelOf(request.properties);
    if (label !== undefined && !isLabel(label)) throw new DaosError('INVAL', `invalid pool label "${label}"`);
    const holder = label === undefined ? undefined : db.state.poolByLabel(label);
    if (holder && holder.uuid !== pool.uuid) throw faultDuplicateLabel(holder.label);
    const properties = label === pool.label
      ? request.properties.filter((property) => property.number !== PROP_LABEL)
      : request.properties;
    if (properties.length === 0) return { status: 0 };
    return locks.with(pool.uuid, async () => {
      const engine = await context.harness.waitReadyClient();
      const filled = { ...request, properties, id: pool.uuid, svcRanks: [...pool.replicas] };
      const response = await engine.call(MgmtMethod.POOL_SET_PROP, PoolSetPropReq, filled, PoolSetPropResp, {
        timeoutMs: FORWARD_TIMEOUT_MS,
        signal: call.signal,
      });
      if (label !== undefined) await db.updatePool(pool.uuid, () => ({ label }));
      return response;
    });
  };
}

function labelOf(properties: readonly PoolProperty[]): string | undefined {
  const value = properties.find((property) => property.number === PROP_LABEL)?.value;
  if (value === undefined) return undefined;
  return value.$case === 'strval' ? value.value : '';
}
