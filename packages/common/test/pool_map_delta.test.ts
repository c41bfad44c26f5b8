import { seededRandom } from '@daos/gurt';

import { DaosError, MapOp, poolMapBuild, poolMapDeltaApply, poolMapDeltaEncode, poolMapExtend, poolMapUpdate, type PoolMap } from '../src/index.js';

/** 100 nodes of one rank with eight targets. */
function bigMap(): PoolMap {
  const ranks = Array.from({ length: 100 }, (_, i) => i);
  const nodes = ranks.flatMap((rank) => [1, 1000 + rank, 1]);
  return poolMapBuild({ ranks, targetsPerRank: 8, faultDomains: [0, 2, 0, 100, ...nodes, ...ranks] });
}

function expectSame(got: PoolMap, want: PoolMap): void {
  expect(got.version).toBe(want.version);
  expect(got.encode().equals(want.encode())).toBe(true);
}

describe('changes between versions of a pool map', () => {
  const map = bigMap();

  it('turn the older map into the newer one after exclusion and extension, and are small', () => {
    const excluded = poolMapUpdate(map, MapOp.EXCLUDE, [8, 9, 799], { excludeRank: true }).map;
    const { map: extended } = poolMapExtend(excluded, { ranks: [200], targetsPerRank: 8, faultDomains: [0, 2, 0, 1, 1, 1003, 1, 200] });
    for (const [from, to] of [[map, excluded], [excluded, extended], [map, extended]] as const) {
      const bytes = poolMapDeltaEncode(from, to);
      expect(bytes.length).toBeLessThan(to.encode().length / 50);
      expectSame(poolMapDeltaApply(from, bytes), to);
    }
  });

  it('are a header and one run when nothing changed', () => {
    expect(poolMapDeltaEncode(map, map)).toHaveLength(24);
    expectSame(poolMapDeltaApply(map, poolMapDeltaEncode(map, map)), map);
  });

  it('lead from any version to any other of a life of random operations', () => {
    const random = seededRandom(11);
    let previous = map;
    for (let i = 0; i < 60; i++) {
      const op = [MapOp.EXCLUDE, MapOp.FINISH_REBUILD, MapOp.REINT, MapOp.DRAIN][random.below(4)] ?? MapOp.EXCLUDE;
      const targets = Array.from({ length: 1 + random.below(20) }, () => random.below(800));
      let next: PoolMap;
      try {
        next = poolMapUpdate(previous, op, [...new Set(targets)]).map;
      } catch (error) {
        if (error instanceof DaosError) continue;
        throw error;
      }
      expectSame(poolMapDeltaApply(previous, poolMapDeltaEncode(previous, next)), next);
      expectSame(poolMapDeltaApply(map, poolMapDeltaEncode(map, next)), next);
      previous = next;
    }
    expect(previous.version).toBeGreaterThan(50);
  });

  it('are refused by a map of another version with DER_MISMATCH', () => {
    const next = poolMapUpdate(map, MapOp.EXCLUDE, [1]).map;
    expect(() => poolMapDeltaApply(next, poolMapDeltaEncode(map, next))).toThrow('DER_MISMATCH');
  });

  it('are refused when they are damaged, whatever the damage; the memory they cost stays bounded', () => {
    const next = poolMapUpdate(map, MapOp.EXCLUDE, [1, 77]).map;
    const bytes = poolMapDeltaEncode(map, next);
    const random = seededRandom(3);
    const word = (at: number, value: number): Buffer => {
      const copy = Buffer.from(bytes);
      copy.writeUInt32LE(value, at);
      return copy;
    };
    expect(() => poolMapDeltaApply(map, word(0, 2))).toThrow('DER_DF_INCOMPT');
    expect(() => poolMapDeltaApply(map, word(8, 0))).toThrow('DER_INVAL');
    expect(() => poolMapDeltaApply(map, word(12, 0xffffffff))).toThrow('DER_INVAL');
    expect(() => poolMapDeltaApply(map, word(20, 0x7fffffff))).toThrow('DER_INVAL');
    for (let cut = 0; cut < bytes.length; cut += 5) expect(() => poolMapDeltaApply(map, bytes.subarray(0, cut))).toThrow(DaosError);
    expect(() => poolMapDeltaApply(map, Buffer.concat([bytes, Buffer.alloc(1)]))).toThrow('DER_INVAL');
    for (let i = 0; i < 300; i++) {
      const copy = Buffer.from(bytes);
      for (let n = random.below(4); n >= 0; n--) copy[random.below(copy.length)] = random.below(256);
      try {
        poolMapDeltaApply(map, copy);
      } catch (error) {
        expect(error).toBeInstanceOf(DaosError);
      }
    }
  });
});
