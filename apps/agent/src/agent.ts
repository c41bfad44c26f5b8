import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { DaosError } from '@daos/common';
import { Fault, type ControlClient, type ControlLog } from '@daos/control';
import { DrpcModule, DrpcServer, MgmtMethod, SecAgentMethod, type DrpcHandler } from '@daos/drpc';
import type { PeerCredentials } from '@daos/native';
import { encodeMessage, unaryMethod } from '@daos/proto';
import { PoolEvictReq, PoolEvictResp } from '@daos/proto/mgmt/pool';
import { SystemCleanupReq, SystemCleanupResp } from '@daos/proto/mgmt/system';
import { GetCredResp } from '@daos/proto/security/auth';
import { ClientTelemetryResp, GetAttachInfoReq, GetAttachInfoResp, PoolMonitorReq } from '@daos/proto/mgmt/svc';

import { AttachInfoCache, attachStatus } from './attach_info.js';
import type { AgentConfig } from './config.js';
import { Credentials, loadSigningKey } from './credentials.js';
import { FabricChooser, scanFabric } from './fabric.js';
import { HandleMonitor } from './handle_monitor.js';

export const SOCKET_NAME = 'daos_agent.sock';
/** Every user of the host may ask. */
const SOCKET_MODE = 0o666;
const RUNTIME_DIR_MODE = 0o755;
const EVICT_TIMEOUT_MS = 10_000;
/** The agent ends within this time even when the servers do not answer. */
const STOP_EVICT_TIMEOUT_MS = 3_000;
const POOL_EVICT = unaryMethod('/mgmt.MgmtSvc/PoolEvict', PoolEvictReq, PoolEvictResp);
const SYSTEM_CLEANUP = unaryMethod('/mgmt.MgmtSvc/SystemCleanup', SystemCleanupReq, SystemCleanupResp);
const CLEANUP_TIMEOUT_MS = 60_000;
const EMPTY = new Uint8Array(0);

/** Serves the clients of one host: tells them who they are and where the engines are. */
export class Agent {
  private server: DrpcServer | undefined;
  private evictTimeoutMs = EVICT_TIMEOUT_MS;
  private readonly monitor: HandleMonitor;

  private constructor(
    private readonly config: AgentConfig,
    private readonly log: ControlLog,
    private readonly control: ControlClient,
    private readonly credentials: Credentials,
    private readonly attachInfo: AttachInfoCache,
    private readonly fabric: FabricChooser,
  ) {
    this.monitor = new HandleMonitor((pool, handles) => this.evict(pool, handles), log);
  }

  /**
   * Listens at `<runtime_dir>/daos_agent.sock`. Throws a `Fault` for the signing key or a socket in use, an error of
   * one line for a folder or path that cannot be used.
   */
  static start(config: AgentConfig, log: ControlLog, control: ControlClient): Agent {
    const { transport_config: transport } = config;
    const key = transport.allow_insecure ? undefined : loadSigningKey(transport.key);
    const cacheOptions = { disabled: isCacheDisabled(config), expirationMinutes: config.cache_expiration };
    const attachInfo = new AttachInfoCache(control, cacheOptions, (error) => log.debug(`attach info not renewed: ${textOf(error)}`));
    const fabric = new FabricChooser(() => scanFabric(config));
    const agent = new Agent(config, log, control, new Credentials(config.credential_config, key), attachInfo, fabric);
    agent.listen();
    if (config.enable_evict_on_start) void agent.cleanUpMachine();
    return agent;
  }

  get socketPath(): string {
    return join(this.config.runtime_dir, SOCKET_NAME);
  }

  /** Forgets everything cached. */
  refresh(): void {
    this.attachInfo.refresh();
    this.credentials.refresh();
  }

  /** Closes every pool handle that a process of this host holds. */
  async evictAll(): Promise<void> {
    await this.monitor.evictAll();
  }

  /** Answers what was asked, closes handles that would be left (unless the configuration says no), removes the socket. */
  async stop(): Promise<void> {
    await this.server?.close();
    this.monitor.stop();
    this.evictTimeoutMs = STOP_EVICT_TIMEOUT_MS;
    if (!this.config.disable_auto_evict) await this.monitor.evictAll();
    this.control.close();
  }

  private listen(): void {
    mkdirSync(this.config.runtime_dir, { recursive: true, mode: RUNTIME_DIR_MODE });
    try {
      this.server = DrpcServer.listen(this.socketPath, { mode: SOCKET_MODE });
    } catch (error) {
      if (!(error instanceof DaosError) || error.der !== 'BUSY') throw error;
      throw new Fault({
        domain: 'drpc',
        code: 6,
        description: `Configured dRPC socket file '${this.socketPath}' is already in use.`,
        resolution: 'stop the other daos_agent, or give this one another runtime_dir',
      });
    }
    this.server.register(DrpcModule.SEC_AGENT, (method, _body, peer) => this.security(method, peer));
    this.server.register(DrpcModule.MGMT, (method, body, peer) => this.management(method, body, peer));
  }

