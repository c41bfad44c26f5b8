import type { ValueRecord } from './value_record.js';

/** What of an extent (or a hole) is seen: first and last record index. */
export interface VisiblePiece {
  readonly record: ValueRecord;
  readonly lo: bigint;
  readonly hi: bigint;
}

/** Newest first; at one epoch the larger minor epoch wins. */
function newestFirst(a: ValueRecord, b: ValueRecord): number {
  if (a.epoch !== b.epoch) return a.epoch > b.epoch ? -1 : 1;
  return b.minor - a.minor;
}

/**
 * Lays extents over each other, newest on top, and cuts out what shows in [lo, hi]: pieces in ascending
 * order, holes included. Newer extents take their part of the ranges that are still open; each such range is
 * found by bisection, so the cost is O(n log n) for n extents. The order of `records` is changed.
 */
export function visiblePieces(records: ValueRecord[], lo: bigint, hi: bigint): VisiblePiece[] {
  const single = records[0];
  if (single === undefined) return [];
  if (records.length === 1) {
    const from = single.lo > lo ? single.lo : lo;
    const to = single.hi < hi ? single.hi : hi;
    return from <= to ? [{ record: single, lo: from, hi: to }] : [];
  }
  records.sort(newestFirst);
  const pieces: VisiblePiece[] = [];
  const open: [bigint, bigint][] = [[lo, hi]];
  for (const record of records) {
    if (open.length === 0) break;
    take(open, record, pieces);
  }
  return pieces.sort((a, b) => (a.lo < b.lo ? -1 : 1));
}

/** Gives a record what is open of its range. */
function take(open: [bigint, bigint][], record: ValueRecord, pieces: VisiblePiece[]): void {
  const first = firstEndingAt(open, record.lo);
  const remains: [bigint, bigint][] = [];
  let last = first;
  for (; last < open.length; last++) {
    const [from, to] = open[last] as [bigint, bigint];
    if (from > record.hi) break;
    const lo = from > record.lo ? from : record.lo;
    const hi = to < record.hi ? to : record.hi;
    pieces.push({ record, lo, hi });
    if (from < lo) remains.push([from, lo - 1n]);
    if (to > hi) remains.push([hi + 1n, to]);
  }
  if (last > first) open.splice(first, last - first, ...remains);
}

/** Index of the first open range that does not end before `index`. */
function firstEndingAt(open: readonly [bigint, bigint][], index: bigint): number {
  let low = 0;
  let high = open.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((open[middle] as [bigint, bigint])[1] < index) low = middle + 1;
    else high = middle;
  }
  return low;
}
