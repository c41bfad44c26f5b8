import { join } from 'node:path';

import { DrpcModule, drpcCall, DrpcServer, MgmtMethod, SrvMethod } from '@daos/drpc';
import { encodeMessage, type MessageType } from '@daos/proto';
import { DaosResp, GroupUpdateReq, PingRankReq, SetRankReq } from '@daos/proto/mgmt/svc';
import { NotifyReadyReq } from '@daos/proto/srv/srv';

/** Plays daos_server's part towards one engine. */
export class FakeServer {
  private readonly server: DrpcServer;
  private readonly waiting: ((ready: NotifyReadyReq) => void)[] = [];

  constructor(socketDir: string) {
    this.server = DrpcServer.listen(join(socketDir, 'daos_server.sock'));
    this.server.register(DrpcModule.SRV, (method, body) => {
      if (method === SrvMethod.NOTIFY_READY) this.waiting.shift()?.(NotifyReadyReq.decode(body));
      return new Uint8Array(0);
    });
  }

  nextReady(): Promise<NotifyReadyReq> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** SET_RANK, GROUP_UPDATE, SET_UP: what daos_server does when an engine is ready. */
  async bringUp(ready: NotifyReadyReq, rank: number): Promise<void> {
    const socket = ready.drpcListenerSock;
    await mgmt(socket, MgmtMethod.SET_RANK, SetRankReq, { rank, mapVersion: 1 });
    await mgmt(socket, MgmtMethod.GROUP_UPDATE, GroupUpdateReq, {
      mapVersion: 1, engines: [{ rank, uri: ready.uri, incarnation: ready.incarnation }],
    });
    await mgmt(socket, MgmtMethod.SET_UP, undefined, {});
  }

  async ping(ready: NotifyReadyReq, rank: number): Promise<number> {
    return mgmt(ready.drpcListenerSock, MgmtMethod.PING_RANK, PingRankReq, { rank });
  }

  close(): Promise<void> {
    return this.server.close();
  }
}

async function mgmt<T>(socket: string, method: number, type: MessageType<T> | undefined, fields: object): Promise<number> {
  const body = type ? encodeMessage(type, type.fromPartial(fields)) : new Uint8Array(0);
  return DaosResp.decode(await drpcCall(socket, DrpcModule.MGMT, method, body)).status;
}
