import { Vea, VeaHint, type VeaReservation } from '../src/index.js';
import { MIB, codeOf, makeExtentVea, makeVea, type TestVea } from './memory_store.js';

/** 129 MiB: a large extent that is just worth splitting. */
const make = (): TestVea => makeVea({ capacityBytes: 129 * MIB, bitmaps: false });

describe('streams', () => {
  it('stay contiguous and apart when they interleave', () => {
    const { vea } = make();
    const [one, two] = [new VeaHint(), new VeaHint()];
    const a1 = vea.reserve(10, one);
    const b1 = vea.reserve(256, two);
    const a2 = vea.reserve(1, one);
    const b2 = vea.reserve(4, two);
    expect([a2.offset, b2.offset]).toEqual([a1.offset + 10, b1.offset + 256]);
    expect(vea.statistics()).toMatchObject({ reservedLarge: 2, reservedByHint: 2, reservedSmall: 0 });
    // who has no stream takes the small fragment, right behind the second stream
    expect(vea.reserve(1024).offset).toBe(b2.offset + 4);
    expect(vea.statistics()).toMatchObject({
      reservedLarge: 2,
      reservedByHint: 2,
      reservedSmall: 1,
      fragmentsLarge: 1,
      fragmentsSmall: 1,
    });
    for (const { offset, blocks } of [a1, a2, b1, b2]) {
      expect(vea.isFree('transient', offset, blocks)).toBe(false);
      expect(vea.isFree('persistent', offset, blocks)).toBe(true);
    }
  });

  it('go back behind what was cancelled, and forget where they were when that was all', () => {
    const { vea } = make();
    const hint = new VeaHint();
    const kept = vea.reserve(10, hint);
    const some = [vea.reserve(5, hint), vea.reserve(6, hint), vea.reserve(7, hint)];
    vea.cancel(some);
    expect(hint.offset).toBe(kept.offset + 10);
    expect(vea.isFree('transient', kept.offset + 10, 18)).toBe(true);
    vea.cancel(kept);
    expect(hint.offset).toBeUndefined();
    expect(vea.statistics()).toMatchObject({ freeTransient: vea.totalBlocks, fragmentsLarge: 1, fragmentsSmall: 0 });
  });

  it('leave a hole where a cancelled reservation was not the last', () => {
    const { vea } = make();
    const hint = new VeaHint();
    const [a, b] = [vea.reserve(4, hint), vea.reserve(4, hint)];
    vea.cancel(a);
    expect(hint.offset).toBe(b.offset + 4);
    expect(vea.reserve(4, hint).offset).toBe(b.offset + 4);
  });

  it('go on elsewhere when there is no extent right behind them', () => {
    const { vea } = makeExtentVea(10_000);
    const [one, two] = [new VeaHint(), new VeaHint()];
    const a = vea.reserve(100, one);
    const blocker = vea.reserve(100, two);
    expect([a.offset, blocker.offset]).toEqual([0, 100]);
    vea.reserve(100, one);
    expect(vea.statistics()).toMatchObject({ reservedByHint: 0, reservedSmall: 3 });
    expect(one.offset).toBe(300);
  });

  it('fill a gap that fits before they break a larger extent, and the gap freed first among equals', () => {
    const { vea } = makeExtentVea(1_000_000);
    const hint = new VeaHint();
    const list = Array.from({ length: 9 }, (_, i) => vea.reserve(i % 2 === 0 ? 10 : 20, hint));
    vea.publish(list);
    for (const i of [5, 1, 7]) vea.free((list[i] as VeaReservation).offset, 20);
    expect(vea.reserve(20).offset).toBe(list[5]?.offset);
    expect(vea.reserve(15).offset).toBe(list[1]?.offset);
    expect(vea.statistics().reservedSmall).toBe(2);
  });

  it('without a large extent worth splitting begin at its head, with one at its second half', () => {
    expect(makeExtentVea(2 * 16_384).vea.reserve(1000).offset).toBe(0);
    expect(makeExtentVea(2 * 16_384 + 2).vea.reserve(1000).offset).toBe(16_385);
    // also a large request is put into the second half only if the largest extent is twice as large
    expect(makeExtentVea(100_000).vea.reserve(60_000).offset).toBe(0);
    expect(makeExtentVea(100_000).vea.reserve(40_000).offset).toBe(50_000);
  });
});

