import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import {
  DAOS_VERSION,
  GrpcTransport,
  SYSTEM_TIMING,
  invokeMs,
  versionedSystemName,
  type ControlLog,
  type MsRequest,
} from '@daos/control';
import { isDaosError } from '@daos/common';
import { DrpcModule, DrpcServer, drpcCall } from '@daos/drpc';
import { unaryMethod } from '@daos/proto';
import { CtlSvcService } from '@daos/proto/ctl/control';
import { StorageFormatReq } from '@daos/proto/ctl/storage';
import { MgmtSvcService } from '@daos/proto/mgmt/mgmt';
import { JoinReq, JoinResp, JoinResp_State } from '@daos/proto/mgmt/svc';
import { ClusterEventReq, ClusterEventResp } from '@daos/proto/shared/event';
import type { NotifyReadyReq } from '@daos/proto/srv/srv';

import type { ServerConfig } from './config/server_config.js';
import type { ServerContext } from './context.js';
import { localRankHandler } from './ctl/ranks.js';
import { storageFormat } from './ctl/storage_format.js';
import { securityModule } from './drpc/security_module.js';
import { srvModule } from './drpc/srv_module.js';
import { EventHub } from './events/event_hub.js';
import { RasId, RasSeverity, RasType, rasEvent } from './events/ras_event.js';
import { faultDataPlaneNotStarted, faultSocketInUse } from './faults.js';
import { ControlPort } from './grpc/control_port.js';
import { loadServerCredentials } from './grpc/server_credentials.js';
import { ctlHandlers, mgmtHandlers } from './grpc/services.js';
import { parseVersion } from './grpc/version_check.js';
import { EngineClient } from './harness/engine_client.js';
import { Harness } from './harness/harness.js';
import type { EngineInstance, InstanceHooks, JoinOutcome } from './harness/instance.js';
import type { Superblock } from './harness/superblock.js';
import { PoolCreator } from './mgmt/pool_create.js';
import { ServerLock } from './server_lock.js';
import { Supervisor } from './supervisor.js';
import { groupUpdateOf } from './system/group_updater.js';
import { HostCaller } from './system/host_caller.js';
import { ManagementService } from './system/management_service.js';
import { findOwnAddress, type OwnAddress } from './system/own_address.js';
import { RANK_NONE } from './system/member.js';

const SOCKET_NAME = 'daos_server.sock';
const ENGINE_SOCKET_RE = /^daos_engine.*\.sock$/;
const SOCKET_PATH_BYTES_MAX = 107;
const GRPC_CLOSE_GRACE_MS = 2_000;
const JOIN_TIMEOUT_MS = 60 * 60_000;
const JOIN_TRY_TIMEOUT_MS = 10_000;
const EVENT_TIMEOUT_MS = 60_000;

const JOIN = unaryMethod('/mgmt.MgmtSvc/Join', JoinReq, JoinResp);
const CLUSTER_EVENT = unaryMethod('/mgmt.MgmtSvc/ClusterEvent', ClusterEventReq, ClusterEventResp);

export interface ServerOptions {
  /** Formats storage without being asked, as soon as every engine waits for it. */
  readonly autoFormat?: boolean;
}

/**
 * One host's control plane: gRPC for administrators, agents and other servers, dRPC for its engines, and the engines
 * themselves.
 */
export class DaosServer {
  private readonly harness: Harness;
  private readonly ms: ManagementService;
  private readonly events: EventHub;
  private readonly transport: GrpcTransport;
  private readonly creator: PoolCreator;
  private readonly context: ServerContext;
  private readonly supervisor: Supervisor;
  private port: ControlPort | undefined;
  private drpc: DrpcServer | undefined;
  private isStopping = false;

