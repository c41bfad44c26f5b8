import { isDaosError } from '@daos/common';

import { Vea, VeaHint, type VeaReservation, type VeaStore } from '../src/index.js';

/** Rows as VOS keeps them, with a count of row changes and a transaction that can be rolled back. */
class MemoryStore implements VeaStore {
  rows = new Map<number, number>();
  changes = 0;
  private saved: Map<number, number> | undefined;

  load(): { offset: number; blocks: number }[] {
    return [...this.rows].map(([offset, blocks]) => ({ offset, blocks })).sort((a, b) => a.offset - b.offset);
  }
  put(offset: number, blocks: number): void {
    this.rows.set(offset, blocks);
    this.changes++;
  }
  remove(offset: number): void {
    if (!this.rows.delete(offset)) throw new Error(`no row at ${offset}`);
    this.changes++;
  }
  begin(): void {
    this.saved = new Map(this.rows);
  }
  rollback(): void {
    this.rows = this.saved ?? this.rows;
  }
}

const TOTAL = 1_000_000;

function make(total = TOTAL, quarantineMs = 0): { vea: Vea; store: MemoryStore; clock: { now: number } } {
  const store = new MemoryStore();
  const clock = { now: 0 };
  Vea.format(store, total);
  return { vea: new Vea(store, total, { quarantineMs, nowMs: () => clock.now }), store, clock };
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isDaosError(error)) return error.der;
    throw error;
  }
  return 'none';
}

describe('format and load', () => {
  it('starts with everything free in one extent', () => {
    const { vea } = make();
    expect([vea.freeBlocks, vea.reservedBlocks, vea.totalBlocks]).toEqual([TOTAL, 0, TOTAL]);
    expect(vea.statistics()).toMatchObject({ extentsDurable: 1, extentsReady: 1, quarantinedBlocks: 0 });
  });

  it('refuses a second format, a device too small and one too large', () => {
    const { store } = make();
    expect(codeOf(() => Vea.format(store, TOTAL))).toBe('EXIST');
    expect(codeOf(() => Vea.format(new MemoryStore(), 99))).toBe('NOSPACE');
    expect(codeOf(() => Vea.format(new MemoryStore(), 2 ** 32))).toBe('INVAL');
    expect(codeOf(() => Vea.format(new MemoryStore(), 1000.5))).toBe('INVAL');
  });

  it.each([
    ['overlap', [[0, 10], [5, 10]]],
    ['touch', [[0, 10], [10, 10]]],
    ['leave the device', [[999, 2]]],
    ['are empty', [[3, 0]]],
    ['lie before the device', [[-1, 5]]],
  ])('refuses stored extents that %s', (_, rows) => {
    const store = new MemoryStore();
    for (const [offset, blocks] of rows as [number, number][]) store.rows.set(offset, blocks);
    expect(codeOf(() => new Vea(store, 1000))).toBe('DF_INVAL');
  });
});

