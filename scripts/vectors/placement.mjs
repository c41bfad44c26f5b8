// Layouts of objects on healthy and on changing pools.
import { ComponentType } from '../../packages/common/dist/src/index.js';
import { LayoutMode, Placement } from '../../packages/placement/dist/src/index.js';
import { attempt } from './lib.mjs';
import { applyStep, changedComponents, mapOf } from './maps.mjs';

export const families = {
  placement: ({ maps, cases }) => {
    const placements = new Map();
    return cases.map((row, index) => ({
      what: `case ${index} (map ${row.map}, class ${row.class}, oid ${row.oidHi}.${row.oidLo})`,
      check: () => {
        if (!placements.has(row.map)) placements.set(row.map, new Placement(mapOf(maps[row.map])));
        const { status, value } = attempt(() => placements.get(row.map).placeObject(oidOf(row), optionsOf(row)));
        return { want: [row.rc, row.layout ?? null], got: [status, value ? recorded(value) : null] };
      },
    }));
  },
  'placement-failures': changes,
  'placement-additions': changes,
};

/** Layouts before, during and after changes, and what to rebuild: one check per object, one per changed map. */
function changes({ maps, cases }) {
  return cases.flatMap((changed, index) => {
    const what = `case ${index} (map ${changed.map}, ${changed.kind})`;
    let state;
    const changedMap = () => (state ??= follow(maps[changed.map], changed.steps));
    return [
      { what, check: () => ({ want: wantedMap(changed), got: gotMap(changedMap()) }) },
      ...changed.cases.map((row, i) => ({
        what: `${what}, object ${i} (class ${row.class}, oid ${row.oidHi}.${row.oidLo})`,
        check: () => ({ want: wantedLayouts(row), got: gotLayouts(changedMap().placement, row) }),
      })),
    ];
  });
}

function follow(start, steps) {
  const first = mapOf(start);
  let map = first;
  const trace = steps.map((step) => {
    const done = applyStep(map, step);
    map = done.map;
    return [map.version, step.tgtMapVer === undefined ? null : (done.changedVersion ?? null)];
  });
  return { first, map, trace, placement: new Placement(map) };
}

function wantedMap({ version, steps, changedTargets, changedRanks }) {
  return [version, steps.map((step) => [step.versionAfter, step.tgtMapVer ?? null]), changedTargets, changedRanks];
}

function gotMap({ first, map, trace }) {
  return [map.version, trace, changedComponents(map, first, ComponentType.TARGET), changedComponents(map, first, ComponentType.RANK)];
}

/** Layouts that equal another one are left out of the files. */
function wantedLayouts(row) {
  const pre = row.pre ?? row.current;
  return {
    current: row.current,
    pre,
    post: row.post ?? row.current,
    writer: row.placeRw ?? row.current,
    reader: row.placeRo ?? pre,
    rebuild: row.rebuild.map(({ shards }) => shards),
  };
}

function gotLayouts(placement, row) {
  const oid = oidOf(row);
  const options = optionsOf(row);
  const place = (more) => recorded(placement.placeObject(oid, { ...options, ...more }));
  return {
    current: place({ mode: LayoutMode.CURRENT }),
    pre: place({ mode: LayoutMode.PRE }),
    post: place({ mode: LayoutMode.POST }),
    writer: place({}),
    reader: place({ readOnly: true }),
    rebuild: row.rebuild.map(({ version }) => {
      const objectVersion = placement.map.version;
      return placement.findRebuild(oid, version, { ...options, objectVersion }).map(({ shard, targetId }) => [shard, targetId]);
    }),
  };
}

function oidOf({ oidHi, oidLo }) {
  return { hi: BigInt(oidHi), lo: BigInt(oidLo) };
}

function optionsOf({ fdomLevel, pda, pdomLevel, layoutVersion }) {
  return { faultLevel: fdomLevel, pda, perfDomainLevel: pdomLevel, ...(layoutVersion === undefined ? {} : { layoutVersion }) };
}

function recorded(layout) {
  return {
    grpSize: layout.groupSize,
    grpNr: layout.groupCount,
    peers: layout.peers,
    shards: layout.shards.map((place) => [
      place.shard,
      place.targetId,
      place.rank,
      place.target,
      place.failSeq,
      (place.rebuilding ? 1 : 0) | (place.reintegrating ? 2 : 0),
    ]),
  };
}
