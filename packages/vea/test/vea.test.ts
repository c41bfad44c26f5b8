import { Vea, VeaHint } from '../src/index.js';
import { GIB, codeOf, makeExtentVea, makeVea } from './memory_store.js';

const TOTAL = 1_000_000;

describe('reserve', () => {
  it('is kept in memory only', () => {
    const { vea, store } = makeVea(TOTAL);
    const before = store.copy();
    for (const blocks of [10, 1000, 20_000]) vea.reserve(blocks);
    expect(store.rows).toEqual(before);
    expect([vea.freeBlocks, vea.reservedBlocks]).toEqual([TOTAL - 21_010, 21_010]);
  });

  it('is forgotten by a restart when it was never published', () => {
    const { vea, store } = makeVea(TOTAL);
    vea.publish([vea.reserve(5), vea.reserve(500)]);
    vea.reserve(7);
    vea.reserve(700);
    expect(Vea.load(store).freeBlocks).toBe(TOTAL - 505);
  });

  it('of more than the device is DER_NOSPACE, of nearly all of it is one extent that can be freed and had again', () => {
    const { vea } = makeVea({ capacityBytes: 2 * GIB }, { quarantineMs: 10_000 });
    expect(codeOf(() => vea.reserve(1 << 20))).toBe('NOSPACE');
    const one = vea.reserve(500 * 1024);
    vea.publish(one);
    expect(codeOf(() => vea.reserve(500 * 1024))).toBe('NOSPACE');
    vea.free(one.offset, one.blocks);
    expect(vea.reserve(500 * 1024).offset).toBe(one.offset);
  });

  it.each([0, -1, 1.5, Number.NaN])('of %d blocks is DER_INVAL', (blocks) => {
    expect(codeOf(() => makeVea(TOTAL).vea.reserve(blocks))).toBe('INVAL');
  });

  it('says in DER_NOSPACE what is left', () => {
    const { vea } = makeExtentVea(1000);
    vea.reserve(600);
    expect(() => vea.reserve(401)).toThrow('no room for 401 contiguous blocks: 400 of 1000 free, largest extent 400');
  });
});

describe('publish', () => {
  it('touches at most two rows for what follows what is there, and two for a whole batch', () => {
    const { vea, store } = makeExtentVea(TOTAL);
    const hint = new VeaHint();
    vea.publish(vea.reserve(1, hint));
    for (let i = 0; i < 10; i++) {
      store.changes = 0;
      vea.publish(vea.reserve(1 + i, hint));
      expect(store.changes).toBeLessThanOrEqual(2);
    }
    const batch = Array.from({ length: 32 }, () => vea.reserve(3, hint));
    store.changes = 0;
    vea.publish(batch);
    expect(store.changes).toBe(2);
  });

  it('refuses what is not an open reservation, and then does nothing', () => {
    for (const blocks of [1, 100]) {
      const { vea, store } = makeVea(TOTAL);
      const [done, open] = [vea.reserve(blocks), vea.reserve(blocks)];
      vea.publish(done);
      const before = store.copy();
      for (const bad of [done, [open, done], [open, open], { offset: 64, blocks: 32 }]) {
        expect(codeOf(() => vea.publish(bad))).toBe('INVAL');
        expect(codeOf(() => vea.cancel(bad))).toBe('INVAL');
      }
      expect(store.rows).toEqual(before);
      expect(vea.reservedBlocks).toBe(blocks);
      vea.cancel(open);
      expect(codeOf(() => vea.cancel(open))).toBe('INVAL');
    }
  });

  it('leaves allocated blocks in both views', () => {
    const { vea } = makeVea(TOTAL);
    for (const one of [vea.reserve(3), vea.reserve(300)]) {
      vea.publish(one);
      expect(vea.isFree('transient', one.offset, one.blocks)).toBe(false);
      expect(vea.isFree('persistent', one.offset, one.blocks)).toBe(false);
    }
  });
});

