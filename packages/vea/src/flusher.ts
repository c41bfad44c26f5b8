import { Aging, NO_CHUNK } from './aging.js';
import type { Space } from './space.js';
import { TRIM_BYTES_MIN, Trimmer } from './trimmer.js';
import type { VeaStore } from './store.js';

/** How long freed blocks rest before they are handed out again. */
export const VEA_QUARANTINE_MS = 10_000;
/** How often rested blocks are looked for, when somebody reserves or frees. */
export const VEA_FLUSH_INTERVAL_MS = 5_000;
/** Entries of a batch, and batches that one call may spend its time on: they bound how long it holds the thread. */
const BATCH_ENTRIES = 256;
export const BATCHES_ON_RESERVE = 1;
export const BATCHES_FORCED = 10;
export const BATCHES_ON_FREE = 20;

export interface FlusherOptions {
  /** Milliseconds that freed blocks rest. Default 10 s. */
  readonly quarantineMs?: number;
  /** Milliseconds from one look for rested blocks to the next. Default 5 s. */
  readonly flushIntervalMs?: number;
  /** Somebody calls `flush` regularly: reserving and freeing spend no time on it. */
  readonly externalFlush?: boolean;
  readonly nowMs?: () => number;
}

/** Takes what is durably freed, lets it rest, and returns it to what can be handed out. */
export class Flusher {
  private readonly aging = new Aging();
  private readonly trimmer: Trimmer | undefined;
  private readonly quarantineMs: number;
  private readonly flushIntervalMs: number;
  private readonly isExternal: boolean;
  private readonly nowMs: () => number;
  private flushedAtMs = -Infinity;

  constructor(
    private readonly space: Space,
    private readonly blockBytes: number,
    store: VeaStore,
    options: FlusherOptions,
  ) {
    this.quarantineMs = options.quarantineMs ?? VEA_QUARANTINE_MS;
    this.flushIntervalMs = options.flushIntervalMs ?? VEA_FLUSH_INTERVAL_MS;
    this.isExternal = options.externalFlush ?? false;
    this.nowMs = options.nowMs ?? (() => performance.now());
    this.trimmer = store.trim === undefined ? undefined : new Trimmer(store.trim.bind(store));
  }

  get entryCount(): number {
    return this.aging.entryCount + (this.trimmer?.entryCount ?? 0);
  }

  get blocks(): number {
    return this.aging.blocks + (this.trimmer?.blocks ?? 0);
  }

  /** Begins the rest of durably freed blocks: one extent, or units of one chunk. */
  rest(offset: number, blocks: number): void {
    this.aging.add(offset, blocks, this.space.chunks.find(offset)?.offset ?? NO_CHUNK, this.nowMs());
  }

  /**
   * Returns some of what has rested, if that was not done lately, or not to the end. `dissolves`: rows may be written now, so empty
   * chunks can become free extents.
   */
  ifDue(batches: number, dissolves: boolean): void {
    if (this.isExternal || (this.aging.entryCount === 0 && this.space.chunks.emptyCount === 0)) return;
    const now = this.nowMs();
    if (now < this.flushedAtMs + this.flushIntervalMs) return;
    const entriesMax = batches * BATCH_ENTRIES;
    const released = this.release(now - this.quarantineMs, entriesMax, true);
    // whoever frees faster than a batch per interval must not pile up what has rested
    if (released < entriesMax) this.flushedAtMs = now;
    if (dissolves) this.dissolve(entriesMax - released, true);
  }

  /** Returns what rests, rested or not, and says how many entries that was. The device is not told: they are needed. */
  forced(dissolves: boolean): number {
    if (this.isExternal) return 0;
    const entriesMax = BATCHES_FORCED * BATCH_ENTRIES;
    const released = this.release(Infinity, entriesMax, false);
    return released + (dissolves ? this.dissolve(entriesMax, false) : 0);
  }

  /** Returns what rests (`force`: rested or not) and dissolves empty chunks. Resolves when the device was told. */
  async flush(force: boolean, entriesMax: number): Promise<number> {
    const now = this.nowMs();
    this.flushedAtMs = now;
    const released = this.release(force ? Infinity : now - this.quarantineMs, entriesMax, true);
    const dissolved = this.dissolve(entriesMax - released, true);
    await this.trimmer?.settled();
    return released + dissolved;
  }

  private release(untilMs: number, entriesMax: number, trims: boolean): number {
    return this.aging.release(untilMs, entriesMax, (offset, blocks, owner) => {
      const chunk = owner === NO_CHUNK ? undefined : this.space.chunks.find(offset);
      if (chunk) this.space.giveUnits(chunk, offset, blocks);
      else this.giveExtent(offset, blocks, trims);
    });
  }

  /** Turns empty chunks into free extents. Returns how many. */
  private dissolve(chunksMax: number, trims: boolean): number {
    const { chunks } = this.space;
    let dissolved = 0;
    for (let chunk = chunks.nextEmpty(); chunk && dissolved < chunksMax; chunk = chunks.nextEmpty()) {
      this.space.dissolve(chunk);
      this.giveExtent(chunk.offset, chunk.blocks, trims);
      dissolved++;
    }
    return dissolved;
  }

  private giveExtent(offset: number, blocks: number, trims: boolean): void {
    const { ready } = this.space;
    if (!trims || !this.trimmer || blocks * this.blockBytes < TRIM_BYTES_MIN) ready.add(offset, blocks);
    else this.trimmer.start(offset, blocks, (at, count) => ready.add(at, count));
  }
}
