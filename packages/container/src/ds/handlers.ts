import { assert } from '@daos/gurt';
import { dcRsvcCall } from '@daos/pool/dc';
import {
  checkServer,
  servePoolRpc,
  type PoolService,
  type PoolSystem,
  type ServiceContext,
} from '@daos/pool/ds';
import { propsFromWire, propsToWire } from '@daos/pool/rpc';
import { DaosError, UUID_NIL } from '@daos/common';

import {
  CONT_ACL_DELETE,
  CONT_ACL_UPDATE,
  CONT_ATTR_DEL,
  CONT_ATTR_GET,
  CONT_ATTR_LIST,
  CONT_ATTR_SET,
  CONT_CLOSE,
  CONT_CREATE,
  CONT_DESTROY,
  CONT_DESTROY_BYLABEL,
  CONT_HDL_FETCH,
  CONT_HISTORY_FETCH,
  CONT_OID_ALLOC,
  CONT_OPEN,
  CONT_OPEN_BYLABEL,
  CONT_PROP_SET,
  CONT_QUERY,
  CONT_SNAP_CREATE,
  CONT_SNAP_DESTROY,
  CONT_SNAP_LIST,
  CONT_TGT_CLOSE,
  CONT_TGT_DESTROY,
  CONT_TGT_OPEN,
  CONT_TGT_SNAPSHOT_DELETED,
} from '../rpc.js';
import type { ContInfo } from '../types.js';
import type { ContHistory } from './aggregate/pool_aggregator.js';
import { contChecksum } from './cont_props.js';
import type { ContGrant, ContService } from './cont_service.js';
import { contCreate } from './ops/create.js';
import { contDestroy } from './ops/destroy.js';
import {
  contAllocOids,
  contCreateSnapshot,
  contDelAttrs,
  contDeleteAcl,
  contDestroySnapshot,
  contGetAttrs,
  contHistory,
  contListAttrs,
  contListSnapshots,
  contQuery,
  contSetAttrs,
  contSetProps,
  contUpdateAcl,
  type Under,
} from './ops/metadata.js';
import { contClose, contOpen, type OpenParams } from './ops/open.js';
import { findHandle } from './records.js';
import type { HandleUuid } from './target.js';
import { ContTargetOp, type ContUuids } from './target_op.js';

/** How long a target's question about a handle may take. */
const FETCH_TIMEOUT_MS = 20_000;

/** Container services by the pool services that carry them. */
export type ContServices = WeakMap<PoolService, ContService>;

/** Registers everything that the container module serves in the system xstream. */
export function serveContainers(system: PoolSystem, services: ContServices): void {
  const of = ({ service }: ServiceContext<unknown>): ContService => {
    const containers = services.get(service);
    assert(containers, 'every pool service carries a container service');
    return containers;
  };
  serveLifecycle(system, of);
  serveMetadata(system, of);
  serveAttrs(system, of);
  serveSnapshots(system, of);
  serveHandles(system, of);
  serveAggregation(system, of);
}

type Find = (context: ServiceContext<unknown>) => ContService;

function under({
  body,
}: {
  readonly body: { readonly container: string; readonly contHandle: string };
}): Under {
  return { container: body.container, handle: body.contHandle };
}

function serveLifecycle(system: PoolSystem, of: Find): void {
  servePoolRpc(system, CONT_CREATE, async (context) => {
    const {
      request,
      body: { container, label, props },
    } = context;
    await contCreate(of(context), request, {
      poolHandle: request.handle,
      container,
      label,
      props: propsFromWire(props),
    });
    return { body: {} };
  });
  const open = async (
    context: ServiceContext<{ contHandle: string; flags: number }>,
    container: OpenParams['container'],
  ) => {
    const { request, body } = context;
    const opened = await contOpen(of(context), request, {
      poolHandle: request.handle,
      container,
      handle: body.contHandle,
      flags: body.flags,
    });
    return { body: { ...opened, info: infoToWire(opened.info) } };
  };
  servePoolRpc(system, CONT_OPEN, (context) => open(context, context.body.container));
  servePoolRpc(system, CONT_OPEN_BYLABEL, (context) => open(context, { label: context.body.label }));
  servePoolRpc(system, CONT_CLOSE, async (context) => {
    await contClose(of(context), context.request, context.body.container, context.body.contHandle);
    return { body: {} };
  });
  servePoolRpc(system, CONT_DESTROY, async (context) => {
    const {
      request,
      body: { container, force },
    } = context;
    await contDestroy(of(context), request, { poolHandle: request.handle, container, force });
    return { body: {} };
  });
  servePoolRpc(system, CONT_DESTROY_BYLABEL, async (context) => {
    const {
      request,
      body: { label, force },
    } = context;
    await contDestroy(of(context), request, { poolHandle: request.handle, container: { label }, force });
    return { body: {} };
  });
}