describe('free', () => {
  it('refuses nothing, what is free, what is reserved, what rests, and what lies outside', () => {
    for (const blocks of [8, 80]) {
      const { vea } = makeVea(TOTAL, { quarantineMs: 10_000 });
      const one = vea.reserve(blocks);
      const { offset } = one;
      for (const [at, count] of [[offset, 0], [0, 1], [offset, blocks], [TOTAL, 1], [TOTAL - 1, 2], [-1, 1], [0.5, 1]] as const) {
        expect(codeOf(() => vea.free(at, count))).toBe('INVAL');
      }
      vea.publish(one);
      expect(codeOf(() => vea.free(offset, blocks + 1))).toBe('INVAL');
      expect(codeOf(() => vea.free(offset, 2 * blocks))).toBe('INVAL');
      vea.free(offset, blocks);
      expect(codeOf(() => vea.free(offset, blocks))).toBe('INVAL');
    }
  });

  it('joins neighbours into one stored extent, and frees parts of what was published', () => {
    const { vea, store } = makeExtentVea(TOTAL);
    const one = vea.reserve(500);
    vea.publish(one);
    for (const [at, blocks] of [[0, 100], [400, 100], [200, 200], [100, 100]] as const) vea.free(one.offset + at, blocks);
    expect(store.load()).toEqual([{ offset: 0, blocks: TOTAL }]);
  });

  it('is durable at once, but nobody gets the blocks before a flush', async () => {
    const { vea } = makeVea(TOTAL, { quarantineMs: 10_000 });
    const all = [vea.reserve(3), vea.reserve(300), vea.reserve(30_000)];
    vea.publish(all);
    for (const { offset, blocks } of all) {
      vea.free(offset, blocks);
      expect(vea.isFree('persistent', offset, blocks)).toBe(true);
      expect(vea.isFree('transient', offset, blocks)).toBe(false);
    }
    expect(vea.statistics()).toMatchObject({ fragmentsAging: 3, agingBlocks: 30_303, freePersistent: TOTAL });
    expect(await vea.flush()).toBeGreaterThanOrEqual(3);
    for (const { offset, blocks } of all) expect(vea.isFree('transient', offset, blocks)).toBe(true);
    expect(vea.statistics()).toMatchObject({ fragmentsAging: 0, agingBlocks: 0, freeTransient: TOTAL });
  });
});

describe('abort', () => {
  it('restores what the transaction published and freed', () => {
    const { vea, store } = makeVea(TOTAL, { quarantineMs: 10_000 });
    const kept = [vea.reserve(30), vea.reserve(300)];
    vea.publish(kept);
    const before = store.copy();
    store.begin();
    const tx = vea.begin();
    const fresh = [vea.reserve(10), vea.reserve(100), vea.reserve(30)];
    vea.publish(fresh, tx);
    for (const { offset, blocks } of [...kept, ...fresh]) vea.free(offset, blocks, tx);
    store.rollback();
    tx.abort();
    expect(store.rows).toEqual(before);
    expect([vea.freeBlocks, vea.reservedBlocks]).toEqual([TOTAL - 470, 140]);
    vea.publish(fresh);
    for (const { offset, blocks } of [...kept, ...fresh]) vea.free(offset, blocks);
    expect(vea.freeBlocks).toBe(TOTAL);
    expect(Vea.load(store).freeBlocks).toBe(TOTAL);
  });

  it('and commit end a transaction, and sealing closes it for changes', () => {
    const { vea } = makeVea(TOTAL);
    const one = vea.reserve(1);
    const tx = vea.begin();
    tx.seal();
    tx.seal();
    expect(codeOf(() => vea.publish(one, tx))).toBe('INVAL');
    tx.commit();
    expect(codeOf(() => tx.commit())).toBe('INVAL');
    expect(codeOf(() => tx.abort())).toBe('INVAL');
    vea.publish(one);
    expect(codeOf(() => vea.free(one.offset, 1, tx))).toBe('INVAL');
    expect(vea.freeBlocks).toBe(TOTAL - 1);
  });
});

describe('offline tools', () => {
  it('list free extents in both views, and chunks', () => {
    const { vea } = makeVea(100_000);
    const [unit, extent] = [vea.reserve(2), vea.reserve(200)];
    expect([...vea.freeExtents('persistent')]).toEqual([{ offset: 0, blocks: 100_000 }]);
    expect([...vea.bitmaps()]).toMatchObject([{ state: 'new', unitBlocks: 2, blocks: 512, words: 4, readyBlocks: 510 }]);
    vea.publish([unit, extent]);
    const [chunk] = [...vea.bitmaps()];
    expect(chunk).toMatchObject({ offset: unit.offset, state: 'published', freeBlocks: 510, readyBlocks: 510 });
    for (const view of ['persistent', 'transient'] as const) {
      const free = [...vea.freeExtents(view)].reduce((sum, { blocks }) => sum + blocks, 0);
      expect(free).toBe(100_000 - 512 - 200);
    }
  });

  it('free a region that is allocated, whatever it was allocated as', async () => {
    const { vea, store } = makeVea(100_000, { quarantineMs: 10_000 });
    const units = Array.from({ length: 256 }, () => vea.reserve(1));
    const hint = new VeaHint((units.at(-1)?.offset ?? 0) + 1);
    const extent = vea.reserve(200, hint);
    expect(extent.offset).toBe((units[0]?.offset ?? 0) + 256);
    vea.publish([...units, extent]);
    const from = extent.offset - 20;
    await expect(vea.markFree(from, 221)).rejects.toMatchObject({ der: 'INVAL' });
    await expect(vea.markFree(from, 0)).rejects.toMatchObject({ der: 'INVAL' });
    expect(vea.freeBlocks).toBe(100_000 - 456);
    await vea.markFree(from, 220);
    expect(vea.freeBlocks).toBe(100_000 - 236);
    expect(vea.isFree('transient', from, 20) && vea.isFree('transient', extent.offset, 200)).toBe(true);
    expect(Vea.load(store).freeBlocks).toBe(100_000 - 236);
    const tx = vea.begin();
    await expect(vea.markFree(0, 1)).rejects.toMatchObject({ der: 'INVAL' });
    tx.commit();
  });
});
