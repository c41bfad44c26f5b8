import { EXTENT_RECORDS_MAX, MINOR_REBUILD_MIN, MINOR_REMOVE, PARITY_BIT } from '../../src/value/extent/extent_ref.js';
import { ExtentIter } from '../../src/value/extent/iteration.js';
import { ExtentRig, NEWEST, ref, sees } from './extent_rig.js';

const cut = expect.objectContaining({ der: 'VOS_PARTIAL_UPDATE' });
const restart = expect.objectContaining({ der: 'TX_RESTART' });

describe.each([
  ['in the head', false],
  ['in spaces of their own', true],
])('extents %s: inserting (28.7)', (_, isSpilled) => {
  let rig: ExtentRig;
  beforeEach(() => (rig = new ExtentRig(isSpilled)));

  it('replaces the same extent of one epoch, refuses one that cuts it, deletes exact ones only (44)', () => {
    rig.data(0, 'aaaa', 1);
    rig.data(0, 'bbbb', 1);
    expect(rig.see(0, 4)).toBe('bbbb.');
    expect(rig.freed).toHaveLength(1);
    expect(() => rig.data(1, 'cc', 1)).toThrow(cut);
    expect(rig.see(0, 4)).toBe('bbbb.');
    expect(rig.delete(0, 2, 1)).toBe(false);
    expect(rig.delete(0, 3, 2)).toBe(false);
    expect(rig.delete(0, 3, 1)).toBe(true);
    expect(rig.see(0, 4)).toBe('.....');
    expect(rig.freed).toHaveLength(2);
  });

  it('orders visibility within an epoch by minor epochs (45)', () => {
    rig.data(1, 'aaaaaaaa', 1, { minor: 1 });
    rig.hole(0, 1, 1, { minor: 2 });
    rig.hole(8, 9, 1, { minor: 3 });
    rig.data(5, 'bb', 1, { minor: 4 });
    expect(rig.see(0, 10)).toBe('__aaabba__.');
    expect(rig.entries(ExtentIter.VISIBLE)).toEqual([
      '[0-1]@1.2 VISIBLE',
      '[2-4]@1.1 VISIBLE PARTIAL',
      '[5-6]@1.4 VISIBLE',
      '[7-7]@1.1 VISIBLE PARTIAL',
      '[8-9]@1.3 VISIBLE LAST',
    ]);
  });

  it('re-exposes older data when a hole of 2^33 records over it is deleted (46)', () => {
    const wide = 2n ** 33n - 1n;
    rig.data(100, 'aaaa', 1);
    rig.hole(0, wide, 2);
    rig.data(102, 'bbbb', 3);
    rig.hole(0, wide, 4);
    expect(rig.see(99, 106)).toBe('________');
    expect(rig.delete(0, wide, 4)).toBe(true);
    expect(rig.see(99, 106)).toBe('___bbbb_');
    expect(rig.delete(0, wide, 2)).toBe(true);
    expect(rig.see(99, 106)).toBe('.aabbbb.');
  });

  it('lays a hole wider than 2^48 over visible data only, and refuses such data (46)', () => {
    rig.data(100, 'aaaa', 1);
    rig.data(1000, 'bb', 2);
    expect(rig.hole(0, NEWEST, 3)).toBe(1);
    expect(rig.see(98, 105)).toBe('..____..');
    expect(rig.see(999, 1002)).toBe('.__.');
    expect(rig.records().map(({ lo, hi }) => [lo, hi])).toEqual([[100n, 103n], [100n, 103n], [1000n, 1001n], [1000n, 1001n]]);
    const wide = { lo: 0n, hi: EXTENT_RECORDS_MAX, epoch: 9n, minor: 1, bound: 9n };
    expect(() => rig.extents.check(rig.head, { ...wide, size: 1 })).toThrow(expect.objectContaining({ der: 'NO_PERM' }));
    expect(rig.extents.check(rig.head, { ...wide, size: 0 })).toBe(1);
    expect(rig.extents.check(rig.head, { ...wide, hi: EXTENT_RECORDS_MAX - 1n, size: 1 })).toBe(1);
  });

  it('works at offsets of 2^63 and at the last index (47)', () => {
    rig.put(PARITY_BIT, PARITY_BIT + 3n, 1, 'aaaa');
    rig.put(NEWEST, NEWEST, 2, 'z');
    rig.put(PARITY_BIT + 1n, PARITY_BIT + 1n, 3, 'b');
    const seen = rig.extents.visible(rig.head, PARITY_BIT, NEWEST, NEWEST);
    expect(seen.map(({ lo, record }) => [lo - PARITY_BIT, record.epoch])).toEqual([[0n, 1n], [1n, 3n], [2n, 1n], [PARITY_BIT - 1n, 2n]]);
    expect(rig.extents.bounds(rig.head)).toEqual({ lo: PARITY_BIT, hi: NEWEST });
    expect(rig.delete(PARITY_BIT + 1n, PARITY_BIT + 1n, 3)).toBe(true);
    expect(rig.extents.visible(rig.head, 0n, NEWEST, NEWEST)).toHaveLength(2);
  });

  it('keeps what rebuild writes twice, each with a minor epoch of its own (49)', () => {
    const rebuild = { minor: MINOR_REBUILD_MIN };
    rig.data(0, 'aa', 1, rebuild);
    rig.data(0, 'bb', 1, rebuild);
    expect(rig.minor).toBe(MINOR_REBUILD_MIN + 1);
    rig.data(1, 'c', 1, rebuild);
    expect(rig.minor).toBe(MINOR_REBUILD_MIN + 2);
    rig.data(0, 'dddd', 1);
    expect(rig.see(0, 3)).toBe('bcdd');
    rig.data(1, 'eee', 1, rebuild);
    expect(rig.see(0, 3)).toBe('beee');
    expect(rig.records()).toHaveLength(5);
    expect(rig.delete(0, 1, 1, MINOR_REBUILD_MIN + 1)).toBe(true);
    expect(rig.see(0, 3)).toBe('aeee');
    expect(() => rig.data(2, 'ff', 1)).toThrow(cut);
  });

  it('refuses a write when a newer one may have come before it (bound)', () => {
    rig.data(0, 'aaaa', 10);
    expect(() => rig.data(3, 'bb', 8, { bound: 10 })).toThrow(restart);
    expect(() => rig.data(3, 'bb', 8, { bound: 1000 })).toThrow(restart);
    rig.data(0, 'cccc', 20);
    expect(() => rig.data(3, 'bb', 8, { bound: 15 })).toThrow(restart);
    rig.data(3, 'bb', 8, { bound: 9 });
    rig.data(4, 'd', 8, { bound: 1000, minor: 1 });
    expect(rig.see(0, 5)).toBe('ccccb.');
    expect(rig.see(0, 5, 9)).toBe('...bb.');
  });

  it('stores a write below newer ones, where they leave room (out of order)', () => {
    rig.data(2, 'cc', 5);
    rig.data(0, 'aaaaaaaa', 1);
    rig.data(1, 'bbbbb', 3);
    expect(rig.see(0, 7)).toBe('abccbbaa');
    expect(rig.see(0, 7, 4)).toBe('abbbbbaa');
    expect(rig.see(0, 7, 2)).toBe('aaaaaaaa');
    rig.data(2, 'xx', 4);
    expect(rig.see(0, 7)).toBe('abccbbaa');
    expect(rig.see(0, 7, 4)).toBe('abxxbbaa');
  });

  it('refuses records of another size; a hole leaves the size open (53)', () => {
    rig.hole(0, 9, 1);
    rig.put(0, 1, 2, 'aabb');
    const other = expect.objectContaining({ der: 'INVAL' });
    expect(() => rig.put(5, 6, 3, 'ab')).toThrow(other);
    expect(rig.put(5, 6, 3, 'aabb')).toBe(1);
    rig.hole(0, 9, 4);
    for (const { record } of rig.records()) rig.extents.delete(rig.head, record);
    expect(rig.put(0, 1, 5, 'ab')).toBe(0);
  });

  it('tells when aggregation has something to do (54)', () => {
    expect(rig.data(0, 'a', 1)).toBe(0);
    expect(rig.data(1, 'bb', 2)).toBe(1);
    expect(rig.data(10, 'ccccc', 3)).toBe(0);
    expect(rig.data(9, 'dddddddd', 4)).toBe(1);
    expect(rig.data(7, 'ee', 5)).toBe(1);
    expect(rig.data(5, 'f', 6)).toBe(0);
    expect(rig.data(11, 'gg', 7)).toBe(1);
    expect(rig.put(PARITY_BIT + 1000n, PARITY_BIT + 1003n, 8, 'pppp')).toBe(1);
    expect(rig.data(1000, 'h', 9)).toBe(1);
  });

  it('replaces what was aborted, and lets others overlap it', () => {
    rig.data(0, 'aaaa', 1, { owner: 5 });
    expect(rig.extents.setOwner(rig.head, ref(0, 3, 1), 1)).toBe(true);
    rig.data(2, 'bbb', 1);
    expect(rig.see(0, 5)).toBe('..bbb.');
    rig.data(0, 'cccc', 1, { minor: 3 });
    rig.delete(2, 4, 1);
    expect(rig.see(0, 5)).toBe('cccc..');
    rig.data(0, 'dddd', 1);
    expect(rig.see(0, 5)).toBe('dddd..');
  });

  it('shows the records of a transaction to those who may see them only', () => {
    rig.data(0, 'aaaaaa', 1);
    rig.data(1, 'bb', 2, { owner: 7 });
    rig.hole(4, 4, 3, { owner: 8 });
    expect(rig.see(0, 5)).toBe('aaaaaa');
    expect(rig.see(0, 5, NEWEST, sees(7))).toBe('abbaaa');
    expect(rig.see(0, 5, NEWEST, sees(7, 8))).toBe('abba_a');
    rig.extents.setOwner(rig.head, ref(1, 2, 2), 0);
    rig.reload();
    expect(rig.see(0, 5)).toBe('abbaaa');
    const inProgress = new Error('in progress');
    const asks = {
      see: () => {
        throw inProgress;
      },
    };
    expect(() => rig.see(0, 5, NEWEST, asks)).toThrow(inProgress);
    // what a newer record hides is nobody's concern
    rig.data(3, 'ccc', 4);
    expect(rig.see(0, 5, NEWEST, asks)).toBe('abbccc');
  });
});

