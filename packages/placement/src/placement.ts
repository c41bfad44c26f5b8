import { ComponentStatus, ComponentType, DaosError, dkeyToGroup, objectIdClass, objectIdToString, type ObjectId, type PoolMap } from '@daos/common';
import { LruMap, assert } from '@daos/gurt';

import { LayoutBuilder, type BuiltLayout } from './layout_builder.js';
import { LayoutCache } from './layout_cache.js';
import { layoutRequest, type LayoutRequest } from './layout_request.js';
import { LayoutMode, MapView, Verdict } from './map_view.js';
import { EMPTY_PLACE, type ObjectLayout, type ShardPlace } from './object_layout.js';
import { PlacementType, type PlacementInfo, type PlacementMap, type PlaceOptions, type RebuildOptions, type RebuildShard } from './placement_map.js';

/** Views of the map that are kept: modes, levels, layout and map versions in use at one time. */
const BUILDERS_MAX = 16;
const WRITABLE = ComponentStatus.UP | ComponentStatus.UPIN | ComponentStatus.DRAIN;

/**
 * The jump map: computes where objects live on one version of a pool map by jump consistent hashing (Lamping and
 * Veach, 2014) down the tree of domains. Make one per map version and keep it: views of the map and the layouts of
 * wide objects are remembered.
 */
export class Placement implements PlacementMap {
  readonly type = PlacementType.JUMP;
  private readonly builders = new LruMap<number, LayoutBuilder>(BUILDERS_MAX);
  /** The one used last: mostly it is used again. */
  private recent: { readonly key: number; readonly builder: LayoutBuilder } | undefined;
  private readonly layouts = new LayoutCache();
  private readonly anyUp: boolean;

  constructor(readonly map: PoolMap) {
    this.anyUp = map.targets.some((target) => target.status === ComponentStatus.UP);
  }

  query(domainType = 0): PlacementInfo {
    return placementInfo(this.type, this.map, domainType);
  }

  placeObject(oid: ObjectId, options: PlaceOptions = {}): ObjectLayout {
    const cached = this.layouts.get(oid, options);
    if (cached) return cached;
    const request = layoutRequest(this.map, oid, options);
    const layout = this.compute(request, options);
    this.layouts.set(oid, options, layout);
    return layout;
  }

  placeGroup(oid: ObjectId, group: number, options: PlaceOptions = {}): readonly ShardPlace[] {
    const request = layoutRequest(this.map, oid, options);
    if (!Number.isInteger(group) || group < 0 || group >= request.groupCount) {
      throw new DaosError('INVAL', `object ${objectIdToString(oid)} has no group ${group} but ${request.groupCount} groups`);
    }
    // The width of extended groups is that of the widest: then all groups are needed.
    if (this.map.targets.some((target) => (target.status & (ComponentStatus.UP | ComponentStatus.DRAIN)) !== 0)) {
      const { shards, groupSize } = this.placeObject(oid, options);
      return shards.slice(group * groupSize, (group + 1) * groupSize);
    }
    const built = this.build(request, modeOf(options), group);
    return this.places(built, group * request.groupSize, (group + 1) * request.groupSize);
  }

  /** Redundancy group of a dkey in a layout. */
  dkeyToGroup(type: number, dkey: Uint8Array, layout: ObjectLayout): number {
    return dkeyToGroup(type, dkey, layout.groupCount);
  }

  findRebuild(oid: ObjectId, version: number, options: RebuildOptions = {}): RebuildShard[] {
    if (this.map.version < version) {
      throw new DaosError('INVAL', `pool map version ${this.map.version} is older than rebuild version ${version}`);
    }
    const request = layoutRequest(this.map, oid, { ...options, version });
    const { group = -1 } = options;
    const before = this.build(request, LayoutMode.PRE, group);
    const after = this.build(request, LayoutMode.POST, group);
    const [first, end] = group < 0 ? [0, after.count] : [group * request.groupSize, (group + 1) * request.groupSize];
    const found: RebuildShard[] = [];
    for (let shard = first; shard < end; shard++) {
      const position = after.positions[shard] ?? -1;
      const target = this.map.targets[position];
      if (!target) continue;
      const moved = before.positions[shard] !== position;
      if (!moved && ((before.verdicts[shard] ?? 0) & Verdict.REBUILDING) === 0) continue;
      if ((target.status & WRITABLE) === 0) continue;
      if (target.failSeq > version) break;
      found.push({ shard, targetId: target.id });
    }
    return found;
  }

