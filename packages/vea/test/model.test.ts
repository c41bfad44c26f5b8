import { isDaosError } from '@daos/common';

import { Vea, type VeaReservation, type VeaTx } from '../src/index.js';
import { MemoryStore, makeVea, randomOf, type Rows } from './memory_store.js';

const TOTAL = 6000;
const FREE = 0;
const RESERVED = 1;
const ALLOCATED = 2;

/** A batch that was given to the index and is not durable yet, with what a crash right after it would leave. */
interface Batch {
  readonly tx: VeaTx;
  readonly rows: Rows;
  readonly owner: Uint8Array;
  readonly allocated: VeaReservation[];
}

/**
 * A program over the allocator and a map with a byte per block that says who owns it. As in VOS, transactions are
 * batches: sealed one after the other, durable one after the other, with reservations going on meanwhile.
 */
class Program {
  private readonly random: (limit: number) => number;
  private store: MemoryStore;
  private vea: Vea;
  private readonly clock: { now: number };
  private owner = new Uint8Array(TOTAL);
  /** Blocks by owner. */
  private counts = [TOTAL, 0, 0];
  private reserved: VeaReservation[] = [];
  private allocated: VeaReservation[] = [];
  private sealed: Batch[] = [];
  private durable: Omit<Batch, 'tx'>;

  constructor(
    seed: number,
    private readonly bitmaps: boolean,
  ) {
    this.random = randomOf(seed);
    const made = makeVea({ capacityBytes: (TOTAL + 1) * 4096, bitmaps }, this.options(() => made.clock.now));
    this.store = made.store;
    this.vea = made.vea;
    this.clock = made.clock;
    this.durable = this.snapshot();
  }

  async run(steps: number): Promise<void> {
    for (let step = 0; step < steps; step++) {
      await this.step();
      this.check();
    }
    while (this.sealed.length > 0) this.settleBatch();
    this.crash();
    this.check();
  }

  private async step(): Promise<void> {
    const action = this.random(100);
    this.clock.now += this.random(400);
    if (action < 45) this.reserve();
    else if (action < 55) this.cancel();
    else if (action < 80) this.batch();
    else if (action < 92) this.settleBatch();
    else if (action < 96) await this.vea.flush({ force: this.random(2) === 0, entriesMax: 1 + this.random(20) });
    else if (action < 97) this.crash();
    else this.abortedBatch();
  }

  private options(nowMs: () => number): { quarantineMs: number; flushIntervalMs: number; nowMs: () => number } {
    return { quarantineMs: 2000, flushIntervalMs: 500, nowMs };
  }

  private snapshot(): Omit<Batch, 'tx'> {
    const owner = this.owner.map((state) => (state === ALLOCATED ? ALLOCATED : FREE));
    return { rows: this.store.copy(), owner, allocated: [...this.allocated] };
  }

  private reserve(): void {
    const blocks = this.random(4) === 0 ? 6 + this.random(200) : 1 + this.random(5);
    const hint = this.random(3) === 0 ? undefined : this.vea.hint(this.random(2));
    let reservation: VeaReservation;
    try {
      reservation = this.vea.reserve(blocks, hint);
    } catch (error) {
      if (!isDaosError(error, 'NOSPACE')) throw error;
      // only when there is neither an extent nor a unit
      for (const extent of this.vea.freeExtents('transient')) expect(extent.blocks).toBeLessThan(blocks);
      for (const { unitBlocks, readyBlocks } of this.vea.bitmaps()) expect(unitBlocks === blocks ? readyBlocks : 0).toBe(0);
      return;
    }
    expect(reservation.blocks).toBe(blocks);
    this.mark(reservation, FREE, RESERVED);
    // no crash may bring back an index that still points here
    for (const { owner } of [this.durable, ...this.sealed]) expectAll(owner, reservation, FREE);
    this.reserved.push(reservation);
  }

  private cancel(): void {
    const some = this.pick(this.reserved, 1 + this.random(3));
    this.vea.cancel(some);
    for (const one of some) this.mark(one, RESERVED, FREE);
  }

