// Pool maps as the recorded files describe them, and the operations that change them.
import { ComponentStatus, ComponentType, MapOp, poolMapExtend, poolMapOfTree, poolMapUpdate } from '../../packages/common/dist/src/index.js';
import { attempt } from './lib.mjs';

/** nodes: per node the targets of each of its ranks; all ids count up from 0, all components are in at version 1. */
export function mapOf({ nodes, perfDomains }) {
  let nextRank = 0;
  const trees = nodes.map((ranks, id) => ({
    type: ComponentType.NODE,
    id,
    targetCount: 0,
    children: ranks.map((targetCount) => ({ type: ComponentType.RANK, id: nextRank++, children: [], targetCount })),
  }));
  if (perfDomains === 0) return poolMapOfTree(trees, 1, ComponentStatus.UPIN);
  const each = trees.length / perfDomains;
  const domains = Array.from({ length: perfDomains }, (_, id) => ({
    type: ComponentType.PERF,
    id,
    targetCount: 0,
    children: trees.slice(id * each, (id + 1) * each),
  }));
  return poolMapOfTree(domains, 1, ComponentStatus.UPIN);
}

/** One step: the map afterwards, the status, and the version that names the rebuild. */
export function applyStep(map, step) {
  if (step.op === 'ADD_NODE') {
    const faultDomains = [0, 2, 0, 1, 1, step.nodeId, 1, step.rank];
    const extended = poolMapExtend(map, { ranks: [step.rank], targetsPerRank: step.targets, faultDomains });
    return { map: extended.map, status: 0, changedVersion: undefined };
  }
  const op = MapOp[step.op];
  if (op === undefined) throw new Error(`unknown operation ${step.op}`);
  const { status, value } = attempt(() => poolMapUpdate(map, op, step.targets, { excludeRank: step.excludeRank === true }));
  return { map: value?.map ?? map, status, changedVersion: value?.changedVersion };
}

/** Components of a layer that differ from the first map: [id, status, fseq, in or out version, flags]. */
export function changedComponents(map, before, type) {
  const initial = new Map(before.components().filter((one) => one.type === type).map((one) => [one.id, one]));
  return map
    .components()
    .filter((one) => one.type === type)
    .filter((one) => {
      const old = initial.get(one.id);
      return !old || ['status', 'failSeq', 'inOutVersion', 'flags'].some((key) => one[key] !== old[key]);
    })
    .map((one) => [one.id, one.status, one.failSeq, one.inOutVersion, one.flags])
    .sort((a, b) => a[0] - b[0]);
}
