import type { EpochRange } from '@daos/common';

import { viewOf } from '../../layout/bytes.js';
import type { AkeyHead } from '../../layout/head.js';
import { IndexKey } from '../../layout/index_key.js';
import { Space } from '../../layout/spaces.js';
import type { Umem, UmemEntry } from '../../umem/umem.js';
import { ValueRecord } from '../value_record.js';
import { INDEX_MAX, type ExtentRef, type IndexRange } from './extent_ref.js';

/** Rows of one extent that are read through in vain before the scan jumps. */
const VAIN_ROWS_MAX = 4;
/** Where fields stand in a VALUE key of an extent. */
const KEY_LO_AT = 8;
const KEY_NR_AT = 16;
const KEY_EPOCH_AT = 24;
const KEY_MINOR_AT = 32;
/** Bytes of a key that name the extent: space, akey, class, first index, width. */
const IDENTITY_BYTES = KEY_EPOCH_AT;

/** Tells that older versions of the same extent do not matter. */
type IsLast = (record: ValueRecord) => boolean;

/**
 * The extents of the VALUE space are filed by width class (the power of two at or below their width), then by
 * first index, width and age. An extent that overlaps a range begins less than twice its class below it, so
 * each class is searched from there on and no further. Of an extent with many versions those that cannot
 * matter are jumped over.
 */
export class PlaceSearch {
  private readonly from = new IndexKey();
  private readonly to = new IndexKey();

  constructor(private readonly umem: Umem) {}

  /**
   * Records that overlap [lo, hi], of a range of epochs; undefined is a step without one. One search at a time.
   */
  *search(head: AkeyHead, range: IndexRange, epr: EpochRange, isLast: IsLast): Generator<ValueRecord | undefined> {
    for (const cls of classesOf(head)) {
      const reach = (1n << BigInt(cls + 1)) - 2n;
      this.prefix(this.from, head, cls).u64(range.lo > reach ? range.lo - reach : 0n);
      this.prefix(this.to, head, cls).u64(range.hi).u64(INDEX_MAX).u64(INDEX_MAX).u16(0xffff);
      while (yield* this.scan(range, epr, isLast)) yield undefined;
    }
  }

  /** Reads from `from` on; true when it stopped to jump, and `from` is where to. */
  private *scan(range: IndexRange, epr: EpochRange, isLast: IsLast): Generator<ValueRecord | undefined, boolean> {
    let vain = 0;
    let extent: IndexRange | undefined;
    /** Nothing more of this extent matters. */
    let isDone = false;
    for (const entry of this.umem.range({ from: this.from, to: this.to })) {
      const ref = placeOf(entry.key);
      if (!extent || extent.lo !== ref.lo || extent.hi !== ref.hi) {
        extent = ref;
        vain = 0;
        isDone = ref.hi < range.lo;
      }
      if (ref.epoch < epr.lo) isDone = true;
      if (isDone || ref.epoch > epr.hi) {
        if (++vain > VAIN_ROWS_MAX) {
          this.from.assign(entry.key.subarray(0, IDENTITY_BYTES));
          if (isDone) this.from.toPrefixEnd();
          else this.from.u64Descending(epr.hi);
          return true;
        }
        yield undefined;
        continue;
      }
      const record = ValueRecord.decode(entry.value);
      isDone = isLast(record);
      yield record;
    }
    return false;
  }

  private prefix(key: IndexKey, head: AkeyHead, cls: number): IndexKey {
    return key.space(Space.VALUE).u48(head.no).u8(cls);
  }
}

/** The name of the record of a VALUE row, from its key. */
export function placeOf(key: UmemEntry['key']): ExtentRef {
  const view = viewOf(key);
  const lo = view.getBigUint64(KEY_LO_AT);
  return {
    lo,
    hi: lo + view.getBigUint64(KEY_NR_AT),
    epoch: INDEX_MAX - view.getBigUint64(KEY_EPOCH_AT),
    minor: 0xffff - view.getUint16(KEY_MINOR_AT),
  };
}

/** The width classes that a head's extents in the VALUE space have, narrow ones first. */
export function classesOf(head: AkeyHead): number[] {
  const classes: number[] = [];
  for (let cls = 0; head.widthClasses >> BigInt(cls) > 0n; cls++) {
    if (((head.widthClasses >> BigInt(cls)) & 1n) !== 0n) classes.push(cls);
  }
  return classes;
}

/** Largest c with 2^c <= nr. */
export function widthClass(nr: bigint): number {
  const high = Number(nr >> 32n);
  return high > 0 ? 63 - Math.clz32(high) : 31 - Math.clz32(Number(nr & 0xffff_ffffn));
}
