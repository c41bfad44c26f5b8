import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';

import type { GroupMember } from '@daos/cart';
import { DaosError, isDaosError } from '@daos/common';
import { DrpcModule, MgmtMethod, drpcCall } from '@daos/drpc';
import { encodeMessage } from '@daos/proto';
import { GetAttachInfoReq, GetAttachInfoResp } from '@daos/proto/mgmt/svc';
import { dcSecRequestCredential } from '@daos/security/dc';

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
  readonly provider: string;
  readonly serverVersion: string;
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
  /** Of the socket. */
  readonly path: string;

  constructor(dir: string) {
    this.path = socketPath(dir);
  }

  /** Where the engines are. Throws DER_AGENT_COMM without an agent, DER_NONEXIST-like errors of the agent otherwise. */
  async attachInfo(system: string, signal?: AbortSignal): Promise<AttachInfo> {
    const body = encodeMessage(GetAttachInfoReq, GetAttachInfoReq.create({ sys: system, allRanks: true }));
    const answer = await this.reached(() =>
      drpcCall(this.path, DrpcModule.MGMT, MgmtMethod.GET_ATTACH_INFO, body, { timeoutMs: AGENT_TIMEOUT_MS, signal }));
    const info = GetAttachInfoResp.decode(answer);
    if (info.status !== 0) {
      throw DaosError.fromStatus(info.status, `the agent at ${this.path} cannot tell about system "${system}"`);
    }
    return {
      system: info.sys || system,
      members: info.rankUris.map(({ rank, uri }) => ({ rank, uri })),
      managementRanks: info.msRanks,
      provider: info.clientNetHint?.provider ?? '',
      serverVersion: info.buildInfo ? `${info.buildInfo.major}.${info.buildInfo.minor}.${info.buildInfo.patch}` : 'unknown',
    };
  }

  /** A credential of the calling user, signed by the agent: protobuf bytes. */
  credential(signal?: AbortSignal): Promise<Uint8Array> {
    return this.reached(() => dcSecRequestCredential(this.path, { timeoutMs: AGENT_TIMEOUT_MS, signal }));
  }

  /** Says what to do when there is no agent. */
  private async reached<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      if (!isDaosError(error, 'UNREACH', 'NO_PERM', 'AGENT_COMM')) throw error;
      throw new DaosError('AGENT_COMM', isDaosError(error, 'NO_PERM')
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
