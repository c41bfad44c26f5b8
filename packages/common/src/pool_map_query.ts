import { ComponentStatus } from './pool_component.js';
import type { PoolMap } from './pool_map.js';
import type { PoolTarget } from './pool_map_tree.js';

const { NEW, UP, DOWN, DOWNOUT, DRAIN } = ComponentStatus;

/** Targets that failed, finished or not, by rising failure sequence. Draining ones still serve and are left out. */
export function poolMapFailedTargets(map: PoolMap): PoolTarget[] {
  return map.targetsByStatus(DOWN | DOWNOUT);
}

/** Targets of a rank that failed or are being drained, by index; empty for an unknown rank. */
export function poolMapFailedTargetsOfRank(map: PoolMap, rank: number): PoolTarget[] {
  return poolMapTargetsOfRank(map, rank, DOWN | DOWNOUT | DRAIN);
}

/** Targets of a rank with a status in the mask, by index; empty for an unknown rank. */
export function poolMapTargetsOfRank(map: PoolMap, rank: number, mask: number): PoolTarget[] {
  const domain = map.rankDomain(rank);
  return domain ? map.targetsOf(domain).filter((target) => (target.status & mask) !== 0) : [];
}

/**
 * Whether a target is not to be counted on: failed, being drained, unknown to the pool yet, or being filled.
 * `forReintegration`: targets being filled count, as they will when that has ended.
 */
export function poolTargetIsUnavailable(target: PoolTarget, forReintegration = false): boolean {
  return (target.status & (NEW | DOWN | DOWNOUT | DRAIN | (forReintegration ? 0 : UP))) !== 0;
}

/** What runs on a pool, in map versions. */
export interface PoolMapChanges {
  /** Some target is being filled. */
  readonly isAdding: boolean;
  /** Earliest version at which one of these came in; -1: there is none. */
  readonly minInVersion: number;
  /** Earliest failure sequence of targets that are DOWN or DRAIN; -1: there is none. */
  readonly minFailSeq: number;
}

export function poolMapChanges(map: PoolMap): PoolMapChanges {
  let minInVersion = -1;
  let minFailSeq = -1;
  for (const { status, inOutVersion, failSeq } of map.targets) {
    if (status === UP && (minInVersion < 0 || inOutVersion < minInVersion)) minInVersion = inOutVersion;
    if ((status & (DOWN | DRAIN)) !== 0 && (minFailSeq < 0 || failSeq < minFailSeq)) minFailSeq = failSeq;
  }
  return { isAdding: minInVersion >= 0, minInVersion, minFailSeq };
}
