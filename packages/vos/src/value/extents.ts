import type { Epoch, EpochRange } from '@daos/common';

import type { AkeyHead } from '../layout/head.js';
import type { PunchMark } from '../ilog/punch_mark.js';
import type { Umem } from '../umem/umem.js';
import type { DataStore } from './data_store.js';
import { EmbeddedExtents } from './extent/embedded_extents.js';
import { EXTENT_RECORDS_MAX, INDEX_MAX, MINOR_REMOVE, isSameExtent, maxOf, minOf, type ExtentRef, type IndexRange } from './extent/extent_ref.js';
import { checkOverlaps, checkShape, type ExtentWrite } from './extent/insert_rules.js';
import { RecordMerge, mergeOrder, scanRecords, selectEntries, type RecordScan } from './extent/iteration.js';
import { legacyBounds, legacyWindow } from './extent/legacy.js';
import { ExtentWatches, type ExtentWatch } from './extent/extent_watch.js';
import { removalsOf } from './extent/removal.js';
import { SpilledExtents } from './extent/spilled_extents.js';
import { sweepExtents, type ExtentEntry } from './extent/sweep.js';
import { ExtentUpkeep, resetHead, type DrainSlice } from './extent/upkeep.js';
import { OWNER_COMMITTED, ValueRecord } from './value_record.js';
import { SEES_ALL, SEES_COMMITTED, type ValueViewer, type View, type VisiblePiece } from './visibility.js';

export { EXTENT_RECORDS_MAX, INDEX_MAX };

/** What a sorted iteration looks at, and what it shows (`ExtentIter` flags). */
export interface ExtentIteration extends IndexRange {
  readonly epr: EpochRange;
  readonly punch?: PunchMark | undefined;
  readonly viewer?: ValueViewer;
  readonly flags: number;
}

/** Visible pieces of some of the indices, and where the next ones are. */
export interface ExtentWindow extends IndexRange {
  readonly pieces: VisiblePiece[];
  /** First index behind the window in the direction of the scan; undefined: nothing more is there. */
  readonly next: bigint | undefined;
}

/**
 * The extents of an array, all versions of them. A few small ones stand in the akey's head (`EmbeddedExtents`),
 * else they are in the LIVE and HISTORY spaces (`SpilledExtents`). Whoever changes an array marks its head
 * modified. A record is named by its exact extent, epoch and minor epoch.
 */
export class Extents {
  private readonly spilled: SpilledExtents;
  private readonly upkeep: ExtentUpkeep;
  private readonly watches = new ExtentWatches();

  constructor(
    private readonly umem: Umem,
    private readonly data: DataStore,
  ) {
    this.spilled = new SpilledExtents(umem);
    this.upkeep = new ExtentUpkeep(umem, data, this.spilled);
  }

  /**
   * Everything that can refuse a write; changes nothing. The result is the minor epoch to write with: the
   * given one, but rebuild never replaces what it wrote and gets the next one free. Throws DER_NO_PERM (data
   * too wide), DER_INVAL (another record size), DER_TX_RESTART (a record between epoch and bound),
   * DER_VOS_PARTIAL_UPDATE (cuts a record of the same epoch).
   */
  check(head: AkeyHead, write: ExtentWrite): number {
    checkShape(write, head.recordSize);
    if (write.epoch > head.maxEpoch) return write.minor;
    let { minor } = write;
    for (const { lo, hi } of this.partsOf(head, write)) {
      const others = this.overlapping(head, { lo, hi }, { lo: write.epoch, hi: write.bound });
      minor = Math.max(minor, checkOverlaps({ ...write, lo, hi }, others));
    }
    return minor;
  }

  /**
   * Adds a record; one with the same name is replaced and its space freed. A hole that is too wide for one
   * record is laid over the data that shows at its epoch. The result is 1 when aggregation has something to
   * do (the extent meets others, or parity meets data), else 0.
   */
  write(head: AkeyHead, record: ValueRecord): number {
    if (!record.isHole || record.hi - record.lo < EXTENT_RECORDS_MAX) return this.add(head, record);
    let hint = 0;
    for (const { lo, hi } of this.partsOf(head, { ...nameOf(record), size: 0 })) {
      hint |= this.add(head, ValueRecord.hole(record.epoch, record.minor, lo, hi, record.owner));
    }
    return hint;
  }

