import { hostname } from 'node:os';

import { getLogger } from '@daos/gurt';
import { encodeMessage } from '@daos/proto';
import { ClusterEventReq } from '@daos/proto/shared/event';

import type { SystemXstream } from './system_xstream.js';
import type { Xstream } from './types.js';

const MODULE_SRV = 3;
const CLUSTER_EVENT = 304;
const RAISE = 'engine.raiseEvent';
/** Nobody can act on more at a time; what comes beyond is in the log alone. */
const PENDING_MAX = 64;

/** Events that engines raise, with DAOS's numbers. */
export const RasId = { POOL_CORRUPTION_DETECTED: 6, DEVICE_SET_FAULTY: 20, DEVICE_MEDIA_ERROR: 21 } as const;
export const RasType = { STATE_CHANGE: 1, INFO: 2 } as const;
export const RasSeverity = { ERROR: 1, WARNING: 2, NOTICE: 3 } as const;

/** An event for the administrator. */
export interface RasNotice {
  readonly id: number;
  readonly type: number;
  readonly severity: number;
  readonly msg: string;
  readonly hwId?: string;
  readonly poolUuid?: string;
  readonly contUuid?: string;
  readonly objId?: string;
}

const log = getLogger('server');

/** Raises an event from any xstream: a line in the engine's log, and daos_server is told. Never fails. */
export function raiseRas(xs: Xstream, notice: RasNotice): void {
  log.warn(`RAS event ${notice.id}: ${notice.msg}`);
  xs.onSystem<RasNotice, void>(RAISE, notice).catch((error: unknown) => {
    log.info(`daos_server does not know of RAS event ${notice.id}: ${String(error)}`);
  });
}

/** Sends events of all xstreams to daos_server. */
export function serveRas(xs: SystemXstream): void {
  let pending = 0;
  let sequence = 0n;
  xs.operation(RAISE, async (notice: RasNotice) => {
    if (pending >= PENDING_MAX) return log.warn(`${pending} RAS events wait for daos_server: event ${notice.id} is not sent`);
    pending++;
    try {
      const event = {
        ...notice,
        timestamp: new Date().toISOString().replace('Z', '+00:00'),
        hostname: hostname().split('.')[0] ?? '',
        procId: BigInt(process.pid),
        rank: xs.engine.rank,
      };
      await xs.callServer(MODULE_SRV, CLUSTER_EVENT, encodeMessage(ClusterEventReq, ClusterEventReq.fromPartial({ sequence: ++sequence, event })));
    } finally {
      pending--;
    }
  });
}
