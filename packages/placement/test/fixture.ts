import { readFileSync } from 'node:fs';

import { ComponentStatus, ComponentType, poolMapOfTree, type DomainTree, type PoolMap } from '@daos/common';

/** A recorded pool map: nodes, each a list of its ranks, each the number of targets of that rank. */
export interface RecordedMap {
  readonly perfDomains: number;
  readonly nodes: readonly (readonly number[])[];
}

/** [logical shard, target id, rank, index in rank, failure sequence, flags] */
export type RecordedShard = readonly [number, number, number, number, number, number];

export interface RecordedLayout {
  readonly grpSize: number;
  readonly grpNr: number;
  readonly peers: number;
  readonly shards: readonly RecordedShard[];
}

export function fixture<T>(name: string): T {
  const url = new URL(`../../test/fixtures/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as T;
}

/** Pool map of a recorded one: ids count up from 0, everything in at version 1. */
export function poolMapOf(recorded: RecordedMap): PoolMap {
  let nextRank = 0;
  const nodes = recorded.nodes.map(
    (ranks, id): DomainTree => ({
      type: ComponentType.NODE,
      id,
      targetCount: 0,
      children: ranks.map((targetCount) => ({ type: ComponentType.RANK, id: nextRank++, children: [], targetCount })),
    }),
  );
  if (recorded.perfDomains === 0) return poolMapOfTree(nodes, 1, ComponentStatus.UPIN);
  const each = nodes.length / recorded.perfDomains;
  const perf = Array.from({ length: recorded.perfDomains }, (_, id) => ({
    type: ComponentType.PERF,
    id,
    targetCount: 0,
    children: nodes.slice(id * each, (id + 1) * each),
  }));
  return poolMapOfTree(perf, 1, ComponentStatus.UPIN);
}
