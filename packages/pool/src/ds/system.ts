import { TAG_SYSTEM } from '@daos/cart';
import { DaosError, PoolMap, UUID_NIL, type Uuid } from '@daos/common';
import { tlsKey, type Xstream } from '@daos/engine';
import { getLogger } from '@daos/gurt';
import { RdbReplica } from '@daos/rdb';
import { RsvcRegistry } from '@daos/rsvc';
import { dsSecValidateCredential } from '@daos/security/ds';
import type { VosPoolInfo } from '@daos/vos';

import { LeaderSearch } from '../dc/leader_search.js';
import { dcRsvcCall, type ServicePeer } from '../dc/service_call.js';
import { propsFromWire } from '../props_wire.js';
import { POOL_PROP_GET, POOL_TGT_MAP_UPDATE, POOL_TGT_QUERY } from '../rpc.js';
import type { PoolTgtCreateParams } from './api.js';
import { ChildOp } from './child.js';
import { LocalCaller } from './local_caller.js';
import { PoolService, type PoolServiceExtensionFactory, type PoolServiceHost } from './pool_service.js';
import type { TargetSpace } from './space.js';
import { PropsFeed } from './props_feed.js';
import { PoolStorage, type PoolMapRecord, type ShardPlace } from './storage.js';
import { TARGET_PROP_NUMBERS, poolTargetProps, type PoolTargetProps } from './target_props.js';

/** A pool on this engine, as its system xstream knows it. */
export interface DsPool {
  readonly uuid: Uuid;
  /** Undefined until the leader has handed it over. */
  readonly map: PoolMap | undefined;
  readonly record: PoolMapRecord | undefined;
}

const MAP_PUSH_TIMEOUT_MS = 10_000;
const SPACE_TIMEOUT_MS = 10_000;
const PROPS_TIMEOUT_MS = 20_000;
const log = getLogger('pool');

/** All pools of this engine, their storage, and the services whose replicas are here. Lives in the system xstream. */
export class PoolSystem {
  readonly storage: PoolStorage;
  readonly caller: LocalCaller;
  readonly services: RsvcRegistry<PoolService>;
  private readonly pools = new Map<Uuid, DsPool>();
  private readonly extensions: PoolServiceExtensionFactory[] = [];
  /** Pools that are being made or removed. */
  private readonly changing = new Set<Uuid>();
  /** How to reach the leaders of pools from here. */
  private readonly searches = new Map<Uuid, LeaderSearch>();
  private readonly feed = new PropsFeed({
    fetch: (pool, signal) => this.fetchProps(pool, signal),
    deliver: async (pool, props) => {
      await this.xs.onTargets(ChildOp.PROPS, { pool, props });
    },
  });

  constructor(readonly xs: Xstream) {
    this.storage = new PoolStorage(xs.engine);
    this.caller = new LocalCaller(xs);
    this.services = new RsvcRegistry<PoolService>({
      name: (id) => `service of pool ${id}`,
      locate: (id) => this.storage.rdbPath(id),
      leader: (id, service) => new PoolService(id, this.host, () => service().rdb, this.extensions),
    });
  }

  /** Has every pool service on this engine carry another service. Call it in a module's `start`. */
  extend(factory: PoolServiceExtensionFactory): void {
    this.extensions.push(factory);
  }

  /** DER_NONEXIST when the pool is not on this engine. */
  lookup(pool: Uuid): DsPool {
    const known = this.pools.get(pool);
    if (!known) throw new DaosError('NONEXIST', `pool ${pool} is not on rank ${this.xs.engine.rank}`);
    return known;
  }

  /** The service of a pool that is on this engine, as a server calls it. */
  peer(pool: Uuid): ServicePeer {
    const svcRanks = this.serviceRanks(pool);
    let search = this.searches.get(pool);
    if (!search) this.searches.set(pool, (search = new LeaderSearch(svcRanks)));
    else if (search.candidates.length === 0) search.reset(svcRanks);
    return { cart: this.caller, hlc: this.xs.hlc, pool, search };
  }

  /** Starts every pool found in the storage; one that cannot be started is logged and left alone. */
  async setup(): Promise<void> {
    await this.storage.clean();
    for (const pool of await this.storage.list()) {
      try {
        await this.startPool(pool);
        if (RdbReplica.exists(this.storage.rdbPath(pool))) await this.services.start(pool);
      } catch (error) {
        log.error(`pool ${pool} cannot be started: ${String(error)}`);
      }
    }
  }

  async cleanup(): Promise<void> {
    // The targets close their shards themselves.
    await this.feed.stopAll();
    await this.services.stopAll();
  }

  /** Makes the pool's shards on all targets; a complete pool is left as it is. DER_AGAIN while it is made or removed. */
  async createTargets({
    poolUuid: pool,
    scmBytesPerTarget,
    nvmeBytesPerTarget,
  }: PoolTgtCreateParams): Promise<void> {
    await this.alone(pool, async () => {
      if (this.storage.exists(pool)) {
        await this.startPool(pool);
        return;
      }
      const { targetCount } = this.xs.engine;
      try {
        await this.storage.begin(pool, scmBytesPerTarget * targetCount, nvmeBytesPerTarget * targetCount);
        const places = this.places((target) => this.storage.newbornShard(pool, target));
        await this.xs.onTargets(ChildOp.CREATE, {
          pool,
          places,
          scmBytes: scmBytesPerTarget,
          nvmeBytes: nvmeBytesPerTarget,
        });
        await this.storage.publish(pool);
        await this.startPool(pool);
      } catch (error) {
        await this.removePool(pool);
        throw error;
      }
    });
  }

