import { ComponentType } from '@daos/common';

import { clusterMap, measureAddition, measureBalance, measureExclusion, objectIds } from '../src/placement_measure.js';
import { placementPerfProgram, qualityJson, runPlacementPerf, type PlacementPerfOptions } from '../src/placement_perf.js';

const CLUSTER = { nodes: 8, ranksPerNode: 1, targetsPerRank: 4, perfDomains: 0 };
const BY_NODE = { faultLevel: ComponentType.NODE };

function options(args: string): PlacementPerfOptions {
  return placementPerfProgram().exitOverride().configureOutput({ writeErr: () => undefined }).parse(['node', 'placement_perf', ...args.split(' ')]).opts();
}

describe('placement_perf', () => {
  it('counts every shard once in the balance', () => {
    const map = clusterMap(CLUSTER);
    const balance = measureBalance(map, objectIds(map, 'RP_3G1', 2, 1000), BY_NODE);
    expect(balance.mean).toBe(3000 / 32);
    expect(balance.max).toBeGreaterThan(balance.mean);
    expect(balance.min).toBeLessThan(balance.mean);
  });

  it('sees about the least movement when a node comes or goes', () => {
    const map = clusterMap(CLUSTER);
    const oids = objectIds(map, 'S1', 0, 4000);
    const added = measureAddition(map, CLUSTER, oids, BY_NODE);
    expect(added.ideal).toBeCloseTo(1 / 9);
    expect(added.moved / added.ideal).toBeGreaterThan(0.8);
    expect(added.moved / added.ideal).toBeLessThan(1.2);
    const excluded = measureExclusion(map, oids, BY_NODE);
    expect(excluded).toMatchObject({ ideal: 1 / 8 });
    expect(excluded.moved).toBeGreaterThan(0.1);
    expect(excluded.moved).toBeLessThan(0.15);
  });

  it('reports speed, balance, movement and memory for every class and cluster', () => {
    const report = runPlacementPerf({ ...options('-n 4,8 -c S1,RP_2GX -o 200 -t 2 -s 500'), json: true });
    expect(report.speed.map(({ name }) => name)).toEqual([
      'placement_perf S1 on 4 x 1 x 2, 1 shards',
      'placement_perf RP_2GX on 4 x 1 x 2, 4 shards',
      'placement_perf S1 on 8 x 1 x 2, 1 shards',
      'placement_perf RP_2GX on 8 x 1 x 2, 12 shards',
    ]);
    expect(report.speed.every(({ opsPerSecond, referenceOpsPerSecond = 0 }) => opsPerSecond > 0 && referenceOpsPerSecond > 0)).toBe(true);
    expect(report.quality).toHaveLength(2 * (1 + 2 * 5));
    expect(Object.keys(JSON.parse(qualityJson(report.quality[1] ?? { name: '', value: 0, unit: '', reference: '', referenceValue: 1 })) as object))
      .toEqual(['name', 'value', 'unit', 'reference', 'reference_value', 'ratio']);
  });

  it('refuses what cannot be measured', () => {
    expect(() => options('-n 0')).toThrow();
    expect(() => options('-l rack')).toThrow();
    expect(() => options('-c S1,,S2')).toThrow();
    expect(() => runPlacementPerf(options('-n 9 -p 2'))).toThrow('9 nodes cannot be divided over 2');
    expect(() => runPlacementPerf(options('-n 2 -c RP_3G1'))).toThrow('DER_INVAL');
    expect(() => runPlacementPerf(options('-n 2 -c NONE'))).toThrow('unknown object class NONE');
  });
});
