import { DaosError, type PoolMap } from '@daos/common';
import { seededRandom } from '@daos/gurt';

import { Placement, layoutContains, type RebuildShard } from '../src/index.js';
import { BY_RANK, apply, distinct, filled, grid, groupsOf, oidsOf, place, rebuilding, spreads, targetIds, withRank } from './grid.js';

const findRebuild = (map: PoolMap, oid: Parameters<typeof place>[1], version = map.version): RebuildShard[] =>
  new Placement(map).findRebuild(oid, version, BY_RANK);

describe('targets that return', () => {
  it('are written beside the spare, which is read until they are filled', () => {
    for (const oid of oidsOf('RP_3G2', 40)) {
      const start = grid(7, 2);
      const returning = targetIds(place(start, oid))[1] ?? -1;
      const out = apply(start, ['EXCLUDE', returning], ['EXCLUDE_OUT', returning]);
      const spare = targetIds(place(out, oid))[1];
      const map = apply(out, ['REINT', returning]);
      const layout = place(map, oid);
      expect(filled(layout).filter((shard) => shard.reintegrating)).toMatchObject([{ shard: 1, targetId: returning, rebuilding: true }]);
      expect(layout.shards[1]).toMatchObject({ shard: 1, targetId: spare, rebuilding: false });
      expect(filled(layout)).toHaveLength(7);
      expect(findRebuild(map, oid)).toEqual([{ shard: 1, targetId: returning }]);
    }
  });

  it('of a whole layout are all reported and all written', () => {
    for (const oid of oidsOf('RP_3G2', 20)) {
      const start = grid(12, 2);
      const all = targetIds(place(start, oid));
      const map = apply(start, ['EXCLUDE', ...all], ['EXCLUDE_OUT', ...all], ['REINT', ...all]);
      expect(filled(place(map, oid)).filter((shard) => shard.reintegrating).map((shard) => shard.targetId).sort()).toEqual([...all].sort());
      expect(findRebuild(map, oid)).toHaveLength(6);
    }
  });

  it('before their exclusion ended are refilled in place, without a second location', () => {
    for (const oid of oidsOf('RP_3G2', 20)) {
      const start = grid(7, 2);
      const [returning = -1] = targetIds(place(start, oid));
      const map = apply(start, ['EXCLUDE', returning], ['REINT', returning]);
      const layout = place(map, oid);
      expect(layout.groupSize).toBe(3);
      expect(layout.shards[0]).toMatchObject({ targetId: returning, rebuilding: true, reintegrating: true });
      expect(findRebuild(map, oid)).toEqual([{ shard: 0, targetId: returning }]);
    }
  });

  it('widen only the groups of writers, and only when there is a spare to read from', () => {
    let widened = 0;
    for (const oid of oidsOf('EC_4P2G2', 80)) {
      const start = grid(8, 2);
      const out = apply(start, ['EXCLUDE', 0], ['EXCLUDE_OUT', 0], ['REINT', 0]);
      const isOwner = targetIds(place(start, oid)).includes(0);
      const writers = place(out, oid);
      expect(writers.groupSize).toBe(isOwner ? 7 : 6);
      if (isOwner) widened++;
      expect(writers.classGroupSize).toBe(6);
      const readers = place(out, oid, { readOnly: true });
      expect(readers.groupSize).toBe(6);
      expect(targetIds(readers)).not.toContain(0);
      const inPlace = apply(start, ['EXCLUDE', 0], ['REINT', 0]);
      expect(place(inPlace, oid).groupSize).toBe(6);
      const reading = place(inPlace, oid, { readOnly: true });
      expect(rebuilding(reading).map((shard) => shard.targetId)).toEqual(isOwner ? [0] : []);
    }
    expect(widened).toBeGreaterThan(20);
  });

  it('leave at least so many shards of each group untouched that no data is lost', () => {
    const random = seededRandom(9);
    for (const [name, least] of [['RP_3GX', 2], ['EC_8P2GX', 8], ['EC_16P2GX', 16]] as const) {
      const start = grid(20, 4);
      for (const oid of oidsOf(name, 5, random)) {
        const [returning = 0] = targetIds(place(start, oid));
        const up = apply(start, ['EXCLUDE', returning], ['EXCLUDE_OUT', returning], ['REINT', returning]);
        const failing = random.below(80);
        const map = failing === returning ? up : apply(up, ['EXCLUDE', failing]);
        for (const group of groupsOf(place(map, oid))) {
          expect(group.filter((shard) => shard.shard >= 0 && !shard.rebuilding).length).toBeGreaterThanOrEqual(least);
        }
      }
    }
  });

  it('change at most two shards of a group when ranks fail and come back', () => {
    const start = grid(12, 2);
    for (const oid of oidsOf('RP_3GX', 10)) {
      const failed = apply(start, ['EXCLUDE', 4, 5], ['EXCLUDE_OUT', 4, 5]);
      const [before, after] = [groupsOf(place(start, oid)), groupsOf(place(failed, oid))];
      before.forEach((group, i) => {
        const changed = group.filter((shard, j) => shard.targetId !== after[i]?.[j]?.targetId);
        expect(changed.length).toBeLessThanOrEqual(2);
      });
      const back = apply(failed, ['REINT', 4, 5], ['FINISH_REBUILD', 4, 5]);
      expect(targetIds(place(back, oid))).toEqual(targetIds(place(start, oid)));
    }
  });
});

