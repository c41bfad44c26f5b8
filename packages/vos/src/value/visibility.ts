import type { Epoch } from '@daos/common';

import type { PunchMark } from '../ilog/punch_mark.js';
import { MINOR_REMOVE, isSameExtent, maxOf, minOf, newestFirst, type IndexRange } from './extent/extent_ref.js';
import type { ValueRecord } from './value_record.js';

/** What of an extent (or a hole) is seen: first and last record index. */
export interface VisiblePiece extends IndexRange {
  readonly record: ValueRecord;
}

/**
 * Who looks: decides about records that are not committed (`owner` not 0; it is not asked about others). What
 * it does not show is as if absent, and what lies below shows. May throw DER_INPROGRESS; it is asked only when
 * the answer counts.
 */
export interface ValueViewer {
  see(record: ValueRecord): boolean;
}

export const SEES_COMMITTED: ValueViewer = { see: () => false };
export const SEES_ALL: ValueViewer = { see: () => true };

/** From where an array is looked at. */
export interface View {
  /** Newer records are not seen. */
  readonly epoch: Epoch;
  /** Punch of the akey or above it: hides what is not newer. */
  readonly punch: PunchMark | undefined;
  readonly viewer: ValueViewer;
  /** Removals are records like others: the picture of what lies on top. */
  readonly isRaw?: boolean;
}

/**
 * Lays records under each other, newest first, and cuts out what shows in the ranges that are open: each record
 * takes its part of them, found by bisection, so n records cost O(n log n). A removal takes nothing but hides
 * the records of its own epoch.
 */
export class Picture {
  private readonly pieces: VisiblePiece[] = [];
  private readonly open: IndexRange[];
  private readonly removals: ValueRecord[] = [];

  /** `removals` are some that are known already. */
  constructor(
    private readonly view: View,
    open: readonly IndexRange[],
    removals: readonly ValueRecord[] = [],
  ) {
    this.open = open.slice();
    this.removals.push(...removals);
  }

  /** True when nothing older can show any more. */
  get isFull(): boolean {
    return this.open.length === 0;
  }

  /** True when some of the range is open. */
  isOpen({ lo, hi }: IndexRange): boolean {
    const range = this.open[this.firstEndingAt(lo)];
    return range !== undefined && range.lo <= hi;
  }

  /** The next older record. */
  add(record: ValueRecord): void {
    const { epoch, punch, viewer, isRaw } = this.view;
    if (record.epoch > epoch || punch?.hides(record.epoch, record.minor) || !this.isOpen(record)) return;
    if (record.owner !== 0 && !viewer.see(record)) return;
    if (isRaw) this.take(record, record);
    else if (record.minor === MINOR_REMOVE) this.removals.push(record);
    else for (const range of this.notRemoved(record)) this.take(record, range);
  }

  addAll(records: ValueRecord[]): this {
    for (const record of records.sort(newestFirst)) {
      if (this.isFull) break;
      this.add(record);
    }
    return this;
  }

  /** What shows, in ascending order, holes included. */
  result(): VisiblePiece[] {
    return joinPieces(this.pieces.sort((a, b) => (a.lo < b.lo ? -1 : 1)));
  }

  private notRemoved(record: ValueRecord): IndexRange[] {
    let ranges: IndexRange[] = [record];
    for (const removal of this.removals) {
      if (removal.epoch === record.epoch) ranges = ranges.flatMap((range) => cutOut(range, removal));
    }
    return ranges;
  }

  /** Gives a record what is open of a part of it. */
  private take(record: ValueRecord, part: IndexRange): void {
    const { open } = this;
    const first = this.firstEndingAt(part.lo);
    const remains: IndexRange[] = [];
    let end = first;
    for (; end < open.length; end++) {
      const range = open[end] as IndexRange;
      if (range.lo > part.hi) break;
      this.pieces.push({ record, lo: maxOf(range.lo, part.lo), hi: minOf(range.hi, part.hi) });
      remains.push(...cutOut(range, part));
    }
    if (end > first) open.splice(first, end - first, ...remains);
  }

  /** Index of the first open range that does not end before `index`. */
  private firstEndingAt(index: bigint): number {
    let low = 0;
    let high = this.open.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.open[middle] as IndexRange).hi < index) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Joins neighbouring pieces of one record. */
export function joinPieces(pieces: readonly VisiblePiece[]): VisiblePiece[] {
  const joined: VisiblePiece[] = [];
  for (const piece of pieces) {
    const last = joined.at(-1);
    if (last && last.hi + 1n === piece.lo && isSameExtent(last.record, piece.record)) {
      joined[joined.length - 1] = { record: last.record, lo: last.lo, hi: piece.hi };
    } else joined.push(piece);
  }
  return joined;
}

/** What is left of a range without another. */
export function cutOut(range: IndexRange, { lo, hi }: IndexRange): IndexRange[] {
  if (lo > range.hi || hi < range.lo) return [range];
  const left: IndexRange[] = [];
  if (range.lo < lo) left.push({ lo: range.lo, hi: lo - 1n });
  if (range.hi > hi) left.push({ lo: hi + 1n, hi: range.hi });
  return left;
}
