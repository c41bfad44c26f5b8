import { runInNewContext } from 'node:vm';
import { setFlagsFromString } from 'node:v8';

import {
  ComponentStatus,
  ComponentType,
  MapOp,
  generateOid,
  jumpHash,
  objectClassByName,
  poolMapExtend,
  poolMapOfTree,
  poolMapUpdate,
  type DomainTree,
  type ObjectId,
  type PoolMap,
} from '@daos/common';
import { Placement, type PlaceOptions } from '@daos/placement';

import { LatencyRecorder, type Measured } from './latency.js';

/** A cluster as the command line describes it; every component is in. */
export interface Cluster {
  readonly nodes: number;
  readonly ranksPerNode: number;
  readonly targetsPerRank: number;
  /** Nodes are divided evenly over so many performance domains; 0: there are none. */
  readonly perfDomains: number;
}

export function clusterMap({ nodes, ranksPerNode, targetsPerRank, perfDomains }: Cluster): PoolMap {
  let rank = 0;
  const trees = Array.from(
    { length: nodes },
    (_, id): DomainTree => ({
      type: ComponentType.NODE,
      id,
      targetCount: 0,
      children: Array.from({ length: ranksPerNode }, () => ({ type: ComponentType.RANK, id: rank++, children: [], targetCount: targetsPerRank })),
    }),
  );
  if (perfDomains === 0) return poolMapOfTree(trees, 1, ComponentStatus.UPIN);
  const each = nodes / perfDomains;
  const perf = Array.from({ length: perfDomains }, (_, id): DomainTree => (
    { type: ComponentType.PERF, id, targetCount: 0, children: trees.slice(id * each, (id + 1) * each) }
  ));
  return poolMapOfTree(perf, 1, ComponentStatus.UPIN);
}

/** Bytes of memory that the map of a cluster takes; 0 for one that is smaller than what else changes meanwhile. */
export function mapBytes(cluster: Cluster): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = (): number => {
    // What the first pass finishes, the second collects.
    collect();
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const before = used();
  const map = clusterMap(cluster);
  const bytes = Math.max(0, used() - before);
  // The map must live until here.
  if (map.targets.length === 0) throw new Error('a cluster has targets');
  return bytes;
}

/** Ids of objects of a class, its groups resolved for the map as when an object is created. */
export function objectIds(map: PoolMap, className: string, redundancyFactor: number, count: number, first = 0): ObjectId[] {
  const objectClass = objectClassByName(className);
  if (!objectClass) throw new Error(`unknown object class ${className}`);
  const space = { ...map.space(ComponentType.NODE), redundancyFactor };
  const sample = generateOid({ user: { hi: 0n, lo: 0n }, type: 0, classId: objectClass.id, ...space });
  return Array.from({ length: count }, (_, i) => ({ hi: sample.hi, lo: BigInt(first + i) }));
}

const BATCH = 32;

/** Seconds of processor time since `since`; other processes do not count. */
function cpuSeconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
}

/**
 * Layouts of objects that were not placed before. Seconds are of processor time, percentiles of elapsed time: means
 * over small batches.
 */
export function measureLayouts(map: PoolMap, oids: readonly ObjectId[], warmUp: readonly ObjectId[], options: PlaceOptions): Measured {
  const placement = new Placement(map);
  for (const oid of warmUp) placement.placeObject(oid, options);
  const latency = new LatencyRecorder();
  const started = process.cpuUsage();
  for (let at = 0; at < oids.length; at += BATCH) {
    const begun = performance.now();
    const batch = oids.slice(at, at + BATCH);
    for (const oid of batch) placement.placeObject(oid, options);
    latency.add(((performance.now() - begun) * 1000) / batch.length);
  }
  return { operations: oids.length, seconds: cpuSeconds(started), latency };
}

/** Seconds of processor time for as many plain jump hashes over the targets as the layouts have shards. */
export function measureJump(targets: number, shards: number): number {
  let sum = 0;
  const run = (count: number): void => {
    for (let i = 0; i < count; i++) sum += jumpHash(Math.imul(i, 0x9e3779b1), Math.imul(i, 0x85ebca6b), targets);
  };
  run(Math.min(shards, 100_000));
  const started = process.cpuUsage();
  run(shards);
  const seconds = cpuSeconds(started);
  if (sum < 0) throw new Error('buckets are not negative');
  return seconds;
}

/** How evenly shards fall on targets. */
export interface Balance {
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  readonly sigma: number;
}

export function measureBalance(map: PoolMap, oids: Iterable<ObjectId>, options: PlaceOptions): Balance {
  const placement = new Placement(map);
  const load = new Float64Array(map.targets.length);
  for (const oid of oids) {
    for (const { targetId } of placement.placeObject(oid, options).shards) load[targetId] = (load[targetId] ?? 0) + 1;
  }
  const mean = load.reduce((sum, count) => sum + count, 0) / load.length;
  const variance = load.reduce((sum, count) => sum + (count - mean) ** 2, 0) / load.length;
  const min = load.reduce((least, count) => Math.min(least, count), Infinity);
  const max = load.reduce((most, count) => Math.max(most, count), 0);
  return { mean, min, max, sigma: Math.sqrt(variance) };
}

/** Which part of all shards another state of the pool puts elsewhere. */
export interface Movement {
  readonly moved: number;
  /** Least part that has to move: what the new targets must get, or what the lost ones had. */
  readonly ideal: number;
}

/** One node more, as it is when its extension has ended. */
export function measureAddition(map: PoolMap, cluster: Cluster, oids: readonly ObjectId[], options: PlaceOptions): Movement {
  const rank = map.ranks().length;
  const ranks = Array.from({ length: cluster.ranksPerNode }, (_, i) => rank + i);
  const faultDomains = [0, 2, 0, 1, 1, cluster.nodes, ranks.length, ...ranks];
  const { map: known, newTargets } = poolMapExtend(map, { ranks, targetsPerRank: cluster.targetsPerRank, faultDomains });
  const filling = poolMapUpdate(known, MapOp.EXTEND, newTargets).map;
  const after = poolMapUpdate(filling, MapOp.FINISH_REBUILD, newTargets).map;
  return { moved: movedPart(map, after, oids, options), ideal: newTargets.length / after.targets.length };
}

/** One node less, as it is when its exclusion has ended. */
export function measureExclusion(map: PoolMap, oids: readonly ObjectId[], options: PlaceOptions): Movement {
  const nodes = map.domainsOf(ComponentType.NODE);
  const node = nodes[nodes.length >> 1];
  const lost = node ? map.targetsOf(node).map((target) => target.id) : [];
  const down = poolMapUpdate(map, MapOp.EXCLUDE, lost, { excludeRank: true }).map;
  const after = poolMapUpdate(down, MapOp.FINISH_REBUILD, lost, { excludeRank: true }).map;
  return { moved: movedPart(map, after, oids, options), ideal: lost.length / map.targets.length };
}

function movedPart(before: PoolMap, after: PoolMap, oids: readonly ObjectId[], options: PlaceOptions): number {
  const [old, now] = [new Placement(before), new Placement(after)];
  let shards = 0;
  let moved = 0;
  for (const oid of oids) {
    const places = now.placeObject(oid, options).shards;
    for (const { shard, targetId } of old.placeObject(oid, options).shards) {
      shards++;
      if (places[shard]?.targetId !== targetId) moved++;
    }
  }
  return moved / shards;
}