describe('targets that are drained', () => {
  it('go on serving while each of their shards is copied elsewhere', () => {
    for (const oid of oidsOf('RP_2G2', 30)) {
      const start = grid(4, 2);
      const all = targetIds(place(start, oid));
      const layout = place(apply(start, ['DRAIN', ...all]), oid);
      const shards = filled(layout);
      expect(shards).toHaveLength(8);
      expect(rebuilding(layout)).toHaveLength(4);
      for (let shard = 0; shard < 4; shard++) {
        const [old, copy, ...more] = shards.filter((one) => one.shard === shard);
        expect(more).toEqual([]);
        expect([old?.targetId, old?.rebuilding, copy?.rebuilding, copy?.reintegrating]).toEqual([all[shard], false, true, false]);
        expect(all).not.toContain(copy?.targetId);
      }
    }
  });

  it('again and again leave no duplicates and no two shards of a group in one domain', () => {
    for (const oid of oidsOf('EC_16P2G1', 5)) {
      let map = grid(36, 4);
      for (let round = 0; round < 12; round++) {
        const target = targetIds(place(map, oid, { readOnly: true }))[round] ?? 0;
        map = apply(map, ['DRAIN', target]);
        expect(distinct(filled(place(map, oid)).map((shard) => shard.targetId))).toBe(true);
        map = apply(map, ['FINISH_REBUILD', target]);
        const layout = place(map, oid);
        expect(distinct(targetIds(layout))).toBe(true);
        expect(spreads(layout)).toBe(true);
      }
    }
  });
});

describe('targets that are added', () => {
  it('are invisible until the extension begins, then written, and read when it has ended', () => {
    let moved = 0;
    for (const oid of oidsOf('RP_3G1', 100)) {
      const start = grid(4, 3);
      const { map: known, newTargets } = withRank(start, 3);
      expect(targetIds(place(known, oid))).toEqual(targetIds(place(start, oid)));
      const map = apply(known, ['EXTEND', ...newTargets]);
      const layout = place(map, oid);
      expect(layout.shards.slice(0, 3).map((shard) => shard.targetId)).toEqual(targetIds(place(start, oid)));
      const extras = rebuilding(layout);
      const found = findRebuild(map, oid);
      expect(found).toHaveLength(extras.length);
      expect(new Set(found.map(({ targetId }) => targetId))).toEqual(new Set(extras.map((shard) => shard.targetId)));
      expect(targetIds(place(map, oid, { readOnly: true }))).toEqual(targetIds(place(start, oid)));
      const done = apply(map, ['FINISH_REBUILD', ...newTargets]);
      for (const { shard, targetId } of found) expect(place(done, oid).shards[shard]?.targetId).toBe(targetId);
      moved += found.length;
    }
    // 3 of 15 targets are new.
    expect(moved).toBeGreaterThan(30);
  });
});

