import { PlacementType, RingPlacement, createPlacement } from '../src/index.js';
import { apply, distinct, grid, oidOf, oidsOf, spreads, targetIds } from './grid.js';

describe('the ring map', () => {
  it('puts shards on consecutive slots: different domains, different targets, the same each time', () => {
    const map = grid(8, 4);
    const ring = new RingPlacement(map);
    for (const oid of oidsOf('RP_4G2', 100)) {
      const layout = ring.placeObject(oid);
      expect(layout.shards).toHaveLength(8);
      expect(distinct(targetIds(layout))).toBe(true);
      expect(spreads(layout)).toBe(true);
      expect(new RingPlacement(grid(8, 4)).placeObject(oid)).toEqual(layout);
      expect(ring.placeGroup(oid, 1)).toEqual(layout.shards.slice(4));
    }
  });

  it('spreads objects over all targets, with one ring or several', () => {
    for (const ringCount of [1, 4]) {
      const ring = new RingPlacement(grid(8, 4), { ringCount });
      const used = new Set(oidsOf('S1', 2000).flatMap((oid) => targetIds(ring.placeObject(oid))));
      expect(used.size).toBe(32);
    }
  });

  it('gives failed targets spares in the order of the failures, and their shards back when they return', () => {
    const start = grid(8, 4);
    for (const oid of oidsOf('RP_4G2', 20)) {
      const first = new RingPlacement(start).placeObject(oid);
      for (const failed of targetIds(first)) {
        const down = apply(start, ['EXCLUDE', failed]);
        const layout = new RingPlacement(down).placeObject(oid);
        const changed = layout.shards.filter((shard, i) => shard.targetId !== first.shards[i]?.targetId);
        expect(changed).toHaveLength(1);
        expect(changed[0]).toMatchObject({ rebuilding: true, failSeq: 2 });
        expect(new RingPlacement(down).findRebuild(oid, down.version)).toEqual([{ shard: changed[0]?.shard, targetId: changed[0]?.targetId }]);
        const back = apply(down, ['REINT', failed], ['FINISH_REBUILD', failed]);
        expect(targetIds(new RingPlacement(back).placeObject(oid))).toEqual(targetIds(first));
      }
      const [a = 0, b = 0] = targetIds(first);
      const layout = new RingPlacement(apply(start, ['EXCLUDE', a, b])).placeObject(oid);
      const swapped = new RingPlacement(apply(start, ['EXCLUDE', b, a])).placeObject(oid);
      expect([layout.shards[0]?.targetId, layout.shards[1]?.targetId]).toEqual([swapped.shards[1]?.targetId, swapped.shards[0]?.targetId]);
      expect(distinct(targetIds(layout))).toBe(true);
    }
  });

  it('leaves shards without a target when no spare is left', () => {
    const map = apply(grid(4, 1), ['EXCLUDE', 2]);
    const layout = new RingPlacement(map).placeObject(oidOf('RP_4G1', 5));
    expect(targetIds(layout).filter((id) => id < 0)).toHaveLength(1);
    expect(new RingPlacement(map).findRebuild(oidOf('RP_4G1', 5), map.version)).toEqual([]);
  });

  it('cuts the groups of a class to what the pool has, and refuses groups wider than its domains', () => {
    const ring = new RingPlacement(grid(4, 2));
    expect(ring.placeObject(oidOf('RP_2G32', 1)).groupCount).toBe(4);
    expect(() => ring.placeObject(oidOf('RP_6G1', 1))).toThrow('DER_INVAL');
    expect(ring.findRebuild(oidOf('S4', 1), 1)).toEqual([]);
  });

  it('binds test classes to the target that they name', () => {
    const layout = new RingPlacement(grid(6, 4)).placeObject(oidOf('RP_2G1_SR', 1, (5n << 24n) | (3n << 20n)));
    expect(layout.shards[0]).toMatchObject({ rank: 5, target: 3 });
  });

  it('stands behind the same interface, and answers DER_NOSYS to what it cannot', () => {
    const map = grid(4, 2);
    const ring = createPlacement(map, { type: PlacementType.RING });
    expect(ring.query()).toEqual({ type: 1, version: 1, domainType: 2, domainCount: 4, targetCount: 8 });
    expect(() => ring.findUpgrade(oidOf('S1', 1), 1, 2)).toThrow('DER_NOSYS');
    expect(() => ring.placeObject(oidOf('S1', 1), { mode: 0 })).toThrow('DER_NOSYS');
    expect(createPlacement(map).type).toBe(PlacementType.JUMP);
    expect(() => createPlacement(map, { type: 9 as 1 })).toThrow('DER_INVAL');
    expect(() => new RingPlacement(map, { ringCount: 0 })).toThrow('DER_INVAL');
    expect(() => new RingPlacement(map, { faultLevel: 200 })).toThrow('DER_INVAL');
  });
});
