import {
  ComponentStatus,
  ComponentType,
  DaosError,
  GROUP_SIZE_MAX,
  GROUPS_MAX,
  objectIdClass,
  objectIdToString,
  poolTargetIsUnavailable,
  type ObjectId,
  type PoolMap,
  type PoolTarget,
} from '@daos/common';

import { specialTarget } from './layout_request.js';
import { EMPTY_PLACE, type ObjectLayout, type ShardPlace } from './object_layout.js';
import { PlacementType, type PlacementInfo, type PlacementMap, type PlaceOptions, type RebuildOptions, type RebuildShard } from './placement_map.js';
import { Rings } from './ring.js';

export interface RingOptions {
  /** Layer of which a run of slots touches each domain once; default nodes. */
  readonly faultLevel?: number;
  /** Independent rings; default 1. */
  readonly ringCount?: number;
}

const RINGS_MAX = 1024;
const { DOWN, DOWNOUT, DRAIN } = ComponentStatus;

/** How an object lies on its ring. */
interface RingRequest {
  readonly ring: Int32Array;
  readonly begin: number;
  readonly groupSize: number;
  readonly groupCount: number;
}

interface Remap {
  readonly shard: number;
  failSeq: number;
  status: number;
}

/**
 * The ring map, an older way to place objects: shards take consecutive slots of a ring of all targets, spares are
 * searched backwards from the first. Pools do not use it; it knows failures, but neither drains, returns, extensions
 * nor layout versions: DER_NOSYS where these would be needed.
 */
export class RingPlacement implements PlacementMap {
  readonly type = PlacementType.RING;
  private readonly rings: Rings;
  private readonly domainType: number;

  /** DER_INVAL when the map has no such layer or the number of rings is impossible. */
  constructor(readonly map: PoolMap, { faultLevel = ComponentType.NODE, ringCount = 1 }: RingOptions = {}) {
    if (map.domainsOf(faultLevel).length === 0) throw new DaosError('INVAL', `the pool map has no layer of type ${faultLevel}`);
    if (!Number.isInteger(ringCount) || ringCount < 1 || ringCount > RINGS_MAX) {
      throw new DaosError('INVAL', `a ring map of ${ringCount} rings; 1 to ${RINGS_MAX} are possible`);
    }
    this.domainType = faultLevel;
    this.rings = new Rings(map, faultLevel, ringCount);
  }

  /** A ring map has one layer: it answers for that, whatever was asked for. */
  query(): PlacementInfo {
    const { map, type, domainType, rings } = this;
    return { type, version: map.version, domainType, domainCount: rings.domainCount, targetCount: rings.targetCount };
  }

  placeObject(oid: ObjectId, options: PlaceOptions = {}): ObjectLayout {
    if (options.mode !== undefined) throw new DaosError('NOSYS', 'a ring map knows one view of the pool only');
    const request = this.request(oid);
    const { groupCount, groupSize } = request;
    const { shards } = this.fill(request, options.objectVersion ?? options.version ?? this.map.version);
    return { version: this.map.version, groupCount, groupSize, classGroupSize: groupSize, peers: 0, shards };
  }

  placeGroup(oid: ObjectId, group: number, options: PlaceOptions = {}): readonly ShardPlace[] {
    const { shards, groupSize, groupCount } = this.placeObject(oid, options);
    if (!Number.isInteger(group) || group < 0 || group >= groupCount) {
      throw new DaosError('INVAL', `object ${objectIdToString(oid)} has no group ${group} but ${groupCount} groups`);
    }
    return shards.slice(group * groupSize, (group + 1) * groupSize);
  }

  /** As `PlacementMap.findRebuild`, for failures; shards are given in the order of these. */
  findRebuild(oid: ObjectId, version: number, options: RebuildOptions = {}): RebuildShard[] {
    if (this.map.version < version) {
      throw new DaosError('INVAL', `pool map version ${this.map.version} is older than rebuild version ${version}`);
    }
    const request = this.request(oid);
    // What has no copy cannot be rebuilt.
    if (request.groupSize === 1) return [];
    const { shards, remaps } = this.fill(request, options.objectVersion ?? version);
    return remaps
      .filter(({ failSeq, status }) => failSeq <= version && status !== DOWNOUT)
      .flatMap(({ shard }) => shards.slice(shard, shard + 1))
      .filter((place) => place.shard >= 0 && this.inGroup(place, request, options))
      .map(({ shard, targetId }) => ({ shard, targetId }));
  }

  findUpgrade(): RebuildShard[] {
    throw new DaosError('NOSYS', 'a ring map knows no layout versions');
  }

