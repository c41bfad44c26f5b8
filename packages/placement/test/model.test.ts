import { ComponentType, MapOp, objectIdEncode, poolMapUpdate } from '@daos/common';
import { seededRandom } from '@daos/gurt';
import fc from 'fast-check';

import { LayoutMode, Placement } from '../src/index.js';
import { plainLayout } from './plain_layout.js';
import { live, lives, poolOf, shapes } from './random_pool.js';

/** Redundancy codes with their group sizes. */
const SIZES: readonly (readonly [code: number, groupSize: number])[] = [[1, 1], [8, 2], [9, 3], [10, 4], [11, 5], [12, 6], [32, 3], [33, 4], [35, 6], [37, 10]];

const requests = fc.record({
  hi: fc.bigInt({ min: 0n, max: 0xffff_ffffn }),
  lo: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  size: fc.nat(SIZES.length - 1),
  groups: fc.nat(1000),
  faultLevel: fc.constantFrom(ComponentType.RANK, ComponentType.NODE),
  pda: fc.constantFrom(0, 0, 1, 2, 3, 0xffffffff),
  back: fc.nat(3),
});

describe('the layout of an object', () => {
  it('is the one of the plainly written rules, on any pool, at any moment of any life', () => {
    let compared = 0;
    fc.assert(
      fc.property(shapes(12), lives, requests, (shape, life, request) => {
        const map = live(poolOf(shape), life);
        const domains = map.domainsOf(request.faultLevel).length;
        const [code = 1, groupSize = 1] = SIZES[request.size] ?? [];
        if (groupSize > domains) return;
        const groupCount = 1 + (request.groups % Math.floor(map.targets.length / groupSize));
        const oid = objectIdEncode({ hi: request.hi, lo: request.lo }, 0, code, groupCount);
        const { faultLevel, pda } = request;
        const version = Math.max(1, map.version - request.back);
        const placement = new Placement(map);
        for (const mode of Object.values(LayoutMode)) {
          const want = plainLayout(map, { oid, groupCount, groupSize, faultLevel, mode, version, pda });
          const options = { faultLevel, pda, perfDomainLevel: ComponentType.PERF, mode, version };
          const got = placement.placeObject(oid, options).shards.map(({ targetId, failSeq, rebuilding, reintegrating }) => (
            { targetId, failSeq, rebuilding, reintegrating }
          ));
          expect(got).toEqual(want);
          compared++;
        }
      }),
      { numRuns: 250, seed: 20 },
    );
    expect(compared).toBeGreaterThan(400);
  });

  it('of a wide object on a larger pool with many failures is that one, too', () => {
    const random = seededRandom(7);
    const start = poolOf({ perfDomains: 0, nodes: Array.from({ length: 40 }, (_, i) => [1 + (i % 5), 2]) });
    for (let round = 0; round < 6; round++) {
      const failed = [...new Set(Array.from({ length: 10 * round }, () => random.below(start.targets.length)))];
      const map = poolMapUpdate(start, MapOp.EXCLUDE, failed).map;
      for (const [code, groupSize] of [[1, 1], [9, 3], [35, 6]] as const) {
        const groupCount = Math.floor(start.targets.length / groupSize);
        const oid = objectIdEncode({ hi: BigInt(round), lo: 77n }, 0, code, groupCount);
        const request = { oid, groupCount, groupSize, faultLevel: ComponentType.NODE, mode: LayoutMode.CURRENT, version: map.version, pda: 0 };
        const got = new Placement(map).placeObject(oid, { mode: LayoutMode.CURRENT }).shards.map((shard) => shard.targetId);
        expect(got).toEqual(plainLayout(map, request).map((shard) => shard.targetId));
      }
    }
  });
});
