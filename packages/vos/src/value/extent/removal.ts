import type { Epoch } from '@daos/common';

import { OWNER_ABORTED, type ValueRecord } from '../value_record.js';
import { EXTENT_RECORDS_MAX, MINOR_REMOVE, maxOf, minOf, type ExtentRef, type IndexRange } from './extent_ref.js';

/**
 * The removals that undo `records` within [lo, hi], by epoch: for each the ranges that its records hold, joined
 * where they meet, without those that a removal undid before.
 */
export function removalsOf(records: readonly ValueRecord[], { lo, hi }: IndexRange): ExtentRef[] {
  const byEpoch = new Map<Epoch, { values: IndexRange[]; removed: IndexRange[] }>();
  for (const record of records) {
    if (record.owner === OWNER_ABORTED) continue;
    let ranges = byEpoch.get(record.epoch);
    if (!ranges) byEpoch.set(record.epoch, (ranges = { values: [], removed: [] }));
    const kind = record.minor === MINOR_REMOVE ? ranges.removed : ranges.values;
    kind.push({ lo: maxOf(record.lo, lo), hi: minOf(record.hi, hi) });
  }
  const removals: ExtentRef[] = [];
  for (const [epoch, { values, removed }] of [...byEpoch].sort(([a], [b]) => (a < b ? -1 : 1))) {
    for (const range of without(union(values), union(removed))) {
      removals.push(...inWidths(range).map((part) => ({ ...part, epoch, minor: MINOR_REMOVE })));
    }
  }
  return removals;
}

/** Ranges in order, joined where they overlap or touch. */
function union(ranges: IndexRange[]): IndexRange[] {
  const joined: IndexRange[] = [];
  for (const range of ranges.sort((a, b) => (a.lo < b.lo ? -1 : a.lo > b.lo ? 1 : 0))) {
    const last = joined.at(-1);
    if (last && range.lo <= last.hi + 1n) joined[joined.length - 1] = { lo: last.lo, hi: maxOf(last.hi, range.hi) };
    else joined.push(range);
  }
  return joined;
}

/** Both in order and disjoint. */
function without(ranges: readonly IndexRange[], holes: readonly IndexRange[]): IndexRange[] {
  const left: IndexRange[] = [];
  let next = 0;
  for (const { lo, hi } of ranges) {
    let at = lo;
    while (next < holes.length && (holes[next] as IndexRange).hi < lo) next++;
    for (let i = next; i < holes.length; i++) {
      const hole = holes[i] as IndexRange;
      if (hole.lo > hi) break;
      if (hole.lo > at) left.push({ lo: at, hi: hole.lo - 1n });
      at = hole.hi + 1n;
    }
    if (at <= hi) left.push({ lo: at, hi });
  }
  return left;
}

/** Parts of a width that a record may have. */
function inWidths({ lo, hi }: IndexRange): IndexRange[] {
  const parts: IndexRange[] = [];
  for (let at = lo; at <= hi; at += EXTENT_RECORDS_MAX) parts.push({ lo: at, hi: minOf(hi, at + EXTENT_RECORDS_MAX - 1n) });
  return parts;
}
