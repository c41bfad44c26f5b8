import { DaosError } from '@daos/common';

import { FreeExtents, type ExtentListener } from './free_extents.js';
import { VeaHint } from './hint.js';
import { Quarantine, type FreedExtent } from './quarantine.js';

/** Unit of allocation in bytes. */
export const VEA_BLOCK_BYTES = 4096;
/** Fewer usable blocks than this are not worth a device. */
export const VEA_BLOCKS_MIN = 100;
export const VEA_BLOCKS_MAX = 2 ** 32 - 1;
/** From this size on (64 MiB) an extent is split rather than eaten from its head, to keep streams apart. */
const LARGE_BLOCKS = 16_384;
/** How long freed blocks rest before they are handed out again. */
export const VEA_QUARANTINE_MS = 10_000;
/** Bounds the work that one call spends on returning rested extents. */
const RELEASE_PER_CALL_MAX = 256;

/** Free extents as VOS stores them, changed inside the transaction that publishes or frees. */
export interface VeaStore {
  load(): Iterable<{ offset: number; blocks: number }>;
  /** Adds or replaces the extent that starts at `offset`. */
  put(offset: number, blocks: number): void;
  remove(offset: number): void;
}

export interface VeaOptions {
  /** Milliseconds that freed blocks rest. Default 10 s. */
  readonly quarantineMs?: number;
  readonly nowMs?: () => number;
}

/** Blocks set aside for one write. In memory only: a crash forgets it. */
export interface VeaReservation {
  readonly offset: number;
  readonly blocks: number;
}

export interface VeaStatistics {
  /** Extents in the durable free set, and those that can be handed out now. */
  readonly extentsDurable: number;
  readonly extentsReady: number;
  readonly quarantinedBlocks: number;
  readonly servedByHint: number;
  readonly servedLarge: number;
  readonly servedSmall: number;
}

type State = 'reserved' | 'published' | 'cancelled';

class Reservation implements VeaReservation {
  state: State = 'reserved';
  constructor(
    readonly offset: number,
    readonly blocks: number,
    readonly hint: VeaHint,
    readonly hintOffsetBefore: number | undefined,
    readonly sequence: number,
  ) {}
}

/**
 * The changes of one transaction. Begin one per index transaction, pass it to `publish` and `free`, then say how it
 * ended: `commit` once it is durable, `abort` once its rows are rolled back.
 */
export class VeaTx {
  /** @internal */
  readonly published: Reservation[] = [];
  /** @internal */
  readonly freed: FreedExtent[] = [];
  private ended = false;

  /** @internal */
  constructor(private readonly vea: Vea) {}

  /** Freed blocks become reusable (when they have rested, or at once when space runs out). */
  commit(): void {
    this.end();
    for (const entry of this.freed) entry.settled = true;
  }

  /** Published blocks are reserved again (cancel or publish them anew), freed ones allocated again. */
  abort(): void {
    this.end();
    this.vea.undo(this);
  }

  private end(): void {
    if (this.ended) throw new DaosError('INVAL', 'the allocator transaction has already ended');
    this.ended = true;
  }
}

/**
 * Allocator of a data file's blocks. Life of a block: `reserve` (memory only) → the data is written → `publish`
 * (inside the index transaction, which makes it durable) → `free` (inside a later transaction) → quarantine → free.
 * `cancel` gives back a reservation that will not be published. All numbers are blocks.
 */
export class Vea {
  /** Durable truth: what the store's rows say. */
  private readonly durable = new FreeExtents({ bySize: false });
  /** What can be handed out: durable minus reserved minus quarantined. */
  private readonly ready = new FreeExtents({ bySize: true });
  private readonly quarantine = new Quarantine();
  private readonly quarantineMs: number;
  private readonly nowMs: () => number;
  private readonly defaultHint = new VeaHint();
  private reserved = 0;
  private servedByHint = 0;
  private servedLarge = 0;
  private servedSmall = 0;

