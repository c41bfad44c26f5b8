import { seededRandom } from '@daos/gurt';

import { MINOR_MAX } from '../../src/ilog/punch_mark.js';
import { ExtentIter, seekEntry } from '../../src/value/extent/iteration.js';
import { ExtentFlag } from '../../src/value/extent/sweep.js';
import { ALL, ExtentRig, NEWEST, punchAt, ref, showEntry } from './extent_rig.js';

const { VISIBLE, COVERED, SKIP_HOLES, REVERSE } = ExtentIter;

describe.each([
  ['in the head', false],
  ['in spaces of their own', true],
])('extents %s: iterating (28.7)', (_, isSpilled) => {
  let rig: ExtentRig;
  beforeEach(() => (rig = new ExtentRig(isSpilled)));

  it('shows visible pieces, covered ones, without holes, in reverse, as asked (50)', () => {
    rig.data(0, 'aaaaaaaaaa', 1);
    rig.data(3, 'bbb', 2);
    rig.hole(8, 12, 3);
    const visible = ['[0-2]@1 VISIBLE PARTIAL', '[3-5]@2 VISIBLE', '[6-7]@1 VISIBLE PARTIAL', '[8-12]@3 VISIBLE'];
    const covered = ['[3-5]@1 COVERED PARTIAL', '[8-9]@1 COVERED PARTIAL'];
    const last = (all: string[]): string[] => all.map((entry, i) => (i === all.length - 1 ? `${entry} LAST` : entry));
    expect(rig.entries(VISIBLE)).toEqual(last(visible));
    expect(rig.entries(VISIBLE | SKIP_HOLES)).toEqual(last(visible.slice(0, 3)));
    expect(rig.entries(COVERED)).toEqual(last(covered));
    expect(rig.entries(VISIBLE | REVERSE)).toEqual(last(visible.toReversed()));
    expect(rig.entries(VISIBLE | SKIP_HOLES | REVERSE)).toEqual(last(visible.slice(0, 3).toReversed()));
    expect(rig.entries(COVERED | REVERSE)).toEqual(last(covered.toReversed()));
    const all = [visible[0], visible[1], covered[0], visible[2], visible[3], covered[1]] as string[];
    expect(rig.entries(VISIBLE | COVERED)).toEqual(last(all));
    expect(rig.entries(0)).toEqual(last(all));
    expect(rig.entries(REVERSE)).toEqual(last(all.toReversed()));
    expect(rig.records().map(showEntry)).toEqual(['[0-9]@1', '[3-5]@2', '[8-12]@3']);
  });

  it('keeps to a range of epochs', () => {
    rig.data(0, 'aaaa', 1);
    rig.data(1, 'bb', 2);
    rig.data(2, 'cc', 3);
    const between = { ...ALL, epr: { lo: 1n, hi: 2n }, flags: VISIBLE };
    expect(rig.extents.entries(rig.head, between).map(({ lo, hi }) => [lo, hi])).toEqual([[0n, 0n], [1n, 2n], [3n, 3n]]);
    expect(rig.extents.records(rig.head, { epr: { lo: 2n, hi: 3n }, limit: 9 }).entries).toHaveLength(2);
  });

  it('empties the array by an unsorted iteration that deletes what it meets (51)', () => {
    const random = seededRandom(51);
    for (let epoch = 1; epoch <= 60; epoch++) rig.data(random.below(50), 'x'.repeat(1 + random.below(9)), epoch);
    for (;;) {
      const { entries } = rig.extents.records(rig.head, { epr: ALL, limit: 1 });
      if (!entries[0]) break;
      expect(rig.extents.delete(rig.head, entries[0].record)).toBe(true);
    }
    expect(rig.rows()).toEqual({ live: 0, value: 0, time: 0 });
    expect(rig.head.values).toEqual([]);
    expect(rig.freed).toHaveLength(60);
  });

  it('re-exposes the next older record when the newest is deleted, each time (52)', () => {
    for (let epoch = 1; epoch <= 20; epoch++) rig.data(epoch % 3, String.fromCharCode(96 + epoch).repeat(6), epoch);
    for (let epoch = 20; epoch > 1; epoch--) {
      expect(rig.see(2, 5)).toBe(String.fromCharCode(96 + epoch).repeat(4));
      expect(rig.delete(epoch % 3, (epoch % 3) + 5, epoch)).toBe(true);
    }
    expect(rig.see(0, 7)).toBe('.aaaaaa.');
  });

  it('shows under a punch what is newer; the rest is covered, also in an unsorted iteration (52)', () => {
    for (let epoch = 1; epoch <= 12; epoch++) rig.data(epoch, 'xxx', epoch);
    const punch = punchAt(11);
    expect(rig.see(0, 15, NEWEST, undefined, punch)).toBe('............xxx.');
    const entries = rig.extents.entries(rig.head, { ...ALL, epr: ALL, flags: 0, punch });
    expect(entries.filter(({ flags }) => flags & ExtentFlag.VISIBLE).map(({ record }) => record.epoch)).toEqual([12n]);
    expect(entries.filter(({ flags }) => flags & ExtentFlag.COVERED)).toHaveLength(11);
    expect(entries.some(({ record }) => record.isHole)).toBe(false);
    expect(rig.records(5, punch).map(({ flags }) => flags)).toEqual([...Array<number>(11).fill(ExtentFlag.COVERED), 0]);
  });

  it('goes on from an anchor: sorted at the next one, unsorted not at all when it is gone (56)', () => {
    for (let i = 0; i < 30; i++) rig.data(i * 4, 'xx', i + 1);
    const first = rig.extents.records(rig.head, { epr: ALL, limit: 10 });
    const anchor = first.next;
    expect(anchor).toEqual(ref(40, 41, 11));
    const sorted = rig.extents.entries(rig.head, { ...ALL, epr: ALL, flags: VISIBLE });
    for (let i = 0; i < 30; i++) rig.data(200 + i * 3, 'yy', 100 + i);
    const second = rig.extents.records(rig.head, { epr: ALL, limit: 100, from: anchor });
    expect(second.entries[0]?.lo).toBe(40n);
    expect(second.entries).toHaveLength(50);
    rig.delete(40, 41, 11);
    const gone = { epr: ALL, limit: 10, from: anchor };
    expect(() => rig.extents.records(rig.head, gone)).toThrow(expect.objectContaining({ der: 'AGAIN' }));
    // the snapshot is not disturbed; a new one continues behind
    expect(sorted).toHaveLength(30);
    const again = rig.extents.entries(rig.head, { ...ALL, epr: ALL, flags: VISIBLE });
    expect(again[seekEntry(again, ref(40, 41, 11))]?.lo).toBe(44n);
    const reverse = rig.extents.entries(rig.head, { ...ALL, epr: ALL, flags: VISIBLE | REVERSE });
    expect(reverse[seekEntry(reverse, ref(40, 41, 11), true)]?.lo).toBe(36n);
  });

  it('loses nothing of 1000 nested extents, and drains in slices (55)', () => {
    for (let i = 0; i < 500; i++) rig.data(i, 'x'.repeat(1000 - 2 * i), i + 1);
    for (let i = 0; i < 500; i++) rig.data(499 - i, 'y'.repeat(2 + 2 * i), 501 + i, { minor: MINOR_MAX - 1 });
    expect(rig.see(0, 999)).toBe('y'.repeat(1000));
    expect(rig.see(0, 999, 500)).toBe('x'.repeat(1000));
    expect(rig.records(77)).toHaveLength(1000);
    const entries = rig.extents.entries(rig.head, { ...ALL, epr: ALL, flags: 0 });
    const indices = entries.reduce((sum, { lo, hi }) => sum + Number(hi - lo) + 1, 0);
    expect(indices).toBe(2 * 500 * 501);
    let records = 0;
    let slices = 0;
    for (let isEmpty = false; !isEmpty; slices++) {
      const slice = rig.extents.drain(rig.head, 64);
      records += slice.records;
      isEmpty = slice.isEmpty;
    }
    expect(records).toBe(1000);
    expect(slices).toBeGreaterThan(15);
    expect(rig.freed).toHaveLength(1000);
    expect(rig.rows()).toEqual({ live: 0, value: 0, time: 0 });
  });
});