describe('mixed states', () => {
  it('are found at the version just after each change, later ones being invisible at earlier versions', () => {
    let complete = 0;
    for (const oid of oidsOf('RP_3G2', 60)) {
      const start = grid(12, 2);
      const [a = 0, b = 0, c = 0] = [0, 2, 4].map((shard) => targetIds(place(start, oid))[shard]);
      const out = apply(start, ['EXCLUDE', a], ['EXCLUDE_OUT', a]);
      const one = apply(out, ['REINT', a]);
      const two = apply(one, ['EXCLUDE', b]);
      const three = apply(two, ['DRAIN', c]);
      const counts = [one, two, three].map(({ version }) => findRebuild(three, oid, version).length);
      expect(counts[0]).toBe(1);
      expect(counts[1]).toBeGreaterThanOrEqual(2);
      if (String(counts) === '1,2,3') complete++;
      expect(findRebuild(one, oid)).toEqual(findRebuild(three, oid, one.version));
    }
    // Now and then a spare takes a place that another shard would have had.
    expect(complete).toBeGreaterThan(45);
  });

  it('ask for a map of at least the version in question', () => {
    const [oid] = oidsOf('RP_3G2', 1);
    expect(() => findRebuild(grid(6, 2), oid ?? { hi: 0n, lo: 0n }, 2)).toThrow(DaosError);
  });
});

describe('a group of interest', () => {
  it('is all that a rebuild list holds, and the same as in the whole list', () => {
    const start = grid(10, 3);
    for (const oid of oidsOf('RP_3GX', 10)) {
      const map = apply(start, ['EXCLUDE', 4, 7, 20], ['DRAIN', 25]);
      const placement = new Placement(map);
      const all = placement.findRebuild(oid, map.version, BY_RANK);
      for (let group = 0; group < 10; group++) {
        const own = all.filter(({ shard }) => Math.trunc(shard / 3) === group);
        expect(placement.findRebuild(oid, map.version, { ...BY_RANK, group })).toEqual(own);
        const whole = placement.placeObject(oid, BY_RANK);
        expect(placement.placeGroup(oid, group, BY_RANK)).toEqual(groupsOf(whole)[group]);
      }
    }
  });
});

describe('what a target keeps', () => {
  it('is told by rank, index and shard, with or without shards that are only being filled', () => {
    const [oid = { hi: 0n, lo: 0n }] = oidsOf('RP_2G1', 1);
    const start = grid(4, 2);
    const [first] = place(start, oid).shards;
    const map = apply(start, ['EXCLUDE', first?.targetId ?? 0]);
    const layout = place(map, oid);
    const moved = layout.shards[0];
    const [rank = 0, target = 0] = [moved?.rank, moved?.target];
    expect(layoutContains(layout, rank, target, 0)).toBe(true);
    expect(layoutContains(layout, rank, target, 0, true)).toBe(false);
    expect(layoutContains(layout, rank, target, 1)).toBe(false);
    expect(layoutContains(layout, first?.rank ?? 0, first?.target ?? 0, 0)).toBe(false);
  });
});

describe('an upgrade of the layout version', () => {
  it('moves the shards that the new version puts elsewhere', () => {
    const map = grid(8, 4);
    const placement = new Placement(map);
    for (const oid of oidsOf('RP_3G2', 20)) {
      const [old, now] = [1, 2].map((layoutVersion) => targetIds(place(map, oid, { layoutVersion })));
      const moved = (now ?? []).flatMap((targetId, shard) => (targetId === old?.[shard] ? [] : [{ shard, targetId }]));
      expect(placement.findUpgrade(oid, 1, 2, BY_RANK)).toEqual(moved);
      expect(placement.findUpgrade(oid, 2, 2, BY_RANK)).toEqual([]);
    }
  });
});