  /** Loads the free extents. Throws DER_DF_INVAL when they overlap, touch or leave the device. */
  constructor(
    private readonly store: VeaStore,
    readonly totalBlocks: number,
    options: VeaOptions = {},
  ) {
    checkTotal(totalBlocks);
    this.quarantineMs = options.quarantineMs ?? VEA_QUARANTINE_MS;
    this.nowMs = options.nowMs ?? (() => performance.now());
    for (const { offset, blocks } of store.load()) {
      const sane = isCount(blocks) && Number.isInteger(offset) && offset >= 0 && offset + blocks <= totalBlocks;
      // widened by a block on each side: stored extents never touch
      if (!sane || this.durable.overlaps(offset - 1, blocks + 2)) {
        throw new DaosError('DF_INVAL', `free extent at block ${offset} of ${blocks} blocks contradicts the others`);
      }
      this.durable.add(offset, blocks);
      this.ready.add(offset, blocks);
    }
  }

  /** Writes the one free extent of a new device. DER_NOSPACE below 100 blocks, DER_INVAL above 2^32 - 1. */
  static format(store: VeaStore, totalBlocks: number): void {
    checkTotal(totalBlocks);
    for (const _ of store.load()) throw new DaosError('EXIST', 'the free space is already formatted');
    store.put(0, totalBlocks);
  }

  /** Blocks that hold no data and are not reserved; those in quarantine count. */
  get freeBlocks(): number {
    return this.durable.blocks - this.reserved;
  }

  get reservedBlocks(): number {
    return this.reserved;
  }

  statistics(): VeaStatistics {
    return {
      extentsDurable: this.durable.extentCount,
      extentsReady: this.ready.extentCount,
      quarantinedBlocks: this.quarantine.blocks,
      servedByHint: this.servedByHint,
      servedLarge: this.servedLarge,
      servedSmall: this.servedSmall,
    };
  }

  /**
   * Sets contiguous blocks aside. Without a hint all callers form one stream. Throws DER_NOSPACE when no free extent
   * is long enough, DER_INVAL for a count that is not a positive integer.
   */
  reserve(blocks: number, hint: VeaHint = this.defaultHint): VeaReservation {
    if (!isCount(blocks)) throw new DaosError('INVAL', `cannot reserve ${blocks} blocks`);
    this.releaseRested();
    let offset = this.find(blocks, hint);
    // space before patience: what is safely freed may be reused early when nothing else is left
    while (offset === undefined && this.release(Infinity) > 0) offset = this.find(blocks, hint);
    if (offset === undefined) {
      const largest = this.ready.largest()?.blocks ?? 0;
      throw new DaosError(
        'NOSPACE',
        `no room for ${blocks} contiguous blocks: ${this.freeBlocks} of ${this.totalBlocks} free, largest extent ${largest}`,
      );
    }
    this.ready.take(offset, blocks);
    this.reserved += blocks;
    const reservation = new Reservation(offset, blocks, hint, hint.offset, ++hint.sequence);
    hint.offset = offset + blocks;
    return reservation;
  }

  /** Gives a reservation back. DER_INVAL when it is not one that is open. */
  cancel(reservation: VeaReservation): void {
    const own = this.open(reservation);
    own.state = 'cancelled';
    this.reserved -= own.blocks;
    this.ready.add(own.offset, own.blocks);
    // only the stream's most recent reservation can be taken back without leaving a hole
    if (own.hint.sequence === own.sequence) {
      own.hint.offset = own.hintOffsetBefore;
      own.hint.sequence--;
    }
  }

  /**
   * Makes reserved blocks allocated, in the store. Call inside the index transaction. Several at once cost one row
   * change per contiguous run. DER_INVAL when one is not open.
   */
  publish(reservations: VeaReservation | readonly VeaReservation[], tx?: VeaTx): void {
    const list = Array.isArray(reservations) ? (reservations as readonly VeaReservation[]) : [reservations as VeaReservation];
    const own = list.map((reservation) => this.open(reservation));
    if (own.length > 1) {
      own.sort((x, y) => x.offset - y.offset);
      if (own.some((one, i) => one === own[i + 1])) throw new DaosError('INVAL', 'a reservation is published twice');
    }
    for (let i = 0; i < own.length; ) {
      const start = (own[i] as Reservation).offset;
      let end = start;
      while (i < own.length && (own[i] as Reservation).offset === end) {
        const one = own[i++] as Reservation;
        one.state = 'published';
        end += one.blocks;
        tx?.published.push(one);
      }
      this.takeDurable(start, end - start, this.store);
    }
  }