  /**
   * What is seen of [lo, hi] at `epoch`: pieces in ascending order, holes included. O(log n + pieces) for the
   * newest picture. Throws what the viewer throws (DER_INPROGRESS).
   */
  visible(head: AkeyHead, lo: bigint, hi: bigint, epoch: Epoch, punch?: PunchMark, viewer = SEES_COMMITTED): VisiblePiece[] {
    const view = { epoch, punch, viewer };
    return head.isSpilled ? this.spilled.visible(head, { lo, hi }, view) : EmbeddedExtents.visible(head, { lo, hi }, view);
  }

  /** The part of the visible picture from an index on that some `rows` of the index hold. For scans. */
  window(head: AkeyHead, from: bigint, isDescending: boolean, rows: number, view: View): ExtentWindow {
    if (!head.isSpilled) {
      const range = isDescending ? { lo: 0n, hi: from } : { lo: from, hi: INDEX_MAX };
      return { ...range, pieces: EmbeddedExtents.visible(head, range, view), next: undefined };
    }
    if (!head.hasLive) {
      const part = legacyWindow(this.bounds(head), head, from, isDescending, rows);
      return part ? { ...part, pieces: this.spilled.visible(head, part, view) } : { lo: from, hi: from, pieces: [], next: undefined };
    }
    const found = this.spilled.live.from(head.no, from, isDescending, rows);
    const last = found.at(-1);
    if (!last) return { lo: from, hi: from, pieces: [], next: undefined };
    const isEnd = found.length < rows || (isDescending ? last.lo === 0n : last.hi === INDEX_MAX);
    const range = isDescending ? { lo: last.lo, hi: from } : { lo: from, hi: last.hi };
    const pieces = this.spilled.resolve(head, isDescending ? found.reverse() : found, range, view);
    return { ...range, pieces, next: isEnd ? undefined : isDescending ? last.lo - 1n : last.hi + 1n };
  }

  /** First and last index of all records, visible or not; undefined when there is none. */
  bounds(head: AkeyHead): IndexRange | undefined {
    if (!head.isSpilled) return EmbeddedExtents.bounds(head);
    if (!head.hasLive) head.bounds ??= legacyBounds(this.umem, head);
    return this.spilled.bounds(head);
  }

  /** The record of this name. */
  find(head: AkeyHead, ref: ExtentRef): ValueRecord | undefined {
    return head.isSpilled ? this.spilled.find(head, ref) : EmbeddedExtents.find(head, ref);
  }

  /** Changes the owner of a record: 0 commits it. False when it is not there. */
  setOwner(head: AkeyHead, ref: ExtentRef, owner: number): boolean {
    return this.change(head, ref, (record) => record.with({ owner }));
  }

  /** Marks the stored data of a record as damaged. False when it is not there. */
  markCorrupted(head: AkeyHead, ref: ExtentRef): boolean {
    return this.change(head, ref, (record) => record.with({ isCorrupted: true }));
  }

  /** Takes a record out and frees its space; what it covered shows again. False when it is not there. */
  delete(head: AkeyHead, ref: ExtentRef): boolean {
    const record = this.find(head, ref);
    if (!record) return false;
    this.watches.changed(head, ref);
    this.upgrade(head);
    this.data.free(record);
    const isLast = head.isSpilled ? this.spilled.remove(head, ref) : EmbeddedExtents.remove(head, ref);
    if (isLast) resetHead(head);
    return true;
  }

  /**
   * Undoes all versions in [lo, hi] with an epoch of the range, so that older data reappears: one removal for
   * each epoch and run of records. The result names the removals.
   */
  removeAll(head: AkeyHead, lo: bigint, hi: bigint, epr: EpochRange, owner = OWNER_COMMITTED): ExtentRef[] {
    const removals = removalsOf(this.overlapping(head, { lo, hi }, epr), { lo, hi });
    for (const removal of removals) {
      this.add(head, ValueRecord.hole(removal.epoch, MINOR_REMOVE, removal.lo, removal.hi, owner));
    }
    return removals;
  }

  /**
   * Puts records (ascending, disjoint) in the place of others. `sources` are all that shows in the ranges of `merged` among the records up
   * to the newest of these, and show nowhere else; they leave the array and their space is freed. Nothing of the range
   * may be a removal, or not committed.
   */
  merge(head: AkeyHead, merged: readonly ValueRecord[], sources: readonly ValueRecord[]): void {
    for (const source of sources) this.data.free(source);
    for (const record of merged) this.watches.changed(head, record);
    if (head.isSpilled) {
      this.spilled.merge(head, merged, sources);
      return;
    }
    head.values = head.values.filter((record) => !sources.some((source) => isSameExtent(source, record)));
    for (const record of merged) {
      if (head.isSpilled) this.spilled.insert(head, record);
      else if (!EmbeddedExtents.insert(head, record)) this.spill(head, record);
    }
  }

