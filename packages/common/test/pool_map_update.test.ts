import {
  ComponentFlag,
  ComponentStatus,
  ComponentType,
  DaosError,
  MapOp,
  type PoolMap,
  poolMapExtend,
  poolMapOfTree,
  poolMapRedundancyVerify,
  poolMapUpdate,
  type DomainTree,
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
  /** [last healthy version, redundancy level, redundancy factor, status] */
  readonly rfVerify: readonly (readonly [number, number, number, number])[];
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
function withNode(map: PoolMap, { rank, nodeId, targets }: Step): PoolMap {
  return poolMapExtend(map, { ranks: [rank], targetsPerRank: targets, faultDomains: [0, 2, 0, 1, 1, nodeId, 1, rank] }).map;
}

function statusOf(action: () => void): number {
  try {
    action();
    return 0;
  } catch (error) {
    if (error instanceof DaosError) return error.status;
    throw error;
  }
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
  it('lead through the recorded versions, states and verdicts on redundancy', () => {
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
        rfVerify: c.rfVerify,
      };
      const got = {
        trace,
        targets: changed(map, start, ComponentType.TARGET),
        ranks: changed(map, start, ComponentType.RANK),
        nodes: changed(map, start, ComponentType.NODE),
        rfVerify: c.rfVerify.map(([last, level, factor]) => [
          last, level, factor, statusOf(() => poolMapRedundancyVerify(map, last, level, factor)),
        ]),
      };
      if (JSON.stringify(got) !== JSON.stringify(want)) wrong.push({ steps: c.steps, want, got });
    }
    expect(`${wrong.length} ${JSON.stringify(wrong.slice(0, 3))}`).toBe('0 []');
  });

  const { NEW, UP, UPIN, DOWN, DOWNOUT, DRAIN } = ComponentStatus;

  /** A pool whose target 0 is in a state: targets of a second node are new. */
  function inState(status: number): PoolMap {
    const map = mapOf('1x4x2');
    const apply = (...ops: MapOp[]): PoolMap => ops.reduce((current, op) => poolMapUpdate(current, op, [0]).map, map);
    switch (status) {
      case NEW: return withNode(map, { rank: 9, nodeId: 50, targets: 2 } as Step);
      case UP: return apply(MapOp.EXCLUDE, MapOp.EXCLUDE_OUT, MapOp.REINT);
      case DOWN: return apply(MapOp.EXCLUDE);
      case DOWNOUT: return apply(MapOp.EXCLUDE, MapOp.EXCLUDE_OUT);
      case DRAIN: return apply(MapOp.DRAIN);
      default: return map;
    }
  }

  /** New state, the error, or `same` for an operation that means nothing. */
  const TABLE: readonly (readonly [keyof typeof MapOp, Record<number, number | string>])[] = [
    ['EXCLUDE', { [NEW]: 'NOSYS', [UP]: DOWN, [UPIN]: DOWN, [DOWN]: 'same', [DOWNOUT]: 'same', [DRAIN]: 'same' }],
    ['DRAIN', { [NEW]: 'BUSY', [UP]: 'BUSY', [UPIN]: DRAIN, [DOWN]: 'same', [DOWNOUT]: 'same', [DRAIN]: 'same' }],
    ['REINT', { [NEW]: 'BUSY', [UP]: 'same', [UPIN]: 'same', [DOWN]: UP, [DOWNOUT]: UP, [DRAIN]: 'BUSY' }],
    ['EXTEND', { [NEW]: UP, [UP]: 'same', [UPIN]: 'same', [DOWN]: 'BUSY', [DOWNOUT]: 'BUSY', [DRAIN]: 'BUSY' }],
    ['ADD_IN', { [NEW]: 'same', [UP]: UPIN, [UPIN]: 'same', [DOWN]: 'same', [DOWNOUT]: 'same', [DRAIN]: 'same' }],
    ['EXCLUDE_OUT', { [NEW]: 'same', [UP]: 'same', [UPIN]: 'same', [DOWN]: DOWNOUT, [DOWNOUT]: 'same', [DRAIN]: DOWNOUT }],
    ['FINISH_REBUILD', { [NEW]: 'same', [UP]: UPIN, [UPIN]: 'same', [DOWN]: DOWNOUT, [DOWNOUT]: 'same', [DRAIN]: DOWNOUT }],
    ['REVERT_REBUILD', { [NEW]: 'same', [UP]: DOWNOUT, [UPIN]: 'same', [DOWN]: 'same', [DOWNOUT]: 'same', [DRAIN]: UPIN }],
  ];

  describe.each(TABLE)('%s', (op, row) => {
    it.each(Object.entries(row))('of a target in state %s gives %s', (from, to) => {
      const map = inState(Number(from));
      const id = Number(from) === NEW ? 8 : 0;
      const target = map.targetById(id);
      expect(target?.status).toBe(Number(from));
      if (to === 'NOSYS' || to === 'BUSY') {
        expect(() => poolMapUpdate(map, MapOp[op], [id])).toThrow(`DER_${to}`);
        return;
      }
      const { map: next, changedVersion } = poolMapUpdate(map, MapOp[op], [id]);
      if (to === 'same') {
        expect({ next, changedVersion }).toEqual({ next: map, changedVersion: 0 });
        return;
      }
      const after = next.targetById(id);
      expect(after?.status).toBe(to);
      // One version for the target, and one when domains above it follow.
      const follows = next.domains.some((domain) => domain.status !== map.domains[domain.position]?.status) ? 1 : 0;
      expect([next.version, changedVersion]).toEqual([map.version + 1 + follows, map.version + 1 + follows]);
      const version = map.version + 1;
      if (to === DOWN || to === DRAIN) expect(after?.failSeq).toBe(version);
      else if (op === 'REVERT_REBUILD' && to === UPIN) expect(after?.failSeq).toBe(0);
      else expect(after?.inOutVersion).toBe(version);
    });
  });

  it('revert a return to what was before it: NEW for an extension, DOWN when the exclusion was unfinished', () => {
    const { map: extending } = poolMapUpdate(inState(NEW), MapOp.EXTEND, [8, 9]);
    expect(poolMapUpdate(extending, MapOp.REVERT_REBUILD, [8, 9]).map.targetById(8)).toMatchObject({ status: NEW, inOutVersion: 0 });
    const { map: returning } = poolMapUpdate(inState(DOWN), MapOp.REINT, [0]);
    expect(returning.targetById(0)?.flags).toBe(ComponentFlag.DOWN2UP);
    const { map: reverted } = poolMapUpdate(returning, MapOp.REVERT_REBUILD, [0]);
    expect(reverted.targetById(0)).toMatchObject({ status: DOWN, failSeq: 2 });
  });

  it('keep the failure sequence of a target that returned', () => {
    const map = poolMapUpdate(inState(UP), MapOp.FINISH_REBUILD, [0]).map;
    expect(map.targetById(0)).toMatchObject({ status: UPIN, failSeq: 2, flags: 0 });
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
