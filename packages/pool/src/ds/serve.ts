import type { RpcReply, RpcRequest } from '@daos/cart';
import { DaosError, UUID_NIL } from '@daos/common';
import { NotLeaderError, type LeaderHint, type RsvcService } from '@daos/rsvc';

import type { ServiceReply, ServiceRequest, ServiceRpc } from '../service_rpc.js';
import { poolHandle } from './ops/handles.js';
import type { PoolService } from './pool_service.js';
import type { PoolSystem } from './system.js';

/** One request to a pool's service. */
export interface ServiceContext<Req> {
  readonly service: PoolService;
  readonly request: ServiceRequest<Req>;
  readonly body: Req;
  /** It comes from a server, in the name of the administrator. */
  readonly fromServer: boolean;
}

export interface ServiceResult<Rep> {
  readonly body: Rep;
  /** Bytes behind the reply. */
  readonly data?: Uint8Array;
}

export interface ServeOptions {
  /** Only other servers may call. */
  readonly serverOnly?: boolean;
}

/** Serves an RPC on the leader of the pool's service. */
export function servePoolRpc<Req, Rep>(
  system: PoolSystem,
  rpc: ServiceRpc<Req, Rep>,
  run: (context: ServiceContext<Req>) => Promise<ServiceResult<Rep>>,
  options: ServeOptions = {},
): void {
  serveReplicaRpc(
    system,
    rpc,
    (replica, request) => {
      const fromServer = request.srcRank !== undefined;
      return replica.serve((service) =>
        run({ service, request: request.input, body: request.input.body, fromServer }),
      );
    },
    options,
  );
}

/**
 * Serves an RPC on a replica of the pool's service. Errors of the work and of not being the leader travel inside the
 * reply, with the map version and what is known of the leader.
 */
export function serveReplicaRpc<Req, Rep>(
  system: PoolSystem,
  rpc: ServiceRpc<Req, Rep>,
  run: (
    replica: RsvcService<PoolService>,
    request: RpcRequest<ServiceRequest<Req>>,
  ) => Promise<ServiceResult<Rep>>,
  options: ServeOptions = {},
): void {
  system.caller.handle(
    rpc,
    async (request: RpcRequest<ServiceRequest<Req>>): Promise<RpcReply<ServiceReply<Rep>>> => {
      let replica: RsvcService<PoolService> | undefined;
      try {
        if (options.serverOnly) checkServer(rpc.name, request);
        replica = system.services.lookup(request.input.pool);
        const { body, data } = await run(replica, request);
        const output = { ...prefix(0, replica, replica.hint()), body };
        return data ? { output, data: [data] } : { output };
      } catch (error) {
        if (!(error instanceof DaosError)) throw error;
        const hint = error instanceof NotLeaderError ? error.hint : replica?.hint();
        return { output: { ...prefix(error.status, replica, hint), message: error.detail } };
      }
    },
  );
}

/** DER_NO_PERM unless the request comes from a server. */
export function checkServer(
  name: string,
  request: { readonly srcRank: number | undefined; readonly peer: string },
): void {
  if (request.srcRank === undefined)
    throw new DaosError('NO_PERM', `${name} is between servers; it came from ${request.peer}`);
}

/** DER_NO_HDL unless the pool handle is open; the administrator needs none. */
export async function checkPoolHandle({
  service,
  request,
  fromServer,
}: ServiceContext<unknown>): Promise<void> {
  if (fromServer && request.handle === UUID_NIL) return;
  await service.read((tx) => void poolHandle(tx, request.handle));
}

function prefix(status: number, replica: RsvcService<PoolService> | undefined, hint: LeaderHint | undefined) {
  return { status, mapVersion: replica?.leader.mapVersion ?? 0, ...(hint ? { hint } : {}) };
}
