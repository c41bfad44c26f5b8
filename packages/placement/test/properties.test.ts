import { ComponentStatus, ComponentType, MapOp, PoolMap, objectIdEncode, poolMapDeltaApply, poolMapDeltaEncode, poolMapUpdate, type ObjectId } from '@daos/common';
import fc from 'fast-check';

import { LayoutMode, Placement, type ObjectLayout } from '../src/index.js';
import { live, lives, poolOf, shapes, type PoolShape } from './random_pool.js';

/** Redundancy codes with their group sizes: S, RP_2, RP_3, EC_2P1, EC_4P2. */
const SIZES: readonly (readonly [code: number, groupSize: number])[] = [[1, 1], [8, 2], [9, 3], [32, 3], [35, 6]];
const BY_NODE = { faultLevel: ComponentType.NODE };

interface Wish {
  readonly lo: bigint;
  readonly size: number;
  readonly groups: number;
}

const wishes: fc.Arbitrary<Wish> = fc.record({
  lo: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  size: fc.nat(SIZES.length - 1),
  groups: fc.integer({ min: 1, max: 12 }),
});

/** Clusters from one node to 500, even and uneven, small ones more often. */
const clusters: fc.Arbitrary<PoolShape> = fc.oneof(
  { weight: 5, arbitrary: shapes(20) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.integer({ min: 50, max: 500 }), fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 5 })).map(
      ([count, sizes]) => ({ perfDomains: 0, nodes: Array.from({ length: count }, (_, i) => [sizes[i % sizes.length] ?? 1]) }),
    ),
  },
);

/** An object that fits the pool, or undefined when its group is too wide. */
function objectFor(map: PoolMap, { lo, size, groups }: Wish): { oid: ObjectId; groupSize: number } | undefined {
  const [code = 1, groupSize = 1] = SIZES[size] ?? [];
  if (groupSize > map.domainsOf(ComponentType.NODE).length) return undefined;
  const groupCount = Math.min(groups, Math.floor(map.targets.length / groupSize));
  return { oid: objectIdEncode({ hi: 9n, lo }, 0, code, groupCount), groupSize };
}

const nodeOf = (map: PoolMap, targetId: number): number => {
  const rank = map.targetById(targetId)?.parent ?? 0;
  return map.domains[rank]?.parent ?? -1;
};

/** Nodes with a target that can hold shards now. */
function healthyNodes(map: PoolMap): number {
  const healthy = map.targets.filter(({ status }) => status === ComponentStatus.UPIN || status === ComponentStatus.DRAIN);
  return new Set(healthy.map(({ id }) => nodeOf(map, id))).size;
}

function groups(layout: ObjectLayout): number[][] {
  return Array.from({ length: layout.groupCount }, (_, i) =>
    layout.shards.slice(i * layout.groupSize, (i + 1) * layout.groupSize).map((shard) => shard.targetId),
  );
}

function check(property: (map: PoolMap, object: { oid: ObjectId; groupSize: number }) => void, runs = 120): void {
  fc.assert(
    fc.property(clusters, lives, wishes, (shape, life, wish) => {
      const map = live(poolOf(shape), life);
      const object = objectFor(map, wish);
      if (object) property(map, object);
    }),
    { numRuns: runs, seed: 1 },
  );
}

describe('on any cluster after any life', () => {
  it('no two shards of a group stand in one fault domain while enough are healthy', () => {
    check((map, { oid, groupSize }) => {
      // With room for each group: small domains can run out of targets.
      if (healthyNodes(map) < groupSize) return;
      const single = objectIdEncode(oid, 0, Number((oid.hi >> 48n) & 0xffn), 1);
      const layout = new Placement(map).placeObject(single, { ...BY_NODE, mode: LayoutMode.CURRENT });
      for (const group of groups(layout)) expect(new Set(group.map((id) => nodeOf(map, id))).size).toBe(groupSize);
    });
  });

  it('nothing is read from or written to a dead target', () => {
    check((map, { oid }) => {
      const placement = new Placement(map);
      const status = (id: number): number => map.targetById(id)?.status ?? 0;
      const dead = ComponentStatus.DOWN | ComponentStatus.DOWNOUT | ComponentStatus.NEW;
      const writers = placement.placeObject(oid, BY_NODE);
      for (const { targetId } of writers.shards) if (targetId >= 0) expect(status(targetId) & dead).toBe(0);
      const readers = placement.placeObject(oid, { ...BY_NODE, readOnly: true });
      for (const { targetId, rebuilding } of readers.shards) if (targetId >= 0 && !rebuilding) expect(status(targetId) & dead).toBe(0);
    });
  });

  it('client and engine come to the same layout, whether they got the map whole or as changes', () => {
    fc.assert(
      fc.property(clusters, lives, wishes, (shape, life, wish) => {
        const first = poolOf(shape);
        const map = live(first, life);
        const object = objectFor(map, wish);
        if (!object) return;
        const own = new Placement(map).placeObject(object.oid, BY_NODE);
        const whole = PoolMap.decode(map.encode(), map.version);
        const grown = poolMapDeltaApply(first, poolMapDeltaEncode(first, map));
        expect(new Placement(whole).placeObject(object.oid, BY_NODE)).toEqual(own);
        expect(new Placement(grown).placeObject(object.oid, BY_NODE)).toEqual(own);
      }),
      { numRuns: 80, seed: 2 },
    );
  });

  it('a failure moves only the shards of the target that failed, and its return brings them back', () => {
    fc.assert(
      fc.property(clusters, fc.nat(), wishes, (shape, choice, wish) => {
        const map = poolOf(shape);
        const object = objectFor(map, wish);
        if (!object) return;
        const failed = map.targets[choice % map.targets.length]?.id ?? 0;
        const before = new Placement(map).placeObject(object.oid, BY_NODE);
        const down = poolMapUpdate(map, MapOp.EXCLUDE, [failed]).map;
        const after = new Placement(down).placeObject(object.oid, BY_NODE);
        before.shards.forEach(({ targetId }, i) => {
          if (targetId !== failed) expect(after.shards[i]?.targetId).toBe(targetId);
        });
        const [out, back] = [MapOp.FINISH_REBUILD, MapOp.REINT].reduce<PoolMap[]>(
          (maps, op) => [...maps, poolMapUpdate(maps.at(-1) ?? down, op, [failed]).map], [],
        );
        const finished = poolMapUpdate(back ?? down, MapOp.FINISH_REBUILD, [failed]).map;
        expect(groups(new Placement(out ?? down).placeObject(object.oid, BY_NODE))).toEqual(groups(after));
        expect(groups(new Placement(finished).placeObject(object.oid, BY_NODE))).toEqual(groups(before));
      }),
      { numRuns: 120, seed: 3 },
    );
  });

  it('what is to be rebuilt is what writers write beside, and ends where the shards are afterwards', () => {
    check((map, { oid }) => {
      const placement = new Placement(map);
      const post = placement.placeObject(oid, { ...BY_NODE, mode: LayoutMode.POST });
      const writers = placement.placeObject(oid, BY_NODE);
      for (const { shard, targetId } of placement.findRebuild(oid, map.version, BY_NODE)) {
        expect(post.shards[shard]?.targetId).toBe(targetId);
        expect(writers.shards.some((place) => place.shard === shard && place.targetId === targetId && place.rebuilding)).toBe(true);
      }
    }, 150);
  });
});
