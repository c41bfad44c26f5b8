import type { EpochRange } from '@daos/common';

import { valuesBytes, type AkeyHead } from '../../layout/head.js';
import type { ValueRecord } from '../value_record.js';
import { Picture, type View, type VisiblePiece } from '../visibility.js';
import { INDEX_MAX, MINOR_REMOVE, isParity, isSameExtent, maxOf, minOf, overlaps, type ExtentRef, type IndexRange } from './extent_ref.js';

/** Extents that an akey's head holds before they move to places of their own. */
const COUNT_MAX = 8;
const BYTES_MAX = 1024;

/** The extents of an array that are few and small: they stand in the akey's head. Same operations as `SpilledExtents`. */
export const EmbeddedExtents = {
  /** Adds a record that is not there; false when there is no room for it. */
  insert(head: AkeyHead, record: ValueRecord): boolean {
    const values = [...head.values, record];
    if (values.length > COUNT_MAX || valuesBytes(values) > BYTES_MAX) return false;
    head.values = values;
    return true;
  },

  /** 1 when an extent meets others: overlaps or touches them, or is parity among data or the reverse. */
  meets(head: AkeyHead, { lo, hi }: IndexRange): number {
    const from = lo > 0n ? lo - 1n : 0n;
    const to = hi < INDEX_MAX ? hi + 1n : hi;
    return head.values.some((other) => overlaps(other, from, to) || isParity(other.lo) !== isParity(lo)) ? 1 : 0;
  },

  find(head: AkeyHead, ref: ExtentRef): ValueRecord | undefined {
    return head.values.find((record) => isSameExtent(record, ref));
  },

  replace(head: AkeyHead, record: ValueRecord): void {
    head.values = head.values.map((other) => (isSameExtent(other, record) ? record : other));
  },

  /** True when it was the last one. */
  remove(head: AkeyHead, ref: ExtentRef): boolean {
    head.values = head.values.filter((record) => !isSameExtent(record, ref));
    return head.values.length === 0;
  },

  overlapping(head: AkeyHead, { lo, hi }: IndexRange, epr: EpochRange): ValueRecord[] {
    return head.values.filter((record) => overlaps(record, lo, hi) && record.epoch >= epr.lo && record.epoch <= epr.hi);
  },

  visible(head: AkeyHead, range: IndexRange, view: View): VisiblePiece[] {
    const records = EmbeddedExtents.overlapping(head, range, { lo: 0n, hi: view.epoch });
    const [single] = records;
    if (!single) return [];
    const isPlain = records.length === 1 && single.owner === 0 && single.minor !== MINOR_REMOVE;
    if (!isPlain || view.punch?.hides(single.epoch, single.minor)) return new Picture(view, [range]).addAll(records).result();
    return [{ record: single, lo: maxOf(single.lo, range.lo), hi: minOf(single.hi, range.hi) }];
  },

  bounds(head: AkeyHead): IndexRange | undefined {
    const [first] = head.values;
    if (!first) return undefined;
    let { lo, hi } = first;
    for (const record of head.values) {
      lo = minOf(lo, record.lo);
      hi = maxOf(hi, record.hi);
    }
    return { lo, hi };
  },
} as const;
