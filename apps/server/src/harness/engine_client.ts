import { DaosError } from '@daos/common';
import { DrpcModule, MgmtMethod } from '@daos/drpc';
import { encodeMessage, type MessageType } from '@daos/proto';
import { SetLogMasksReq, SetLogMasksResp } from '@daos/proto/ctl/server';
import { DaosResp, GroupUpdateReq, GroupUpdateResp, PrepShutdownReq, SetRankReq } from '@daos/proto/mgmt/svc';

/** Modules may recover large pools before they are set up. */
const SET_UP_TIMEOUT_MS = 30 * 60_000;
const CALL_TIMEOUT_MS = 60_000;

/** Sends one dRPC call to a socket and returns the body of the answer. Fault 611 when nobody listens there. */
export type DrpcCaller = (
  socketPath: string,
  module: number,
  method: number,
  body: Uint8Array,
  options: { timeoutMs: number; signal?: AbortSignal },
) => Promise<Uint8Array>;

/** Calls of the server to one engine. A status other than 0 in an answer is thrown as that DAOS error. */
export class EngineClient {
  constructor(
    readonly socketPath: string,
    private readonly drpc: DrpcCaller,
  ) {}

  async setRank(rank: number, mapVersion: number): Promise<void> {
    await this.call(MgmtMethod.SET_RANK, SetRankReq, { rank, mapVersion }, DaosResp);
  }

  async setUp(): Promise<void> {
    const body = await this.drpc(this.socketPath, DrpcModule.MGMT, MgmtMethod.SET_UP, new Uint8Array(0), {
      timeoutMs: SET_UP_TIMEOUT_MS,
    });
    throwStatus(decode(DaosResp, body).status, 'SET_UP');
  }

  /** An engine that already has this version, or a newer one, is content. */
  async groupUpdate(update: GroupUpdateReq): Promise<void> {
    try {
      await this.call(MgmtMethod.GROUP_UPDATE, GroupUpdateReq, update, GroupUpdateResp);
    } catch (error) {
      if (!(error instanceof DaosError && error.der === 'GRPVER')) throw error;
    }
  }

  async prepShutdown(rank: number): Promise<void> {
    await this.call(MgmtMethod.PREP_SHUTDOWN, PrepShutdownReq, { rank }, DaosResp);
  }

  async setLogMasks(request: SetLogMasksReq): Promise<string[]> {
    const { errors } = await this.call(MgmtMethod.SET_LOG_MASKS, SetLogMasksReq, request, SetLogMasksResp);
    return errors;
  }

  /** Any method of module `mgmt`. */
  async call<Req, Resp extends { status: number }>(
    method: number,
    requestType: MessageType<Req>,
    request: object,
    responseType: MessageType<Resp>,
    options: { timeoutMs?: number; signal?: AbortSignal } = {},
  ): Promise<Resp> {
    const body = encodeMessage(requestType, requestType.fromPartial(request));
    const answer = await this.drpc(this.socketPath, DrpcModule.MGMT, method, body, {
      ...options,
      timeoutMs: options.timeoutMs ?? CALL_TIMEOUT_MS,
    });
    const response = decode(responseType, answer);
    throwStatus(response.status, `engine method ${method}`);
    return response;
  }
}

function decode<Resp>(type: MessageType<Resp>, body: Uint8Array): Resp {
  try {
    return type.decode(body);
  } catch (cause) {
    throw new DaosError('PROTO', 'the engine answered something unreadable', { cause });
  }
}

function throwStatus(status: number, what: string): void {
  if (status !== 0) throw DaosError.fromStatus(status, what);
}
