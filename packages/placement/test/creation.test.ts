import { objectIdEncode, type PoolMap } from '@daos/common';

import { Placement } from '../src/index.js';
import { BY_RANK, distinct, filled, grid, oidOf, oidsOf, place, spreads, targetIds } from './grid.js';

const fits = (map: PoolMap, name: string): boolean => {
  try {
    place(map, oidOf(name, 5));
    return true;
  } catch (error) {
    expect(String(error)).toContain('DER_INVAL');
    return false;
  }
};

describe('creation', () => {
  it.each([
    [1, 1, ['S1', 'SX'], ['RP_2G1', 'RP_3G1', 'RP_4G1', 'RP_6G1', 'S2', 'S4', 'S32']],
    [1, 2, ['S1', 'S2', 'SX'], ['RP_2G1', 'RP_2G2', 'RP_3G1', 'RP_4G1', 'RP_6G1', 'S4', 'S32']],
    [2, 1, ['S1', 'RP_2G1', 'RP_2GX'], ['RP_2G2', 'RP_2G4', 'RP_2G32', 'RP_3G1']],
    [2, 2, ['RP_2G2'], ['RP_2G4']],
    [2, 4, ['RP_2G4'], ['RP_4G2']],
  ])('on %i domains of %i targets takes what fits and answers DER_INVAL to the rest', (domains, targets, good, bad) => {
    const map = grid(domains, targets);
    expect(good.filter((name) => !fits(map, name))).toEqual([]);
    expect(bad.filter((name) => fits(map, name))).toEqual([]);
  });

  it('refuses ids of unknown classes, and layout versions that do not exist', () => {
    expect(() => place(grid(4, 4), { hi: 99n << 48n, lo: 1n })).toThrow('DER_INVAL');
    expect(() => place(grid(4, 4), { hi: 0n, lo: 1n })).toThrow('DER_INVAL');
    for (const layoutVersion of [0, 3]) expect(() => place(grid(4, 4), oidOf('S1', 1), { layoutVersion })).toThrow('DER_INVAL');
  });

  it('names the object and the numbers that do not fit', () => {
    expect(() => place(grid(2, 4), oidOf('RP_4G2', 7))).toThrow(/object \d+\.7 of class RP_4G2 needs 4 fault domains, the pool has 2/);
    expect(() => place(grid(2, 2), oidOf('RP_2G4', 7))).toThrow(/needs 8 targets, the pool has 4/);
  });
});

