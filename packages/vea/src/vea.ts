import { DaosError } from '@daos/common';

import { GROUP_UNITS, VEA_BITMAP_CLASS_MAX, type Chunk } from './chunk.js';
import { VEA_COMPAT_BITMAP, checkDescriptor, type VeaDescriptor, type VeaFormat } from './descriptor.js';
import { BATCHES_ON_FREE, BATCHES_ON_RESERVE, Flusher, type FlusherOptions } from './flusher.js';
import { implicitDescriptor, veaFormat } from './format.js';
import { VeaHint } from './hint.js';
import { HintMoves, moveHint } from './hint_moves.js';
import { Reservation, openReservations, type VeaReservation } from './reservation.js';
import { Space, isCount, type ServedBy } from './space.js';
import type { VeaAttributes, VeaBitmap, VeaStatistics } from './statistics.js';
import type { VeaExtent, VeaStore } from './store.js';
import { VeaTx, type TxOwner } from './tx.js';

export type VeaOptions = FlusherOptions;

export interface VeaFlush {
  /** Also what has not rested yet. The caller knows that nobody reads the freed data any more. Default true. */
  readonly force?: boolean;
  /** At most so many extents and chunks. Default all. */
  readonly entriesMax?: number;
}

/**
 * Allocator of a data file's blocks. Life of a block: `reserve` (memory only) → the data is written → `publish`
 * (inside the index transaction, which makes it durable) → `free` (inside a later transaction) → it rests → free.
 * `cancel` gives back a reservation that will not be published. All numbers are blocks.
 */
export class Vea implements TxOwner {
  private readonly space: Space;
  private readonly flusher: Flusher;
  private readonly hints = new Map<number, VeaHint>();
  private readonly served: Record<ServedBy, number> = { hint: 0, large: 0, small: 0, bitmap: 0 };
  private descriptor: VeaDescriptor;
  /** False: a space from before there were descriptors. No rows but those of free extents may be written. */
  private isDescribed: boolean;
  private reserved = 0;
  /** Freed in transactions that are not durable yet. */
  private unsettled = 0;
  private openTxs = 0;

  /**
   * Loads a space. `totalBlocks` are the blocks that the device should have; with it also a space loads that was
   * formatted before there were descriptors. DER_UNINIT when it is not formatted, DER_DF_INCOMPT when it has features
   * that this program does not know, DER_DF_INVAL when rows contradict each other or leave the device.
   */
  constructor(
    private readonly store: VeaStore,
    totalBlocks: number | undefined,
    options: VeaOptions = {},
  ) {
    const stored = store.loadDescriptor();
    this.isDescribed = stored !== undefined;
    this.descriptor = stored ?? implicitDescriptor(totalBlocks);
    checkDescriptor(this.descriptor, totalBlocks);
    this.space = new Space(store, this.descriptor);
    this.flusher = new Flusher(this.space, this.descriptor.blockBytes, store, options);
  }

  /** Loads a space that has a descriptor. Throws as the constructor does. */
  static load(store: VeaStore, options: VeaOptions = {}): Vea {
    return new Vea(store, undefined, options);
  }

  /**
   * Makes all of a new space free. A number asks for that many usable blocks of 4 KiB behind one header block. DER_EXIST
   * when it is formatted and `force` is not set, DER_INVAL and DER_NOSPACE for impossible sizes.
   */
  static format(store: VeaStore, format: VeaFormat | number): void {
    veaFormat(store, format);
  }

  get totalBlocks(): number {
    return this.descriptor.totalBlocks;
  }

  /** Blocks that hold no data and are not reserved; those that rest count. */
  get freeBlocks(): number {
    return this.space.freeBlocks - this.reserved;
  }

  get reservedBlocks(): number {
    return this.reserved;
  }

  get attributes(): VeaAttributes {
    const { compat, blockBytes, headerBlocks, totalBlocks } = this.descriptor;
    return { compat, blockBytes, headerBlocks, totalBlocks, largeBlocks: this.space.largeBlocks, freeBlocks: this.freeBlocks };
  }

