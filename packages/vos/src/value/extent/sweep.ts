import type { PunchMark } from '../../ilog/punch_mark.js';
import type { ValueRecord } from '../value_record.js';
import { MINOR_REMOVE, isNewer, maxOf, minOf, overlaps, type IndexRange } from './extent_ref.js';
import { cutOut } from './range_list.js';

/** What an entry of an iteration is. */
export const ExtentFlag = {
  VISIBLE: 1,
  COVERED: 2,
  /** A removal. */
  REMOVE: 4,
  /** Not the whole record. */
  PARTIAL: 8,
  /** The last entry of a sorted iteration. */
  LAST: 16,
} as const;

const { VISIBLE, COVERED, REMOVE, PARTIAL } = ExtentFlag;

/** A record, or a part of it from `lo` to `hi`. */
export interface ExtentEntry extends IndexRange {
  readonly record: ValueRecord;
  /** `ExtentFlag` bits. */
  readonly flags: number;
}

/** By first index; at one index newest first. */
export function placeOrder(a: ExtentEntry, b: ExtentEntry): number {
  if (a.lo !== b.lo) return a.lo < b.lo ? -1 : 1;
  if (a.record.epoch !== b.record.epoch) return a.record.epoch > b.record.epoch ? -1 : 1;
  if (a.record.minor !== b.record.minor) return b.record.minor - a.record.minor;
  return a.hi < b.hi ? -1 : a.hi > b.hi ? 1 : 0;
}

/**
 * Cuts records where one covers another and tells for every piece whether it shows: a sweep over the indices
 * in O(n log n). Records that `punch` hides are covered, and so is what a removal of the same epoch undoes.
 * The result is in place order. This is the algorithm of DAOS's extent tree (evt_find, sorted iterator), so
 * pieces are cut where its are.
 */
export function sweepExtents(records: Iterable<ValueRecord>, punch?: PunchMark): ExtentEntry[] {
  const done: ExtentEntry[] = [];
  const queue = new EntryHeap();
  const removals: ValueRecord[] = [];
  const values: ValueRecord[] = [];
  for (const record of records) {
    if (punch?.hides(record.epoch, record.minor)) done.push(entryOf(record, record, COVERED));
    else if (record.minor === MINOR_REMOVE) removals.push(record);
    else values.push(record);
  }
  for (const removal of removals) done.push(entryOf(removal, removal, REMOVE));
  for (const record of values) {
    for (const range of splitRemoved(record, removals, done)) queue.push(entryOf(record, range, 0));
  }
  sweep(queue, done);
  return done.sort(placeOrder);
}

/** What removals leave of a record; what they take goes to `done`. */
function splitRemoved(record: ValueRecord, removals: readonly ValueRecord[], done: ExtentEntry[]): IndexRange[] {
  let left: IndexRange[] = [record];
  for (const removal of removals) {
    if (removal.epoch !== record.epoch) continue;
    for (const range of left) {
      if (!overlaps(range, removal.lo, removal.hi)) continue;
      done.push(entryOf(record, { lo: maxOf(range.lo, removal.lo), hi: minOf(range.hi, removal.hi) }, COVERED));
    }
    left = left.flatMap((range) => cutOut(range, removal));
  }
  return left;
}

function sweep(queue: EntryHeap, done: ExtentEntry[]): void {
  const put = (record: ValueRecord, lo: bigint, hi: bigint, flag: number): void => {
    if (lo <= hi) done.push(entryOf(record, { lo, hi }, flag));
  };
  let top = queue.pop();
  while (top) {
    const { record, lo, hi } = top;
    const next = nextFor(top, queue, done);
    if (!next || next.lo > hi) {
      put(record, lo, hi, VISIBLE);
      top = next;
      continue;
    }
    if (!isNewer(next.record, record)) {
      // it goes on behind the top one
      put(next.record, next.lo, hi, COVERED);
      queue.push(entryOf(next.record, { lo: hi + 1n, hi: next.hi }, 0));
      continue;
    }
    put(record, lo, next.lo - 1n, VISIBLE);
    put(record, next.lo, minOf(hi, next.hi), COVERED);
    if (next.hi < hi) queue.push(entryOf(record, { lo: next.hi + 1n, hi }, 0));
    top = next;
  }
}

/** The next entry that is newer than `top` or goes beyond it; those before it are covered. */
function nextFor(top: ExtentEntry, queue: EntryHeap, done: ExtentEntry[]): ExtentEntry | undefined {
  for (;;) {
    const next = queue.pop();
    if (!next || next.hi > top.hi || isNewer(next.record, top.record)) return next;
    done.push(entryOf(next.record, next, COVERED));
  }
}

function entryOf(record: ValueRecord, { lo, hi }: IndexRange, flag: number): ExtentEntry {
  return { record, lo, hi, flags: lo === record.lo && hi === record.hi ? flag : flag | PARTIAL };
}

/** Entries by place order, the first one on top: a binary heap. */
class EntryHeap {
  private readonly entries: ExtentEntry[] = [];

  push(entry: ExtentEntry): void {
    const { entries } = this;
    let at = entries.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = entries[parent] as ExtentEntry;
      if (placeOrder(above, entry) <= 0) break;
      entries[at] = above;
      at = parent;
    }
    entries[at] = entry;
  }

  pop(): ExtentEntry | undefined {
    const { entries } = this;
    const top = entries[0];
    const last = entries.pop();
    if (!last || entries.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const right = entries[child + 1];
      let below = entries[child];
      if (right && below && placeOrder(right, below) < 0) {
        below = right;
        child++;
      }
      if (!below || placeOrder(last, below) <= 0) break;
      entries[at] = below;
      at = child;
    }
    entries[at] = last;
    return top;
  }
}
