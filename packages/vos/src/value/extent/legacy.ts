import type { AkeyHead } from '../../layout/head.js';
import { IndexKey } from '../../layout/index_key.js';
import { Space } from '../../layout/spaces.js';
import type { Umem } from '../../umem/umem.js';
import { ValueRecord } from '../value_record.js';
import { INDEX_MAX, maxOf, minOf, type IndexRange } from './extent_ref.js';
import { classesOf } from './place_search.js';

/** A range of indices that a scan looks at, and where it goes on. */
export interface LegacyWindow extends IndexRange {
  readonly next: bigint | undefined;
}

/**
 * Scans of an array that version 1 of the layout stored, without LIVE rows, go through it in windows: `count`
 * times twice the width of its narrowest extents. Undefined: nothing is there.
 */
export function legacyWindow(
  bounds: IndexRange | undefined,
  head: AkeyHead,
  from: bigint,
  isDescending: boolean,
  count: number,
): LegacyWindow | undefined {
  const width = BigInt(count) * 2n ** BigInt((classesOf(head)[0] ?? 0) + 1);
  if (!bounds) return undefined;
  if (isDescending) {
    const hi = minOf(from, bounds.hi);
    const lo = maxOf(hi - width + 1n, 0n);
    return hi < bounds.lo ? undefined : { lo, hi, next: lo > bounds.lo ? lo - 1n : undefined };
  }
  const lo = maxOf(from, bounds.lo);
  const hi = minOf(lo + width - 1n, INDEX_MAX);
  return lo > bounds.hi ? undefined : { lo, hi, next: hi < bounds.hi ? hi + 1n : undefined };
}

/** Bounds of such an array: the last index may be too large by the width of an extent. */
export function legacyBounds(umem: Umem, head: AkeyHead): IndexRange | undefined {
  let bounds: IndexRange | undefined;
  for (const cls of classesOf(head)) {
    const from = new IndexKey().space(Space.VALUE).u48(head.no).u8(cls);
    const to = new IndexKey().assign(from.copy()).toPrefixEnd();
    for (const reverse of [false, true]) {
      for (const { value } of umem.range({ from, to, reverse, limit: 1 })) {
        const { lo } = ValueRecord.decode(value);
        // extents of one class differ in width by less than a factor of two
        const hi = minOf(lo + 2n * (1n << BigInt(cls)), INDEX_MAX);
        bounds = bounds ? { lo: minOf(bounds.lo, lo), hi: maxOf(bounds.hi, hi) } : { lo, hi };
      }
    }
  }
  return bounds;
}
