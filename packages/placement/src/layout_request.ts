import {
  ComponentType,
  DaosError,
  GROUP_SIZE_MAX,
  GROUPS_MAX,
  objectIdClass,
  objectIdToString,
  type ObjectClass,
  type ObjectId,
  type PoolMap,
} from '@daos/common';

import { LAYOUT_VERSION, LayoutKey } from './layout_key.js';
import type { PlaceOptions } from './placement_map.js';

/** What decides the layout of one object. */
export interface LayoutRequest {
  readonly oidHi: bigint;
  readonly oidLo: bigint;
  readonly groupCount: number;
  readonly groupSize: number;
  /** Layer of which a group uses each domain once. */
  readonly faultLevel: number;
  readonly layoutVersion: number;
  /** Domain positions where the shards start their search, taken in turn; empty: the root. */
  readonly perfDomains: Int32Array;
  /** Consecutive shards that share a start. */
  readonly shardsPerPerfDomain: number;
  /** Target that the first shard is bound to, as a position; -1: none. */
  readonly firstTarget: number;
  /** Pool map version that the layout may know of. */
  readonly version: number;
  /** Pool map version that the object's owner knew. */
  readonly objectVersion: number;
}

/** `pda` that asks for as much affinity as possible. */
const PDA_MAX = 0xffff_ffff;

/** Where shards of an object begin their search. */
type Affinity = Pick<LayoutRequest, 'perfDomains' | 'shardsPerPerfDomain'>;
const NO_AFFINITY: Affinity = { perfDomains: new Int32Array(0), shardsPerPerfDomain: 1 };

/**
 * Size and keys of an object's layout on a map. Throws DER_INVAL when the id names no class or a target that the pool
 * has not, when the pool is too small for the class, and for a level or layout version that does not exist.
 */
export function layoutRequest(map: PoolMap, oid: ObjectId, options: PlaceOptions): LayoutRequest {
  const { layoutVersion = LAYOUT_VERSION, version = map.version } = options;
  if (layoutVersion !== 1 && layoutVersion !== 2) {
    throw new DaosError('INVAL', `object layout version ${layoutVersion} is not supported; 1 and 2 are`);
  }
  const faultLevel = map.faultLevel(options.faultLevel || ComponentType.NODE);
  const domainCount = map.domainsOf(faultLevel).length;
  const found = objectIdClass(oid);
  const size = layoutSize(found, oid, domainCount, map.targets.length);
  const affinity = options.pda ? perfDomains(map, oid, size, domainCount, layoutVersion, options) : NO_AFFINITY;
  return {
    oidHi: oid.hi,
    oidLo: oid.lo,
    groupCount: size.groupCount,
    groupSize: size.groupSize,
    faultLevel,
    layoutVersion,
    perfDomains: affinity.perfDomains,
    shardsPerPerfDomain: affinity.shardsPerPerfDomain,
    firstTarget: found.specialRank ? specialTarget(map, oid) : -1,
    version,
    objectVersion: options.objectVersion ?? version,
  };
}

interface LayoutSize {
  readonly groupCount: number;
  readonly groupSize: number;
}

function layoutSize(found: ObjectClass, oid: ObjectId, domainCount: number, targetCount: number): LayoutSize {
  const groupSize = found.groupSize === GROUP_SIZE_MAX ? domainCount : found.groupSize;
  const subject = (): string => `object ${objectIdToString(oid)} of class ${found.name}`;
  if (groupSize > domainCount) {
    throw new DaosError('INVAL', `${subject()} needs ${groupSize} fault domains, the pool has ${domainCount}`);
  }
  const groupsMax = Math.max(1, Math.trunc(targetCount / groupSize));
  const groupCount = found.groupCount === GROUPS_MAX ? groupsMax : found.groupCount;
  if (groupCount > groupsMax) {
    throw new DaosError('INVAL', `${subject()} needs ${groupCount * groupSize} targets, the pool has ${targetCount}`);
  }
  return { groupCount, groupSize };
}

/** Target that an object id of a test class names: rank in the user bits 31..24 of `hi`, index in 23..20. */
export function specialTarget(map: PoolMap, oid: ObjectId): number {
  const rank = Number((oid.hi >> 24n) & 0xffn);
  const index = Number((oid.hi >> 20n) & 0xfn);
  const target = map.targetOf(rank, index);
  if (!target) throw new DaosError('INVAL', `object ${objectIdToString(oid)} names target ${index} of rank ${rank}, which the pool has not`);
  return target.position;
}

/** Performance domains of an object: consecutive shards stay together in one, as far as it can hold them. */
function perfDomains(
  map: PoolMap,
  oid: ObjectId,
  { groupCount, groupSize }: LayoutSize,
  domainCount: number,
  layoutVersion: number,
  { pda = 0, perfDomainLevel = 0 }: PlaceOptions,
): Affinity {
  const layer = pda !== 0 && perfDomainLevel === ComponentType.PERF ? map.domainsOf(ComponentType.PERF) : [];
  const first = layer[0];
  if (!first) return NO_AFFINITY;
  const together =
    groupSize === 1
      ? Math.min(pda, first.targetCount)
      : Math.min(pda === PDA_MAX ? groupSize : pda, Math.trunc(domainCount / layer.length));
  const count = Math.min(Math.ceil((groupSize * groupCount) / together), layer.length);
  const [hiLo = 0, hiHi = 0, loLo = 0, loHi = 0] = new Int32Array(new BigUint64Array([oid.hi, oid.lo]).buffer);
  const key = new LayoutKey();
  key.ofObject(hiHi, hiLo, loHi, loLo, layoutVersion);
  const used = new Uint8Array(layer.length);
  const chosen = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    key.nextPerfDomain(i, layoutVersion);
    let at = key.jump(layer.length);
    while (used[at] === 1) at = (at + 1) % layer.length;
    used[at] = 1;
    chosen[i] = layer[at]?.position ?? 0;
  }
  return { perfDomains: chosen, shardsPerPerfDomain: together };
}
