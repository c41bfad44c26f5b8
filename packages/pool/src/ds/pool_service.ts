import { getLogger } from '@daos/gurt';
import { DaosError, PoolMap, isDaosError, type Hlc, type Uuid } from '@daos/common';
import type { RdbReplica, RdbTx } from '@daos/rdb';
import { MapDistributor, RwLock, type RsvcLeader } from '@daos/rsvc';
import type { AuthSys } from '@daos/security/rpc';

import type { PoolContainer } from '../types.js';
import { poolBootstrap, type PoolBootstrap } from './bootstrap.js';
import { decodeU32 } from './codec.js';
import { PATH_ROOT, POOL_GLOBAL_VERSION, PoolKey } from './layout.js';
import type { TargetSpace } from './space.js';
import type { PoolMapRecord } from './storage.js';
import { opLookup, opSave, type OpId } from './svc_ops.js';

/** What the service needs of the engine it runs on. */
export interface PoolServiceHost {
  readonly rank: number;
  readonly hlc: Hlc;
  /** DER_NO_PERM and others when the credential is not genuine. */
  validateCredential(credential: Uint8Array): Promise<AuthSys>;
  /** Hands the map to one rank. */
  pushMap(pool: Uuid, rank: number, record: PoolMapRecord): Promise<void>;
  /** Space of the pool on the targets of one rank. */
  queryRank(pool: Uuid, rank: number): Promise<TargetSpace[]>;
}

/** What another service keeps in the same database and does with its leader. */
export interface PoolServiceExtension {
  /** Adds its first metadata to a new pool. */
  bootstrap(tx: RdbTx): void;
  stepUp(): Promise<void>;
  stepDown(): Promise<void>;
  /** Closes what was opened through pool handles that go away; the changes join the transaction. */
  closePoolHandles(tx: RdbTx, handles: ReadonlySet<Uuid>): Promise<void>;
  listContainers(tx: RdbTx): PoolContainer[];
}

export type PoolServiceExtensionFactory = (service: PoolService) => PoolServiceExtension;

/** Result of a write: what is answered now, and the bytes from which it can be answered again. */
export interface Written<T> {
  readonly result: T;
  readonly data?: Uint8Array | undefined;
}

const NOTHING = new Uint8Array(0);
const log = getLogger('pool');

/** The leader of a pool's metadata: the pool's own and, through extensions, its containers'. */
export class PoolService implements RsvcLeader {
  private readonly lock = new RwLock();
  private readonly extensions: PoolServiceExtension[];
  private distributor: MapDistributor | undefined;
  private currentMap: PoolMap | undefined;
  private term = 0;

  constructor(
    readonly uuid: Uuid,
    readonly host: PoolServiceHost,
    private readonly rdb: () => RdbReplica,
    extensions: readonly PoolServiceExtensionFactory[],
  ) {
    this.extensions = extensions.map((make) => make(this));
  }

  get map(): PoolMap {
    if (!this.currentMap) throw new DaosError('UNINIT', `pool ${this.uuid} has no map yet`);
    return this.currentMap;
  }

  get mapVersion(): number {
    return this.currentMap?.version ?? 0;
  }

  serviceRanks(): number[] {
    return this.rdb().ranks();
  }

  async stepUp(term: number): Promise<'up' | 'empty'> {
    this.term = term;
    const tx = await this.rdb().begin(term);
    if (!tx.exists(PATH_ROOT) || !tx.lookup(PATH_ROOT, PoolKey.MAP_VERSION)) return 'empty';
    const version = this.number(tx, PoolKey.GLOBAL_VERSION);
    if (version > POOL_GLOBAL_VERSION) {
      throw new DaosError(
        'DF_INCOMPT',
        `pool ${this.uuid} has metadata of version ${version}, this program knows ${POOL_GLOBAL_VERSION}`,
      );
    }
    this.currentMap = PoolMap.decode(
      this.bytes(tx, PoolKey.MAP_BUFFER),
      this.number(tx, PoolKey.MAP_VERSION),
    );
    for (const extension of this.extensions) await extension.stepUp();
    this.distributor = new MapDistributor(() => this.distributeMap());
    this.distributor.request();
    return 'up';
  }

  async drain(): Promise<void> {
    const distributor = this.distributor;
    this.distributor = undefined;
    await distributor?.stop();
  }

  async stepDown(): Promise<void> {
    for (const extension of [...this.extensions].reverse()) await extension.stepDown();
    this.currentMap = undefined;
  }

