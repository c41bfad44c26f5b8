import { Aging, NO_CHUNK } from '../src/aging.js';
import { Vea, VeaHint, type VeaReservation } from '../src/index.js';
import { GIB, MemoryStore, codeOf, makeExtentVea, makeVea, randomOf } from './memory_store.js';

const REAL = { quarantineMs: 10_000, flushIntervalMs: 5_000 };

function entriesOf(aging: Aging): [number, number][] {
  const entries: [number, number][] = [];
  aging.release(Infinity, Infinity, (offset, blocks) => entries.push([offset, blocks]));
  return entries;
}

describe('freed blocks', () => {
  it('are handed out only after they have rested for 10 s, and not before the free is durable', () => {
    const { vea, clock } = makeExtentVea(200, REAL);
    const all = [vea.reserve(100), vea.reserve(100)];
    vea.publish(all);
    const tx = vea.begin();
    vea.free(0, 50, tx);
    expect(vea.freeBlocks).toBe(50);
    clock.now = 60_000;
    // however long it takes
    expect(codeOf(() => vea.reserve(1))).toBe('NOSPACE');
    tx.commit();
    expect(vea.statistics()).toMatchObject({ freeTransient: 0, agingBlocks: 50, fragmentsAging: 1 });
    clock.now = 69_999;
    vea.free(199, 1);
    expect(vea.statistics().freeTransient).toBe(0);
    clock.now = 75_000;
    expect(vea.reserve(1).offset).toBe(0);
    expect(vea.statistics()).toMatchObject({ freeTransient: 49, agingBlocks: 1 });
  });

  it('are looked for at most every 5 s', () => {
    const { vea, clock } = makeExtentVea(1000, REAL);
    vea.publish(vea.reserve(100));
    vea.free(0, 10);
    clock.now = 9_000;
    vea.reserve(1);
    clock.now = 13_999;
    vea.reserve(1);
    expect(vea.statistics().agingBlocks).toBe(10);
    clock.now = 14_000;
    vea.reserve(1);
    expect(vea.statistics().agingBlocks).toBe(0);
  });

  it('are looked for again at once when there were more than a batch', () => {
    const { vea, clock } = makeExtentVea(10_000, REAL);
    vea.publish(vea.reserve(2000));
    for (let i = 0; i < 1200; i += 2) vea.free(i, 1);
    clock.now = 10_000;
    const left = [0, 1, 2, 3].map(() => {
      vea.reserve(1);
      return vea.statistics().fragmentsAging;
    });
    expect(left).toEqual([600 - 256, 600 - 512, 0, 0]);
  });

  it('are not preferred to others while they rest, but used before anything is refused', () => {
    const { vea } = makeExtentVea(200, REAL);
    const first = vea.reserve(100);
    vea.publish(first);
    const tx = vea.begin();
    vea.free(first.offset, 100, tx);
    tx.commit();
    expect(vea.reserve(100).offset).not.toBe(first.offset);
    expect(vea.statistics().agingBlocks).toBe(100);
    expect(vea.reserve(100).offset).toBe(first.offset);
  });

  it('wait for the flush of others where others flush, even if that means to refuse', async () => {
    const { vea, clock } = makeExtentVea(200, { ...REAL, externalFlush: true });
    vea.publish(vea.reserve(200));
    vea.free(0, 50);
    clock.now = 100_000;
    expect(codeOf(() => vea.reserve(1))).toBe('NOSPACE');
    expect(await vea.flush({ force: false })).toBe(1);
    expect(vea.reserve(50).offset).toBe(0);
  });

  it('come back in batches of 256: one with a reserve, twenty with a free, and as many as wanted by a flush', async () => {
    const { vea, clock } = makeExtentVea(200_000, REAL);
    const hint = new VeaHint();
    const list = Array.from({ length: 20_000 }, () => vea.reserve(2, hint));
    vea.publish(list);
    const freeSome = (from: number, count: number): void => {
      const tx = vea.begin();
      for (let i = from; i < from + count; i++) vea.free((list[i] as VeaReservation).offset, 1, tx);
      tx.commit();
    };
    freeSome(0, 6000);
    expect(vea.statistics().fragmentsAging).toBe(6000);
    clock.now += 20_000;
    vea.reserve(1);
    expect(vea.statistics().fragmentsAging).toBe(6000 - 256);
    clock.now += 5_000;
    freeSome(6000, 1);
    expect(vea.statistics().fragmentsAging).toBe(6000 - 256 - 20 * 256 + 1);
    // the last of what had rested comes back with this
    freeSome(7000, 9000);
    expect(vea.statistics().fragmentsAging).toBe(9001);
    expect(await vea.flush({ force: false })).toBe(0);
    expect(await vea.flush({ entriesMax: 100 })).toBe(100);
    expect(vea.statistics().fragmentsAging).toBe(8901);
    expect(await vea.flush()).toBe(8901);
  });

  it('are not flushed inside a transaction', async () => {
    const { vea } = makeExtentVea(1000, REAL);
    vea.publish(vea.reserve(100));
    const tx = vea.begin();
    vea.free(0, 100, tx);
    await expect(vea.flush()).rejects.toMatchObject({ der: 'INVAL' });
    tx.seal();
    expect(await vea.flush()).toBe(0);
    tx.commit();
    expect(await vea.flush()).toBe(1);
  });
});