  findUpgrade(oid: ObjectId, fromVersion: number, toVersion: number, options: PlaceOptions = {}): RebuildShard[] {
    const mode = LayoutMode.PRE;
    const from = this.build(layoutRequest(this.map, oid, { ...options, layoutVersion: fromVersion }), mode);
    const to = this.build(layoutRequest(this.map, oid, { ...options, layoutVersion: toVersion }), mode);
    // Layout version 1 began to rotate the cells of erasure-coded groups: all of them are elsewhere.
    const all = fromVersion !== toVersion && toVersion === 1 && objectIdClass(oid).kind === 'ec';
    const found: RebuildShard[] = [];
    for (let shard = 0; shard < to.count; shard++) {
      const position = to.positions[shard] ?? -1;
      const target = this.map.targets[position];
      if (target && (all || position !== from.positions[shard])) found.push({ shard, targetId: target.id });
    }
    return found;
  }

  private compute(request: LayoutRequest, options: PlaceOptions): ObjectLayout {
    const built = this.build(request, modeOf(options));
    const peers = built.peers + (this.anyUp && options.mode === undefined ? 1 : 0);
    if (peers > 0 && !options.readOnly && options.mode === undefined) return this.extend(request, built, peers);
    return this.layout(request, request.groupSize, peers, this.places(built, 0, built.count));
  }

  private layout(request: LayoutRequest, groupSize: number, peers: number, shards: readonly ShardPlace[]): ObjectLayout {
    const { groupCount, groupSize: classGroupSize } = request;
    return { version: this.map.version, groupCount, groupSize, classGroupSize, peers, shards };
  }

  private build(request: LayoutRequest, mode: LayoutMode, group = -1): BuiltLayout {
    const { faultLevel, layoutVersion, version } = request;
    const key = mode + 4 * (faultLevel + 256 * (layoutVersion + 4 * version));
    if (this.recent?.key !== key) this.recent = { key, builder: this.builderOf(key, request, mode) };
    return this.recent.builder.build(request, group);
  }

  private builderOf(key: number, { faultLevel, layoutVersion, version }: LayoutRequest, mode: LayoutMode): LayoutBuilder {
    let builder = this.builders.get(key);
    if (!builder) {
      builder = new LayoutBuilder(new MapView(this.map, faultLevel, mode, version), layoutVersion);
      this.builders.set(key, builder);
    }
    return builder;
  }

  private places(built: BuiltLayout, first: number, end: number): ShardPlace[] {
    const places: ShardPlace[] = [];
    for (let shard = first; shard < end; shard++) {
      const target = this.map.targets[built.positions[shard] ?? -1];
      const verdict = built.verdicts[shard] ?? 0;
      places.push({
        shard: target ? shard : -1,
        rank: target ? target.rank : -1,
        target: target ? target.index : -1,
        targetId: target ? target.id : -1,
        failSeq: built.failSeqs[shard] ?? 0,
        rebuilding: (verdict & Verdict.REBUILDING) !== 0,
        reintegrating: (verdict & Verdict.REINTEGRATING) !== 0,
      });
    }
    return places;
  }

  /** Appends to every group the locations that its shards will have after the running changes. */
  private extend(request: LayoutRequest, now: BuiltLayout, peers: number): ObjectLayout {
    const { groupCount, groupSize } = request;
    const places = this.places(now, 0, now.count);
    const post = this.build(request, LayoutMode.POST);
    const extras: ShardPlace[][] = Array.from({ length: groupCount }, () => []);
    for (let shard = post.count - 1; shard >= 0; shard--) {
      const position = post.positions[shard] ?? -1;
      const target = this.map.targets[position];
      if (!target || position === now.positions[shard] || (target.status & WRITABLE) === 0) continue;
      const { rank, index, id: targetId, failSeq, status } = target;
      extras[Math.trunc(shard / groupSize)]?.push({
        shard,
        rank,
        target: index,
        targetId,
        failSeq,
        rebuilding: status !== ComponentStatus.DRAIN,
        reintegrating: status === ComponentStatus.UP,
      });
    }
    const widest = groupSize + extras.reduce((most, list) => Math.max(most, list.length), 0);
    const shards: ShardPlace[] = [];
    for (let group = 0; group < groupCount; group++) {
      shards.push(...places.slice(group * groupSize, (group + 1) * groupSize), ...(extras[group] ?? []));
      while (shards.length < (group + 1) * widest) shards.push(EMPTY_PLACE);
    }
    assert(shards.length === groupCount * widest, 'all groups of a layout have one width');
    return this.layout(request, widest, peers, shards);
  }
}

function modeOf({ mode, readOnly }: PlaceOptions): LayoutMode {
  return mode ?? (readOnly ? LayoutMode.PRE : LayoutMode.CURRENT);
}

/** What `PlacementMap.query` answers. */
export function placementInfo(type: PlacementType, map: PoolMap, domainType: number): PlacementInfo {
  const usual = domainType <= 0 || domainType > ComponentType.MAX;
  const layer = usual ? map.faultLevel(ComponentType.NODE) : domainType;
  const domainCount = map.domainsOf(layer).length;
  if (domainCount === 0) throw new DaosError('NONEXIST', `the pool map has no layer of type ${layer}`);
  return { type, version: map.version, domainType: layer, domainCount, targetCount: map.activeTargetCount() };
}
