import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { uuidGenerate, type Uuid } from '@daos/common';
import { DrpcModule, DrpcRegistry, DrpcServer, MgmtMethod, SecAgentMethod, SrvMethod } from '@daos/drpc';
import { startEngine, type ModuleSpecifier, type RunningEngine } from '@daos/engine';
import { encodeMessage } from '@daos/proto';
import { PoolCreateReq, PoolCreateResp } from '@daos/proto/mgmt/pool';
import { GetAttachInfoResp } from '@daos/proto/mgmt/svc';
import { GetCredResp, ValidateCredReq, ValidateCredResp } from '@daos/proto/security/auth';
import { GetPoolSvcResp, ListPoolsResp, PoolFindByLabelReq, PoolFindByLabelResp } from '@daos/proto/srv/srv';
import { credentialSign } from '@daos/security/credential';

const GIB = 1024n ** 3n;
const MODULES: readonly ModuleSpecifier[] = [
  { url: import.meta.resolve('@daos/mgmt/ds'), exportName: 'mgmtModule' },
  { url: import.meta.resolve('@daos/pool/ds'), exportName: 'poolModule' },
  { url: import.meta.resolve('@daos/container/ds'), exportName: 'contModule' },
  { url: import.meta.resolve('@daos/object/ds'), exportName: 'objModule' },
];

export interface StandaloneSystemOptions {
  readonly targets?: number;
  readonly scmBytes?: bigint;
  readonly nvmeBytes?: bigint;
}

/**
 * A system of one real engine in this process, without daos_server and daos_agent: their parts towards engine and
 * client are played here, over the real sockets.
 */
export class StandaloneSystem {
  readonly poolUuid: Uuid = uuidGenerate();
  readonly poolLabel = 'tank';
  /** Whom the agent signs for. */
  user = 'tester@';
  group = 'testers@';
  private engine: RunningEngine | undefined;
  private agent: DrpcServer | undefined;
  private port = 0;

  private constructor(
    readonly dir: string,
    private readonly options: StandaloneSystemOptions,
  ) {}

  static async start(options: StandaloneSystemOptions = {}): Promise<StandaloneSystem> {
    const system = new StandaloneSystem(await mkdtemp(join(tmpdir(), 'daos-api-')), options);
    await system.startEngine();
    system.startAgent();
    await system.createPool();
    return system;
  }

  get agentDir(): string {
    return this.dir;
  }

  /** Stops the engine in order; `startEngine` starts it again on its storage and port. */
  async stopEngine(): Promise<void> {
    await this.engine?.stop();
    this.engine = undefined;
  }

  async startEngine(): Promise<void> {
    this.engine = await startEngine({
      modules: MODULES,
      targetCount: this.options.targets ?? 2,
      port: this.port,
      storageDir: join(this.dir, 'storage'),
      socketDir: this.dir,
      standalone: { rank: 0, server: (module, method, body) => Promise.resolve(this.serve(module, method, body)) },
    });
    this.port = Number(new URL(this.engine.uri.replace('ofi+tcp', 'http')).port);
  }

  async remove(): Promise<void> {
    await this.agent?.close();
    await this.stopEngine();
    await rm(this.dir, { recursive: true, force: true });
  }

  /** The engine's side of daos_server. */
  private serve(module: number, method: number, body: Uint8Array): Uint8Array {
    const pool = { uuid: this.poolUuid, label: this.poolLabel, svcreps: [0] };
    if (module === DrpcModule.SEC) {
      const { cred } = ValidateCredReq.decode(body);
      return encodeMessage(ValidateCredResp, { status: 0, token: cred?.token });
    }
    switch (method) {
      case SrvMethod.POOL_FIND_BYLABEL: {
        const found = PoolFindByLabelReq.decode(body).label === this.poolLabel;
        return encodeMessage(PoolFindByLabelResp, { status: found ? 0 : -1005, uuid: found ? this.poolUuid : '', svcreps: [0] });
      }
      case SrvMethod.GET_POOL_SVC:
        return encodeMessage(GetPoolSvcResp, { status: 0, svcreps: [0] });
      case SrvMethod.LIST_POOLS:
        return encodeMessage(ListPoolsResp, { pools: [pool] });
      default:
        return new Uint8Array(0);
    }
  }

  /** The client's side of daos_agent. */
  private startAgent(): void {
    const registry = new DrpcRegistry();
    registry.register(DrpcModule.MGMT, (method) => {
      if (method !== MgmtMethod.GET_ATTACH_INFO) return new Uint8Array(0);
      const uri = this.engine?.uri ?? `ofi+tcp://127.0.0.1:${this.port}`;
      return encodeMessage(GetAttachInfoResp, GetAttachInfoResp.create({ sys: 'daos_server', rankUris: [{ rank: 0, uri }], msRanks: [0] }));
    });
    registry.register(DrpcModule.SEC_AGENT, (method) => {
      if (method !== SecAgentMethod.REQUEST_CREDS) throw new Error('no such method');
      const sys = { machineName: 'host', user: this.user, group: this.group, groups: [], securityContext: '' };
      return encodeMessage(GetCredResp, { status: 0, cred: credentialSign(sys, undefined) });
    });
    this.agent = DrpcServer.listen(join(this.dir, 'daos_agent.sock'), { registry });
  }

  private async createPool(): Promise<void> {
    const { scmBytes = GIB, nvmeBytes = GIB } = this.options;
    const request = PoolCreateReq.create({
      uuid: this.poolUuid, sys: 'daos_server', user: 'tester@', userGroup: 'testers@', numSvcReps: 1, ranks: [0], numRanks: 1,
      tierBytes: [scmBytes, nvmeBytes],
      // One node below the root, one rank below the node.
      faultDomains: [0, 2, 1, 1, 1, 2, 1, 0],
      properties: [{ number: 1, value: { $case: 'strval', value: this.poolLabel } }],
    });
    const body = await this.engine?.callDrpc(DrpcModule.MGMT, MgmtMethod.POOL_CREATE, encodeMessage(PoolCreateReq, request));
    const { status } = PoolCreateResp.decode(body ?? new Uint8Array(0));
    if (status !== 0) throw new Error(`the pool cannot be created: ${status}`);
  }
}
