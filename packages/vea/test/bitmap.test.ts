import { Vea, VeaHint, type VeaReservation } from '../src/index.js';
import { GIB, MIB, codeOf, makeVea } from './memory_store.js';

describe('bitmaps', () => {
  it('serve small counts, hints and large extents the others', () => {
    const { vea } = makeVea({ capacityBytes: GIB });
    const streams = [new VeaHint(), new VeaHint()] as const;
    for (const blocks of [10, 1, 4]) for (const hint of streams) vea.reserve(blocks, hint);
    for (const blocks of [256, 300]) for (const hint of streams) vea.reserve(blocks, hint);
    expect(vea.statistics()).toMatchObject({ reservedBitmap: 6, reservedByHint: 2, reservedLarge: 2, fragmentsBitmap: 3 });
  });

  it('put units of one size next to each other', () => {
    const { vea } = makeVea({ capacityBytes: GIB });
    const units = Array.from({ length: 512 }, () => vea.reserve(3));
    const offsets = new Set(units.map(({ offset }) => offset));
    expect(offsets.size).toBe(512);
    const [low, high] = [Math.min(...offsets), Math.max(...offsets)];
    expect(high - low).toBe(511 * 3);
    expect(vea.statistics().fragmentsBitmap).toBe(2);
  });

  it('leave a hint alone', () => {
    const { vea } = makeVea({ capacityBytes: GIB });
    const hint = new VeaHint();
    const extent = vea.reserve(65, hint);
    vea.reserve(64, hint);
    expect([hint.offset, hint.sequence]).toEqual([extent.offset + 65, 1]);
  });

  it('are dissolved by cancel when nothing in them was published', () => {
    const { vea, store } = makeVea({ capacityBytes: 129 * MIB });
    const some = [vea.reserve(1), vea.reserve(10), vea.reserve(10)];
    expect(vea.statistics()).toMatchObject({ fragmentsBitmap: 2, freeTransient: vea.totalBlocks - 21 });
    vea.cancel(some.slice(0, 2));
    expect(vea.statistics().fragmentsBitmap).toBe(1);
    vea.cancel(some.slice(2));
    expect(vea.statistics()).toMatchObject({ fragmentsBitmap: 0, fragmentsLarge: 1, fragmentsSmall: 0 });
    expect(store.rows).toMatchObject({ chunks: new Map(), extents: new Map([[0, vea.totalBlocks]]) });
  });

  it('survive the cancel of a unit when another one is published', () => {
    const { vea } = makeVea({ capacityBytes: GIB });
    const [a, b] = [vea.reserve(7), vea.reserve(7)];
    vea.publish(a);
    vea.cancel(b);
    expect(vea.statistics().fragmentsBitmap).toBe(1);
    expect(vea.reserve(7).offset).toBe(b.offset);
  });

  it('cost one row for a unit, and one for 256 of them', () => {
    const { vea, store } = makeVea({ capacityBytes: GIB });
    vea.publish(vea.reserve(1));
    store.changes = 0;
    vea.publish(vea.reserve(1));
    expect(store.changes).toBe(1);
    const batch = Array.from({ length: 254 }, () => vea.reserve(1));
    store.changes = 0;
    vea.publish(batch);
    expect(store.changes).toBe(1);
    expect([...store.rows.words.values()]).toMatchObject([{ group: 0, words: new Uint32Array(8).fill(0xffff_ffff) }]);
  });

  it('refuse to free parts of units, units of two chunks, and units that are not allocated', () => {
    const { vea } = makeVea({ capacityBytes: GIB });
    const units = Array.from({ length: 257 }, () => vea.reserve(4));
    vea.publish(units);
    const { offset } = units[0] as VeaReservation;
    for (const [at, blocks] of [[0, 3], [1, 4], [2, 2], [0, 5], [4 * 255, 8], [4 * 257, 4], [4 * 256, 8]] as const) {
      expect(codeOf(() => vea.free(offset + at, blocks))).toBe('INVAL');
    }
    vea.free(offset + 4, 12);
    expect(codeOf(() => vea.free(offset, 8))).toBe('INVAL');
    expect(vea.freeBlocks).toBe(vea.totalBlocks - 4 * 254);
  });

  it('hand freed units out only when they have rested, the lowest first', async () => {
    const { vea } = makeVea({ capacityBytes: GIB }, { quarantineMs: 10_000 });
    const units = Array.from({ length: 200 }, () => vea.reserve(1));
    vea.publish(units);
    for (const i of [150, 40, 41]) vea.free((units[i] as VeaReservation).offset, 1);
    expect(vea.reserve(1).offset).toBe((units[199] as VeaReservation).offset + 1);
    await vea.flush();
    expect([vea.reserve(1), vea.reserve(1), vea.reserve(1)].map(({ offset }) => offset)).toEqual(
      [40, 41, 150].map((i) => units[i]?.offset),
    );
  });

  it('become free space when all units are free and rested', async () => {
    const { vea, store } = makeVea({ capacityBytes: GIB }, { quarantineMs: 10_000 });
    const units = Array.from({ length: 300 }, () => vea.reserve(2));
    vea.publish(units);
    for (const { offset, blocks } of units) vea.free(offset, blocks);
    expect(store.rows.words.size).toBe(0);
    expect(store.rows.chunks.size).toBe(2);
    await vea.flush();
    expect(store.rows).toMatchObject({ chunks: new Map(), extents: new Map([[0, vea.totalBlocks]]) });
    expect(vea.statistics()).toMatchObject({ fragmentsBitmap: 0, fragmentsLarge: 1, freeTransient: vea.totalBlocks });
  });

  it('of one class make room for another: filled with units of 8, emptied, then filled with units of 16', () => {
    const { vea, clock } = makeVea({ capacityBytes: 129 * MIB }, { quarantineMs: 10_000, flushIntervalMs: 5_000 });
    const fill = (blocks: number): VeaReservation[] => {
      const filled: VeaReservation[] = [];
      for (;;) {
        try {
          filled.push(vea.reserve(blocks));
        } catch (error) {
          expect(error).toMatchObject({ der: 'NOSPACE' });
          return filled;
        }
      }
    };
    const eights = fill(8);
    expect(eights.length).toBe(Math.floor(vea.totalBlocks / 8));
    vea.publish(eights);
    clock.now += 60_000;
    for (const { offset, blocks } of eights) vea.free(offset, blocks);
    const sixteens = fill(16);
    expect(sixteens.length).toBeGreaterThan(vea.totalBlocks / 16 - 8);
    expect(vea.statistics().reservedBitmap).toBeGreaterThan(eights.length / 2);
  });

  it('have chunks of 256 units, and with 32 GiB free the largest multiple of up to 16384 blocks', () => {
    for (const [capacityBytes, unitBlocks, blocks] of [
      [GIB, 1, 256], [GIB, 64, 16_384], [31 * GIB, 3, 768],
      [33 * GIB, 1, 16_384], [33 * GIB, 3, 21 * 768], [33 * GIB, 33, 33 * 256], [33 * GIB, 64, 16_384],
    ] as const) {
      const { vea } = makeVea({ capacityBytes });
      vea.reserve(unitBlocks);
      expect([...vea.bitmaps()]).toMatchObject([{ unitBlocks, blocks, words: blocks / unitBlocks / 64 }]);
    }
  });

  it('write only the words of the units that change in a chunk of many', () => {
    const { vea, store } = makeVea({ capacityBytes: 64 * GIB });
    const units = Array.from({ length: 1000 }, () => vea.reserve(1));
    vea.publish(units);
    expect([...store.rows.words.values()].map(({ group }) => group)).toEqual([0, 1, 2, 3]);
    store.changes = 0;
    vea.free((units[600] as VeaReservation).offset, 1);
    expect(store.changes).toBe(1);
    const again = Vea.load(store);
    expect(again.freeBlocks).toBe(vea.totalBlocks - 999);
    expect(again.reserve(1).offset).toBe(units[600]?.offset);
  });

  it('take at most a quarter of what is free, so that a small device has room for other sizes', () => {
    const { vea } = makeVea(1000);
    vea.reserve(1);
    expect(vea.statistics()).toMatchObject({ reservedBitmap: 0, reservedSmall: 1 });
    const larger = makeVea(1024).vea;
    larger.reserve(1);
    larger.reserve(2);
    expect(larger.statistics()).toMatchObject({ reservedBitmap: 1, reservedSmall: 1 });
  });

  it('are published by the first unit, and unpublished when its transaction is undone', () => {
    const { vea, store } = makeVea({ capacityBytes: GIB });
    const [a, b] = [vea.reserve(5), vea.reserve(5)];
    const stateOf = (): (string | undefined)[] => [...vea.bitmaps()].map(({ state }) => state);
    expect(stateOf()).toEqual(['new']);
    store.begin();
    const undone = vea.begin();
    vea.publish(a, undone);
    expect(stateOf()).toEqual(['publishing']);
    store.rollback();
    undone.abort();
    expect(stateOf()).toEqual(['new']);
    expect(vea.statistics().freePersistent).toBe(vea.totalBlocks);
    const tx = vea.begin();
    vea.publish([b, a], tx);
    tx.commit();
    expect(stateOf()).toEqual(['published']);
    expect([...store.rows.chunks.values()]).toMatchObject([{ blocks: 5 * 256, unitBlocks: 5 }]);
  });
});
