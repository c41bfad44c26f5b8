import { layoutFormat, layoutJson, layoutParse, layoutSummary, layoutText } from '../src/index.js';
import { apply, grid, oidOf, oidsOf, place } from './grid.js';

describe('a layout as text', () => {
  const map = grid(4, 2);
  const oid = oidOf('RP_2G2', 7);
  const layout = place(map, oid);
  const summary = layoutSummary(oid, layout);

  it('is one line per replica under its group', () => {
    const [a, b, c, d] = layout.shards.map(({ rank, target }) => `${rank}:${target}`);
    expect(layoutText(summary)).toBe(
      `oid: ${oid.hi}.7 ver 1 grp_nr: 2\ngrp: 0\nreplica 0 ${a}\nreplica 1 ${b}\ngrp: 1\nreplica 0 ${c}\nreplica 1 ${d}\n`,
    );
  });

  it('as JSON holds groups of replicas with rank and target', () => {
    const replica = layout.shards.map(({ rank, target }) => ({ rank, target }));
    expect(layoutJson(summary)).toEqual({
      oid: `${oid.hi}.7`,
      version: 1,
      class: 'RP_2G2',
      shards: [{ replicas: replica.slice(0, 2) }, { replicas: replica.slice(2) }],
    });
  });

  it('shows second locations and leaves empty slots out', () => {
    const changing = place(apply(map, ['DRAIN', layout.shards[0]?.targetId ?? 0]), oid);
    expect(layoutSummary(oid, changing).groups.map((group) => group.length)).toEqual([3, 2]);
  });

  it('in full is read back as it was, in all states', () => {
    const maps = [map, apply(map, ['EXCLUDE', 0, 3]), apply(map, ['DRAIN', 1, 2]), apply(map, ['EXCLUDE', 5], ['EXCLUDE_OUT', 5], ['REINT', 5], ['EXCLUDE', 6], ['REINT', 6])];
    for (const each of maps) {
      for (const one of oidsOf('RP_2G2', 20)) {
        const made = place(each, one);
        expect(layoutParse(layoutFormat(one, made))).toEqual({ oid: one, layout: made });
      }
    }
    expect(layoutFormat(oid, layout).split('\n')[0]).toBe(`${oid.hi}.7 v1 groups 2 of 2/2 peers 0`);
  });

  it('is refused when it is something else', () => {
    expect(() => layoutParse('')).toThrow('DER_INVAL');
    expect(() => layoutParse('1.2 v1 groups 1 of 1/1 peers 0\nnonsense\n')).toThrow('DER_INVAL');
    expect(() => layoutParse('1.2 v1 groups 2 of 1/1 peers 0\n-\n')).toThrow('DER_INVAL');
  });
});
