import { ComponentStatus, ComponentType, MapOp, poolMapExtend, poolMapOfTree, poolMapUpdate, type DomainTree, type PoolMap } from '@daos/common';
import fc from 'fast-check';

/** A pool as tests describe it: performance domains, nodes, ranks, and targets of each rank. */
export interface PoolShape {
  readonly perfDomains: number;
  readonly nodes: readonly (readonly number[])[];
}

export function poolOf({ perfDomains, nodes }: PoolShape): PoolMap {
  let rank = 0;
  const trees = nodes.map(
    (ranks, id): DomainTree => ({
      type: ComponentType.NODE,
      id,
      targetCount: 0,
      children: ranks.map((targetCount) => ({ type: ComponentType.RANK, id: rank++, children: [], targetCount })),
    }),
  );
  if (perfDomains < 2) return poolMapOfTree(trees, 1, ComponentStatus.UPIN);
  const each = Math.ceil(trees.length / perfDomains);
  const perf: DomainTree[] = [];
  for (let id = 0; id * each < trees.length; id++) {
    perf.push({ type: ComponentType.PERF, id, targetCount: 0, children: trees.slice(id * each, (id + 1) * each) });
  }
  return poolMapOfTree(perf, 1, ComponentStatus.UPIN);
}

/** Pools of any unevenness. */
export function shapes(nodesMax: number): fc.Arbitrary<PoolShape> {
  return fc.record({
    perfDomains: fc.constantFrom(0, 0, 2, 3),
    nodes: fc.array(fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: nodesMax }),
  });
}

/** What happens to a pool: each number chooses what and where, so that any list of numbers is a legal life. */
export const lives = fc.array(fc.nat(0xffff), { maxLength: 8 });

/**
 * Lives a pool's life: exclusions, drains, returns, new nodes, and the ends of what runs. As in a real pool, what began
 * first ends first, so that no failure is finished before an earlier one.
 */
export function live(map: PoolMap, life: readonly number[]): PoolMap {
  return life.reduce((current, choice) => {
    const place = choice >>> 3;
    const target = current.targets[place % current.targets.length];
    const rank = current.ranks()[place % current.ranks().length] ?? 0;
    const ofRank = current.targets.filter((one) => one.rank === rank).map((one) => one.id);
    switch (choice & 7) {
      case 0:
        return changed(current, MapOp.EXCLUDE, [target?.id ?? 0]);
      case 1:
        return changed(current, MapOp.EXCLUDE, ofRank, true);
      case 2:
        return changed(current, MapOp.DRAIN, ofRank);
      case 3:
        return changed(current, MapOp.REINT, ofRank);
      case 4:
        return changed(current, MapOp.EXCLUDE, [target?.id ?? 0], true);
      case 5:
        return extended(current, 1 + (place % 4));
      default:
        return finished(current);
    }
  }, map);
}

/** The change, or the map as it is when the operation does not apply. */
function changed(map: PoolMap, op: MapOp, targets: readonly number[], excludeRank = false): PoolMap {
  const allowed = targets.filter((id) => {
    const status = map.targetById(id)?.status;
    const idle = status === ComponentStatus.UPIN;
    const gone = status === ComponentStatus.DOWN || status === ComponentStatus.DOWNOUT;
    if (op === MapOp.REINT) return gone;
    return op === MapOp.EXCLUDE ? idle || status === ComponentStatus.UP : idle;
  });
  return poolMapUpdate(map, op, allowed, { excludeRank }).map;
}

function extended(map: PoolMap, targetsPerRank: number): PoolMap {
  if (map.domains[1]?.type !== ComponentType.NODE) return map;
  const rank = Math.max(...map.ranks()) + 1;
  const id = Math.max(...map.domainsOf(ComponentType.NODE).map((node) => node.id)) + 1;
  const { map: grown, newTargets } = poolMapExtend(map, { ranks: [rank], targetsPerRank, faultDomains: [0, 2, 0, 1, 1, id, 1, rank] });
  return poolMapUpdate(grown, MapOp.EXTEND, newTargets).map;
}

/** Everything that runs comes to its end, in the order in which it began. */
function finished(map: PoolMap): PoolMap {
  const { UP, DOWN, DRAIN } = ComponentStatus;
  const since = (id: number): number => {
    const target = map.targetById(id);
    return target?.status === UP ? target.inOutVersion : (target?.failSeq ?? 0);
  };
  const running = map.targetsByStatus(UP | DOWN | DRAIN).map((target) => target.id).sort((a, b) => since(a) - since(b));
  return poolMapUpdate(map, MapOp.FINISH_REBUILD, running, { excludeRank: true }).map;
}
