import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';

import type { GroupMember } from '@daos/cart';
import { DaosError, isDaosError } from '@daos/common';
import { DrpcModule, MgmtMethod, SecAgentMethod, drpcCall } from '@daos/drpc';
import { encodeMessage } from '@daos/proto';
import { GetAttachInfoReq, GetAttachInfoResp } from '@daos/proto/mgmt/svc';
import { Credential, GetCredResp } from '@daos/proto/security/auth';

const SOCKET_NAME = 'daos_agent.sock';
const AGENT_DIR_DEFAULT = '/var/run/daos_agent';
const LOCAL_SYSTEM_RUN_DIR = join('.daos', 'run');
const SOCKET_PATH_BYTES_MAX = 107;
const AGENT_TIMEOUT_MS = 30_000;

/** What the agent tells about the system. */
export interface AttachInfo {
  readonly system: string;
  readonly members: readonly GroupMember[];
  /** Ranks whose host runs a management service replica. */
  readonly managementRanks: readonly number[];
}

/** Folder of the agent's socket: as given, from the environment, of a system started here, or the usual one. */
export function agentDirOf(given: string | undefined): string {
  if (given !== undefined) return given;
  const fromEnv = process.env['DAOS_AGENT_DRPC_DIR'];
  if (fromEnv) return fromEnv;
  return existsSync(join(LOCAL_SYSTEM_RUN_DIR, SOCKET_NAME)) ? LOCAL_SYSTEM_RUN_DIR : AGENT_DIR_DEFAULT;
}

/** The local daos_agent, asked over its socket. */
export class Agent {
  private readonly path: string;

  constructor(dir: string) {
    this.path = socketPath(dir);
  }

  /** Where the engines are. Throws DER_AGENT_COMM without an agent, DER_NONEXIST-like errors of the agent otherwise. */
  async attachInfo(system: string, signal?: AbortSignal): Promise<AttachInfo> {
    const body = encodeMessage(GetAttachInfoReq, GetAttachInfoReq.create({ sys: system, allRanks: true }));
    const info = GetAttachInfoResp.decode(await this.call(DrpcModule.MGMT, MgmtMethod.GET_ATTACH_INFO, body, signal));
    if (info.status !== 0) {
      throw DaosError.fromStatus(info.status, `the agent at ${this.path} cannot tell about system "${system}"`);
    }
    return {
      system: info.sys || system,
      members: info.rankUris.map(({ rank, uri }) => ({ rank, uri })),
      managementRanks: info.msRanks,
    };
  }

  /** A credential of the calling user, signed by the agent: protobuf bytes. */
  async credential(signal?: AbortSignal): Promise<Uint8Array> {
    const answer = await this.call(DrpcModule.SEC_AGENT, SecAgentMethod.REQUEST_CREDS, new Uint8Array(0), signal);
    const { status, cred } = GetCredResp.decode(answer);
    if (status !== 0) throw DaosError.fromStatus(status, `the agent at ${this.path} refused a credential`);
    if (!cred) throw new DaosError('PROTO', `the agent at ${this.path} answered without a credential`);
    return encodeMessage(Credential, cred);
  }

  private async call(module: number, method: number, body: Uint8Array, signal: AbortSignal | undefined): Promise<Uint8Array> {
    try {
      return await drpcCall(this.path, module, method, body, { timeoutMs: AGENT_TIMEOUT_MS, signal });
    } catch (error) {
      if (!isDaosError(error, 'UNREACH', 'NO_PERM')) throw error;
      throw new DaosError('AGENT_COMM', error.der === 'NO_PERM'
        ? `no permission to use the daos_agent at ${this.path}; it must let this user connect`
        : `no daos_agent listens at ${this.path}; start one (daos_agent, or "npm start" for a local system), or set `
          + 'DAOS_AGENT_DRPC_DIR to the folder of its socket', { cause: error });
    }
  }
}

/** Socket paths are short; a folder that is a link to a shorter path is followed. */
function socketPath(dir: string): string {
  const path = join(dir, SOCKET_NAME);
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX || !existsSync(dir)) return path;
  return join(realpathSync(dir), SOCKET_NAME);
}
