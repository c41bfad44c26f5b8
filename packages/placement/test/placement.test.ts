import { DaosError, type PoolMap } from '@daos/common';

import { Placement } from '../src/index.js';
import { fixture, poolMapOf, recorded, type RecordedLayout, type RecordedMap } from './fixture.js';

interface PlacementCase {
  readonly map: string;
  readonly class: string;
  readonly oidHi: string;
  readonly oidLo: string;
  readonly fdomLevel: number;
  readonly pda: number;
  readonly pdomLevel: number;
  readonly layoutVersion: number;
  readonly rc: number;
  readonly layout?: RecordedLayout;
}

const { maps, cases } = fixture<{ maps: Record<string, RecordedMap>; cases: PlacementCase[] }>('placement');

describe('layouts on pools without failures', () => {
  const built = new Map<string, PoolMap>();
  for (const [name, map] of Object.entries(maps)) built.set(name, poolMapOf(map));

  for (const name of built.keys()) {
    it(`are the recorded ones on ${name}, for every class, level, affinity and layout version`, () => {
      const map = built.get(name);
      if (!map) throw new Error(name);
      const placement = new Placement(map);
      const wrong: unknown[] = [];
      for (const c of cases.filter((row) => row.map === name)) {
        // One placement for all cases also proves that no state leaks from object to object.
        let got: unknown;
        try {
          const oid = { hi: BigInt(c.oidHi), lo: BigInt(c.oidLo) };
          const options = { faultLevel: c.fdomLevel, pda: c.pda, perfDomainLevel: c.pdomLevel, layoutVersion: c.layoutVersion };
          got = { rc: 0, layout: recorded(placement.placeObject(oid, options)) };
        } catch (error) {
          if (!(error instanceof DaosError)) throw error;
          got = { rc: error.status };
        }
        const want = c.rc === 0 ? { rc: 0, layout: c.layout } : { rc: c.rc };
        if (JSON.stringify(got) !== JSON.stringify(want)) wrong.push({ c, got });
      }
      expect(wrong).toEqual([]);
    });
  }
});

describe('a placement', () => {
  const map = poolMapOf({ perfDomains: 0, nodes: Array.from({ length: 125 }, () => [8]) });

  it('gives each object its own layout, the same one each time and on every instance', () => {
    const one = new Placement(map);
    const other = new Placement(map);
    for (let i = 0n; i < 30n; i++) {
      // S1, S8 and SX in turn.
      const groups = [1n, 8n, 980n][Number(i % 3n)] ?? 1n;
      const oid = { hi: (1n << 48n) | (groups << 32n) | i, lo: i * 7919n };
      const layout = one.placeObject(oid);
      expect(layout.shards.length).toBe(Number(groups));
      expect(new Set(layout.shards.map((s) => s.targetId)).size).toBe(Number(groups));
      const text = JSON.stringify(layout);
      expect(JSON.stringify(one.placeObject(oid))).toBe(text);
      expect(JSON.stringify(other.placeObject(oid))).toBe(text);
    }
  });

  it('keeps the shards of a group on different fault domains, and spreads objects evenly', () => {
    const placement = new Placement(map);
    const load = new Map<number, number>();
    for (let i = 0n; i < 1000n; i++) {
      const oid = { hi: (35n << 48n) | (2n << 32n), lo: i };
      const layout = placement.placeObject(oid);
      for (let group = 0; group < 2; group++) {
        const ranks = layout.shards.slice(group * 6, group * 6 + 6).map((s) => s.rank);
        expect(new Set(ranks).size).toBe(6);
      }
      for (const { targetId } of layout.shards) load.set(targetId, (load.get(targetId) ?? 0) + 1);
    }
    // 12 shards a target on average; Poisson-like around it.
    expect(Math.max(...load.values())).toBeLessThan(35);
    expect(load.size).toBeGreaterThan(990);
  });

  it('refuses ids without a class and classes that the pool cannot hold with DER_INVAL', () => {
    const small = new Placement(poolMapOf({ perfDomains: 0, nodes: [[2]] }));
    expect(() => small.placeObject({ hi: 99n << 48n, lo: 1n })).toThrow('DER_INVAL');
    expect(() => small.placeObject({ hi: (8n << 48n) | (1n << 32n), lo: 1n })).toThrow('DER_INVAL');
    expect(() => small.placeObject({ hi: (1n << 48n) | (3n << 32n), lo: 1n })).toThrow('DER_INVAL');
    expect(small.placeObject({ hi: (1n << 48n) | (2n << 32n), lo: 1n }).shards.map((s) => s.targetId).sort()).toEqual([0, 1]);
  });
});