  statistics(): VeaStatistics {
    const { space, flusher, served } = this;
    return {
      freePersistent: space.freeBlocks,
      freeTransient: space.readyBlocks,
      fragmentsLarge: space.ready.largeCount,
      fragmentsSmall: space.ready.smallCount,
      fragmentsBitmap: space.chunks.count,
      fragmentsAging: flusher.entryCount,
      agingBlocks: flusher.blocks + this.unsettled,
      reservedByHint: served.hint,
      reservedLarge: served.large,
      reservedSmall: served.small,
      reservedBitmap: served.bitmap,
    };
  }

  /** The stream of this name, which goes on where the store says; one object per name. */
  hint(id: number): VeaHint {
    let hint = this.hints.get(id);
    if (hint === undefined) {
      const row = this.isDescribed ? this.store.loadHint(id) : undefined;
      hint = new VeaHint(row?.offset, row?.sequence, id);
      this.hints.set(id, hint);
    }
    return hint;
  }

  /** Forgets a stream, in the store, too. Call inside the index transaction. */
  dropHint(id: number): void {
    this.hints.delete(id);
    if (this.isDescribed) this.store.removeHint(id);
  }

  /**
   * Sets contiguous blocks aside, up to 64 in a bitmap if there are bitmaps, others behind the stream's last ones.
   * Throws DER_NOSPACE when no free extent is long enough, DER_INVAL for a count that is not a positive integer.
   */
  reserve(blocks: number, hint?: VeaHint): VeaReservation {
    if (!isCount(blocks)) throw new DaosError('INVAL', `cannot reserve ${blocks} blocks`);
    this.flusher.ifDue(BATCHES_ON_RESERVE, this.openTxs === 0);
    let reservation = this.place(blocks, hint);
    // space before patience: what is safely freed may be reused early when nothing else is left
    while (reservation === undefined && this.flusher.forced(this.openTxs === 0) > 0) reservation = this.place(blocks, hint);
    if (reservation === undefined) {
      const { largestBlocks } = this.space.ready;
      throw new DaosError(
        'NOSPACE',
        `no room for ${blocks} contiguous blocks: ${this.freeBlocks} of ${this.totalBlocks} free, largest extent ${largestBlocks}`,
      );
    }
    this.reserved += blocks;
    return reservation;
  }

  /** Gives reservations back. DER_INVAL, and nothing done, when one is not open. */
  cancel(reservations: VeaReservation | readonly VeaReservation[]): void {
    const own = openReservations(reservations);
    // the most recent of a stream first: only then can the stream go back behind all of them
    if (own.length > 1) own.sort((x, y) => y.sequence - x.sequence);
    for (const one of own) {
      one.state = 'cancelled';
      this.reserved -= one.blocks;
      if (one.chunk) this.space.giveUnits(one.chunk, one.offset, one.blocks);
      else this.space.ready.add(one.offset, one.blocks);
      one.hint?.rollBack(one.sequence, one.hintOffset);
    }
  }

  /**
   * Makes reserved blocks allocated, in the store. Call inside the index transaction. Several at once cost one row
   * change per contiguous run or 256 units of a chunk. DER_INVAL, and nothing done, when one is not open or a stream's
   * hint is ahead of it.
   */
  publish(reservations: VeaReservation | readonly VeaReservation[], tx?: VeaTx): void {
    const own = openReservations(reservations);
    tx?.checkOpen();
    if (own.length === 1) return this.publishOne(own, tx);
    const moves = HintMoves.of(own);
    for (let i = 0; i < own.length; ) i = this.publishSome(own, i, tx);
    moves?.apply(this.hintStore, tx?.hints);
  }

  /**
   * Frees allocated blocks, in the store. Call inside the index transaction. They are reused only when that is durable
   * and they have rested. Throws DER_INVAL when any of them is not allocated, and for parts of a chunk's unit.
   */
  free(offset: number, blocks: number, tx?: VeaTx): void {
    this.checkAllocated(offset, blocks);
    tx?.checkOpen();
    const chunk = this.space.chunks.find(offset);
    if (chunk) this.space.freeUnits(chunk, chunk.firstUnit(offset, blocks), blocks / chunk.unitBlocks);
    else this.space.durable.add(offset, blocks, this.store);
    if (tx) {
      tx.freed.push(offset, blocks);
      this.unsettled += blocks;
      return;
    }
    this.flusher.rest(offset, blocks);
    this.flusher.ifDue(BATCHES_ON_FREE, this.openTxs === 0);
  }

  /** Starts collecting the changes of one index transaction. */
  begin(): VeaTx {
    this.openTxs++;
    return new VeaTx(this);
  }