describe('reserve, cancel, publish, free', () => {
  it('keeps reservations in memory only', () => {
    const { vea, store } = make();
    vea.reserve(10);
    expect(store.load()).toEqual([{ offset: 0, blocks: TOTAL }]);
    expect([vea.freeBlocks, vea.reservedBlocks]).toEqual([TOTAL - 10, 10]);
  });

  it('forgets reservations that were never published', () => {
    const { vea, store } = make();
    vea.publish(vea.reserve(5));
    vea.reserve(7);
    expect(new Vea(store, TOTAL).freeBlocks).toBe(TOTAL - 5);
  });

  it('touches at most two rows for a sequential publish, and two for a whole batch', () => {
    const { vea, store } = make();
    vea.publish(vea.reserve(1));
    for (let i = 0; i < 10; i++) {
      store.changes = 0;
      vea.publish(vea.reserve(1 + i));
      expect(store.changes).toBeLessThanOrEqual(2);
    }
    const batch = Array.from({ length: 32 }, () => vea.reserve(3));
    store.changes = 0;
    vea.publish(batch);
    expect(store.changes).toBe(2);
  });

  it('gives cancelled blocks out again and rolls the hint back when it was the last', () => {
    const { vea } = make();
    const hint = new VeaHint();
    const a = vea.reserve(4, hint);
    vea.cancel(a);
    expect(hint.offset).toBeUndefined();
    const b = vea.reserve(4, hint);
    const c = vea.reserve(4, hint);
    vea.cancel(b);
    expect(hint.offset).toBe(c.offset + 4);
    expect(vea.freeBlocks).toBe(TOTAL - 4);
  });

  it('refuses what is not an open reservation', () => {
    const { vea } = make();
    const r = vea.reserve(1);
    vea.publish(r);
    expect(codeOf(() => vea.publish(r))).toBe('INVAL');
    expect(codeOf(() => vea.cancel(r))).toBe('INVAL');
    expect(codeOf(() => vea.cancel({ offset: 1, blocks: 1 }))).toBe('INVAL');
    const twice = vea.reserve(1);
    expect(codeOf(() => vea.publish([twice, twice]))).toBe('INVAL');
  });

  it('refuses to free nothing, what is free, what is reserved, and what lies outside', () => {
    const { vea } = make();
    const r = vea.reserve(8);
    for (const [offset, blocks] of [[0, 0], [1, 1], [r.offset, 8], [TOTAL, 1], [-1, 1], [0.5, 1]] as const) {
      expect(codeOf(() => vea.free(offset, blocks))).toBe('INVAL');
    }
    vea.publish(r);
    expect(codeOf(() => vea.free(r.offset, 9))).toBe('INVAL');
    vea.free(r.offset, 8);
    expect(codeOf(() => vea.free(r.offset, 8))).toBe('INVAL');
  });

  it('merges freed neighbours into one stored extent', () => {
    const { vea, store } = make();
    const [a, b, c] = [vea.reserve(5), vea.reserve(5), vea.reserve(5)] as const;
    vea.publish([a, b, c]);
    vea.free(a.offset, 5);
    vea.free(c.offset, 5);
    vea.free(b.offset, 5);
    expect(store.load()).toEqual([{ offset: 0, blocks: TOTAL }]);
  });

  it('reports DER_NOSPACE and serves nearly the whole device in one extent', () => {
    const { vea } = make();
    expect(codeOf(() => vea.reserve(TOTAL + 1))).toBe('NOSPACE');
    expect(codeOf(() => vea.reserve(0))).toBe('INVAL');
    const r = vea.reserve(TOTAL - 1);
    vea.publish(r);
    expect(codeOf(() => vea.reserve(2))).toBe('NOSPACE');
    vea.free(r.offset, TOTAL - 1);
    expect(vea.reserve(TOTAL).blocks).toBe(TOTAL);
  });
});

describe('streams', () => {
  it('keeps each hinted stream contiguous and streams apart', () => {
    const { vea } = make();
    const [one, two] = [new VeaHint(), new VeaHint()];
    const a1 = vea.reserve(10, one);
    const b1 = vea.reserve(10, two);
    const a2 = vea.reserve(10, one);
    const b2 = vea.reserve(10, two);
    expect(a2.offset).toBe(a1.offset + 10);
    expect(b2.offset).toBe(b1.offset + 10);
    expect(vea.statistics()).toMatchObject({ servedLarge: 2, servedByHint: 2, servedSmall: 0 });
  });

  it('fills a small gap before it breaks a large extent', () => {
    const { vea } = make();
    const hint = new VeaHint();
    const list = [vea.reserve(10, hint), vea.reserve(20, hint), vea.reserve(10, hint)] as const;
    vea.publish(list);
    vea.free(list[1].offset, 20);
    vea.flush();
    expect(vea.reserve(15, new VeaHint()).offset).toBe(list[1].offset);
    expect(vea.statistics().servedSmall).toBe(1);
  });
});