  private inGroup({ shard }: ShardPlace, { groupSize }: RingRequest, { group }: RebuildOptions): boolean {
    return group === undefined || Math.trunc(shard / groupSize) === group;
  }

  private request(oid: ObjectId): RingRequest {
    const found = objectIdClass(oid);
    const { domainCount, targetCount } = this.rings;
    const groupSize = found.groupSize === GROUP_SIZE_MAX ? domainCount : found.groupSize;
    if (groupSize > domainCount) {
      const subject = `object ${objectIdToString(oid)} of class ${found.name}`;
      throw new DaosError('INVAL', `${subject} needs ${groupSize} fault domains, the pool has ${domainCount}`);
    }
    const groupsMax = Math.max(1, Math.trunc(targetCount / groupSize));
    const groupCount = found.groupCount === GROUPS_MAX ? groupsMax : Math.min(found.groupCount, groupsMax);
    const ring = this.rings.ringOf(oid.lo);
    const begin = found.specialRank ? ring.indexOf(specialTarget(this.map, oid)) : this.rings.slotOf(oid.lo);
    if (begin < 0) throw new DaosError('INVAL', `object ${objectIdToString(oid)} names a target that is not on the ring`);
    return { ring, begin, groupSize, groupCount };
  }

  private fill(request: RingRequest, objectVersion: number): { shards: ShardPlace[]; remaps: Remap[] } {
    const { ring, begin, groupSize, groupCount } = request;
    const shards: ShardPlace[] = [];
    const remaps: Remap[] = [];
    for (let shard = 0; shard < groupCount * groupSize; shard++) {
      const groupEnd = (Math.trunc(shard / groupSize) + 1) * groupSize;
      const target = groupEnd > ring.length ? undefined : this.targetAt(ring, begin + shard);
      if (!target) {
        shards.push(EMPTY_PLACE);
        continue;
      }
      shards.push(placeOf(shard, target, target.failSeq, false));
      if (poolTargetIsUnavailable(target)) remaps.push({ shard, failSeq: target.failSeq, status: target.status });
    }
    remaps.sort(inOrder);
    this.assignSpares(request, shards, remaps, objectVersion);
    return { shards, remaps };
  }

  private targetAt(ring: Int32Array, slot: number): PoolTarget | undefined {
    return this.map.targets[ring[slot % ring.length] ?? -1];
  }

  /** Earliest failure first; a spare that failed later hands its entry on to the order of that failure. */
  private assignSpares(request: RingRequest, shards: ShardPlace[], remaps: readonly Remap[], objectVersion: number): void {
    const waiting = [...remaps];
    let distance = 0;
    for (let entry = waiting[0]; entry; entry = waiting[0]) {
      distance = this.nextDistance(request, distance);
      const { ring, begin } = request;
      const spare = distance < 0 ? undefined : this.targetAt(ring, begin - distance + ring.length);
      if (!spare || (poolTargetIsUnavailable(spare) && spare.failSeq > objectVersion)) {
        shards[entry.shard] = { ...EMPTY_PLACE, failSeq: shards[entry.shard]?.failSeq ?? 0 };
        waiting.shift();
        // Without spares left, none of the rest gets one either.
        if (!spare) distance = request.ring.length;
      } else if (!poolTargetIsUnavailable(spare)) {
        shards[entry.shard] = placeOf(entry.shard, spare, entry.failSeq, (entry.status & (DOWN | DRAIN)) !== 0);
        waiting.shift();
      } else if (spare.failSeq > entry.failSeq) {
        entry.failSeq = spare.failSeq;
        entry.status = spare.status;
        waiting.sort(inOrder);
      }
    }
  }

  /** Distance, backwards from the first slot, of the next spare; -1 when there is none. */
  private nextDistance({ ring, groupSize, groupCount }: RingRequest, distance: number): number {
    const { domainCount } = this.rings;
    if (groupSize === domainCount && groupSize > 1) return -1;
    let next = distance;
    // Skips the domains that the first group stands in.
    if ((next + groupSize) % domainCount === 0) next += groupSize;
    next++;
    return next > ring.length - groupSize * groupCount ? -1 : next;
  }
}

function inOrder(a: Remap, b: Remap): number {
  return a.failSeq - b.failSeq || a.shard - b.shard;
}

function placeOf(shard: number, { rank, index, id }: PoolTarget, failSeq: number, rebuilding: boolean): ShardPlace {
  return { shard, rank, target: index, targetId: id, failSeq, rebuilding, reintegrating: false };
}
