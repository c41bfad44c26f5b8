import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Hlc, uuidGenerate, type Uuid } from '@daos/common';
import {
  PoolService,
  type OpId,
  type PoolServiceExtensionFactory,
  type PoolServiceHost,
} from '@daos/pool/ds';
import { RsvcRegistry, type RsvcService } from '@daos/rsvc';
import type { AuthSys } from '@daos/security/rpc';

import type { PoolBootstrap } from '../src/ds/bootstrap.js';

export const ALICE: AuthSys = {
  machineName: 'host1',
  user: 'alice@',
  group: 'team@',
  groups: [],
  securityContext: '',
};
export const BOB: AuthSys = {
  machineName: 'host2',
  user: 'bob@',
  group: 'others@',
  groups: [],
  securityContext: '',
};
export const CAROL: AuthSys = {
  machineName: 'host1',
  user: 'carol@',
  group: 'team@',
  groups: [],
  securityContext: '',
};

const MIB = 1024 * 1024;

/** A pool's service over a real database, without engines. */
export class ServiceFixture {
  readonly pool: Uuid = uuidGenerate();
  readonly hlc = new Hlc();
  readonly pushed: number[] = [];
  /** Ranks that answer no call. */
  readonly dead = new Set<number>();
  private readonly dir = mkdtempSync(join(tmpdir(), 'pool-test-'));
  private registry: RsvcRegistry<PoolService>;
  private readonly clientId = uuidGenerate();

  constructor(private readonly extensions: readonly PoolServiceExtensionFactory[] = []) {
    this.registry = this.makeRegistry();
  }

  get service(): PoolService {
    return this.replica.leader;
  }

  get replica(): RsvcService<PoolService> {
    return this.registry.lookup(this.pool);
  }

  get services(): RsvcRegistry<PoolService> {
    return this.registry;
  }

  /** A new operation of a client. */
  op(): OpId {
    return { clientId: this.clientId, clientTime: this.hlc.get() };
  }

  async create(changes: Partial<PoolBootstrap> = {}): Promise<void> {
    await this.registry.create(this.pool, 0);
    const term = await this.replica.serve(async (service, served) => {
      await service.bootstrap({
        label: 'tank',
        ranks: [0, 1],
        targetsPerRank: 2,
        props: [],
        owner: 'alice@',
        group: 'team@',
        acl: undefined,
        faultDomains: [],
        ...changes,
      });
      return served;
    }, 'up empty');
    await this.replica.stepUpAfterBootstrap(term);
  }

  /** Stops the service and starts it again from its database. */
  async restart(): Promise<void> {
    await this.registry.stopAll();
    this.registry = this.makeRegistry();
    await this.registry.start(this.pool);
  }

  async remove(): Promise<void> {
    await this.registry.stopAll();
    rmSync(this.dir, { recursive: true, force: true });
  }

  private makeRegistry(): RsvcRegistry<PoolService> {
    return new RsvcRegistry<PoolService>({
      name: (id) => `service of pool ${id}`,
      locate: (id) => join(this.dir, `${id}.rdb`),
      leader: (id, service) => new PoolService(id, this.host, () => service().rdb, this.extensions),
    });
  }

  private readonly host: PoolServiceHost = {
    rank: 0,
    hlc: this.hlc,
    validateCredential: async () => ALICE,
    pushMap: async (_pool, rank) => void this.pushed.push(rank),
    queryRank: async (_pool, rank) => {
      if (this.dead.has(rank)) throw new Error(`rank ${rank} is dead`);
      return [0, 1].map((target) => ({
        target,
        scm: { totalBytes: 100 * MIB, freeBytes: (50 + 10 * (2 * rank + target)) * MIB },
        nvme: { totalBytes: 0, freeBytes: 0 },
      }));
    },
  };
}
