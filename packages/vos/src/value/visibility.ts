import type { Epoch } from '@daos/common';

import type { PunchMark } from '../ilog/punch_mark.js';
import { MINOR_REMOVE, isSameExtent, newestFirst, type IndexRange } from './extent/extent_ref.js';
import { RangeList, cutOut } from './extent/range_list.js';
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
 * takes its part of them; n records cost O(n log n). A removal takes nothing but hides
 * the records of its own epoch.
 */
export class Picture {
  private readonly pieces: VisiblePiece[] = [];
  private readonly open: RangeList;
  private readonly removals: ValueRecord[] = [];

  /** `removals` are some that are known already. */
  constructor(
    private readonly view: View,
    open: readonly IndexRange[],
    removals: readonly ValueRecord[] = [],
  ) {
    this.open = new RangeList(open);
    this.removals.push(...removals);
  }

  /** True when nothing older can show any more. */
  get isFull(): boolean {
    return this.open.isEmpty;
  }

  /** True when some of the range is open. */
  isOpen(range: IndexRange): boolean {
    return this.open.overlaps(range);
  }

  /** The next older record. */
  add(record: ValueRecord): void {
    const { epoch, punch, isRaw } = this.view;
    if (record.epoch > epoch || punch?.hides(record.epoch, record.minor) || !this.isOpen(record)) return;
    if (record.minor === MINOR_REMOVE && !isRaw) {
      if (this.sees(record)) this.removals.push(record);
      return;
    }
    const ranges = isRaw || this.removals.length === 0 ? [record] : this.notRemoved(record).filter((range) => this.isOpen(range));
    if (ranges.length === 0 || !this.sees(record)) return;
    for (const range of ranges) this.open.take(range, (lo, hi) => this.pieces.push({ record, lo, hi }));
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

  private sees(record: ValueRecord): boolean {
    return record.owner === 0 || this.view.viewer.see(record);
  }

  private notRemoved(record: ValueRecord): IndexRange[] {
    let ranges: IndexRange[] = [record];
    for (const removal of this.removals) {
      if (removal.epoch === record.epoch) ranges = ranges.flatMap((range) => cutOut(range, removal));
    }
    return ranges;
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
