import {
  ComponentStatus,
  ComponentType,
  DaosError,
  MapOp,
  PoolMap,
  poolMapOfTree,
  poolMapUpdate,
  type DomainTree,
  type PoolComponent,
} from '../src/index.js';
import { vectors } from './fixture.js';

interface Step {
  readonly op: keyof typeof MapOp | 'ADD_NODE';
  readonly excludeRank: boolean;
  readonly targets: number[] & number;
  readonly rc?: number;
  readonly versionAfter: number;
  readonly tgtMapVer: number;
  readonly nodeId: number;
  readonly rank: number;
}

interface StateCase {
  readonly map: string;
  readonly steps: readonly Step[];
  readonly version: number;
  readonly changedTargets: readonly number[][];
  readonly changedRanks: readonly number[][];
  readonly changedNodes: readonly number[][];
}

interface Recorded {
  readonly maps: Record<string, { readonly perfDomains: number; readonly nodes: readonly (readonly number[])[] }>;
  readonly cases: readonly StateCase[];
}

const recorded = vectors<Recorded>('pool-map-states');

function mapOf(name: string): PoolMap {
  let rank = 0;
  const nodes = (recorded.maps[name]?.nodes ?? []).map(
    (ranks, id): DomainTree => ({
      type: ComponentType.NODE,
      id,
      targetCount: 0,
      children: ranks.map((targetCount) => ({ type: ComponentType.RANK, id: rank++, children: [], targetCount })),
    }),
  );
  return poolMapOfTree(nodes, 1, ComponentStatus.UPIN);
}

/** A node with one rank behind all others, in state NEW, with the next version. */
function withNode(map: PoolMap, step: Step): PoolMap {
  const version = map.version + 1;
  const fresh = { status: ComponentStatus.NEW, version, failSeq: 1, inOutVersion: version, flags: 0, index: 0 };
  const components = map.components();
  const layer = (type: number): PoolComponent[] => components.filter((component) => component.type === type);
  const count = step.targets;
  const targets = Array.from({ length: count }, (_, index) => ({
    ...fresh, type: ComponentType.TARGET, id: map.targets.length + index, index, rank: step.rank, childCount: 1,
  }));
  return PoolMap.fromComponents(
    [
      ...layer(ComponentType.NODE),
      { ...fresh, type: ComponentType.NODE, id: step.nodeId, rank: 0, childCount: 1 },
      ...layer(ComponentType.RANK),
      { ...fresh, type: ComponentType.RANK, id: step.rank, rank: step.rank, childCount: count },
      ...layer(ComponentType.TARGET),
      ...targets,
    ],
    version,
  );
}

function changed(map: PoolMap, before: PoolMap, type: number): number[][] {
  const initial = new Map(before.components().filter((c) => c.type === type).map((c) => [c.id, c]));
  return map
    .components()
    .filter((c) => c.type === type)
    .filter((c) => {
      const old = initial.get(c.id);
      return !old || ['status', 'failSeq', 'inOutVersion', 'flags'].some((key) => c[key as 'status'] !== old[key as 'status']);
    })
    .map((c) => [c.id, c.status, c.failSeq, c.inOutVersion, c.flags])
    .sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0));
}

describe('pool map operations', () => {
  it('lead through the recorded versions and states', () => {
    const wrong: unknown[] = [];
    for (const c of recorded.cases) {
      const start = mapOf(c.map);
      let map = start;
      const trace: unknown[] = [];
      for (const step of c.steps) {
        if (step.op === 'ADD_NODE') {
          map = withNode(map, step);
          trace.push([0, map.version, undefined]);
          continue;
        }
        try {
          const update = poolMapUpdate(map, MapOp[step.op], step.targets, { excludeRank: step.excludeRank });
          map = update.map;
          trace.push([0, map.version, update.changedVersion]);
        } catch (error) {
          if (!(error instanceof DaosError)) throw error;
          trace.push([error.status, map.version, undefined]);
        }
      }
      const want = {
        trace: c.steps.map((s) => [s.rc ?? 0, s.versionAfter, s.op === 'ADD_NODE' ? undefined : s.tgtMapVer]),
        targets: c.changedTargets,
        ranks: c.changedRanks,
        nodes: c.changedNodes,
      };
      const got = {
        trace,
        targets: changed(map, start, ComponentType.TARGET),
        ranks: changed(map, start, ComponentType.RANK),
        nodes: changed(map, start, ComponentType.NODE),
      };
      if (JSON.stringify(got) !== JSON.stringify(want)) wrong.push({ steps: c.steps, want, got });
    }
    expect(`${wrong.length} ${JSON.stringify(wrong.slice(0, 3))}`).toBe('0 []');
  });

  it('refuse the whole request or change the whole', () => {
    const map = mapOf('1x4x2');
    expect(() => poolMapUpdate(map, MapOp.EXCLUDE, [0, 99])).toThrow('DER_NONEXIST');
    const drained = poolMapUpdate(map, MapOp.DRAIN, [0]).map;
    expect(() => poolMapUpdate(drained, MapOp.REINT, [1, 0])).toThrow('DER_BUSY');
    expect(drained.targetById(1)?.status).toBe(ComponentStatus.UPIN);
    expect(poolMapUpdate(map, MapOp.ADD_IN, [0, 1])).toEqual({ map, changedVersion: 0 });
  });
});