  /**
   * Returns freed blocks to use, and the blocks of empty chunks to the free extents. Resolves with the number of
   * entries returned, when the device has been told. DER_INVAL while a transaction is open.
   */
  async flush({ force = true, entriesMax = Infinity }: VeaFlush = {}): Promise<number> {
    this.checkNoTx('flush');
    return this.flusher.flush(force, entriesMax);
  }

  /** Turns on what newer formats have: a descriptor and bitmaps. A transaction of its own; DER_INVAL inside another. */
  upgrade(): void {
    this.checkNoTx('upgrade');
    if (this.isDescribed && this.hasBitmaps) return;
    this.descriptor = { ...this.descriptor, compat: this.descriptor.compat | VEA_COMPAT_BITMAP };
    this.store.putDescriptor(this.descriptor);
    this.isDescribed = true;
  }

  /** True when every block of the range is durably free, or can be handed out. */
  isFree(view: 'persistent' | 'transient', offset: number, blocks: number): boolean {
    return this.space.isFree(view, offset, blocks);
  }

  /** Free extents in the order of their offsets. The space must not change meanwhile. */
  *freeExtents(view: 'persistent' | 'transient'): Generator<VeaExtent> {
    const extents = view === 'persistent' ? this.space.durable : this.space.ready;
    for (const [offset, blocks] of extents.extents()) yield { offset, blocks };
  }

  /** Chunks in the order of their offsets. The space must not change meanwhile. */
  *bitmaps(): Generator<VeaBitmap> {
    for (const chunk of this.space.chunks.all()) {
      const { offset, blocks, unitBlocks, state, units, freeBlocks, readyBlocks } = chunk;
      yield { offset, blocks, unitBlocks, state, words: units / 64, freeBlocks, readyBlocks };
    }
  }

  /**
   * For repair: frees a region that nobody uses though it is allocated, whatever it was allocated as, and makes it ready.
   * DER_INVAL, and nothing done, when a block of it is not allocated.
   */
  async markFree(offset: number, blocks: number): Promise<void> {
    this.checkNoTx('mark blocks free');
    const pieces = this.space.chunks.cut(offset, blocks);
    if (pieces.length === 0) this.checkAllocated(offset, blocks);
    for (const piece of pieces) this.checkAllocated(piece.offset, piece.blocks);
    for (const piece of pieces) this.free(piece.offset, piece.blocks);
    await this.flush();
  }

  /** @internal */
  sealed(): void {
    this.openTxs--;
  }

  /** @internal What a durable transaction freed begins to rest. */
  settle({ freed, chunks }: VeaTx): void {
    for (const chunk of chunks) this.space.chunks.setState(chunk, 'published');
    if (freed.length === 0) return;
    for (let i = 0; i < freed.length; i += 2) {
      const blocks = freed[i + 1] as number;
      this.flusher.rest(freed[i] as number, blocks);
      this.unsettled -= blocks;
    }
    // rows belong to some transaction, and this one is over: chunks are dissolved another time
    this.flusher.ifDue(BATCHES_ON_FREE, false);
  }

  /** @internal Called by an aborted transaction; the store's rows are rolled back by the index. */
  undo({ freed, published, chunks, hints }: VeaTx): void {
    const { space } = this;
    for (let i = freed.length - 2; i >= 0; i -= 2) {
      const offset = freed[i] as number;
      const blocks = freed[i + 1] as number;
      this.unsettled -= blocks;
      const chunk = space.chunks.find(offset);
      if (chunk) space.chunks.allocateUnits(chunk, chunk.firstUnit(offset, blocks), blocks / chunk.unitBlocks);
      else space.durable.take(offset, blocks);
    }
    for (const one of published.toReversed()) {
      const { chunk, offset, blocks } = one;
      one.state = 'reserved';
      this.reserved += blocks;
      if (chunk) space.chunks.freeUnits(chunk, chunk.firstUnit(offset, blocks), 1);
      else space.durable.add(offset, blocks);
    }
    for (const chunk of chunks.toReversed()) space.unpublishChunk(chunk);
    for (const before of hints.toReversed()) before.hint.unpublish(before);
  }

  private get hasBitmaps(): boolean {
    return (this.descriptor.compat & VEA_COMPAT_BITMAP) !== 0;
  }

