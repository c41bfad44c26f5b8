// The state machine of pool maps, and the check of the redundancy factor.
import { ComponentType, poolMapRedundancyVerify } from '../../packages/common/dist/src/index.js';
import { attempt } from './lib.mjs';
import { applyStep, changedComponents, mapOf } from './maps.mjs';

export const families = {
  'pool-map-states': ({ maps, cases }) =>
    cases.map((row, index) => ({
      what: `case ${index} (map ${row.map})`,
      check: () => {
        const first = mapOf(maps[row.map]);
        let map = first;
        const steps = row.steps.map((step) => {
          const done = applyStep(map, step);
          map = done.map;
          return [done.status, map.version, step.tgtMapVer === undefined ? null : (done.changedVersion ?? null)];
        });
        return {
          want: {
            steps: row.steps.map((step) => [step.rc ?? 0, step.versionAfter, step.tgtMapVer ?? null]),
            version: row.version,
            targets: row.changedTargets,
            ranks: row.changedRanks,
            nodes: row.changedNodes,
            rfVerify: row.rfVerify,
          },
          got: {
            steps,
            version: map.version,
            targets: changedComponents(map, first, ComponentType.TARGET),
            ranks: changedComponents(map, first, ComponentType.RANK),
            nodes: changedComponents(map, first, ComponentType.NODE),
            rfVerify: row.rfVerify.map(([last, level, factor]) => {
              return [last, level, factor, attempt(() => poolMapRedundancyVerify(map, last, level, factor)).status];
            }),
          },
        };
      },
    })),
};