  /** Publishes and frees some, as one batch. */
  private batch(): void {
    const tx = this.vea.begin();
    const published = this.pick(this.reserved, this.random(8));
    const freed = this.pick(this.allocated, this.random(8));
    for (const one of freed) {
      this.vea.free(one.offset, one.blocks, tx);
      this.mark(one, ALLOCATED, FREE);
    }
    this.vea.publish(published, tx);
    for (const one of published) this.mark(one, RESERVED, ALLOCATED);
    this.allocated.push(...published);
    tx.seal();
    this.sealed.push({ tx, ...this.snapshot() });
    if (this.sealed.length > 3) this.settleBatch();
  }

  private settleBatch(): void {
    const batch = this.sealed.shift();
    if (!batch) return;
    batch.tx.commit();
    this.durable = batch;
  }

  /** A transaction that is undone: nothing happened, and what it published is still reserved. */
  private abortedBatch(): void {
    this.store.begin();
    const tx = this.vea.begin();
    const published = this.reserved.filter(() => this.random(2) === 0);
    const freed = this.allocated.filter(() => this.random(4) === 0);
    this.vea.publish(published, tx);
    for (const one of [...freed, ...published.slice(0, 2)]) this.vea.free(one.offset, one.blocks, tx);
    this.store.rollback();
    tx.abort();
  }

  /** Memory is gone, and every batch that was not durable. */
  private crash(): void {
    this.store = new MemoryStore({ ...this.durable.rows });
    this.vea = Vea.load(this.store, this.options(() => this.clock.now));
    this.owner = this.durable.owner.slice();
    this.allocated = [...this.durable.allocated];
    this.reserved = [];
    this.sealed = [];
    this.durable = this.snapshot();
    const allocated = this.allocated.reduce((sum, { blocks }) => sum + blocks, 0);
    this.counts = [TOTAL - allocated, 0, allocated];
  }

  private check(): void {
    const { vea } = this;
    const [free, reserved] = this.counts as [number, number, number];
    const { freePersistent, freeTransient, agingBlocks, fragmentsBitmap } = vea.statistics();
    expect([vea.freeBlocks, vea.reservedBlocks, freePersistent]).toEqual([free, reserved, free + reserved]);
    expect(freeTransient + agingBlocks).toBe(free);
    if (!this.bitmaps) expect(fragmentsBitmap).toBe(0);
    if (this.random(40) > 0) return;
    for (let block = 0; block < TOTAL; block++) {
      if (vea.isFree('persistent', block, 1) !== (this.owner[block] !== ALLOCATED)) throw new Error(`block ${block} differs`);
    }
    let end = -1;
    for (const { offset, blocks } of this.store.load()) {
      expect(offset).toBeGreaterThan(end);
      end = offset + blocks;
    }
  }

  private pick(from: VeaReservation[], count: number): VeaReservation[] {
    const picked: VeaReservation[] = [];
    for (let i = 0; i < count && from.length > 0; i++) picked.push(...from.splice(this.random(from.length), 1));
    return picked;
  }

  private mark(extent: VeaReservation, from: number, to: number): void {
    expectAll(this.owner, extent, from);
    this.owner.fill(to, extent.offset, extent.offset + extent.blocks);
    this.counts[from] = (this.counts[from] as number) - extent.blocks;
    this.counts[to] = (this.counts[to] as number) + extent.blocks;
  }
}

function expectAll(owner: Uint8Array, { offset, blocks }: VeaReservation, state: number): void {
  for (let i = offset; i < offset + blocks; i++) if (owner[i] !== state) throw new Error(`block ${i} is ${owner[i]}, not ${state}`);
}

describe('random programs of reserve, cancel, publish, free, flush, abort and crash agree with a block map', () => {
  const first = Number(process.env['VEA_SEED'] ?? 1);
  const seeds = Array.from({ length: Number(process.env['VEA_SEEDS'] ?? 8) }, (_, i) => first + i);
  it.each(seeds)('with bitmaps, seed %i', (seed) => new Program(seed, true).run(300));
  it.each(seeds)('without bitmaps, seed %i', (seed) => new Program(seed, false).run(300));
});
