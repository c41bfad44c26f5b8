import { DaosError } from './error.js';
import { ComponentFlag, ComponentStatus, ComponentType } from './pool_component.js';
import type { PoolMap } from './pool_map.js';
import type { PoolDomain, PoolTarget } from './pool_map_tree.js';

/** Time during which data of a domain was missing, in map versions, both ends included. */
interface Exposure {
  start: number;
  end: number;
}

interface FailedDomain {
  readonly exposures: Exposure[];
  /** Some target is DOWN: its data is not rebuilt yet. */
  readonly isDown: boolean;
  /** The failure began after the version in question. */
  readonly isNew: boolean;
}

const NEVER = Number.MAX_SAFE_INTEGER;

/**
 * Checks whether containers whose objects survive `factor` concurrent failures of domains at a redundancy level
 * (1 rank, 2 node, 3 fault domain) have been healthy since map version `lastVersion`. Failures count as concurrent
 * when one began before the data of the other was rebuilt; drained and returning targets are no failures.
 * Throws DER_RF when more failed than the factor allows, DER_INVAL when the map has no such layer.
 */
export function poolMapRedundancyVerify(map: PoolMap, lastVersion: number, level: number, factor: number): void {
  const layer = level >= ComponentType.MAX ? [] : map.domainsOf(level);
  if (layer.length === 0) throw new DaosError('INVAL', `the pool map has no layer of redundancy level ${level}`);
  if (lastVersion >= map.version) return;
  const failed: FailedDomain[] = [];
  let down = 0;
  let fresh = 0;
  for (const domain of layer) {
    const found = failedDomain(map, domain, lastVersion);
    if (!found) continue;
    failed.push(found);
    if (found.isDown) down++;
    if (found.isNew) fresh++;
    if (down > factor && fresh > 0) throw tooMany(down, factor);
  }
  if (failed.length <= factor || fresh === 0) return;
  if (failed.length === 1) throw tooMany(1, factor);
  const concurrent = failed.reduce((most, { exposures }) => {
    return exposures.reduce((max, exposure) => Math.max(max, overlapping(failed, exposure)), most);
  }, 0);
  if (concurrent > factor) throw tooMany(concurrent, factor);
}

/**
 * The guard of a whole pool when targets are excluded: throws DER_RF when more nodes than `factor` (`pw_rf`) have
 * targets whose data is not rebuilt yet. Maps without nodes are judged by ranks.
 */
export function poolMapFailureGuard(map: PoolMap, factor: number): void {
  const failed = map.failedDomainCount(map.faultLevel(ComponentType.NODE));
  if (failed > factor) throw tooMany(failed, factor);
}

function tooMany(failed: number, factor: number): DaosError {
  return new DaosError('RF', `${failed} fault domains failed at the same time, the redundancy factor is ${factor}`);
}

function failedDomain(map: PoolMap, domain: PoolDomain, lastVersion: number): FailedDomain | undefined {
  const exposures: Exposure[] = [];
  let isDown = false;
  let isNew = false;
  const end = domain.targetStart + domain.targetCount;
  for (let position = domain.targetStart; position < end; position++) {
    const target = map.targets[position];
    const exposure = target && exposureOf(target, lastVersion);
    if (!exposure) continue;
    if (exposure.end === NEVER) isDown = true;
    // The last failed target decides, as in DAOS.
    isNew = exposure.start > lastVersion;
    addExposure(exposures, exposure);
  }
  return exposures.length === 0 ? undefined : { exposures: merged(exposures), isDown, isNew };
}

/** When the data of a failed target was missing; undefined for one that did not fail, or only before `lastVersion`. */
function exposureOf(target: PoolTarget, lastVersion: number): Exposure | undefined {
  const { status, flags, failSeq: start, inOutVersion } = target;
  if (status === ComponentStatus.DOWN) return start > lastVersion ? { start, end: NEVER } : undefined;
  if (status !== ComponentStatus.DOWNOUT || flags !== ComponentFlag.DOWN2OUT) return undefined;
  return inOutVersion > lastVersion ? { start, end: inOutVersion } : undefined;
}

function overlap(a: Exposure, b: Exposure): boolean {
  return a.start <= b.end && b.start <= a.end;
}

function addExposure(exposures: Exposure[], exposure: Exposure): void {
  const other = exposures.find((one) => overlap(one, exposure));
  if (!other) {
    exposures.push(exposure);
    return;
  }
  other.start = Math.min(other.start, exposure.start);
  other.end = Math.max(other.end, exposure.end);
}

/** Joins exposures that overlap only since they grew. */
function merged(exposures: Exposure[]): Exposure[] {
  const result: Exposure[] = [];
  for (const exposure of exposures.sort((a, b) => a.start - b.start)) {
    const last = result.at(-1);
    if (last && overlap(last, exposure)) last.end = Math.max(last.end, exposure.end);
    else result.push(exposure);
  }
  return result;
}

function overlapping(failed: readonly FailedDomain[], exposure: Exposure): number {
  return failed.filter(({ exposures }) => exposures.some((other) => overlap(other, exposure))).length;
}
