import { ComponentStatus, ComponentType, MapOp, PoolMap, poolMapBuild, poolMapExtend, poolMapUpdate, type PoolMapBuildParams } from '../src/index.js';

/** Nodes 1 and 4 with ranks 0, 1 and 2; two targets each. */
const start = poolMapBuild({ ranks: [0, 1, 2], targetsPerRank: 2, faultDomains: [0, 2, 0, 2, 1, 1, 2, 1, 4, 1, 0, 1, 2] });

function extend(params: Partial<PoolMapBuildParams>): { map: PoolMap; newTargets: readonly number[] } {
  return poolMapExtend(start, { ranks: [7], targetsPerRank: 2, faultDomains: [0, 2, 0, 1, 1, 9, 1, 7], ...params });
}

const shape = (map: PoolMap): number[][] => map.domains.map((d) => [d.type, d.id, d.status, d.parent, d.targetStart, d.targetCount]);

describe('extension of a pool map', () => {
  it('appends a new node behind the others, in state NEW, with the next version and target ids', () => {
    const { map, newTargets } = extend({});
    expect(map.version).toBe(2);
    expect(newTargets).toEqual([6, 7]);
    expect(map.domainsOf(ComponentType.NODE).map((node) => [node.id, node.status])).toEqual([[1, 4], [4, 4], [9, 1]]);
    expect(map.targets.slice(0, 6).map((t) => t.id)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(map.targets.slice(6)).toMatchObject([6, 7].map((id, index) => (
      { id, index, rank: 7, status: ComponentStatus.NEW, version: 2, failSeq: 1, inOutVersion: 2 }
    )));
  });

  it('appends a rank behind the ranks of an existing node; what exists keeps its ids and its order', () => {
    const { map, newTargets } = extend({ faultDomains: [0, 2, 0, 1, 1, 1, 1, 7] });
    expect(newTargets).toEqual([6, 7]);
    expect(map.ranks()).toEqual([0, 1, 7, 2]);
    // The new targets stand in the slice of their node.
    expect(map.targets.map((target) => target.id)).toEqual([0, 1, 2, 3, 6, 7, 4, 5]);
    expect(shape(map)[1]).toEqual([ComponentType.NODE, 1, ComponentStatus.UPIN, 0, 0, 6]);
    expect(map.targetById(6)?.position).toBe(4);
  });

  it('takes several ranks and existing ones in one tree, and keeps through its stored form', () => {
    const { map } = extend({ ranks: [2, 7, 8], faultDomains: [0, 2, 0, 2, 1, 4, 2, 1, 9, 1, 2, 7, 8] });
    expect(map.ranks()).toEqual([0, 1, 2, 7, 8]);
    expect(map.rankDomain(7)?.parent).toBe(map.rankDomain(2)?.parent);
    const back = PoolMap.decode(map.encode(), map.version);
    expect(back.domains).toEqual(map.domains);
    expect(back.targets).toEqual(map.targets);
  });

  it('goes on where a former extension ended between adding and starting', () => {
    const { map } = extend({});
    const again = poolMapExtend(map, { ranks: [7], targetsPerRank: 2, faultDomains: [0, 2, 0, 1, 1, 9, 1, 7] });
    expect(again.map).toBe(map);
    expect(again.newTargets).toEqual([6, 7]);
  });

  it('answers DER_ALREADY when the ranks are in and past NEW', () => {
    const { map, newTargets } = extend({});
    const started = poolMapUpdate(map, MapOp.EXTEND, newTargets).map;
    const more = { ranks: [7], targetsPerRank: 2, faultDomains: [0, 2, 0, 1, 1, 9, 1, 7] };
    expect(() => poolMapExtend(started, more)).toThrow('DER_ALREADY');
  });

  it('refuses versions that do not grow with DER_NO_PERM', () => {
    expect(() => extend({ version: 1 })).toThrow('DER_NO_PERM');
    expect(() => extend({ version: 0 })).toThrow('DER_NO_PERM');
    expect(extend({ version: 12 }).map.version).toBe(12);
  });

  it('refuses trees that do not fit the map with DER_INVAL', () => {
    // A layer that the map has not.
    expect(() => extend({ faultDomains: [1, 3, 0, 1, 2, 5, 1, 1, 9, 1, 7] })).toThrow('DER_INVAL');
    // A rank below another node than its own.
    expect(() => extend({ ranks: [0, 7], faultDomains: [0, 2, 0, 1, 1, 9, 2, 0, 7] })).toThrow('DER_INVAL');
    // Several nodes and no tree.
    expect(() => poolMapExtend(start, { ranks: [7], targetsPerRank: 2 })).toThrow('DER_INVAL');
    expect(() => extend({ faultDomains: [0, 2, 0, 1, 1, 9, 1] })).toThrow('DER_INVAL');
  });

  it('refuses to add to a domain that is excluded for good', () => {
    const down = poolMapUpdate(start, MapOp.EXCLUDE, [4, 5], { excludeRank: true }).map;
    const more = { ranks: [7], targetsPerRank: 2, faultDomains: [0, 2, 0, 1, 1, 4, 1, 7] };
    expect(poolMapExtend(down, more).newTargets).toEqual([6, 7]);
    const gone = poolMapUpdate(down, MapOp.FINISH_REBUILD, [4, 5], { excludeRank: true }).map;
    expect(() => poolMapExtend(gone, more)).toThrow('DER_INVAL');
  });

  it('adds to the only node when no tree is given', () => {
    const { map } = poolMapExtend(poolMapBuild({ ranks: [0], targetsPerRank: 1 }), { ranks: [1, 2], targetsPerRank: [1, 3] });
    expect(map.targets.map((target) => [target.rank, target.id])).toEqual([[0, 0], [1, 1], [2, 2], [2, 3], [2, 4]]);
    expect(map.domainsOf(ComponentType.NODE)).toHaveLength(1);
  });
});
