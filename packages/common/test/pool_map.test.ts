import {
  ComponentStatus,
  ComponentType,
  MapOp,
  PoolMap,
  poolMapBuild,
  poolMapChanges,
  poolMapFailedTargets,
  poolMapFailedTargetsOfRank,
  poolMapTargetsOfRank,
  poolMapUpdate,
  poolTargetIsUnavailable,
} from '../src/index.js';

describe('pool map', () => {
  const map = poolMapBuild({ ranks: [0, 1, 2], targetsPerRank: 2, faultDomains: [0, 2, 0, 2, 1, 1, 2, 1, 4, 1, 0, 1, 2] });

  it('is built with every component in, at version 1, targets of a domain in one slice', () => {
    expect(map.version).toBe(1);
    expect(map.domains.map((d) => [d.type, d.id, d.parent, d.targetStart, d.targetCount])).toEqual([
      [ComponentType.ROOT, 0, -1, 0, 6],
      [ComponentType.NODE, 1, 0, 0, 4],
      [ComponentType.NODE, 4, 0, 4, 2],
      [ComponentType.RANK, 0, 1, 0, 2],
      [ComponentType.RANK, 1, 1, 2, 2],
      [ComponentType.RANK, 2, 2, 4, 2],
    ]);
    expect(map.targets.map((t) => [t.id, t.rank, t.index, t.status, t.failSeq, t.inOutVersion])).toEqual([
      [0, 0, 0, ComponentStatus.UPIN, 1, 1],
      [1, 0, 1, ComponentStatus.UPIN, 1, 1],
      [2, 1, 0, ComponentStatus.UPIN, 1, 1],
      [3, 1, 1, ComponentStatus.UPIN, 1, 1],
      [4, 2, 0, ComponentStatus.UPIN, 1, 1],
      [5, 2, 1, ComponentStatus.UPIN, 1, 1],
    ]);
  });

  it('keeps components, counts and version through its stored form', () => {
    const bytes = map.encode();
    const words = Array.from({ length: 8 }, (_, i) => bytes.readUInt32LE(4 * i));
    expect(words).toEqual([2, 0, 0, 11, 2, 3, 6, 0]);
    expect(bytes.length).toBe(32 + 11 * 32);
    const back = PoolMap.decode(bytes, 1);
    expect(back.domains).toEqual(map.domains);
    expect(back.targets).toEqual(map.targets);
  });

  it('refuses damaged stored forms with DER_INVAL and changes nothing', () => {
    const bytes = map.encode();
    const damaged = (offset: number, value: number): Buffer => {
      const copy = Buffer.from(bytes);
      copy.writeUInt32LE(value, offset);
      return copy;
    };
    expect(() => PoolMap.decode(bytes.subarray(0, 20), 1)).toThrow('DER_INVAL');
    expect(() => PoolMap.decode(bytes.subarray(0, bytes.length - 1), 1)).toThrow('DER_INVAL');
    expect(() => PoolMap.decode(damaged(0, 9), 1)).toThrow('DER_DF_INCOMPT');
    expect(() => PoolMap.decode(damaged(12, 0xffffffff), 1)).toThrow('DER_INVAL');
    expect(() => PoolMap.decode(damaged(20, 4), 1)).toThrow('DER_INVAL');
    // Children of the first node.
    expect(() => PoolMap.decode(damaged(32 + 28, 9), 1)).toThrow('DER_INVAL');
    expect(() => PoolMap.decode(damaged(32 + 28, 0), 1)).toThrow('DER_INVAL');
    // A component newer than the map.
    expect(() => PoolMap.decode(damaged(32 + 12, 7), 1)).toThrow('DER_INVAL');
    for (let cut = 0; cut < bytes.length; cut += 13) expect(() => PoolMap.decode(bytes.subarray(0, cut), 1)).toThrow();
  });

  it('finds components by id, by rank, by rank and index', () => {
    expect(map.targetById(3)?.rank).toBe(1);
    expect(map.targetById(6)).toBeUndefined();
    expect(map.targetOf(2, 1)?.id).toBe(5);
    expect(map.targetOf(2, 2)).toBeUndefined();
    expect(map.rankDomain(7)).toBeUndefined();
    expect(map.ranks()).toEqual([0, 1, 2]);
    expect(map.domainsOf(ComponentType.NODE).map((node) => node.id)).toEqual([1, 4]);
    expect(map.faultLevel(ComponentType.FAULT)).toBe(ComponentType.RANK);
  });

  it('counts as failed only domains with a DOWN target, and as enabled only ranks that serve wholly', () => {
    const components = map.components().map((c) =>
      c.type === ComponentType.TARGET && c.id === 0
        ? { ...c, status: ComponentStatus.DOWN, failSeq: 2 }
        : c.type === ComponentType.TARGET && c.id === 5
          ? { ...c, status: ComponentStatus.DOWNOUT, failSeq: 3 }
          : c,
    );
    const hurt = PoolMap.fromComponents(components, 3);
    expect(hurt.failedDomainCount(ComponentType.NODE)).toBe(1);
    expect(() => hurt.failedDomainCount(ComponentType.FAULT)).toThrow('DER_NONEXIST');
    expect(hurt.enabledRanks()).toEqual([1]);
    expect(hurt.disabledRanks()).toEqual([0, 2]);
    expect(hurt.activeTargetCount()).toBe(4);
    expect(hurt.targetsByStatus(ComponentStatus.DOWN | ComponentStatus.DOWNOUT).map((t) => t.id)).toEqual([0, 5]);
  });

  it('tells what failed, what is being filled and what is not to be counted on', () => {
    const ops = [[MapOp.EXCLUDE, [5]], [MapOp.EXCLUDE_OUT, [5]], [MapOp.EXCLUDE, [0]], [MapOp.DRAIN, [2]], [MapOp.REINT, [5]]] as const;
    const busy = ops.reduce((current, [op, targets]) => poolMapUpdate(current, op, targets).map, map);
    expect(poolMapFailedTargets(busy).map((t) => t.id)).toEqual([0]);
    expect(poolMapFailedTargetsOfRank(busy, 1).map((t) => t.id)).toEqual([2]);
    expect(poolMapTargetsOfRank(busy, 2, ComponentStatus.UPIN | ComponentStatus.UP).map((t) => t.id)).toEqual([4, 5]);
    expect(poolMapTargetsOfRank(busy, 99, 0xff)).toEqual([]);
    expect(poolMapChanges(map)).toEqual({ isAdding: false, minInVersion: -1, minFailSeq: -1 });
    expect(poolMapChanges(busy)).toEqual({ isAdding: true, minInVersion: 6, minFailSeq: 4 });
    const unavailable = (forReintegration: boolean): number[] =>
      busy.targets.filter((t) => poolTargetIsUnavailable(t, forReintegration)).map((t) => t.id);
    expect(unavailable(false)).toEqual([0, 2, 5]);
    expect(unavailable(true)).toEqual([0, 2]);
  });

  it('refuses components that are no tree of uniform layers with DER_INVAL', () => {
    const components = map.components();
    const changed = (find: (c: (typeof components)[number]) => boolean, change: object) => () =>
      PoolMap.fromComponents(components.map((c) => (find(c) ? { ...c, ...change } : c)), 1);
    expect(changed((c) => c.type === ComponentType.TARGET && c.id === 3, { id: 2 })).toThrow(/DER_INVAL.*twice/);
    expect(changed((c) => c.type === ComponentType.TARGET && c.id === 3, { rank: 2 })).toThrow(/DER_INVAL.*rank 2/);
    expect(changed((c) => c.type === ComponentType.RANK && c.id === 2, { type: ComponentType.NODE })).toThrow('DER_INVAL');
    expect(() => PoolMap.fromComponents([], 1)).toThrow('DER_INVAL');
  });

  it('has one node when no fault domains are given', () => {
    const simple = poolMapBuild({ ranks: [3, 9], targetsPerRank: [1, 4] });
    expect(simple.domains.map((d) => [d.type, d.id])).toEqual([
      [ComponentType.ROOT, 0],
      [ComponentType.NODE, 1],
      [ComponentType.RANK, 3],
      [ComponentType.RANK, 9],
    ]);
    expect(simple.targetOf(9, 3)?.id).toBe(4);
    expect(simple.space(ComponentType.NODE)).toEqual({ domainCount: 1, targetCount: 5 });
  });

  it('knows performance domains above nodes, and trees without nodes', () => {
    const deep = poolMapBuild({
      ranks: [0, 1],
      targetsPerRank: 1,
      faultDomains: [1, 3, 0, 2, 2, 1, 1, 2, 2, 1, 1, 3, 1, 1, 4, 1, 0, 1],
    });
    expect(deep.domains.map((d) => d.type)).toEqual([255, 200, 200, 2, 2, 1, 1]);
    const flat = poolMapBuild({ ranks: [0, 1], targetsPerRank: 1, faultDomains: [0, 1, 0, 2, 0, 1] });
    expect(flat.domains.map((d) => d.type)).toEqual([255, 1, 1]);
  });

  it('refuses fault domain trees that are cut short, uneven or about other ranks', () => {
    const build = (faultDomains: number[]) => () => poolMapBuild({ ranks: [0, 1], targetsPerRank: 1, faultDomains });
    expect(build([0, 1])).toThrow('DER_TRUNC');
    expect(build([0, 2, 0, 2, 1, 1, 0, 1])).toThrow('DER_INVAL');
    expect(build([0, 2, 0, 2, 1, 1, 1, 0, 1])).toThrow('DER_TRUNC');
    expect(build([0, 2, 0, 1, 1, 1, 2, 0, 7])).toThrow('DER_INVAL');
    expect(build([0, 2, 0, 1, 1, 1, 1, 0, 1])).toThrow('DER_INVAL');
  });
});
