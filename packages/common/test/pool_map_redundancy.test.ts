import {
  ComponentType,
  MapOp,
  poolMapBuild,
  poolMapFailureGuard,
  poolMapRedundancyVerify,
  poolMapUpdate,
  type PoolMap,
} from '../src/index.js';

/** Nodes of one rank with two targets: targets 2n and 2n+1 stand on node n. */
function pool(nodes: number): PoolMap {
  const ranks = Array.from({ length: nodes }, (_, i) => i);
  return poolMapBuild({ ranks, targetsPerRank: 2, faultDomains: [0, 2, 0, nodes, ...ranks.flatMap((rank) => [1, rank + 1, 1]), ...ranks] });
}

const exclude = (map: PoolMap, ...targets: number[]): PoolMap => poolMapUpdate(map, MapOp.EXCLUDE, targets).map;
const finish = (map: PoolMap, ...targets: number[]): PoolMap => poolMapUpdate(map, MapOp.FINISH_REBUILD, targets).map;
const verify = (map: PoolMap, factor: number, last = 1) => (): void => poolMapRedundancyVerify(map, last, ComponentType.NODE, factor);

describe('the redundancy check of containers', () => {
  it('holds when one node was rebuilt before the next failed', () => {
    const map = exclude(finish(exclude(pool(4), 0, 1), 0, 1), 2);
    expect(verify(map, 1)).not.toThrow();
    expect(verify(map, 0)).toThrow('DER_RF');
  });

  it('fails when a node fails before another is rebuilt, also when both are rebuilt since', () => {
    const both = exclude(pool(4), 0, 2);
    expect(verify(both, 1)).toThrow('DER_RF');
    expect(verify(both, 2)).not.toThrow();
    expect(verify(finish(both, 0, 2), 1)).toThrow('DER_RF');
  });

  it('counts the targets of one node as one failure', () => {
    expect(verify(exclude(pool(4), 0, 1), 1)).not.toThrow();
    expect(() => poolMapRedundancyVerify(exclude(pool(4), 0, 1), 1, ComponentType.RANK, 0)).toThrow('DER_RF');
  });

  it('takes drained nodes for no failures', () => {
    const drained = [0, 1, 2, 3, 4, 5].reduce((map, id) => poolMapUpdate(map, MapOp.DRAIN, [id]).map, pool(4));
    expect(verify(drained, 0)).not.toThrow();
    expect(verify(finish(drained, 0, 1, 2, 3, 4, 5), 0)).not.toThrow();
  });

  it('forgets what happened up to the version at which the container was healthy', () => {
    const both = exclude(pool(4), 0, 2);
    expect(verify(both, 1, both.version)).not.toThrow();
    expect(verify(exclude(both, 4), 0, both.version)).toThrow('DER_RF');
    expect(verify(exclude(both, 4), 1, both.version)).not.toThrow();
  });

  it('answers DER_INVAL for a level that the map has not', () => {
    expect(() => poolMapRedundancyVerify(pool(2), 1, ComponentType.FAULT, 1)).toThrow('DER_INVAL');
    expect(() => poolMapRedundancyVerify(pool(2), 1, 255, 1)).toThrow('DER_INVAL');
  });
});

describe('the guard of a pool at exclusion', () => {
  it('counts nodes whose data is not rebuilt yet', () => {
    const three = exclude(pool(5), 0, 2, 4, 5);
    expect(() => poolMapFailureGuard(three, 2)).toThrow('DER_RF');
    expect(() => poolMapFailureGuard(three, 3)).not.toThrow();
    expect(() => poolMapFailureGuard(finish(three, 0), 2)).not.toThrow();
  });
});