  /**
   * Frees allocated blocks, in the store. Call inside the index transaction. They are reused only after the
   * quarantine. Throws DER_INVAL when any of them is not allocated.
   */
  free(offset: number, blocks: number, tx?: VeaTx): void {
    if (!isCount(blocks) || !Number.isInteger(offset) || offset < 0 || offset + blocks > this.totalBlocks) {
      throw new DaosError('INVAL', `cannot free ${blocks} blocks at ${offset}`);
    }
    if (this.durable.overlaps(offset, blocks)) {
      throw new DaosError('INVAL', `cannot free ${blocks} blocks at ${offset}: not all of them are allocated`);
    }
    this.durable.add(offset, blocks, this.store);
    const entry = this.quarantine.add(offset, blocks, this.nowMs(), tx === undefined);
    tx?.freed.push(entry);
    this.releaseRested();
  }

  /** Starts collecting the changes of one index transaction. */
  begin(): VeaTx {
    return new VeaTx(this);
  }

  /**
   * Returns all settled extents from quarantine, rested or not. For idle moments, shutdown and tests; the caller
   * knows that nobody reads the freed data any more.
   */
  flush(): void {
    while (this.release(Infinity) > 0);
  }

  /** @internal Called by an aborted transaction; the store's rows are rolled back by the index. */
  undo(tx: VeaTx): void {
    for (const entry of tx.freed) {
      this.durable.take(entry.offset, entry.blocks);
      this.quarantine.drop(entry);
    }
    for (const reservation of tx.published) {
      this.durable.add(reservation.offset, reservation.blocks);
      this.reserved += reservation.blocks;
      reservation.state = 'reserved';
    }
  }

  /** Where a request of this size goes: behind its stream, the best fit, or the middle of the largest extent. */
  private find(blocks: number, hint: VeaHint): number | undefined {
    if (hint.offset !== undefined && this.ready.contains(hint.offset, blocks)) {
      this.servedByHint++;
      return hint.offset;
    }
    const fit = this.ready.bestFit(blocks);
    if (fit === undefined) return undefined;
    if (blocks < LARGE_BLOCKS && fit.blocks <= LARGE_BLOCKS) {
      this.servedSmall++;
      return fit.offset;
    }
    const largest = this.ready.largest() ?? fit;
    this.servedLarge++;
    const split = largest.blocks > 2 * Math.max(blocks, LARGE_BLOCKS);
    return split ? largest.offset + Math.floor(largest.blocks / 2) : largest.offset;
  }

  private releaseRested(): void {
    this.release(this.nowMs() - this.quarantineMs);
  }

  private release(untilMs: number): number {
    return this.quarantine.release(untilMs, RELEASE_PER_CALL_MAX, (offset, blocks) => this.ready.add(offset, blocks));
  }

  private takeDurable(offset: number, blocks: number, listener: ExtentListener): void {
    if (!this.durable.take(offset, blocks, listener)) {
      throw new Error(`allocator invariant broken: blocks ${offset}+${blocks} are reserved but not free`);
    }
    this.reserved -= blocks;
  }

  private open(reservation: VeaReservation): Reservation {
    if (!(reservation instanceof Reservation) || reservation.state !== 'reserved') {
      throw new DaosError('INVAL', `not an open reservation: ${reservation.blocks} blocks at ${reservation.offset}`);
    }
    return reservation;
  }
}

function isCount(blocks: number): boolean {
  return Number.isInteger(blocks) && blocks > 0;
}

function checkTotal(totalBlocks: number): void {
  if (!Number.isInteger(totalBlocks) || totalBlocks > VEA_BLOCKS_MAX) {
    throw new DaosError('INVAL', `a device has at most ${VEA_BLOCKS_MAX} blocks, not ${totalBlocks}`);
  }
  if (totalBlocks < VEA_BLOCKS_MIN) {
    throw new DaosError('NOSPACE', `a device needs at least ${VEA_BLOCKS_MIN} blocks, not ${totalBlocks}`);
  }
}
