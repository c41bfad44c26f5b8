import { seededRandom } from '@daos/gurt';
import type { PoolMap } from '@daos/common';

import { Placement } from '../src/index.js';
import { BY_RANK, apply, distinct, filled, grid, groupsOf, oidOf, oidsOf, place, rebuilding, spreads, targetIds } from './grid.js';

const rankTargets = (map: PoolMap, rank: number): number[] => map.targets.filter((target) => target.rank === rank).map(({ id }) => id);

describe('after failures', () => {
  it('one shard is rebuilt on another target, and marked', () => {
    for (const oid of oidsOf('RP_4G1', 50)) {
      const start = grid(4, 8);
      const failed = targetIds(place(start, oid))[2] ?? -1;
      const map = apply(start, ['EXCLUDE', failed]);
      const layout = place(map, oid);
      expect(new Placement(map).findRebuild(oid, map.version, BY_RANK)).toEqual([{ shard: 2, targetId: targetIds(layout)[2] }]);
      expect(targetIds(layout)).not.toContain(-1);
      expect(targetIds(layout)).not.toContain(failed);
      expect(rebuilding(layout).map(({ shard }) => shard)).toEqual([2]);
    }
  });

  it('a shard whose targets fail eight times in a row goes each time where its rebuild is told to put it', () => {
    for (const oid of oidsOf('RP_2G2', 20)) {
      let map = grid(4, 4);
      for (let round = 0; round < 8; round++) {
        const failed = targetIds(place(map, oid))[0] ?? -1;
        map = apply(map, ['EXCLUDE', failed]);
        const layout = place(map, oid);
        const [first, ...others] = new Placement(map).findRebuild(oid, map.version, BY_RANK).filter(({ shard }) => shard === 0);
        expect(others).toEqual([]);
        expect(first?.targetId).toBe(targetIds(layout)[0]);
        expect(first?.targetId).not.toBe(failed);
        for (const group of groupsOf(layout)) expect(group.filter((shard) => shard.rebuilding).length).toBeLessThanOrEqual(1);
      }
    }
  });

  it('spares of spares keep a layout full and apart while three domains are healthy', () => {
    for (const oid of oidsOf('EC_2P1G1', 40)) {
      let chained = grid(9, 1);
      const all: number[] = [];
      for (let i = 0; i < 6; i++) {
        const failed = targetIds(place(chained, oid))[i % 3] ?? -1;
        all.push(failed);
        chained = apply(chained, ['EXCLUDE', failed]);
        const layout = place(chained, oid);
        expect(filled(layout)).toHaveLength(3);
        expect(distinct(targetIds(layout))).toBe(true);
        expect(targetIds(layout).some((id) => all.includes(id))).toBe(false);
      }
      const atOnce = apply(grid(9, 1), ['EXCLUDE', ...all]);
      expect(targetIds(place(atOnce, oid))).toEqual(targetIds(place(chained, oid)));
    }
  });

  it('all shards share the last target, and part again when the others are back', () => {
    const start = grid(4, 1);
    const oid = oidOf('RP_4G1', 12);
    const down = apply(start, ['EXCLUDE', 0, 1, 3]);
    expect(new Set(targetIds(place(down, oid)))).toEqual(new Set([2]));
    const back = apply(down, ['REINT', 0, 1, 3], ['FINISH_REBUILD', 0, 1, 3]);
    expect(targetIds(place(back, oid))).toEqual(targetIds(place(start, oid)));
    expect(spreads(place(back, oid))).toBe(true);
  });

  it('of one or two whole ranks groups still stand in different domains, on different targets', () => {
    const start = grid(8, 4);
    for (const ranks of [[3], [1, 6]]) {
      const map = apply(start, ...ranks.map((rank) => ['EXCLUDE', ...rankTargets(start, rank)] as const));
      for (const name of ['RP_3G2', 'EC_4P2G1', 'RP_2GX']) {
        for (const oid of oidsOf(name, 30)) {
          const layout = place(map, oid);
          expect(spreads(layout)).toBe(true);
          if (name !== 'RP_2GX') expect(distinct(targetIds(layout))).toBe(true);
          expect(filled(layout).some((shard) => ranks.includes(shard.rank))).toBe(false);
        }
      }
    }
  });

  it('the order of failures decides, not the moment of looking', () => {
    const start = grid(6, 4);
    let different = 0;
    for (const oid of oidsOf('RP_4G1', 60)) {
      const [a = 0, b = 0] = targetIds(place(start, oid));
      const inOrder = apply(start, ['EXCLUDE', a, b]);
      const oneByOne = apply(start, ['EXCLUDE', a], ['EXCLUDE', b]);
      expect(place(oneByOne, oid)).toEqual(place(inOrder, oid));
      if (String(targetIds(place(apply(start, ['EXCLUDE', b, a]), oid))) !== String(targetIds(place(inOrder, oid)))) different++;
    }
    expect(different).toBeGreaterThan(0);
  });

  it.each([['the same', false], ['reverse', true]])('targets that return in %s order bring the first layout back', (_order, isReverse) => {
    const start = grid(6, 4);
    for (const oid of oidsOf('RP_4G1', 30)) {
      const [a = 0, b = 0] = targetIds(place(start, oid));
      const one = apply(start, ['EXCLUDE', a]);
      const two = apply(one, ['EXCLUDE', b]);
      expect([rebuilding(place(one, oid)).length, rebuilding(place(two, oid)).length]).toEqual([1, 2]);
      const [first, second] = isReverse ? [b, a] : [a, b];
      const half = apply(two, ['REINT', first], ['FINISH_REBUILD', first]);
      expect(rebuilding(place(half, oid))).toHaveLength(1);
      const healed = apply(half, ['REINT', second], ['FINISH_REBUILD', second]);
      expect(rebuilding(place(healed, oid))).toEqual([]);
      expect(targetIds(place(healed, oid))).toEqual(targetIds(place(start, oid)));
    }
  });

  it('the class of as many replicas as domains keeps one shard per domain and rebuilds inside', () => {
    const start = grid(8, 8);
    const oid = oidOf('RP_XSF', 33);
    const [first = 0, second = 0] = targetIds(place(start, oid));
    expect(spreads(place(start, oid))).toBe(true);
    const out = apply(start, ['EXCLUDE', first], ['EXCLUDE_OUT', first]);
    expect(rebuilding(place(out, oid))).toEqual([]);
    const again = apply(out, ['EXCLUDE', second], ['EXCLUDE', targetIds(place(out, oid))[2] ?? 0]);
    expect(rebuilding(place(again, oid))).toHaveLength(2);
  });

  it('several ranks at once leave groups apart as long as healthy domains are as many as shards', () => {
    const random = seededRandom(5);
    const start = grid(10, 3);
    for (let round = 0; round < 10; round++) {
      const ranks = new Set(Array.from({ length: 1 + (round % 4) }, () => random.below(10)));
      const map = apply(start, ['EXCLUDE', ...[...ranks].flatMap((rank) => rankTargets(start, rank))]);
      for (const oid of oidsOf('EC_4P2G2', 10, random)) expect(spreads(place(map, oid))).toBe(true);
    }
  });

  it('a spare that failed after the version in question leaves the shard to the next rebuild', () => {
    let seen = 0;
    for (const oid of oidsOf('RP_2G1', 300)) {
      const start = grid(5, 1);
      const [failed = 0] = targetIds(place(start, oid));
      const first = apply(start, ['EXCLUDE', failed]);
      const spare = targetIds(place(first, oid))[0] ?? 0;
      const map = apply(first, ['EXCLUDE_OUT', failed], ['EXCLUDE', spare], ['EXCLUDE_OUT', spare]);
      const shards = place(map, oid, { objectVersion: first.version }).shards;
      if (shards[0]?.shard !== -1) continue;
      seen++;
      expect(shards[0]).toEqual({ shard: -1, rank: -1, target: -1, targetId: -1, failSeq: 2, rebuilding: false, reintegrating: false });
      expect(place(map, oid).shards[0]?.targetId).toBeGreaterThanOrEqual(0);
    }
    expect(seen).toBe(300);
  });

  it('of all targets of a pool shards have none, and the search for spares ends', () => {
    const start = grid(3, 2);
    const map = apply(start, ['EXCLUDE', 0, 1, 2, 3, 4, 5]);
    for (const name of ['RP_3G1', 'SX', 'RP_2GX']) {
      const layout = place(map, oidOf(name, 3));
      expect(targetIds(layout).every((id) => id === -1)).toBe(true);
      expect(new Placement(map).findRebuild(oidOf(name, 3), map.version, BY_RANK)).toEqual([]);
    }
  });
});