  private constructor(
    private readonly config: ServerConfig,
    private readonly log: ControlLog,
    private readonly lock: ServerLock,
    private readonly own: OwnAddress,
    private readonly options: ServerOptions,
  ) {
    this.transport = new GrpcTransport(config.transport, 'server');
    this.events = new EventHub(log);
    this.harness = new Harness(config.engines, {
      systemName: config.systemName,
      socketDir: config.socketDir,
      faultDomain: config.faultDomain.toString(),
      log,
      hooks: this.hooks(),
      clientFor: (path) => new EngineClient(path, callEngine),
    });
    this.ms = new ManagementService({
      replicas: config.replicas,
      ownAddress: own.address,
      isReplica: own.isReplica,
      log,
      localUuids: () => new Set(this.harness.instances.flatMap((instance) => instance.uuid ?? [])),
      groupSender: (update) => this.harness.readyClient().groupUpdate(update),
    });
    this.supervisor = new Supervisor({
      log,
      events: this.events,
      ms: this.ms,
      autoRestart: config.autoRestart,
      minDelayMs: config.autoRestartMinDelayMs,
      forward: (message) =>
        this.callMs({ name: 'ClusterEventReq', method: CLUSTER_EVENT, message, timeoutMs: EVENT_TIMEOUT_MS }),
    });
    const hosts = new HostCaller(own.address, this.ranks(), this.transport);
    this.context = {
      config,
      log,
      harness: this.harness,
      ms: this.ms,
      events: this.events,
      transport: this.transport,
      hosts,
    };
    this.creator = new PoolCreator(this.context);
  }

  /** Starts everything and returns; engines go on starting. Throws a fault or error of one clear line. */
  static async start(
    config: ServerConfig,
    log: ControlLog,
    options: ServerOptions = {},
  ): Promise<DaosServer> {
    const socketPath = prepareSocketDir(config.socketDir);
    const own = await findOwnAddress(config.listenHost, config.port, config.replicas);
    const lock = ServerLock.take(config.socketDir);
    let server: DaosServer | undefined;
    try {
      server = new DaosServer(config, log, lock, own, options);
      await server.run(socketPath);
      return server;
    } catch (error) {
      if (server) await server.stop();
      else lock.release();
      throw error;
    }
  }

  private async run(socketPath: string): Promise<void> {
    const { config, log } = this;
    for (const notice of config.notices) log.notice(notice);
    const grpc = await import('@grpc/grpc-js');
    const credentials = loadServerCredentials(grpc, config.transport);
    const self = parseVersion(DAOS_VERSION);
    if (!self) throw new Error(`own version "${DAOS_VERSION}" is not a version`);
    const port = new ControlPort(grpc, {
      systemName: config.systemName,
      self,
      secure: !config.transport.allow_insecure,
      log,
    });
    port.addService(CtlSvcService, ctlHandlers(this.context, this.ranks()));
    port.addService(MgmtSvcService, mgmtHandlers(this.context, this.creator));
    await port.listen(config.listenHost, config.port, credentials, config.path);
    this.port = port;
    log.info(
      `DAOS Control Server v${DAOS_VERSION} (pid ${process.pid}) listening on ${config.listenHost}:${config.port}`,
    );
    this.listenDrpc(socketPath);
    this.writeActiveConfig();
    this.harness.start();
  }

  /** Ends engines in order, then the services. Safe to call more than once. */
  async stop(): Promise<void> {
    if (this.isStopping) return;
    this.isStopping = true;
    this.log.info(`DAOS Control Server (pid ${process.pid}) shutting down`);
    this.supervisor.stop();
    // Administrators first: nobody may change the system while it goes down. Engines may still ask (dRPC).
    const closed = this.port?.close(GRPC_CLOSE_GRACE_MS);
    await this.harness.stop();
    await closed;
    await this.drpc?.close();
    await this.ms.close();
    this.transport.close();
    this.lock.release();
  }

  private ranks() {
    return localRankHandler(this.harness, (rank) => {
      this.supervisor.takenOver(rank);
    });
  }

  private listenDrpc(path: string): void {
    for (const name of readdirSync(this.config.socketDir)) {
      if (ENGINE_SOCKET_RE.test(name)) rmSync(join(this.config.socketDir, name), { force: true });
    }
    const { transport } = this.config;
    try {
      this.drpc = DrpcServer.listen(path);
    } catch (error) {
      if (isDaosError(error, 'BUSY')) throw faultSocketInUse(path);
      throw error;
    }
    this.drpc.register(DrpcModule.SRV, srvModule(this.context));
    const trust = transport.allow_insecure
      ? { insecure: true as const }
      : { insecure: false as const, clientCertDir: transport.client_cert_dir };
    this.drpc.register(DrpcModule.SEC, securityModule(trust));
  }

