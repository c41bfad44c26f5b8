import { LayoutMode, Placement } from '../src/index.js';
import { applySteps, fixture, poolMapOf, recorded, type RecordedLayout, type RecordedMap, type RecordedStep } from './fixture.js';

interface ChangeCase {
  readonly class: string;
  readonly oidHi: string;
  readonly oidLo: string;
  readonly fdomLevel: number;
  readonly pda: number;
  readonly pdomLevel: number;
  readonly current: RecordedLayout;
  readonly pre?: RecordedLayout;
  readonly post?: RecordedLayout;
  readonly placeRw?: RecordedLayout;
  readonly placeRo?: RecordedLayout;
  readonly rebuild: readonly { readonly version: number; readonly shards: readonly (readonly [number, number])[] }[];
}

interface ChangedMap {
  readonly map: string;
  readonly kind: string;
  readonly version: number;
  readonly steps: readonly RecordedStep[];
  readonly cases: readonly ChangeCase[];
}

describe.each(['placement-failures', 'placement-additions'])('layouts of %s', (name) => {
  const { maps, cases } = fixture<{ maps: Record<string, RecordedMap>; cases: ChangedMap[] }>(name);

  it('are the recorded ones before, during and after the change, with second locations and rebuild lists', () => {
    const wrong: unknown[] = [];
    let compared = 0;
    for (const changed of cases) {
      const start = maps[changed.map];
      if (!start) throw new Error(changed.map);
      const map = applySteps(poolMapOf(start), changed.steps);
      expect(map.version).toBe(changed.version);
      const placement = new Placement(map);
      for (const c of changed.cases) {
        const oid = { hi: BigInt(c.oidHi), lo: BigInt(c.oidLo) };
        const options = { faultLevel: c.fdomLevel, pda: c.pda, perfDomainLevel: c.pdomLevel };
        const pre = c.pre ?? c.current;
        const want = {
          current: c.current, pre, post: c.post ?? c.current, rw: c.placeRw ?? c.current, ro: c.placeRo ?? pre,
          rebuild: c.rebuild.map(({ shards }) => shards),
        };
        const got = {
          current: recorded(placement.placeObject(oid, { ...options, mode: LayoutMode.CURRENT })),
          pre: recorded(placement.placeObject(oid, { ...options, mode: LayoutMode.PRE })),
          post: recorded(placement.placeObject(oid, { ...options, mode: LayoutMode.POST })),
          rw: recorded(placement.placeObject(oid, options)),
          ro: recorded(placement.placeObject(oid, { ...options, readOnly: true })),
          rebuild: c.rebuild.map(({ version }) => placement.findRebuild(oid, version, options).map((s) => [s.shard, s.targetId])),
        };
        compared++;
        for (const key of Object.keys(want) as (keyof typeof want)[]) {
          if (JSON.stringify(got[key]) !== JSON.stringify(want[key])) {
            wrong.push({ key, map: changed.map, kind: changed.kind, class: c.class, oid: c.oidHi, want: want[key], got: got[key] });
          }
        }
      }
    }
    expect(compared).toBeGreaterThan(100);
    expect(`${wrong.length} ${JSON.stringify(wrong.slice(0, 3))}`).toBe('0 []');
  });
});
