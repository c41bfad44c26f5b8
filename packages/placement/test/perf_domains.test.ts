import { ComponentType, MapOp, poolMapUpdate, type ObjectId, type PoolMap } from '@daos/common';

import { Placement, type ObjectLayout } from '../src/index.js';
import { filled, groupsOf, oidOf } from './grid.js';
import { poolOf } from './random_pool.js';

/** Performance domains of so many nodes, with so many ranks each, with so many targets each. */
function perfPool(perfDomains: number, nodes: number, ranks: number, targets: number): PoolMap {
  const node = Array.from({ length: ranks }, () => targets);
  const map = poolOf({ perfDomains, nodes: Array.from({ length: perfDomains * nodes }, () => node) });
  if (perfDomains > 1) expect(map.domainsOf(ComponentType.PERF)).toHaveLength(perfDomains);
  return map;
}

function place(map: PoolMap, oid: ObjectId, pda: number, faultLevel: number = ComponentType.NODE): ObjectLayout {
  return new Placement(map).placeObject(oid, { faultLevel, pda, perfDomainLevel: ComponentType.PERF });
}

const nodeOf = (map: PoolMap, rank: number): number => map.rankDomain(rank)?.parent ?? -1;
const perfOf = (map: PoolMap, rank: number): number => map.domains[nodeOf(map, rank)]?.parent ?? -1;
const nodesOf = (map: PoolMap, layout: ObjectLayout): number[] => filled(layout).map((shard) => nodeOf(map, shard.rank));

describe('performance domain affinity', () => {
  it.each([['RP_4G2', 3, 8], ['EC_4P2G2', 1, 12], ['EC_8P2G2', 4, 20]])('takes %s with affinity %i on 16 ranks of two domains', (name, pda, shards) => {
    const layout = place(perfPool(2, 4, 2, 16), oidOf(name, 4), pda, ComponentType.RANK);
    expect(filled(layout)).toHaveLength(shards);
    for (const group of groupsOf(layout)) expect(new Set(group.map((shard) => shard.rank)).size).toBe(group.length);
  });

  it('refuses classes that need more fault domains than there are', () => {
    expect(() => place(perfPool(2, 4, 2, 16), oidOf('EC_16P2G8', 4), 1, ComponentType.RANK)).toThrow('DER_INVAL');
    expect(() => place(perfPool(1, 2, 1, 4), oidOf('RP_4G2', 4), 1, ComponentType.RANK)).toThrow('DER_INVAL');
  });

  it('ends with a layout where a domain runs full', () => {
    const layout = place(perfPool(4, 1, 4, 8), oidOf('SX', 20, 282024732524595n & 0xffffffffn), 3);
    expect(new Set(layout.shards.map((shard) => shard.targetId)).size).toBe(128);
    const raw = { hi: (1n << 48n) | (65535n << 32n) | (282024732524595n & 0xffff_ffffn), lo: 20n };
    expect(place(perfPool(4, 1, 4, 8), raw, 3)).toEqual(layout);
  });

  it('keeps consecutive shards together, as many as it says', () => {
    const map = perfPool(4, 6, 1, 8);
    for (let lo = 0; lo < 50; lo++) {
      const perf = place(map, oidOf('RP_4G2', lo), 2).shards.map((shard) => perfOf(map, shard.rank));
      for (let shard = 0; shard < perf.length; shard += 2) expect(perf[shard]).toBe(perf[shard + 1]);
      expect(new Set(perf).size).toBe(4);
    }
  });

  it('uses eight different domains for eight shards when there are eight', () => {
    const map = perfPool(2, 4, 1, 1);
    const nodes = nodesOf(map, place(map, oidOf('RP_4G2', 1), 3));
    expect(new Set(nodes).size).toBe(8);
  });

  it('puts two shards of an object into a domain, never two of one group', () => {
    const map = perfPool(2, 4, 1, 2);
    const layout = place(map, oidOf('EC_4P2G2', 1), 3);
    expect(new Set(nodesOf(map, layout)).size).toBeLessThan(12);
    for (const group of groupsOf(layout)) expect(new Set(group.map((shard) => nodeOf(map, shard.rank))).size).toBe(6);
  });

  it('moves a shard whose domain failed to a domain that no other shard of the object has', () => {
    const map = perfPool(4, 4, 1, 8);
    const oid = oidOf('RP_4G2', 1);
    const failed = place(map, oid, 4).shards[5]?.rank ?? 0;
    const targets = map.targets.filter((target) => target.rank === failed).map((target) => target.id);
    const down = poolMapUpdate(map, MapOp.EXCLUDE, targets).map;
    const layout = place(down, oid, 4);
    expect(layout.shards[5]?.rank).not.toBe(failed);
    expect(new Set(nodesOf(down, layout)).size).toBe(8);
  });

  it('leaves groups apart when it is off', () => {
    const map = perfPool(1, 6, 1, 8);
    const placement = new Placement(map);
    for (let lo = 0; lo < 1000; lo++) {
      const layout = placement.placeObject(oidOf('EC_4P1GX', lo), { faultLevel: ComponentType.NODE });
      const isApart = groupsOf(layout).every((group) => new Set(group.map((shard) => shard.rank)).size === group.length);
      if (!isApart) expect({ lo, groups: groupsOf(layout) }).toBeUndefined();
    }
  });
});
