import {
  ComponentType,
  MapOp,
  objectClassByName,
  objectIdEncode,
  poolMapExtend,
  poolMapUpdate,
  type ObjectId,
  type PoolMap,
} from '@daos/common';
import { seededRandom, type Random } from '@daos/gurt';

import { Placement, type ObjectLayout, type PlaceOptions, type ShardPlace } from '../src/index.js';
import { poolOf } from './random_pool.js';

/** Layouts of these tests spread over ranks. */
export const BY_RANK: PlaceOptions = { faultLevel: ComponentType.RANK };

/** Ranks, each on a node of its own, with so many targets each. */
export function grid(ranks: number, targets: number | readonly number[]): PoolMap {
  const each = (i: number): number => (typeof targets === 'number' ? targets : (targets[i % targets.length] ?? 1));
  return poolOf({ perfDomains: 0, nodes: Array.from({ length: ranks }, (_, i) => [each(i)]) });
}

/** An object id of a class by name, as tables of classes write it; groups X stay X. */
export function oidOf(name: string, lo: bigint | number, hi: bigint | number = 0): ObjectId {
  const id = objectClassByName(name)?.id;
  if (id === undefined) throw new Error(`no class ${name}`);
  return objectIdEncode({ hi: BigInt(hi), lo: BigInt(lo) }, 0, Math.trunc(id / 2 ** 24), id % 2 ** 24);
}

/** Object ids of a class whose user parts are random. */
export function oidsOf(name: string, count: number, random: Random = seededRandom(1)): ObjectId[] {
  const word = (): bigint => BigInt(random.below(2 ** 32));
  return Array.from({ length: count }, () => oidOf(name, (word() << 32n) | word(), word()));
}

export function place(map: PoolMap, oid: ObjectId, options: PlaceOptions = {}): ObjectLayout {
  return new Placement(map).placeObject(oid, { ...BY_RANK, ...options });
}

export const targetIds = (layout: ObjectLayout): number[] => layout.shards.map((shard) => shard.targetId);

/** Shards of a layout, without empty slots. */
export const filled = (layout: ObjectLayout): ShardPlace[] => layout.shards.filter((shard) => shard.shard >= 0);

export const rebuilding = (layout: ObjectLayout): ShardPlace[] => layout.shards.filter((shard) => shard.rebuilding);

export function groupsOf(layout: ObjectLayout): ShardPlace[][] {
  return Array.from({ length: layout.groupCount }, (_, i) => layout.shards.slice(i * layout.groupSize, (i + 1) * layout.groupSize));
}

/** Whether no two shards of any group stand in one domain, given by a property of the shard. */
export function spreads(layout: ObjectLayout, domainOf: (shard: ShardPlace) => number = (shard) => shard.rank): boolean {
  return groupsOf(layout).every((group) => new Set(group.map(domainOf)).size === group.length);
}

export const distinct = (ids: readonly number[]): boolean => new Set(ids).size === ids.length;

/** Operations in order, each on some targets. */
export function apply(map: PoolMap, ...steps: readonly (readonly [op: keyof typeof MapOp, ...targets: number[]])[]): PoolMap {
  return steps.reduce((current, [op, ...targets]) => poolMapUpdate(current, MapOp[op], targets).map, map);
}

/** Adds a node with one rank; what comes in is NEW until `EXTEND`. */
export function withRank(map: PoolMap, targets: number): { map: PoolMap; newTargets: readonly number[] } {
  const rank = map.ranks().length;
  const node = Math.max(...map.domainsOf(ComponentType.NODE).map(({ id }) => id)) + 1;
  return poolMapExtend(map, { ranks: [rank], targetsPerRank: targets, faultDomains: [0, 2, 0, 1, 1, node, 1, rank] });
}
