import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { DaosError } from '@daos/common';
import { Hlc, PoolConnectFlag, uuidGenerate, type Uuid } from '@daos/common';
import { ContService, type ContGrant, type ContServiceHost } from '@daos/container/ds';
import { PoolService, poolConnect, type OpId, type PoolServiceHost } from '@daos/pool/ds';
import { POOL_LAYOUT_VERSION } from '@daos/pool/rpc';
import { RsvcRegistry } from '@daos/rsvc';
import type { AuthSys } from '@daos/security/rpc';

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

/** Targets that only remember what they were told. */
export class FakeTargets implements ContServiceHost {
  readonly granted = new Map<Uuid, ContGrant>();
  readonly destroyed: Uuid[] = [];
  /** Thrown by the next grant or destroy. */
  failure: DaosError | undefined;

  async grant(_ranks: readonly number[], grant: ContGrant): Promise<void> {
    this.fail();
    this.granted.set(grant.handle, grant);
  }

  async revoke(_ranks: readonly number[], _pool: Uuid, handles: readonly Uuid[]): Promise<void> {
    for (const handle of handles) this.granted.delete(handle);
  }

  readonly snapshotsDeleted: Uuid[] = [];

  async snapshotDeleted(_ranks: readonly number[], _pool: Uuid, container: Uuid): Promise<void> {
    this.snapshotsDeleted.push(container);
  }

  async destroy(_ranks: readonly number[], _pool: Uuid, container: Uuid): Promise<void> {
    this.fail();
    this.destroyed.push(container);
  }

  private fail(): void {
    const { failure } = this;
    this.failure = undefined;
    if (failure) throw failure;
  }
}

/** The services of one pool with one rank over a real database, without engines. */
export class ContFixture {
  readonly pool: Uuid = uuidGenerate();
  readonly hlc = new Hlc();
  readonly targets = new FakeTargets();
  private readonly dir = mkdtempSync(join(tmpdir(), 'cont-test-'));
  private readonly containers = new WeakMap<PoolService, ContService>();
  private readonly clientId = uuidGenerate();
  private registry = this.makeRegistry();

  get poolService(): PoolService {
    return this.registry.lookup(this.pool).leader;
  }

  get service(): ContService {
    const service = this.containers.get(this.poolService);
    if (!service) throw new Error('no container service');
    return service;
  }

  op(): OpId {
    return { clientId: this.clientId, clientTime: this.hlc.get() };
  }

  async create(acl: readonly string[] = ['A::EVERYONE@:rw']): Promise<void> {
    await this.registry.create(this.pool, 0);
    const replica = this.registry.lookup(this.pool);
    const term = await replica.serve(async (service, served) => {
      await service.bootstrap({
        label: 'tank',
        ranks: [0],
        targetsPerRank: 2,
        props: [],
        owner: 'alice@',
        group: 'team@',
        acl,
        faultDomains: [],
      });
      return served;
    }, 'up empty');
    await replica.stepUpAfterBootstrap(term);
  }

  async connect(user: AuthSys, flags: number = PoolConnectFlag.RW): Promise<Uuid> {
    const handle = uuidGenerate();
    await poolConnect(this.poolService, this.op(), {
      handle,
      flags,
      user,
      layoutVersion: POOL_LAYOUT_VERSION,
    });
    return handle;
  }

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
    const extension = (pool: PoolService): ContService => {
      const service = new ContService(pool, this.targets);
      this.containers.set(pool, service);
      return service;
    };
    const host: PoolServiceHost = {
      rank: 0,
      hlc: this.hlc,
      validateCredential: async () => ALICE,
      pushMap: async () => undefined,
      queryRank: async () => [],
    };
    return new RsvcRegistry<PoolService>({
      name: (id) => `service of pool ${id}`,
      locate: (id) => join(this.dir, `${id}.rdb`),
      leader: (id, service) => new PoolService(id, host, () => service().rdb, [extension]),
    });
  }
}
