import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { cartClient, type CartContext } from '@daos/cart';
import { Hlc, uuidGenerate, type Uuid } from '@daos/common';
import { DrpcModule, SrvMethod } from '@daos/drpc';
import { startEngine, type RunningEngine } from '@daos/engine';
import { dcPoolConnect, type DcPool, type DcSystem } from '@daos/pool/dc';
import { dsPoolSvcCreate, dsPoolTgtCreate, type PoolSvcTarget } from '@daos/pool/ds';
import { encodeMessage } from '@daos/proto';
import { Credential, ValidateCredResp } from '@daos/proto/security/auth';
import { credentialEncode, credentialSign, type AuthSys } from '@daos/security/credential';

const MIB = 1024 * 1024;
const moduleUrl = (path: string): string => new URL(`../../../${path}`, import.meta.url).href;
const MODULES = [
  { url: moduleUrl('pool/dist/src/ds/index.js'), exportName: 'poolModule' },
  { url: moduleUrl('container/dist/src/ds/index.js'), exportName: 'contModule' },
  { url: moduleUrl('container/dist/test/probe_module.js'), exportName: 'probeModule' },
];
const FAST_CONT = { url: moduleUrl('container/dist/test/fast_module.js'), exportName: 'fastContModule' };

export const ALICE: AuthSys = {
  machineName: 'host1',
  user: 'alice@',
  group: 'team@',
  groups: [],
  securityContext: '',
};

/** Answers for daos_server: every credential is genuine. */
async function acceptCredential(body: Uint8Array): Promise<Uint8Array> {
  const { cred } = decodeRequest(body);
  return encodeMessage(ValidateCredResp, { status: 0, token: cred?.token });
}

function decodeRequest(body: Uint8Array): { cred: Credential | undefined } {
  // The request's only field is the credential: tag, length, bytes.
  let at = 1;
  while ((body[at] ?? 0) & 0x80) at++;
  return { cred: Credential.decode(body.subarray(at + 1)) };
}

/** Engines in this process with a client, as daos_server and libdaos would have them. */
export class SystemFixture {
  readonly engines: RunningEngine[] = [];
  readonly client: CartContext = cartClient();
  readonly pool: Uuid = uuidGenerate();
  /** Bodies of the events that engines raised. */
  readonly events: Uint8Array[] = [];
  svc: PoolSvcTarget = { poolUuid: this.pool, svcRanks: [], timeoutMs: 5000 };
  private readonly dir = mkdtempSync(join(tmpdir(), 'daos-cont-'));
  private version = 1;

  constructor(private readonly options: { readonly isFast?: boolean } = {}) {}

  async start(ranks: number, targetCount = 2): Promise<void> {
    for (let rank = 0; rank < ranks; rank++) this.engines[rank] = await this.startEngine(rank, targetCount);
    await this.updateGroup();
  }

  storage(rank: number): string {
    return join(this.dir, `rank${rank}`);
  }

  engine(rank: number): RunningEngine {
    const engine = this.engines[rank];
    if (!engine) throw new Error(`no rank ${rank}`);
    return engine;
  }

  async createPool(nvmeMib = 64): Promise<void> {
    for (const { xs } of this.engines) {
      await dsPoolTgtCreate(xs, {
        poolUuid: this.pool,
        scmBytesPerTarget: 64 * MIB,
        nvmeBytesPerTarget: nvmeMib * MIB,
      });
    }
    const { svcRanks } = await dsPoolSvcCreate(this.engine(0).xs, {
      poolUuid: this.pool,
      label: 'tank',
      ranks: this.engines.map((_, rank) => rank),
      targetsPerRank: 2,
      svcRanks: [0],
      props: [],
      owner: 'alice@',
      group: 'team@',
    });
    this.svc = { ...this.svc, svcRanks };
  }

  /** Stops an engine and starts it again from its storage. */
  async restart(rank: number, meanwhile: () => void = () => undefined): Promise<void> {
    await this.engine(rank).stop();
    meanwhile();
    this.engines[rank] = await this.startEngine(rank, 2);
    await this.updateGroup();
  }

  connect(mode: 'ro' | 'rw' | 'ex' = 'rw', user = ALICE): Promise<DcPool> {
    return dcPoolConnect(this.system(user), 'tank', { mode, timeoutMs: 10_000 });
  }

  system(user = ALICE): DcSystem {
    return {
      name: 'daos_server',
      cart: this.client,
      hlc: new Hlc(),
      ranks: () => this.engines.map((_, rank) => rank),
      credential: async () => credentialEncode(credentialSign(user, undefined)),
      findPool: async () => ({ uuid: this.pool, label: 'tank', serviceRanks: this.svc.svcRanks }),
    };
  }

  async stop(): Promise<void> {
    await this.client.close();
    for (const engine of this.engines) await engine.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }

  private startEngine(rank: number, targetCount: number): Promise<RunningEngine> {
    return startEngine({
      modules: this.options.isFast ? MODULES.map((module, i) => (i === 1 ? FAST_CONT : module)) : MODULES,
      targetCount,
      storageDir: this.storage(rank),
      socketDir: this.dir,
      standalone: { rank, server: (module, method, body) => this.serve(module, method, body) },
    });
  }

  private serve(module: number, method: number, body: Uint8Array): Promise<Uint8Array> {
    if (module !== DrpcModule.SRV || method !== SrvMethod.CLUSTER_EVENT) return acceptCredential(body);
    this.events.push(body);
    return Promise.resolve(new Uint8Array(0));
  }

  private async updateGroup(): Promise<void> {
    const members = this.engines.map(({ uri }, rank) => ({ rank, uri }));
    this.version++;
    for (const { xs } of this.engines) await xs.updateGroup(xs.groupVersion() + this.version, members);
    this.client.setGroup(members);
  }
}