  /** For administrators and log collection; nothing reads it back. */
  private writeActiveConfig(): void {
    const path = join(this.config.socketDir, '.daos_server.active.yml');
    try {
      const { notices: _notices, ...active } = this.config;
      const text = JSON.stringify(
        active,
        (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value),
        2,
      );
      writeFileSync(path, `# Configuration in use, completed.\n${text}\n`, { mode: 0o644 });
    } catch (error) {
      this.log.error(`cannot write ${path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  private hooks(): InstanceHooks {
    return {
      formatRequired: (instance, need) => {
        if (instance.index === 0) this.ms.markNeedsFormat();
        const text = `DAOS engine ${instance.index} requires a ${need} format`;
        this.events.publish(rasEvent(RasId.ENGINE_FORMAT_REQUIRED, RasType.INFO, RasSeverity.NOTICE, text));
        if (this.options.autoFormat && this.harness.awaitsFormat) void this.autoFormat();
      },
      storageReady: async (instance) => {
        if (instance.index === 0) await this.ms.openDb(join(instance.storage.mount, 'control_raft'));
      },
      join: (instance, notify, superblock, signal) => this.join(instance, notify, superblock, signal),
      provideGroup: async (instance) => {
        const state = this.ms.localDb?.state;
        if (state) await instance.requireStartingClient().groupUpdate(groupUpdateOf(state));
      },
      ready: (instance) => {
        this.log.info(
          `engine ${instance.index} is ready: rank ${
            instance.rank ?? '?'
          }, ${instance.config.targets} targets`,
        );
        if (this.harness.instances.every((one) => one.state === 'Ready')) {
          this.log.info(`all ${this.harness.instances.length} engines of this server have joined`);
        }
        this.ms.groupUpdater.request();
        this.creator.cleanUpAll();
      },
      exited: (instance, exit) => {
        this.supervisor.exited(instance, exit);
      },
    };
  }

  private async autoFormat(): Promise<void> {
    try {
      await storageFormat(this.context, StorageFormatReq.fromPartial({}));
    } catch (error) {
      this.log.error(`automatic format failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  private async join(
    instance: EngineInstance,
    notify: NotifyReadyReq,
    superblock: Superblock,
    signal: AbortSignal,
  ): Promise<JoinOutcome> {
    const { config } = this;
    const request = JoinReq.fromPartial({
      sys: versionedSystemName(config.systemName),
      uuid: superblock.uuid,
      rank: superblock.validrank ? superblock.rank : RANK_NONE,
      uri: notify.uri,
      nctxs: notify.nctxs,
      addr: this.own.address,
      srvFaultDomain: config.faultDomain.toString(),
      idx: instance.index,
      incarnation: notify.incarnation,
      secondaryUris: notify.secondaryUris,
      secondaryNctxs: notify.secondaryNctxs,
      checkMode: notify.checkMode,
    });
    if (this.ms.runsReplica) return this.ms.join(request, this.own.address);
    const response = await this.callMs({
      name: 'JoinReq',
      method: JOIN,
      message: request,
      timeoutMs: JOIN_TIMEOUT_MS,
      tryTimeoutMs: JOIN_TRY_TIMEOUT_MS,
      canRetry: () => true,
    }, signal);
    return {
      rank: response.rank,
      mapVersion: response.mapVersion,
      excluded: response.state === JoinResp_State.OUT,
    };
  }

  private callMs<Req, Resp>(request: MsRequest<Req, Resp>, signal?: AbortSignal): Promise<Resp> {
    return invokeMs({
      transport: this.transport,
      hosts: this.config.replicas,
      controlPort: this.config.port,
      timing: SYSTEM_TIMING,
      signal,
    }, request);
  }
}

async function callEngine(
  path: string,
  module: number,
  method: number,
  body: Uint8Array,
  options: { timeoutMs: number; signal?: AbortSignal },
): Promise<Uint8Array> {
  try {
    return await drpcCall(path, module, method, body, options);
  } catch (error) {
    if (isDaosError(error, 'UNREACH')) throw Object.assign(faultDataPlaneNotStarted(), { cause: error });
    throw error;
  }
}

/** Makes the folder of sockets; returns the path of the server's own. */
function prepareSocketDir(dir: string): string {
  const stat = statSync(dir, { throwIfNoEntry: false });
  if (stat && !stat.isDirectory()) throw new Error(`dRPC server setup: socket_dir ${dir} is not a directory`);
  try {
    mkdirSync(dir, { recursive: true, mode: 0o755 });
  } catch (cause) {
    throw new Error(`dRPC server setup: socket_dir ${dir} cannot be made: ${(cause as Error).message}`, {
      cause,
    });
  }
  const path = join(dir, SOCKET_NAME);
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX) {
    throw new Error(
      `socket_dir ${dir} is too long: the path of a Unix socket has at most ${SOCKET_PATH_BYTES_MAX} bytes`,
    );
  }
  return path;
}