describe('hints in the store', () => {
  it('say after a restart where published data ends', () => {
    const { vea, store } = make();
    const hint = vea.hint(12);
    expect(vea.hint(12)).toBe(hint);
    const [a, b] = [vea.reserve(100, hint), vea.reserve(100, hint)];
    vea.publish([b, a]);
    vea.reserve(100, hint);
    expect(store.rows.hints).toEqual(new Map([[12, { offset: b.offset + 100, sequence: 2 }]]));
    const again = Vea.load(store);
    expect(again.reserve(50, again.hint(12)).offset).toBe(b.offset + 100);
    expect(again.hint(13).offset).toBeUndefined();
  });

  it('are kept per stream, and dropped with it', () => {
    const { vea, store } = make();
    const [generic, aggregation] = [vea.hint(0), vea.hint(1)];
    vea.publish([vea.reserve(10, generic), vea.reserve(20, aggregation), vea.reserve(30, generic)]);
    expect([...store.rows.hints.keys()].sort()).toEqual([0, 1]);
    vea.dropHint(1);
    expect([...store.rows.hints.keys()]).toEqual([0]);
    expect(vea.hint(1).offset).toBeUndefined();
  });

  it('do not go back when earlier reservations are published later', () => {
    const { vea, store } = make();
    const hint = vea.hint(1);
    const [a, b] = [vea.reserve(10, hint), vea.reserve(10, hint)];
    vea.publish(b);
    vea.publish(a);
    expect(store.rows.hints.get(1)).toEqual({ offset: b.offset + 10, sequence: 2 });
  });

  it('are undone with the transaction', () => {
    const { vea, store } = make();
    const hint = vea.hint(1);
    vea.publish(vea.reserve(10, hint));
    const before = store.copy();
    store.begin();
    const tx = vea.begin();
    const one = vea.reserve(10, hint);
    vea.publish(one, tx);
    store.rollback();
    tx.abort();
    expect(store.rows).toEqual(before);
    vea.publish(one);
    expect(store.rows.hints.get(1)).toEqual({ offset: one.offset + 10, sequence: 2 });
  });

  it('refuse with DER_INVAL, and nothing done, a sequence that was published before', () => {
    const { vea, store } = make();
    const hint = vea.hint(1);
    vea.publish(vea.reserve(10, hint));
    // a second owner of the stream, who does not know of the first
    const stale = new VeaHint(hint.offset, 0, 1);
    const [a, b, c] = [vea.reserve(10, stale), vea.reserve(10, stale), vea.reserve(10, stale)] as const;
    vea.publish(a);
    stale.publish(b.offset + 10, 2);
    const before = store.copy();
    expect(codeOf(() => vea.publish(b))).toBe('INVAL');
    expect(codeOf(() => vea.publish([b, c]))).toBe('INVAL');
    expect(store.rows).toEqual(before);
    vea.cancel(b);
    vea.publish(c);
  });
});

describe('interleavings on one hint', () => {
  const LETTERS = 'ABC';
  it.each([
    'reserve A, reserve B, publish A, publish B',
    'reserve A, reserve B, publish B, publish A',
    'reserve A, reserve B, cancel B, publish A',
    'reserve A, reserve B, publish A, cancel B',
    'reserve A, reserve B, cancel A, publish B',
    'reserve A, reserve B, publish B, cancel A',
    'reserve A, reserve B, cancel A, cancel B',
    'reserve A, reserve B, cancel B, cancel A',
    'reserve A, reserve B, reserve C, publish B, publish A C',
    'reserve A, reserve B, reserve C, publish B, cancel A C',
  ])('%s', (program) => {
    const { vea, store } = makeVea({ capacityBytes: 128 * MIB, bitmaps: false });
    const hint = vea.hint(1);
    const tx = vea.begin();
    const held: VeaReservation[] = [];
    let allocated = 0;
    let published = 0;
    for (const step of program.split(', ')) {
      const [verb, ...names] = step.split(' ');
      const some = (): VeaReservation[] => names.map((name) => held[LETTERS.indexOf(name)] as VeaReservation);
      if (verb === 'reserve') held.push(vea.reserve(2 * held.length + 2, hint));
      else if (verb === 'cancel') vea.cancel(some());
      else {
        vea.publish(some(), tx);
        for (const one of some()) allocated += one.blocks;
        published = Math.max(published, ...some().map((one) => one.offset + one.blocks));
      }
    }
    tx.commit();
    expect([vea.reservedBlocks, vea.freeBlocks]).toEqual([0, vea.totalBlocks - allocated]);
    expect(store.rows.hints.get(1)?.offset ?? 0).toBe(published);
    expect(Vea.load(store).freeBlocks).toBe(vea.freeBlocks);
  });
});