describe('quarantine', () => {
  it('hands freed blocks out only after they have rested', () => {
    const { vea, clock } = make(100, 10_000);
    const all = vea.reserve(100);
    vea.publish(all);
    const tx = vea.begin();
    vea.free(0, 50, tx);
    expect(vea.freeBlocks).toBe(50);
    expect(codeOf(() => vea.reserve(1))).toBe('NOSPACE');
    clock.now = 20_000;
    expect(codeOf(() => vea.reserve(1))).toBe('NOSPACE'); // not durable yet, however long it takes
    tx.commit();
    expect(vea.reserve(1).blocks).toBe(1);
  });

  it('prefers other space to resting blocks, but uses settled ones before it gives up', () => {
    const { vea } = make(200, 10_000);
    const first = vea.reserve(100);
    vea.publish(first);
    const tx = vea.begin();
    vea.free(first.offset, 100, tx);
    tx.commit();
    expect(vea.reserve(100).offset).not.toBe(first.offset);
    expect(vea.statistics().quarantinedBlocks).toBe(100);
    expect(vea.reserve(100).offset).toBe(first.offset);
  });
});

describe('abort', () => {
  it('restores what the transaction published and freed', () => {
    const { vea, store } = make();
    const kept = vea.reserve(30);
    vea.publish(kept);
    const before = store.load();
    store.begin();
    const tx = vea.begin();
    const r = vea.reserve(10);
    vea.publish(r, tx);
    vea.free(kept.offset, 30, tx);
    store.rollback();
    tx.abort();
    expect(store.load()).toEqual(before);
    expect([vea.freeBlocks, vea.reservedBlocks]).toEqual([TOTAL - 40, 10]);
    vea.publish(r);
    vea.free(kept.offset, 30);
    expect(new Vea(store, TOTAL).freeBlocks).toBe(TOTAL - 10);
    expect(codeOf(() => tx.commit())).toBe('INVAL');
  });
});

describe('random programs against a block map', () => {
  it.each(Array.from({ length: 40 }, (_, seed) => seed))('seed %i', (seed) => {
    const total = 400;
    const { vea, store } = make(total);
    let state = seed * 2654435761 + 12345;
    const random = (limit: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
    const owner = new Uint8Array(total); // 0 free, 1 reserved, 2 published
    const reserved: VeaReservation[] = [];
    const published: { offset: number; blocks: number }[] = [];
    const hints = [new VeaHint(), new VeaHint()];
    const mark = (r: VeaReservation, from: number, to: number): void => {
      const range = owner.subarray(r.offset, r.offset + r.blocks);
      expect(range.every((state) => state === from)).toBe(true);
      range.fill(to);
    };
    for (let step = 0; step < 300; step++) {
      const action = random(4);
      if (action === 0 || reserved.length === 0) {
        const blocks = 1 + random(40);
        try {
          const r = vea.reserve(blocks, hints[random(3)]);
          mark(r, 0, 1);
          reserved.push(r);
        } catch (error) {
          expect(isDaosError(error, 'NOSPACE')).toBe(true);
          expect(owner.join('').includes('0'.repeat(blocks))).toBe(false);
        }
      } else if (action === 1) {
        const [r] = reserved.splice(random(reserved.length), 1);
        vea.cancel(r!);
        mark(r!, 1, 0);
      } else if (action === 2) {
        const [r] = reserved.splice(random(reserved.length), 1);
        vea.publish(r!);
        mark(r!, 1, 2);
        published.push(r!);
      } else if (published.length > 0) {
        const [r] = published.splice(random(published.length), 1);
        vea.free(r!.offset, r!.blocks);
        mark(r!, 2, 0);
      }
      const free = owner.filter((o) => o === 0).length;
      expect(vea.freeBlocks).toBe(free);
    }
    const stored = new Uint8Array(total).fill(2);
    for (const { offset, blocks } of store.load()) stored.fill(0, offset, offset + blocks);
    expect(stored).toEqual(owner.map((o) => (o === 2 ? 2 : 0)));
    expect(new Vea(store, total).freeBlocks).toBe(stored.filter((o) => o === 0).length);
  });
});