  /** From now on tells whether records of the akey change that are not newer than `hi`. End it. */
  watch(head: AkeyHead, hi: Epoch): ExtentWatch {
    return this.watches.add(head.no, hi);
  }

  /** All records that overlap a range, of a range of epochs, in no order. */
  overlapping(head: AkeyHead, range: IndexRange, epr: EpochRange): ValueRecord[] {
    return head.isSpilled ? this.spilled.overlapping(head, range, epr) : EmbeddedExtents.overlapping(head, range, epr);
  }

  /** A page of all records, by first index, width and age. DER_AGAIN when the record to begin with is gone. */
  records(head: AkeyHead, scan: RecordScan): { entries: ExtentEntry[]; next: ExtentRef | undefined } {
    if (!head.isSpilled) {
      const { from } = scan;
      const values = head.values.filter((record) => !from || mergeOrder(record, from) >= 0).sort(mergeOrder);
      const source = values.values();
      return scanRecords({ next: () => source.next().value }, scan);
    }
    const merge = new RecordMerge(this.umem, head, scan.from);
    try {
      return scanRecords(merge, scan);
    } finally {
      merge.close();
    }
  }

  /** A sorted iteration: a snapshot, which later changes do not disturb. Removals need the viewer's consent, too. */
  entries(head: AkeyHead, { lo, hi, epr, punch, viewer = SEES_COMMITTED, flags }: ExtentIteration): ExtentEntry[] {
    const records = this.overlapping(head, { lo, hi }, epr).filter((record) => record.owner === 0 || viewer.see(record));
    return selectEntries(sweepExtents(records, punch), flags);
  }

  /** Removes records for garbage collection, one credit each row of the index. */
  drain(head: AkeyHead, credits: number): DrainSlice {
    return this.upkeep.drain(head, credits);
  }

  /** Brings an array of an older layout up to date, in one go. True when it was one: mark the head. */
  upgrade(head: AkeyHead): boolean {
    return this.upkeep.upgrade(head);
  }

  private add(head: AkeyHead, record: ValueRecord): number {
    this.watches.changed(head, record);
    this.upgrade(head);
    if (record.epoch <= head.maxEpoch) {
      const present = this.find(head, record);
      if (present) return this.replace(head, present, record);
    } else head.maxEpoch = record.epoch;
    if (!record.isHole) head.recordSize = record.size;
    else if (record.minor === MINOR_REMOVE) head.hasRemovals = true;
    if (head.isSpilled) return this.spilled.insert(head, record);
    const hint = EmbeddedExtents.meets(head, record);
    if (!EmbeddedExtents.insert(head, record)) this.spill(head, record);
    return hint;
  }

  private replace(head: AkeyHead, present: ValueRecord, record: ValueRecord): number {
    this.data.free(present);
    if (!record.isHole) head.recordSize = record.size;
    if (head.isSpilled) this.spilled.replace(head, record);
    else EmbeddedExtents.replace(head, record);
    return 1;
  }

  private spill(head: AkeyHead, record: ValueRecord): void {
    const values = [...head.values, record];
    head.values = [];
    head.isSpilled = true;
    head.hasLive = true;
    this.spilled.live.begin(head.no);
    for (const value of values) this.spilled.insert(head, value);
  }

  private change(head: AkeyHead, ref: ExtentRef, change: (record: ValueRecord) => ValueRecord): boolean {
    const record = this.find(head, ref);
    if (!record) return false;
    this.watches.changed(head, ref);
    if (head.isSpilled) this.spilled.replace(head, change(record));
    else EmbeddedExtents.replace(head, change(record));
    return true;
  }

  /** Where a write goes: for a hole that is too wide for one record, the data that shows there. */
  private partsOf(head: AkeyHead, { lo, hi, epoch, size }: Omit<ExtentWrite, 'bound'>): readonly IndexRange[] {
    if (size > 0 || hi - lo < EXTENT_RECORDS_MAX) return [{ lo, hi }];
    const seen = this.visible(head, lo, hi, epoch, undefined, SEES_ALL);
    return seen.filter(({ record }) => !record.isHole).map((piece) => ({ lo: maxOf(piece.lo, lo), hi: minOf(piece.hi, hi) }));
  }
}

function nameOf({ lo, hi, epoch, minor }: ExtentRef): ExtentRef {
  return { lo, hi, epoch, minor };
}
