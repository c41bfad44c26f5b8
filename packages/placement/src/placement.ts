import {
  ComponentStatus,
  ComponentType,
  DaosError,
  dkeyToGroup,
  GROUP_SIZE_MAX,
  GROUPS_MAX,
  objectIdClass,
  type ObjectId,
  type PoolMap,
} from '@daos/common';
import { LruMap } from '@daos/gurt';

import { emptyPlace, LayoutBuilder, placeOf, type BuiltLayout, type LayoutRequest } from './layout_builder.js';
import { LAYOUT_VERSION, LayoutKey } from './layout_key.js';
import { LayoutMode, MapView } from './map_view.js';
import type { ObjectLayout, ShardPlace } from './object_layout.js';

export interface PlaceOptions {
  /** Redundancy level of the container (`rd_lvl`): 1 rank, 2 node; default node. */
  readonly faultLevel?: number;
  /** Object layout version of the container; default the newest. */
  readonly layoutVersion?: number;
  /** Performance domain affinity; 0 or absent: off. 4294967295 = as much as possible. */
  readonly pda?: number;
  /** `perf_domain` of the container: 200 when performance domains are in use. */
  readonly perfDomainLevel?: number;
  /** The layout is for readers only: as it was before the running changes of the pool. */
  readonly readOnly?: boolean;
  /** Pool map version the layout may know of; default the map's. */
  readonly version?: number;
  /** View of the pool; overrides `readOnly`, and leaves out second locations. */
  readonly mode?: LayoutMode;
}

/** A shard to refill: what `Placement.findRebuild` returns. */
export interface RebuildShard {
  readonly shard: number;
  readonly targetId: number;
}

const PDA_MAX = 0xffff_ffff;
const NO_PERF_DOMAINS = new Int32Array(0);
/** Layouts with at least this many shards are worth keeping. */
const CACHED_SHARDS_MIN = 8;
const CACHED_LAYOUTS_MAX = 512;

/**
 * Computes where objects live on one version of a pool map ("jump map"). Deterministic: every client and engine with
 * the same map comes to the same layout, from the object id alone. Make one per map version and keep it: views of the
 * map and the layouts of wide objects are remembered.
 */
export class Placement {
  private readonly builders = new Map<number, LayoutBuilder>();
  private readonly layouts = new LruMap<bigint, ObjectLayout>(CACHED_LAYOUTS_MAX);
  private readonly anyUp: boolean;

  constructor(readonly map: PoolMap) {
    this.anyUp = map.targets.some((target) => target.status === ComponentStatus.UP);
  }

  /**
   * Layout of an object. Writers get second locations of shards on the move appended to their groups; readers get the
   * locations from before the move. Throws DER_INVAL when the id names no class, or one that the pool cannot hold.
   */
  placeObject(oid: ObjectId, options: PlaceOptions = {}): ObjectLayout {
    const usual = options.mode === undefined && options.version === undefined && options.pda === undefined;
    const key = usual ? (oid.hi << 64n) | oid.lo : 0n;
    const variant = (options.readOnly ? 1 : 0) + 2 * (options.faultLevel ?? 0) + 1024 * (options.layoutVersion ?? 0);
    const cacheKey = (BigInt(variant) << 128n) | key;
    const cached = usual ? this.layouts.get(cacheKey) : undefined;
    if (cached) return cached;
    const layout = this.compute(oid, options);
    if (usual && layout.shards.length >= CACHED_SHARDS_MIN) this.layouts.set(cacheKey, layout);
    return layout;
  }

  private compute(oid: ObjectId, options: PlaceOptions): ObjectLayout {
    const { mode } = options;
    const request = this.request(oid, options);
    const built = this.build(request, mode ?? (options.readOnly ? LayoutMode.PRE : LayoutMode.CURRENT), options);
    if (mode !== undefined) return this.layout(request, built.slots.map(placeOf), request.groupSize, built.peers);
    const peers = built.peers + (this.anyUp ? 1 : 0);
    if (options.readOnly || peers === 0) {
      return this.layout(request, built.slots.map(placeOf), request.groupSize, peers);
    }
    const post = this.build(request, LayoutMode.POST, options);
    return this.extend(request, built, post, peers);
  }

  private layout(request: LayoutRequest, shards: readonly ShardPlace[], groupSize: number, peers: number): ObjectLayout {
    const { groupCount, groupSize: classGroupSize } = request;
    return { version: this.map.version, groupCount, groupSize, classGroupSize, peers, shards };
  }

  /** Redundancy group of a dkey in a layout. */
  dkeyToGroup(type: number, dkey: Uint8Array, layout: ObjectLayout): number {
    return dkeyToGroup(type, dkey, layout.groupCount);
  }

  /**
   * Shards of an object that the operation of a map version has to refill, in shard order.
   * Throws DER_INVAL when the map is older than the version.
   */
  findRebuild(oid: ObjectId, version: number, options: PlaceOptions = {}): RebuildShard[] {
    if (this.map.version < version) {
      throw new DaosError('INVAL', `pool map version ${this.map.version} is older than rebuild version ${version}`);
    }
    const request = this.request(oid, { ...options, version });
    const before = this.build(request, LayoutMode.PRE, { ...options, version });
    const after = this.build(request, LayoutMode.POST, { ...options, version });
    const found: RebuildShard[] = [];
    for (const [i, slot] of after.slots.entries()) {
      const old = before.slots[i];
      const { target } = slot;
      if (!target || !old) continue;
      const moved = old.target?.id !== target.id;
      if (!moved && !placeOf(old).rebuilding) continue;
      if (!isWritable(target.status)) continue;
      if (target.failSeq > version) break;
      found.push({ shard: slot.shard, targetId: target.id });
    }
    return found;
  }