  /** First metadata of a new pool, in one transaction. DER_INVAL for bad properties. */
  async bootstrap(params: PoolBootstrap): Promise<void> {
    await this.lock.write(async () => {
      const tx = await this.rdb().begin(this.term);
      if (tx.exists(PATH_ROOT)) throw new DaosError('ALREADY', `pool ${this.uuid} has metadata already`);
      poolBootstrap(tx, params, this.rdb().info().capacityBytes);
      for (const extension of this.extensions) extension.bootstrap(tx);
      await tx.commit();
    });
  }

  /** Runs a reading operation in the leader's term. */
  read<T>(work: (tx: RdbTx) => T | Promise<T>): Promise<T> {
    return this.lock.read(async () => work(await this.rdb().begin(this.term)));
  }

  /**
   * Runs a changing operation alone and commits what it queued, with the record of its outcome. An operation that was
   * done before is not done again: a failure is thrown again, a success goes to `replay`.
   */
  write<T>(
    op: OpId,
    work: (tx: RdbTx) => Promise<Written<T>>,
    replay: (tx: RdbTx, data: Uint8Array) => T | Promise<T>,
  ): Promise<T> {
    return this.lock.write(async () => {
      const tx = await this.rdb().begin(this.term);
      const before = opLookup(tx, op);
      if (before && before.status !== 0) throw DaosError.fromStatus(before.status);
      if (before) return replay(tx, before.data);
      try {
        const { result, data = NOTHING } = await work(tx);
        opSave(tx, op, { status: 0, data }, this.host.hlc.get());
        await tx.commit();
        return result;
      } catch (error) {
        tx.discard();
        await this.saveFailure(tx, op, error);
        throw error;
      }
    });
  }

  /** Runs a changing operation alone, without a record of its outcome: done again, it takes effect again. */
  change<T>(work: (tx: RdbTx) => Promise<T>): Promise<T> {
    return this.lock.write(async () => {
      const tx = await this.rdb().begin(this.term);
      const result = await work(tx);
      await tx.commit();
      return result;
    });
  }

  /** Properties have changed: has all ranks ask for them, by handing them the map again. */
  announce(): void {
    this.distributor?.request();
  }

  /** Closes, in all extensions, what was opened through the handles. */
  async closePoolHandles(tx: RdbTx, handles: ReadonlySet<Uuid>): Promise<void> {
    for (const extension of this.extensions) await extension.closePoolHandles(tx, handles);
  }

  listContainers(tx: RdbTx): PoolContainer[] {
    return this.extensions.flatMap((extension) => extension.listContainers(tx));
  }

  number(tx: RdbTx, key: Uint8Array): number {
    return decodeU32(this.bytes(tx, key));
  }

  private bytes(tx: RdbTx, key: Uint8Array): Uint8Array {
    const value = tx.lookup(PATH_ROOT, key);
    if (!value)
      throw new DaosError(
        'DF_INVAL',
        `metadata of pool ${this.uuid} lacks "${Buffer.from(key).toString().slice(0, -1)}"`,
      );
    return value;
  }

  /** Failures that a resend may overcome are not kept. */
  private async saveFailure(tx: RdbTx, op: OpId, error: unknown): Promise<void> {
    if (!(error instanceof DaosError) || isTransient(error)) return;
    try {
      opSave(tx, op, { status: error.status, data: NOTHING }, this.host.hlc.get());
      await tx.commit();
    } catch (failure) {
      log.warn(`pool ${this.uuid}: the outcome of an operation is not recorded: ${String(failure)}`);
    }
  }

  private async distributeMap(): Promise<number> {
    const { map } = this;
    const record = {
      mapVersion: map.version,
      map: map.encode(),
      term: this.term,
      leaderRank: this.host.rank,
      svcRanks: this.serviceRanks(),
    };
    await Promise.all(map.ranks().map((rank) => this.host.pushMap(this.uuid, rank, record)));
    return map.version;
  }
}

/** Errors after which the same operation is sent again, or that say that nothing is known of its outcome. */
function isTransient(error: DaosError): boolean {
  return isDaosError(
    error,
    'TIMEDOUT',
    'GRPVER',
    'EXCLUDED',
    'UNREACH',
    'HG',
    'OOG',
    'NOREPLY',
    'CANCELED',
    'NOTLEADER',
    'SHUTDOWN',
    'NOSPACE',
  );
}
