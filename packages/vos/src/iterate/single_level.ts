import type { Epoch } from '@daos/common';

import type { AkeyHead } from '../layout/head.js';
import { IndexKey } from '../layout/index_key.js';
import { SINGLE_CLASS, Space } from '../layout/spaces.js';
import { ExtentFlag } from '../value/extent/sweep.js';
import { ValueRecord } from '../value/value_record.js';
import type { IterContext } from './context.js';
import { notOfLevel, type Item, type Level, type Parent, type Slice } from './level.js';
import type { Place } from './place.js';
import { EpochExpr, VosIterFlag, VosIterType } from './types.js';
import { akeyOf, valueItem } from './value_item.js';

/** The versions of a single value, by epoch. */
export class SingleLevel implements Level {
  readonly type = VosIterType.SINGLE;
  private readonly isAscending: boolean;

  constructor(
    private readonly context: IterContext,
    private readonly parent: Parent,
  ) {
    this.isAscending = context.expr !== EpochExpr.LE && context.expr !== EpochExpr.RR;
  }

  slice(place: Place, count: number): Slice {
    const head = akeyOf(this.context, this.parent);
    if (place.kind === 'end' || !head) return { items: [], next: undefined };
    let { lo, hi } = this.context.range;
    if (place.kind === 'index') {
      const { index, isInclusive } = place;
      if (this.isAscending) lo = max(lo, isInclusive ? index : index + 1n);
      else hi = min(hi, isInclusive ? index : index - 1n);
    } else if (place.kind !== 'start') throw notOfLevel('versions');
    if (lo > hi) return { items: [], next: undefined };
    const records = this.isAscending ? this.oldest(head, lo, hi, count) : this.newest(head, lo, hi, count);
    const items: Item[] = [];
    const seen = this.visibleEpoch(head);
    for (const record of records) {
      const visibility = record.epoch === seen ? ExtentFlag.VISIBLE : ExtentFlag.COVERED;
      if (this.isShown(record, visibility)) {
        items.push(valueItem(this.context, this.parent, record, { lo: 0n, hi: 0n, visibility, isSorted: true }));
      }
    }
    const last = records.at(-1);
    const isMore = last !== undefined && records.length >= count;
    return { items, next: isMore ? { kind: 'index', index: last.epoch, isInclusive: false } : undefined };
  }

  private isShown(record: ValueRecord, visibility: number): boolean {
    const { context, parent } = this;
    if (!context.see(record)) return false;
    if (record.isHole && context.has(VosIterFlag.RECX_SKIP_HOLES)) return false;
    const wanted = context.flags & VosIterFlag.RECX_COVERED;
    if (wanted === VosIterFlag.RECX_VISIBLE && visibility !== ExtentFlag.VISIBLE) return false;
    const showsHidden = wanted === VosIterFlag.RECX_COVERED || context.showsPunched;
    return showsHidden || !parent.state.punch.hides(record.epoch, record.minor);
  }

  /** Epoch of the version that shows at the range's end; -1: none. */
  private visibleEpoch(head: AkeyHead): Epoch {
    const { context, parent } = this;
    const { hi } = context.range;
    return context.store.singles.find(head, { hi, bound: hi, punch: parent.state.punch, viewer: context })?.epoch ?? -1n;
  }

  private newest(head: AkeyHead, lo: Epoch, hi: Epoch, count: number): ValueRecord[] {
    const records: ValueRecord[] = [];
    for (const record of this.context.store.singles.versions(head, lo, hi)) {
      records.push(record);
      if (records.length === count) break;
    }
    return records;
  }

  /** The other way round: filed versions from behind, and the newest one, which stands in the head. */
  private oldest(head: AkeyHead, lo: Epoch, hi: Epoch, count: number): ValueRecord[] {
    const records: ValueRecord[] = [];
    if (head.isSpilled || head.values[0]?.isApart) {
      const from = new IndexKey().space(Space.VALUE).u48(head.no).u8(SINGLE_CLASS).u64Descending(hi);
      const to = new IndexKey().space(Space.VALUE).u48(head.no).u8(SINGLE_CLASS).u64Descending(lo).u8(0);
      const rows = this.context.store.umem.range({ from, to, reverse: true, limit: count });
      for (const { value } of rows) records.push(ValueRecord.decode(value));
    }
    const newest = head.values[0];
    if (records.length < count && newest && !newest.isApart && newest.epoch >= lo && newest.epoch <= hi) records.push(newest);
    return records;
  }
}

function min(a: Epoch, b: Epoch): Epoch {
  return a < b ? a : b;
}

function max(a: Epoch, b: Epoch): Epoch {
  return a > b ? a : b;
}