  private build(request: LayoutRequest, mode: LayoutMode, options: PlaceOptions): BuiltLayout {
    const faultLevel = this.map.faultLevel(options.faultLevel ?? ComponentType.NODE);
    const layoutVersion = options.layoutVersion ?? LAYOUT_VERSION;
    const version = options.version ?? this.map.version;
    const key = mode + 4 * (faultLevel + 256 * layoutVersion);
    let builder = this.builders.get(key);
    if (builder?.view.version !== version) {
      builder = new LayoutBuilder(new MapView(this.map, faultLevel, mode, version), layoutVersion);
      this.builders.set(key, builder);
    }
    return builder.build(request);
  }

  private request(oid: ObjectId, options: PlaceOptions): LayoutRequest {
    const { map } = this;
    const found = objectIdClass(oid);
    const domainCount = map.domainsOf(map.faultLevel(options.faultLevel ?? ComponentType.NODE)).length;
    const targetCount = map.targets.length;
    const groupSize = found.groupSize === GROUP_SIZE_MAX ? domainCount : found.groupSize;
    if (groupSize > domainCount) {
      throw new DaosError('INVAL', `class ${found.name} needs ${groupSize} fault domains, the pool has ${domainCount}`);
    }
    const groupsMax = Math.max(1, Math.trunc(targetCount / groupSize));
    const groupCount = found.groupCount === GROUPS_MAX ? groupsMax : found.groupCount;
    if (groupCount > groupsMax) {
      throw new DaosError('INVAL', `class ${found.name} needs ${groupCount * groupSize} targets, the pool has ${targetCount}`);
    }
    const layoutVersion = options.layoutVersion ?? LAYOUT_VERSION;
    return {
      oidHi: oid.hi,
      oidLo: oid.lo,
      groupCount,
      groupSize,
      ...this.perfDomains(oid, groupCount, groupSize, domainCount, layoutVersion, options),
      firstTarget: found.specialRank ? this.specialTarget(oid) : -1,
      objectVersion: options.version ?? map.version,
    };
  }

  /** Target that an object id of a test class names: rank in the user bits 31..24 of `hi`, index in 23..20. */
  private specialTarget(oid: ObjectId): number {
    const rank = Number((oid.hi >> 24n) & 0xffn);
    const index = Number((oid.hi >> 20n) & 0xfn);
    const target = this.map.targetOf(rank, index);
    if (!target) throw new DaosError('INVAL', `the pool has no target ${index} on rank ${rank}`);
    return target.position;
  }

  /** Performance domains of an object: consecutive shards stay together in one, as far as it can hold them. */
  private perfDomains(
    oid: ObjectId,
    groupCount: number,
    groupSize: number,
    domainCount: number,
    layoutVersion: number,
    options: PlaceOptions,
  ): Pick<LayoutRequest, 'perfDomains' | 'shardsPerPerfDomain'> {
    const { pda = 0, perfDomainLevel = 0 } = options;
    const layer = pda !== 0 && perfDomainLevel === ComponentType.PERF ? this.map.domainsOf(ComponentType.PERF) : [];
    const first = layer[0];
    if (!first) return { perfDomains: NO_PERF_DOMAINS, shardsPerPerfDomain: 1 };
    const together =
      groupSize === 1
        ? Math.min(pda, first.targetCount)
        : Math.min(pda === PDA_MAX ? groupSize : pda, Math.trunc(domainCount / layer.length));
    const count = Math.min(Math.ceil((groupSize * groupCount) / together), layer.length);
    const halves = new Int32Array(new BigUint64Array([oid.hi, oid.lo]).buffer);
    const [hiLo = 0, hiHi = 0, loLo = 0, loHi = 0] = halves;
    const key = new LayoutKey();
    key.ofObject(hiHi, hiLo, loHi, loLo, layoutVersion);
    const chosen: number[] = [];
    for (let i = 0; i < count; i++) {
      key.nextPerfDomain(i, layoutVersion);
      let at = key.jump(layer.length);
      while (chosen.includes(at)) at = (at + 1) % layer.length;
      chosen.push(at);
    }
    return {
      perfDomains: Int32Array.from(chosen, (at) => layer[at]?.position ?? 0),
      shardsPerPerfDomain: together,
    };
  }

  /** Appends to every group the locations that its shards will have after the running changes. */
  private extend(request: LayoutRequest, now: BuiltLayout, post: BuiltLayout, peers: number): ObjectLayout {
    const { groupCount, groupSize } = request;
    const extras: ShardPlace[][] = Array.from({ length: groupCount }, () => []);
    post.slots.forEach((slot, i) => {
      const { target } = slot;
      if (!target || target.id === now.slots[i]?.target?.id || !isWritable(target.status)) return;
      // Descending shard order.
      extras[Math.trunc(i / groupSize)]?.unshift({
        ...placeOf(slot),
        shard: i,
        failSeq: target.failSeq,
        rebuilding: target.status !== ComponentStatus.DRAIN,
        reintegrating: target.status === ComponentStatus.UP,
      });
    });
    const widest = groupSize + extras.reduce((most, list) => Math.max(most, list.length), 0);
    const shards: ShardPlace[] = [];
    for (let group = 0; group < groupCount; group++) {
      shards.push(...now.slots.slice(group * groupSize, (group + 1) * groupSize).map(placeOf), ...(extras[group] ?? []));
      while (shards.length < (group + 1) * widest) shards.push(emptyPlace());
    }
    return this.layout(request, shards, widest, peers);
  }
}

function isWritable(status: number): boolean {
  return (status & (ComponentStatus.UP | ComponentStatus.UPIN | ComponentStatus.DRAIN)) !== 0;
}