describe('the aging buffer', () => {
  it('joins neighbours, which then rest anew', () => {
    const aging = new Aging();
    aging.add(0, 10, NO_CHUNK, 1);
    aging.add(50, 10, NO_CHUNK, 2);
    aging.add(20, 10, NO_CHUNK, 3);
    aging.add(10, 10, NO_CHUNK, 4);
    expect([aging.entryCount, aging.blocks]).toEqual([2, 40]);
    expect(aging.release(3, 10, (offset) => expect(offset).toBe(50))).toBe(1);
    expect(entriesOf(aging)).toEqual([[0, 30]]);
    expect([aging.entryCount, aging.blocks]).toEqual([0, 0]);
  });

  it('leaves entries of 8192 blocks alone, which would never be old', () => {
    const aging = new Aging();
    aging.add(0, 8191, NO_CHUNK, 1);
    aging.add(8191, 1000, NO_CHUNK, 2);
    aging.add(9191, 5, NO_CHUNK, 3);
    expect(entriesOf(aging)).toEqual([[0, 9191], [9191, 5]]);
  });

  it('does not join units of different chunks, nor with extents', () => {
    const aging = new Aging();
    aging.add(0, 4, 0, 1);
    aging.add(8, 4, 8, 2);
    aging.add(4, 4, 0, 3);
    aging.add(12, 4, NO_CHUNK, 4);
    expect(entriesOf(aging)).toEqual([[8, 4], [0, 8], [12, 4]]);
  });

  it('agrees with a plain list over random frees and releases', () => {
    const random = randomOf(5);
    const aging = new Aging();
    const resting = new Uint8Array(4000);
    for (let now = 0; now < 3000; now++) {
      const [offset, blocks] = [random(3990), 1 + random(8)];
      if (!resting.subarray(offset, offset + blocks).includes(1)) {
        aging.add(offset, blocks, NO_CHUNK, now);
        resting.fill(1, offset, offset + blocks);
      }
      aging.release(now - random(600), random(3), (at, count) => {
        expect(resting.subarray(at, at + count).every((bit) => bit === 1)).toBe(true);
        resting.fill(0, at, at + count);
      });
      expect(aging.blocks).toBe(resting.reduce((sum, bit) => sum + bit, 0));
    }
  });
});

describe('trim', () => {
  class TrimmingStore extends MemoryStore {
    readonly trimmed: [number, number][] = [];
    fails = false;
    private release: () => void = () => undefined;
    trim = async (offset: number, blocks: number): Promise<void> => {
      this.trimmed.push([offset, blocks]);
      await new Promise<void>((resolve) => (this.release = resolve));
      if (this.fails) throw new Error('the device is gone');
    };
    finish(): void {
      this.release();
    }
  }

  async function freed(blocks: number): Promise<{ vea: Vea; store: TrimmingStore; flushed: Promise<number> }> {
    const store = new TrimmingStore();
    Vea.format(store, { capacityBytes: GIB, bitmaps: false });
    const vea = Vea.load(store, REAL);
    const one = vea.reserve(blocks);
    vea.publish(one);
    vea.free(one.offset, blocks);
    const flushed = vea.flush();
    await Promise.resolve();
    return { vea, store, flushed };
  }

  it('concerns runs of 1 MiB and more', async () => {
    const { vea, store, flushed } = await freed(255);
    expect(await flushed).toBe(1);
    expect(store.trimmed).toEqual([]);
    expect(vea.statistics().freeTransient).toBe(vea.totalBlocks);
  });

  it('keeps the blocks back until the device has heard of them', async () => {
    const { vea, store, flushed } = await freed(256);
    expect(store.trimmed).toHaveLength(1);
    expect(vea.statistics()).toMatchObject({ freeTransient: vea.totalBlocks - 256, fragmentsAging: 1, agingBlocks: 256 });
    store.finish();
    expect(await flushed).toBe(1);
    expect(vea.statistics()).toMatchObject({ freeTransient: vea.totalBlocks, fragmentsAging: 0, agingBlocks: 0 });
  });

  it('is on its way for at most 32 runs at a time', async () => {
    const store = new TrimmingStore();
    const finished: (() => void)[] = [];
    let running = 0;
    store.trim = async () => {
      expect(++running).toBeLessThanOrEqual(32);
      await new Promise<void>((resolve) => finished.push(resolve));
      running--;
    };
    Vea.format(store, { capacityBytes: GIB, bitmaps: false });
    const vea = Vea.load(store, REAL);
    vea.publish(vea.reserve(vea.totalBlocks));
    for (let i = 0; i < 100; i++) vea.free(i * 1000, 256);
    const flushed = vea.flush();
    while (vea.statistics().fragmentsAging > 0) {
      expect(running).toBeGreaterThan(0);
      finished.splice(0).forEach((finish) => finish());
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await flushed).toBe(100);
    expect(vea.statistics()).toMatchObject({ freeTransient: 25_600, agingBlocks: 0 });
  });

  it('that fails costs no blocks', async () => {
    const { vea, store, flushed } = await freed(256);
    store.fails = true;
    store.finish();
    expect(await flushed).toBe(1);
    expect(vea.statistics().freeTransient).toBe(vea.totalBlocks);
  });

  it('is left out where the blocks are needed at once, and done for chunks that become free space', async () => {
    const store = new TrimmingStore();
    Vea.format(store, { capacityBytes: GIB });
    const vea = Vea.load(store, REAL);
    const all = vea.reserve(vea.totalBlocks);
    vea.publish(all);
    vea.free(0, vea.totalBlocks);
    const unit = vea.reserve(2);
    expect(store.trimmed).toEqual([]);
    vea.publish(unit);
    vea.free(unit.offset, 2);
    const flushed = vea.flush();
    await Promise.resolve();
    expect(store.trimmed).toEqual([[unit.offset, 512]]);
    store.finish();
    expect(await flushed).toBe(2);
  });

  it('works for blocks of other sizes', () => {
    const { vea } = makeVea({ capacityBytes: GIB, blockBytes: 1024 * 1024 });
    vea.publish(vea.reserve(100));
    expect(vea.freeBlocks).toBe(923);
  });
});
