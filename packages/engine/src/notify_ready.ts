import { encodeMessage } from '@daos/proto';
import { NotifyReadyReq } from '@daos/proto/srv/srv';
import { targetTag } from '@daos/cart';

import type { SystemXstream } from './system_xstream.js';

const MODULE_SRV = 3;
const NOTIFY_READY = 301;

/** Tells daos_server where this engine listens. It answers by driving the engine through SET_RANK and SET_UP. */
export async function notifyReady(xs: SystemXstream, own: { drpcSocket: string; targetCount: number }): Promise<void> {
  await xs.callServer(MODULE_SRV, NOTIFY_READY, encodeMessage(NotifyReadyReq, NotifyReadyReq.fromPartial({
    uri: xs.selfUri(),
    nctxs: targetTag(own.targetCount),
    drpcListenerSock: own.drpcSocket,
    instanceIdx: xs.engine.instanceIndex,
    ntgts: own.targetCount,
    incarnation: xs.hlc.get(),
  })));
}
