import { DaosError, type Uuid } from '@daos/common';
import { DrpcModule, SrvMethod } from '@daos/drpc';
import type { Xstream } from '@daos/engine';
import { encodeMessage, type MessageType } from '@daos/proto';
import {
  GetPoolSvcReq,
  GetPoolSvcResp,
  ListPoolsReq,
  ListPoolsResp,
  PoolFindByLabelReq,
  PoolFindByLabelResp,
} from '@daos/proto/srv/srv';

/** A pool as the management service answers. */
export interface ServicePool {
  readonly uuid: Uuid;
  readonly label: string | undefined;
  readonly svcRanks: readonly number[];
}

/** Asks the management service, through this host's daos_server. System xstream only. DER_NONEXIST: no such pool. */
export async function findPoolByUuid(xs: Xstream, uuid: Uuid): Promise<ServicePool> {
  const response = await call(xs, SrvMethod.GET_POOL_SVC, GetPoolSvcReq, { uuid }, GetPoolSvcResp);
  if (response.status !== 0) throw DaosError.fromStatus(response.status, `pool ${uuid}`);
  return { uuid, label: undefined, svcRanks: response.svcreps };
}

/** As `findPoolByUuid`, by label. */
export async function findPoolByLabel(xs: Xstream, label: string): Promise<ServicePool> {
  const response = await call(
    xs,
    SrvMethod.POOL_FIND_BYLABEL,
    PoolFindByLabelReq,
    { label },
    PoolFindByLabelResp,
  );
  if (response.status !== 0) throw DaosError.fromStatus(response.status, `pool ${label}`);
  return { uuid: response.uuid, label, svcRanks: response.svcreps };
}

/** All pools that are ready, or with `includeAll` also those that are being created or destroyed. */
export async function listPools(xs: Xstream, includeAll = false): Promise<ServicePool[]> {
  const response = await call(xs, SrvMethod.LIST_POOLS, ListPoolsReq, { includeAll }, ListPoolsResp);
  return response.pools.map((pool) => ({
    uuid: pool.uuid,
    label: pool.label === '' ? undefined : pool.label,
    svcRanks: pool.svcreps,
  }));
}

async function call<Req, Resp>(
  xs: Xstream,
  method: number,
  request: MessageType<Req>,
  fields: object,
  response: MessageType<Resp>,
): Promise<Resp> {
  const body = await xs.callServer(
    DrpcModule.SRV,
    method,
    encodeMessage(request, request.fromPartial(fields)),
  );
  try {
    return response.decode(body);
  } catch (cause) {
    throw new DaosError('PROTO', `daos_server answered method ${method} with something unreadable`, {
      cause,
    });
  }
}