function serveMetadata(system: PoolSystem, of: Find): void {
  servePoolRpc(system, CONT_QUERY, async (context) => {
    const { info, props } = await contQuery(of(context), under(context), context.body.props);
    return { body: { info: infoToWire(info), props: propsToWire(props) } };
  });
  servePoolRpc(system, CONT_PROP_SET, async (context) => {
    await contSetProps(of(context), context.request, under(context), propsFromWire(context.body.props));
    return { body: {} };
  });
  servePoolRpc(system, CONT_ACL_UPDATE, async (context) => {
    await contUpdateAcl(of(context), context.request, under(context), context.body.entries);
    return { body: {} };
  });
  servePoolRpc(system, CONT_ACL_DELETE, async (context) => {
    await contDeleteAcl(of(context), context.request, under(context), context.body.principal);
    return { body: {} };
  });
  servePoolRpc(system, CONT_OID_ALLOC, async (context) => {
    return { body: { first: await contAllocOids(of(context), under(context), context.body.count) } };
  });
}

function serveAttrs(system: PoolSystem, of: Find): void {
  servePoolRpc(system, CONT_ATTR_LIST, async (context) => {
    return { body: { names: await contListAttrs(of(context), under(context)) } };
  });
  servePoolRpc(system, CONT_ATTR_GET, async (context) => {
    return { body: { values: await contGetAttrs(of(context), under(context), context.body.names) } };
  });
  servePoolRpc(system, CONT_ATTR_SET, async (context) => {
    await contSetAttrs(of(context), context.request, under(context), context.body.attrs);
    return { body: {} };
  });
  servePoolRpc(system, CONT_ATTR_DEL, async (context) => {
    await contDelAttrs(of(context), context.request, under(context), context.body.names);
    return { body: {} };
  });
}

function serveSnapshots(system: PoolSystem, of: Find): void {
  servePoolRpc(system, CONT_SNAP_LIST, async (context) => {
    return { body: { epochs: await contListSnapshots(of(context), under(context)) } };
  });
  servePoolRpc(system, CONT_SNAP_CREATE, async (context) => {
    return { body: { epoch: await contCreateSnapshot(of(context), context.request, under(context)) } };
  });
  servePoolRpc(system, CONT_SNAP_DESTROY, async (context) => {
    await contDestroySnapshot(of(context), context.request, under(context), context.body.epoch);
    return { body: {} };
  });
}

/** Handles between the leader and the targets of all engines. */
function serveHandles(system: PoolSystem, of: Find): void {
  const { xs, caller } = system;
  caller.handle(CONT_TGT_OPEN, async (request) => {
    checkServer(CONT_TGT_OPEN.name, request);
    await xs.onTargets(ContTargetOp.GRANT, request.input);
    return { output: {} };
  });
  caller.handle(CONT_TGT_CLOSE, async (request) => {
    checkServer(CONT_TGT_CLOSE.name, request);
    await xs.onTargets(ContTargetOp.REVOKE, request.input);
    return { output: {} };
  });
  caller.handle(CONT_TGT_DESTROY, async (request) => {
    checkServer(CONT_TGT_DESTROY.name, request);
    await xs.onTargets(ContTargetOp.DESTROY, request.input);
    return { output: {} };
  });
  servePoolRpc(
    system,
    CONT_HDL_FETCH,
    async (context) => {
      const {
        service,
        body: { contHandle },
      } = context;
      of(context);
      return {
        body: await service.read((tx) => {
          const record = findHandle(tx, contHandle);
          if (!record)
            throw new DaosError(
              'NO_HDL',
              `container handle ${contHandle} is not known: it was closed or evicted`,
            );
          const { container, capas } = record;
          return {
            pool: service.uuid,
            container,
            handle: contHandle,
            capas,
            checksum: contChecksum(tx, container),
          };
        }),
      };
    },
    { serverOnly: true },
  );
  xs.operation(ContTargetOp.FETCH, async ({ pool, handle }: HandleUuid): Promise<ContGrant> => {
    const peer = system.peer(pool);
    return (
      await dcRsvcCall(
        peer,
        CONT_HDL_FETCH,
        UUID_NIL,
        { contHandle: handle },
        { timeoutMs: FETCH_TIMEOUT_MS },
      )
    ).body;
  });
}

/** What targets ask and are told for aggregation. */
function serveAggregation(system: PoolSystem, of: Find): void {
  const { xs, caller } = system;
  servePoolRpc(
    system,
    CONT_HISTORY_FETCH,
    async (context) => ({ body: await contHistory(of(context), context.body.container) }),
    { serverOnly: true },
  );
  caller.handle(CONT_TGT_SNAPSHOT_DELETED, async (request) => {
    checkServer(CONT_TGT_SNAPSHOT_DELETED.name, request);
    await xs.onTargets(ContTargetOp.SNAPSHOT_DELETED, request.input);
    return { output: {} };
  });
  // targets of one engine often ask at the same time
  const asking = new Map<string, Promise<ContHistory>>();
  xs.operation(ContTargetOp.HISTORY, ({ pool, container }: ContUuids): Promise<ContHistory> => {
    const key = `${pool}/${container}`;
    let answer = asking.get(key);
    if (!answer) {
      const options = { timeoutMs: FETCH_TIMEOUT_MS };
      answer = dcRsvcCall(system.peer(pool), CONT_HISTORY_FETCH, UUID_NIL, { container }, options)
        .then(({ body }) => body)
        .finally(() => asking.delete(key));
      asking.set(key, answer);
    }
    return answer;
  });
}

function infoToWire({ label, ...info }: ContInfo) {
  return label === undefined ? info : { ...info, label };
}
