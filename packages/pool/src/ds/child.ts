import type { BioDevice } from '@daos/bio';
import { DaosError, type Epoch, type Uuid } from '@daos/common';
import { tlsKey, type Xstream } from '@daos/engine';
import {
  TargetTimestamps,
  vosPoolCreate,
  vosPoolOpen,
  type DataOpener,
  type VosPool,
  type VosPoolCreateParams,
  type VosPoolInfo,
} from '@daos/vos';

import type { ShardPlace } from './storage.js';
import { poolTargetProps, type PoolTargetProps } from './target_props.js';

/** A pool's shard on this target. */
export interface DsPoolChild {
  readonly uuid: Uuid;
  readonly vos: VosPool;
  /** Version of the pool map that this target knows; 0 before it got one. */
  readonly mapVersion: number;
  /** Read anew at each decision: they may change at any time. Defaults until the leader was asked. */
  readonly props: PoolTargetProps;
  /** Under the shard's data file. */
  readonly device: BioDevice | undefined;
}

/** Names of operations that the system xstream runs on targets. */
export const ChildOp = {
  CREATE: 'pool.shardCreate',
  START: 'pool.childStart',
  STOP: 'pool.childStop',
  QUERY: 'pool.childQuery',
  MAP_VERSION: 'pool.childMapVersion',
  PROPS: 'pool.childProps',
} as const;

export interface ShardCreateArgs {
  readonly pool: Uuid;
  /** One per target. */
  readonly places: readonly ShardPlace[];
  readonly scmBytes: number;
  readonly nvmeBytes: number;
}

export interface ChildStartArgs {
  readonly pool: Uuid;
  readonly places: readonly ShardPlace[];
  readonly mapVersion: number;
}

export interface MapVersionArgs {
  readonly pool: Uuid;
  readonly mapVersion: number;
}

export interface PropsArgs {
  readonly pool: Uuid;
  readonly props: PoolTargetProps;
}

interface MutableChild extends DsPoolChild {
  mapVersion: number;
  props: PoolTargetProps;
}

/** The pools of one target xstream. */
export class PoolChildren {
  private readonly children = new Map<Uuid, MutableChild>();
  private readonly startHooks: ((child: DsPoolChild) => void)[] = [];
  private readonly stopHooks: ((pool: Uuid) => void | Promise<void>)[] = [];
  private readonly timestamps: TargetTimestamps;
  /** Undefined until the engine has told which it is. */
  private device: BioDevice | undefined;

  constructor(
    private readonly target: number,
    /** The engine's clock. */
    private readonly now: () => Epoch,
    private readonly openData: DataOpener | undefined,
  ) {
    this.timestamps = new TargetTimestamps(now);
  }

  /** DER_NONEXIST when the pool is not on this target. */
  lookup(pool: Uuid): DsPoolChild {
    const child = this.children.get(pool);
    if (!child) throw new DaosError('NONEXIST', `pool ${pool} is not on this target`);
    return child;
  }

  /** Runs when a pool's shard is open: what goes on in the background begins. */
  onStart(hook: (child: DsPoolChild) => void): void {
    this.startHooks.push(hook);
  }

  /** Runs before a pool's shard is closed: what was opened in it must be closed first. */
  onStop(hook: (pool: Uuid) => void | Promise<void>): void {
    this.stopHooks.push(hook);
  }

  async create({ pool, places, scmBytes, nvmeBytes }: ShardCreateArgs): Promise<void> {
    const { dir, dataPath } = this.place(places);
    const params: VosPoolCreateParams = {
      dir,
      uuid: pool,
      scmBytes,
      nvmeBytes,
      ...(dataPath === undefined ? {} : { dataPath }),
    };
    await vosPoolCreate(params);
  }

  async start({ pool, places, mapVersion }: ChildStartArgs): Promise<void> {
    if (this.children.has(pool)) return;
    const { dir, dataPath } = this.place(places);
    const props = poolTargetProps([]);
    const vos = await vosPoolOpen({
      dir,
      uuid: pool,
      now: this.now,
      timestamps: this.timestamps,
      checkpoint: props.checkpoint,
      ...(this.device && { device: this.device }),
      ...(this.openData && { openData: this.openData }),
      ...(dataPath === undefined ? {} : { dataPath }),
    });
    const child: MutableChild = { uuid: pool, vos, mapVersion, props, device: this.device };
    this.children.set(pool, child);
    for (const hook of this.startHooks) hook(child);
  }

  async stop(pool: Uuid): Promise<void> {
    const child = this.children.get(pool);
    if (!child) return;
    for (const hook of this.stopHooks) await hook(pool);
    this.children.delete(pool);
    await child.vos.close();
  }

  async stopAll(): Promise<void> {
    for (const pool of [...this.children.keys()]) await this.stop(pool);
  }

  query(pool: Uuid): VosPoolInfo {
    return this.lookup(pool).vos.query();
  }

  setMapVersion({ pool, mapVersion }: MapVersionArgs): void {
    const child = this.children.get(pool);
    if (child && mapVersion > child.mapVersion) child.mapVersion = mapVersion;
  }

  /** The leader's properties; a pool that is not here is passed over. */
  setProps({ pool, props }: PropsArgs): void {
    const child = this.children.get(pool);
    if (!child) return;
    child.vos.setCheckpointPolicy(props.checkpoint);
    child.props = props;
  }

  /** The device that this target's data files lie on: shards that are opened from now on count their errors there. */
  useDevice(device: BioDevice): void {
    this.device = device;
  }

  private place(places: readonly ShardPlace[]): ShardPlace {
    const place = places[this.target];
    if (!place) throw new DaosError('INVAL', `no place for the shard of target ${this.target}`);
    return place;
  }
}

export const POOL_CHILDREN = tlsKey<PoolChildren>('pool.children');

/** The shard of a pool in this target xstream. DER_NONEXIST when the pool is not here. */
export function dsPoolChildLookup(xs: Xstream, pool: Uuid): DsPoolChild {
  return xs.tls(POOL_CHILDREN).lookup(pool);
}

export function startChildren(xs: Xstream, openData?: DataOpener): PoolChildren {
  const children = new PoolChildren(xs.target, () => xs.hlc.get(), openData);
  xs.provide(POOL_CHILDREN, children);
  xs.operation(ChildOp.CREATE, (args: ShardCreateArgs) => children.create(args));
  xs.operation(ChildOp.START, (args: ChildStartArgs) => children.start(args));
  xs.operation(ChildOp.STOP, (pool: Uuid) => children.stop(pool));
  xs.operation(ChildOp.QUERY, (pool: Uuid) => children.query(pool));
  xs.operation(ChildOp.MAP_VERSION, (args: MapVersionArgs) => children.setMapVersion(args));
  xs.operation(ChildOp.PROPS, (args: PropsArgs) => children.setProps(args));
  return children;
}
