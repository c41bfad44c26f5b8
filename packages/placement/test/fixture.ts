import { readFileSync } from 'node:fs';

import { ComponentStatus, ComponentType, MapOp, PoolMap, poolMapOfTree, poolMapUpdate, type DomainTree } from '@daos/common';

import type { ObjectLayout } from '../src/index.js';

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
  const url = new URL(`../../../../tests/vectors/${name}.json`, import.meta.url);
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

/** A recorded change of a map: an operation on targets, or a node with one rank added behind all others. */
export interface RecordedStep {
  readonly op: keyof typeof MapOp | 'ADD_NODE';
  readonly excludeRank?: boolean;
  readonly targets: readonly number[] | number;
  readonly nodeId?: number;
  readonly rank?: number;
  readonly versionAfter: number;
}

export function applySteps(map: PoolMap, steps: readonly RecordedStep[]): PoolMap {
  return steps.reduce((current, step) => {
    if (step.op === 'ADD_NODE') return withNode(current, step);
    const targets = typeof step.targets === 'number' ? [step.targets] : step.targets;
    return poolMapUpdate(current, MapOp[step.op], targets, { excludeRank: step.excludeRank ?? false }).map;
  }, map);
}

function withNode(map: PoolMap, step: RecordedStep): PoolMap {
  const version = map.version + 1;
  const fresh = { status: ComponentStatus.NEW, version, failSeq: 1, inOutVersion: version, flags: 0, index: 0 };
  const [rank, id] = [step.rank ?? 0, step.nodeId ?? 0];
  const count = typeof step.targets === 'number' ? step.targets : 0;
  const components = map.components();
  const layer = (type: number) => components.filter((component) => component.type === type);
  const targets = Array.from({ length: count }, (_, index) => ({
    ...fresh, type: ComponentType.TARGET, id: map.targets.length + index, index, rank, childCount: 1,
  }));
  return PoolMap.fromComponents(
    [
      ...layer(ComponentType.NODE),
      { ...fresh, type: ComponentType.NODE, id, rank: 0, childCount: 1 },
      ...layer(ComponentType.RANK),
      { ...fresh, type: ComponentType.RANK, id: rank, rank, childCount: count },
      ...layer(ComponentType.TARGET),
      ...targets,
    ],
    version,
  );
}

export function recorded(layout: ObjectLayout): RecordedLayout {
  return {
    grpSize: layout.groupSize,
    grpNr: layout.groupCount,
    peers: layout.peers,
    shards: layout.shards.map((s) => [
      s.shard, s.targetId, s.rank, s.target, s.failSeq, (s.rebuilding ? 1 : 0) | (s.reintegrating ? 2 : 0),
    ]),
  };
}