  private place(blocks: number, hint: VeaHint | undefined): Reservation | undefined {
    const { space } = this;
    const isUnit = this.hasBitmaps && blocks <= VEA_BITMAP_CLASS_MAX;
    const chunk = isUnit ? space.chunkWithRoom(blocks) : undefined;
    if (chunk) {
      this.served.bitmap++;
      const offset = chunk.offset + space.chunks.takeUnit(chunk) * blocks;
      return new Reservation(offset, blocks, chunk, undefined, undefined, 0);
    }
    // a stream of large extents does not follow small ones into the gaps
    const stream = isUnit ? undefined : hint;
    const found = space.findExtent(blocks, stream?.offset);
    if (found === undefined) return undefined;
    this.served[found.by]++;
    space.ready.take(found.offset, blocks);
    const before = stream?.offset;
    const sequence = stream?.advance(found.offset + blocks) ?? 0;
    return new Reservation(found.offset, blocks, undefined, stream, before, sequence);
  }

  private get hintStore(): VeaStore | undefined {
    return this.isDescribed ? this.store : undefined;
  }

  private publishOne(own: readonly Reservation[], tx: VeaTx | undefined): void {
    const { hint, sequence, end } = own[0] as Reservation;
    const isForward = hint?.moves(sequence, sequence, 1) === true;
    this.publishSome(own, 0, tx);
    if (hint && isForward) moveHint(hint, end, sequence, this.hintStore, tx?.hints);
  }

  private publishSome(own: readonly Reservation[], from: number, tx: VeaTx | undefined): number {
    const { chunk } = own[from] as Reservation;
    return chunk ? this.publishUnits(own, from, chunk, tx) : this.publishRun(own, from, tx);
  }

  /** Publishes the contiguous extents from one on. Returns where the next ones are. */
  private publishRun(own: readonly Reservation[], from: number, tx: VeaTx | undefined): number {
    const start = (own[from] as Reservation).offset;
    let end = start;
    let i = from;
    for (; i < own.length; i++) {
      const one = own[i] as Reservation;
      if (one.offset !== end || one.chunk) break;
      end = one.end;
      this.published(one, tx);
    }
    this.space.allocateExtent(start, end - start);
    return i;
  }

  /** Publishes units of one group of a chunk. Returns where the next reservations are. */
  private publishUnits(own: readonly Reservation[], from: number, chunk: Chunk, tx: VeaTx | undefined): number {
    const { space } = this;
    if (chunk.state === 'new') {
      space.publishChunk(chunk);
      if (tx) tx.chunks.push(chunk);
      else space.chunks.setState(chunk, 'published');
    }
    const groupOf = (one: Reservation): number => Math.floor((one.offset - chunk.offset) / chunk.unitBlocks / GROUP_UNITS);
    const group = groupOf(own[from] as Reservation);
    let i = from;
    for (; i < own.length; i++) {
      const one = own[i] as Reservation;
      if (one.chunk !== chunk || groupOf(one) !== group) break;
      space.chunks.allocateUnits(chunk, chunk.firstUnit(one.offset, one.blocks), 1);
      this.published(one, tx);
    }
    space.writeGroup(chunk, group);
    return i;
  }

  private published(one: Reservation, tx: VeaTx | undefined): void {
    one.state = 'published';
    this.reserved -= one.blocks;
    tx?.published.push(one);
  }

  private checkAllocated(offset: number, blocks: number): void {
    const isRange = isCount(blocks) && Number.isInteger(offset) && offset >= 0 && offset + blocks <= this.totalBlocks;
    if (!isRange) throw new DaosError('INVAL', `cannot free ${blocks} blocks at ${offset}`);
    const { durable, chunks } = this.space;
    const chunk = chunks.find(offset);
    const unit = chunk?.firstUnit(offset, blocks) ?? -1;
    const isAllocated = chunk
      ? unit >= 0 && chunk.areAllocated(unit, blocks / chunk.unitBlocks)
      : !durable.overlaps(offset, blocks) && !chunks.overlaps(offset, blocks);
    if (!isAllocated) throw new DaosError('INVAL', `cannot free ${blocks} blocks at ${offset}: they are not allocated as a whole`);
  }

  private checkNoTx(what: string): void {
    if (this.openTxs > 0) throw new DaosError('INVAL', `cannot ${what} inside a transaction`);
  }
}