  /** Stops the pool and its replica here and frees its space. Nothing there is success. */
  async destroyTargets(pool: Uuid): Promise<void> {
    await this.alone(pool, async () => {
      await this.services.stop(pool);
      await this.removePool(pool);
    });
  }

  /** Takes the map that the leader hands over; an older one changes nothing. */
  async updateMap(pool: Uuid, record: PoolMapRecord): Promise<void> {
    const known = this.lookup(pool);
    if (known.record && (record.mapVersion < known.record.mapVersion || record.term < known.record.term))
      return;
    const map = PoolMap.decode(record.map, record.mapVersion);
    await this.storage.writeMap(pool, record);
    // it may have been destroyed meanwhile
    if (!this.pools.has(pool)) return;
    this.pools.set(pool, { uuid: pool, map, record });
    this.searches.delete(pool);
    await this.xs.onTargets(ChildOp.MAP_VERSION, { pool, mapVersion: record.mapVersion });
    // also how the leader says that properties have changed
    if (this.pools.has(pool)) this.feed.request(pool);
  }

  /** Space of the pool on this engine's targets. */
  async querySpace(pool: Uuid): Promise<TargetSpace[]> {
    this.lookup(pool);
    const infos = await this.xs.onTargets<Uuid, VosPoolInfo>(ChildOp.QUERY, pool);
    return infos.map(({ scm, nvme }, target) => ({ target, scm, nvme }));
  }

  private readonly host: PoolServiceHost = ((system: PoolSystem): PoolServiceHost => ({
    get rank() {
      return system.xs.engine.rank;
    },
    get hlc() {
      return system.xs.hlc;
    },
    validateCredential: (credential) => dsSecValidateCredential(system.xs, credential),
    pushMap: async (pool, rank, { map, mapVersion: version, ...rest }) => {
      const input = { pool, version, ...rest };
      await system.caller.call({ rank, tag: TAG_SYSTEM }, POOL_TGT_MAP_UPDATE, input, {
        data: [map],
        timeoutMs: MAP_PUSH_TIMEOUT_MS,
      });
    },
    queryRank: async (pool, rank) => {
      const { output } = await system.caller.call(
        { rank, tag: TAG_SYSTEM },
        POOL_TGT_QUERY,
        { pool },
        { timeoutMs: SPACE_TIMEOUT_MS },
      );
      return [...output.targets];
    },
  }))(this);

  /** As the leader told; before it did, a replica here is the place to ask. */
  private serviceRanks(pool: Uuid): readonly number[] {
    const { record } = this.lookup(pool);
    if (record) return record.svcRanks;
    return RdbReplica.exists(this.storage.rdbPath(pool)) ? [this.xs.engine.rank] : [];
  }

  private async startPool(pool: Uuid): Promise<void> {
    if (this.pools.has(pool)) return;
    const record = await this.storage.readMap(pool);
    const places = this.places((target) => this.storage.shard(pool, target));
    await this.xs.onTargets(ChildOp.START, { pool, places, mapVersion: record?.mapVersion ?? 0 });
    const map = record && PoolMap.decode(record.map, record.mapVersion);
    this.pools.set(pool, { uuid: pool, map, record });
    // a new pool's leader hands over its map
    if (this.serviceRanks(pool).length > 0) this.feed.request(pool);
  }

  private async fetchProps(pool: Uuid, signal: AbortSignal): Promise<PoolTargetProps> {
    const body = { numbers: TARGET_PROP_NUMBERS };
    const options = { timeoutMs: PROPS_TIMEOUT_MS, signal };
    const answer = await dcRsvcCall(this.peer(pool), POOL_PROP_GET, UUID_NIL, body, options);
    return poolTargetProps(propsFromWire(answer.body.props));
  }

  private async stopPool(pool: Uuid): Promise<void> {
    this.pools.delete(pool);
    await this.feed.stop(pool);
    this.searches.delete(pool);
    await this.xs.onTargets(ChildOp.STOP, pool);
  }

  private async removePool(pool: Uuid): Promise<void> {
    await this.stopPool(pool);
    if (this.storage.exists(pool)) await this.storage.remove(pool);
    else await this.storage.abandon(pool);
  }

  private places(of: (target: number) => ShardPlace): ShardPlace[] {
    return Array.from({ length: this.xs.engine.targetCount }, (_, target) => of(target));
  }

  private async alone(pool: Uuid, work: () => Promise<void>): Promise<void> {
    if (this.changing.has(pool)) throw new DaosError('AGAIN', `pool ${pool} is being created or destroyed`);
    this.changing.add(pool);
    try {
      await work();
    } finally {
      this.changing.delete(pool);
    }
  }
}

export const POOL_SYSTEM = tlsKey<PoolSystem>('pool.system');

/** A pool on this engine, in the system xstream. DER_NONEXIST when it is not here. */
export function dsPoolLookup(xs: Xstream, pool: Uuid): DsPool {
  return xs.tls(POOL_SYSTEM).lookup(pool);
}