describe.each([
  ['in the head', false],
  ['in spaces of their own', true],
])('extents %s: removing versions (28.7)', (_, isSpilled) => {
  let rig: ExtentRig;
  beforeEach(() => (rig = new ExtentRig(isSpilled)));

  it('lets older data reappear; removing again is no harm (48)', () => {
    rig.data(0, 'aaaaaaaa', 2);
    rig.data(2, 'bbb', 5);
    rig.data(4, 'ccc', 9);
    expect(rig.removeAll(0, 5, 0, 8)).toEqual([ref(0, 5, 2, MINOR_REMOVE), ref(2, 4, 5, MINOR_REMOVE)]);
    expect(rig.see(0, 7)).toBe('....ccca');
    expect(rig.see(0, 7, 8)).toBe('......aa');
    expect(rig.removeAll(0, 5, 0, 3)).toEqual([]);
    expect(rig.removeAll(3, 7, 0, 8)).toEqual([ref(6, 7, 2, MINOR_REMOVE)]);
    expect(rig.see(0, 7)).toBe('....ccc.');
    rig.removeAll(0, 7, 9, 9);
    expect(rig.see(0, 7)).toBe('........');
    expect(rig.delete(6, 7, 2, MINOR_REMOVE)).toBe(true);
    expect(rig.see(0, 7)).toBe('......aa');
  });

  it('shows removals and what they removed in an iteration of covered records (48)', () => {
    rig.data(0, 'aaaa', 2);
    rig.data(2, 'bbb', 5);
    rig.removeAll(0, 3, 5, 5);
    expect(rig.see(0, 5)).toBe('aaaab.');
    expect(rig.entries(ExtentIter.COVERED)).toEqual(['[2-3]@5 REMOVE', '[2-3]@5 COVERED PARTIAL LAST']);
    expect(rig.entries(ExtentIter.VISIBLE)).toEqual(['[0-3]@2 VISIBLE', '[4-4]@5 VISIBLE PARTIAL LAST']);
    expect(rig.entries(ExtentIter.VISIBLE | ExtentIter.REMOVALS)).toHaveLength(3);
  });

  it('covers what is written later at a removed epoch', () => {
    rig.data(0, 'aaaa', 2, { minor: 1 });
    rig.removeAll(0, 3, 2, 2);
    rig.data(2, 'bbbb', 2, { minor: 2 });
    expect(rig.see(0, 6)).toBe('....bb.');
  });
});