  private async security(method: number, peer: PeerCredentials): Promise<Uint8Array> {
    if (method !== SecAgentMethod.REQUEST_CREDS) throw new DaosError('NOSYS', `security method ${method}`);
    try {
      return await this.credentials.respond(peer);
    } catch (error) {
      if (!(error instanceof DaosError)) throw error;
      this.log.error(`no credential for user ${peer.uid}: ${error.message}`);
      return encodeMessage(GetCredResp, { status: error.status, cred: undefined });
    }
  }

  private readonly management: DrpcHandler = (method, body, peer) => {
    switch (method) {
      case MgmtMethod.GET_ATTACH_INFO:
        return this.attach(decode(GetAttachInfoReq, body));
      case MgmtMethod.NOTIFY_POOL_CONNECT: {
        const { poolUUID, poolHandleUUID } = decode(PoolMonitorReq, body);
        this.monitor.connected(peer.pid, poolUUID, poolHandleUUID);
        return EMPTY;
      }
      case MgmtMethod.NOTIFY_POOL_DISCONNECT: {
        const { poolUUID, poolHandleUUID } = decode(PoolMonitorReq, body);
        this.monitor.disconnected(peer.pid, poolUUID, poolHandleUUID);
        return EMPTY;
      }
      case MgmtMethod.NOTIFY_EXIT:
        return this.monitor.exited(peer.pid).then(() => EMPTY);
      case MgmtMethod.SETUP_CLIENT_TELEM: // clients keep their metrics in their own process
        return encodeMessage(ClientTelemetryResp, { status: new DaosError('NOSYS').status, agentUid: process.getuid?.() ?? 0 });
      default:
        throw new DaosError('NOSYS', `management method ${method}`);
    }
  };

  private async attach(request: GetAttachInfoReq): Promise<Uint8Array> {
    try {
      return encodeMessage(GetAttachInfoResp, await this.attachFor(request));
    } catch (error) {
      const status = attachStatus(error);
      this.log.error(`GetAttachInfo failed: ${textOf(error)}`);
      if (!status) throw error;
      return encodeMessage(GetAttachInfoResp, GetAttachInfoResp.fromPartial({ status: status.status }));
    }
  }

  private async attachFor(request: GetAttachInfoReq): Promise<GetAttachInfoResp> {
    if (request.sys !== '' && request.sys !== this.config.name) {
      throw new DaosError('INVAL', `system "${request.sys}" was asked for, this agent serves "${this.config.name}"`);
    }
    const info = await this.attachInfo.get();
    const hint = info.clientNetHint;
    if (!hint) return info;
    const device = this.fabric.choose(hint.netDevClass, 0, { iface: request.interface, domain: request.domain });
    return {
      ...info,
      clientNetHint: { ...hint, interface: device?.iface ?? '', domain: device?.domain ?? '' },
      numaFabricInterfaces: this.interfaces(hint.provider),
    };
  }

  private interfaces(provider: string): GetAttachInfoResp['numaFabricInterfaces'] {
    const byNode = new Map<number, { numaNode: number; interface: string; domain: string; provider: string }[]>();
    for (const { numaNode, iface, domain } of this.fabric.devices()) {
      const list = byNode.get(numaNode) ?? [];
      byNode.set(numaNode, list);
      list.push({ numaNode, interface: iface, domain, provider });
    }
    return [...byNode].map(([numaNode, ifaces]) => ({ numaNode, ifaces }));
  }

  /** Has the servers close what this machine left open before its agent was restarted. */
  private async cleanUpMachine(): Promise<void> {
    const request = SystemCleanupReq.fromPartial({ sys: this.control.sys, machine: hostname().split('.')[0] ?? '' });
    try {
      await this.control.callMs('SystemCleanupReq', SYSTEM_CLEANUP, request, { timeoutMs: CLEANUP_TIMEOUT_MS });
    } catch (error) {
      this.log.error(`handles left by this machine could not be closed: ${textOf(error)}`);
    }
  }

  private async evict(poolUuid: string, handles: readonly string[]): Promise<void> {
    const request = PoolEvictReq.fromPartial({ sys: this.control.sys, id: poolUuid, handles: [...handles] });
    await this.control.callMs('PoolEvictReq', POOL_EVICT, request, { timeoutMs: this.evictTimeoutMs });
  }
}

function isCacheDisabled(config: AgentConfig): boolean {
  const text = (process.env['DAOS_AGENT_DISABLE_CACHE'] ?? '').toLowerCase();
  return config.disable_caching || ['1', 't', 'true', 'yes', 'on'].includes(text);
}

function decode<T>(type: { decode(bytes: Uint8Array): T }, body: Uint8Array): T {
  try {
    return type.decode(body);
  } catch (error) {
    throw new DaosError('PROTO', 'the request cannot be read', { cause: error });
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