describe('a layout on a healthy pool', () => {
  it.each([
    ['SX', 32, 8, 256],
    ['RP_2GX', 32, 8, 256],
    ['EC_16P2G1', 18, 1, 18],
    ['RP_XSF', 8, 8, 8],
    ['S32', 4, 8, 32],
    ['RP_4G2', 4, 2, 8],
  ])('of %s on %i domains of %i targets has %i shards, none twice on a target, no group twice in a domain', (name, domains, targets, count) => {
    const map = grid(domains, targets);
    const placement = new Placement(map);
    for (const oid of oidsOf(name, 8)) {
      const layout = placement.placeObject(oid, BY_RANK);
      expect(layout.shards).toHaveLength(count);
      expect(layout.groupSize * layout.groupCount).toBe(count);
      expect(layout.shards.every((shard, i) => shard.shard === i && shard.targetId >= 0)).toBe(true);
      expect(layout.shards.some((shard) => shard.rebuilding || shard.reintegrating)).toBe(false);
      expect(distinct(targetIds(layout))).toBe(true);
      expect(spreads(layout)).toBe(true);
      expect(placement.findRebuild(oid, 1, BY_RANK)).toEqual([]);
    }
  });

  it('is the same on each call and on independent maps', () => {
    for (const oid of oidsOf('EC_4P2G2', 50)) {
      const placement = new Placement(grid(12, 4));
      const first = placement.placeObject(oid, BY_RANK);
      expect(placement.placeObject(oid, BY_RANK)).toEqual(first);
      expect(new Placement(grid(12, 4)).placeObject(oid, BY_RANK)).toEqual(first);
    }
  });

  it.each([
    ['EC_4P2GX', 8, 8, 10],
    ['EC_2P1GX', 8, 8, 21],
    ['EC_8P2GX', 11, 3, 3],
    ['EC_16P2GX', 20, 7, 7],
    ['RP_3GX', 7, 5, 11],
    ['RP_6GX', 9, 3, 4],
    ['SX', 5, 3, 15],
  ])('of %s on %i domains of %i targets has %i groups', (name, domains, targets, groups) => {
    const layout = place(grid(domains, targets), oidOf(name, 3));
    expect(layout.groupCount).toBe(groups);
    expect(spreads(layout)).toBe(true);
  });

  it('on unbalanced pools has the shards that were asked for, without duplicates', () => {
    for (const sizes of [[1, 7], [2, 3, 9], [1, 1, 1, 13], [5, 4, 3, 2, 1]]) {
      const map = grid(8, sizes);
      const placement = new Placement(map);
      const third = Math.floor(map.targets.length / 3);
      const wanted = [['S2', 2], ['RP_2G1', 2], ['RP_3G2', 6], ['RP_3GX', 3 * third], ['S4', 4]] as const;
      for (const [name, count] of wanted) {
        const layouts = oidsOf(name, 128).map((oid) => placement.placeObject(oid, BY_RANK));
        expect(layouts.every((layout) => filled(layout).length === count && spreads(layout))).toBe(true);
        // Rather than a domain, the shards of a group share the targets of small domains.
        if (count < third) expect(layouts.every((layout) => distinct(targetIds(layout)))).toBe(true);
      }
    }
  });

  it('with as many shards as targets uses each target once', () => {
    for (const name of ['SX', 'RP_2GX', 'RP_4GX', 'EC_2P2GX']) {
      const layout = place(grid(4, 16), oidOf(name, 9));
      expect(targetIds(layout).sort((a, b) => a - b)).toEqual(Array.from({ length: 64 }, (_, i) => i));
    }
  });

  it('uses all domains with wide objects, and spreads shards like chance does', () => {
    const map = grid(16, 8);
    const placement = new Placement(map);
    const load = new Map<number, number>();
    for (const oid of oidsOf('EC_8P2G2', 512)) {
      const layout = placement.placeObject(oid, BY_RANK);
      for (const { targetId } of layout.shards) load.set(targetId, (load.get(targetId) ?? 0) + 1);
    }
    const counts = map.targets.map(({ id }) => load.get(id) ?? 0);
    const mean = (512 * 20) / 128;
    const sigma = Math.sqrt(counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length);
    expect(Math.min(...counts)).toBeGreaterThan(mean / 2);
    expect(sigma).toBeLessThan(1.3 * Math.sqrt(mean));
  });

  it('binds the first shard to the target that the id of a test class names, or answers DER_INVAL', () => {
    const map = grid(6, 4);
    for (const name of ['RP_1G1_SR', 'RP_2G1_SR', 'RP_3G1_SR']) {
      const layout = place(map, oidOf(name, 17, (3n << 24n) | (2n << 20n)));
      expect(layout.shards[0]).toMatchObject({ rank: 3, target: 2 });
      expect(spreads(layout)).toBe(true);
      expect(() => place(map, oidOf(name, 17, (9n << 24n) | (2n << 20n)))).toThrow(/DER_INVAL.*target 2 of rank 9/);
      expect(() => place(map, oidOf(name, 17, (3n << 24n) | (4n << 20n)))).toThrow('DER_INVAL');
    }
  });

  it('of thousands of shards ends', () => {
    const placement = new Placement(grid(512, 8));
    for (const groups of [1000, 4096]) {
      const layout = placement.placeObject(objectIdEncode({ hi: 0n, lo: 3n }, 0, 1, groups), BY_RANK);
      expect(layout.shards).toHaveLength(groups);
      expect(distinct(targetIds(layout))).toBe(true);
    }
  });
});

describe('one group of a layout', () => {
  it('is the one of the whole layout, healthy or not', () => {
    const map = grid(12, 3);
    for (const oid of oidsOf('RP_3GX', 10)) {
      const placement = new Placement(map);
      const layout = placement.placeObject(oid, BY_RANK);
      for (let group = 0; group < layout.groupCount; group++) {
        expect(new Placement(map).placeGroup(oid, group, BY_RANK)).toEqual(layout.shards.slice(group * 3, group * 3 + 3));
      }
      expect(() => placement.placeGroup(oid, 12, BY_RANK)).toThrow('DER_INVAL');
      expect(() => placement.placeGroup(oid, -1, BY_RANK)).toThrow('DER_INVAL');
    }
  });
});

describe('a placement map', () => {
  it('tells its type, domains and targets', () => {
    const placement = new Placement(grid(5, 3));
    expect(placement.query()).toEqual({ type: 2, version: 1, domainType: 2, domainCount: 5, targetCount: 15 });
    expect(placement.query(1)).toMatchObject({ domainType: 1, domainCount: 5 });
    expect(placement.query(255)).toMatchObject({ domainType: 2 });
    expect(() => placement.query(200)).toThrow('DER_NONEXIST');
  });
});
