import { Vea, VeaHint, type VeaReservation } from '../src/index.js';
import { GIB, makeVea, randomOf } from './memory_store.js';

describe('a fragmented device', () => {
  it.each([
    [1, true],
    [2, false],
  ])('serves streams until DER_NOSPACE and is one free extent in the end (seed %i, bitmaps %p)', async (seed, bitmaps) => {
    const random = randomOf(seed);
    const { vea, store } = makeVea({ capacityBytes: 32 * GIB, bitmaps }, { quarantineMs: 10_000 });
    const fill = (hints: (VeaHint | undefined)[]): VeaReservation[] => {
      const list: VeaReservation[] = [];
      for (;;) {
        try {
          list.push(vea.reserve(2 + random(vea.attributes.largeBlocks), hints[random(hints.length)]));
        } catch (error) {
          expect(error).toMatchObject({ der: 'NOSPACE' });
          return list;
        }
      }
    };
    const first = fill([undefined]);
    const kept = first.filter(() => random(2) === 0);
    vea.publish(kept);
    const held = new Set(kept);
    vea.cancel(first.filter((one) => !held.has(one)));
    const fragments = vea.statistics().fragmentsLarge + vea.statistics().fragmentsSmall;
    expect(fragments).toBeGreaterThan(100);

    const second = fill([new VeaHint(), new VeaHint(), undefined]);
    expect(second.length).toBeGreaterThan(100);
    const taken = [...kept, ...second].sort((a, b) => a.offset - b.offset);
    taken.forEach((one, i) => expect(one.offset).toBeGreaterThanOrEqual(i === 0 ? 0 : endOf(taken[i - 1])));
    vea.publish(second);
    for (const { offset, blocks } of taken) {
      vea.free(offset, blocks);
      expect(vea.isFree('transient', offset, blocks)).toBe(false);
      expect(vea.isFree('persistent', offset, blocks)).toBe(true);
    }
    await vea.flush();
    expect(vea.statistics()).toMatchObject({ fragmentsLarge: 1, fragmentsSmall: 0, fragmentsBitmap: 0, fragmentsAging: 0 });
    expect(Vea.load(store).freeBlocks).toBe(vea.totalBlocks);
  });
});

function endOf(one: VeaReservation | undefined): number {
  return (one?.offset ?? 0) + (one?.blocks ?? 0);
}
