import type { EpochRange } from '@daos/common';
import { assert } from '@daos/gurt';

import { EMPTY, viewOf } from '../../layout/bytes.js';
import type { AkeyHead } from '../../layout/head.js';
import { IndexKey } from '../../layout/index_key.js';
import { Space } from '../../layout/spaces.js';
import type { Umem } from '../../umem/umem.js';
import { ValueRecord } from '../value_record.js';
import { Picture, type View, type VisiblePiece } from '../visibility.js';
import { overlaps, type ExtentRef, type IndexRange } from './extent_ref.js';
import { PlaceSearch, widthClass } from './place_search.js';

/** Where fields stand in a TIME key. */
const TIME_EPOCH_AT = 7;
const TIME_MINOR_AT = 15;
const TIME_LO_AT = 17;
const TIME_NR_AT = 25;
const ALL_BITS = 0xffff_ffff_ffff_ffffn;

/**
 * The records that are covered, wholly or in part: filed by place (VALUE space) and by age (TIME space). A
 * question about a range can be answered either way: by all that overlaps it, or by going back in time until
 * the range is filled. Which is cheaper depends on the array's past, so when the first does not end soon both run
 * step by step, and the one that ends first answers: about twice the cost of the better one at most.
 */
export class History {
  private readonly key = new IndexKey();
  private readonly timeFrom = new IndexKey();
  private readonly timeTo = new IndexKey();
  private readonly places: PlaceSearch;

  constructor(private readonly umem: Umem) {
    this.places = new PlaceSearch(umem);
  }

  get(akeyNo: number, ref: ExtentRef): ValueRecord | undefined {
    const value = this.umem.get(placeKey(this.key, akeyNo, ref));
    return value && ValueRecord.decode(value);
  }

  /** A record that must be there. */
  mustGet(akeyNo: number, ref: ExtentRef): ValueRecord {
    const record = this.get(akeyNo, ref);
    assert(record, `[${ref.lo}, ${ref.hi}]@${ref.epoch}.${ref.minor} of akey ${akeyNo} is missing from the VALUE space`);
    return record;
  }

  put(head: AkeyHead, record: ValueRecord): void {
    head.widthClasses |= 1n << BigInt(widthClass(record.nr));
    this.replace(head.no, record);
    this.putTime(head.no, record);
  }

  /** Files a record by age that is filed by place already. */
  putTime(akeyNo: number, ref: ExtentRef): void {
    this.umem.put(timeKey(this.key, akeyNo, ref), EMPTY);
  }

  /** Changes a record that is there. */
  replace(akeyNo: number, record: ValueRecord): void {
    this.umem.put(placeKey(this.key, akeyNo, record), record.lendBytes());
  }

  remove(akeyNo: number, ref: ExtentRef): void {
    this.umem.remove(placeKey(this.key, akeyNo, ref));
    this.umem.remove(timeKey(this.key, akeyNo, ref));
  }

  /** What shows of the records here in the open ranges. `removals` are those known from the LIVE space. */
  look(head: AkeyHead, view: View, open: readonly IndexRange[], removals: readonly ValueRecord[]): VisiblePiece[] {
    const byPlace = this.lookByPlace(head, view, open, new Picture(view, open, removals));
    if (!head.hasLive) return toEnd(byPlace);
    return firstToEnd(byPlace, () => this.lookByTime(head.no, view, open, new Picture(view, open, removals)));
  }

  /** All records that overlap [lo, hi], of a range of epochs. */
  collect(head: AkeyHead, range: IndexRange, epr: EpochRange): ValueRecord[] {
    const byPlace = this.collectByPlace(head, range, epr);
    return head.hasLive ? firstToEnd(byPlace, () => this.collectByTime(head.no, range, epr)) : toEnd(byPlace);
  }

  private *lookByTime(akeyNo: number, view: View, open: readonly IndexRange[], picture: Picture): Search<VisiblePiece[]> {
    const hull = { lo: open[0]?.lo ?? 0n, hi: open.at(-1)?.hi ?? 0n };
    for (const ref of this.backInTime(akeyNo, { lo: 0n, hi: view.epoch })) {
      if (view.punch?.hides(ref.epoch, ref.minor)) break;
      if (overlaps(ref, hull.lo, hull.hi) && picture.isOpen(ref)) picture.add(this.mustGet(akeyNo, ref));
      if (picture.isFull) break;
      yield;
    }
    return picture.result();
  }

  private *lookByPlace(
    head: AkeyHead,
    view: View,
    open: readonly IndexRange[],
    picture: Picture,
  ): Search<VisiblePiece[]> {
    const found: ValueRecord[] = [];
    // below a version that is surely seen, older ones of the same extent show nowhere
    const isLast = (record: ValueRecord): boolean =>
      view.isRaw === true || (record.owner === 0 && !head.hasRemovals) || view.punch?.hides(record.epoch, record.minor) === true;
    for (const range of open) {
      for (const record of this.places.search(head, range, { lo: 0n, hi: view.epoch }, isLast)) {
        if (record) found.push(record);
        yield;
      }
    }
    return picture.addAll(found).result();
  }

  private *collectByTime(akeyNo: number, range: IndexRange, epr: EpochRange): Search<ValueRecord[]> {
    const found: ValueRecord[] = [];
    for (const ref of this.backInTime(akeyNo, epr)) {
      if (overlaps(ref, range.lo, range.hi)) found.push(this.mustGet(akeyNo, ref));
      yield;
    }
    return found;
  }

  private *collectByPlace(head: AkeyHead, range: IndexRange, epr: EpochRange): Search<ValueRecord[]> {
    const found: ValueRecord[] = [];
    for (const record of this.places.search(head, range, epr, () => false)) {
      if (record) found.push(record);
      yield;
    }
    return found;
  }

  /** Names of the records with an epoch of the range, newest first. */
  private *backInTime(akeyNo: number, { lo, hi }: EpochRange): Generator<ExtentRef> {
    const from = this.timeFrom.space(Space.TIME).u48(akeyNo).u64Descending(hi);
    const to = this.timeTo.space(Space.TIME).u48(akeyNo).u64Descending(lo).toPrefixEnd();
    for (const { key } of this.umem.range({ from, to })) {
      const view = viewOf(key);
      const first = view.getBigUint64(TIME_LO_AT);
      yield {
        epoch: ALL_BITS - view.getBigUint64(TIME_EPOCH_AT),
        minor: 0xffff - view.getUint16(TIME_MINOR_AT),
        lo: first,
        hi: first + view.getBigUint64(TIME_NR_AT),
      };
    }
  }
}

/** Most searches by place end soon; to start the other one costs as much as so many steps. */
const STEPS_ALONE = 24;

/** A search that can be run step by step. */
type Search<T> = Iterator<void, T>;

function toEnd<T>(search: Search<T>): T {
  for (;;) {
    const step = search.next();
    if (step.done) return step.value;
  }
}

/**
 * Runs a search alone for some steps, then another one for the same in turn with it; the result is that of the
 * one that ends first.
 */
function firstToEnd<T>(one: Search<T>, startOther: () => Search<T>): T {
  let other: Search<T> | undefined;
  try {
    for (let steps = 0; ; steps++) {
      const step = one.next();
      if (step.done) return step.value;
      if (steps < STEPS_ALONE) continue;
      other ??= startOther();
      const otherStep = other.next();
      if (otherStep.done) return otherStep.value;
    }
  } finally {
    // closes the scans of the one that was not done
    one.return?.();
    other?.return?.();
  }
}

function placeKey(key: IndexKey, akeyNo: number, { lo, hi, epoch, minor }: ExtentRef): IndexKey {
  const width = hi - lo;
  return key
    .space(Space.VALUE)
    .u48(akeyNo)
    .u8(widthClass(width + 1n))
    .u64(lo)
    .u64(width)
    .u64Descending(epoch)
    .u16(0xffff - minor);
}

function timeKey(key: IndexKey, akeyNo: number, { lo, hi, epoch, minor }: ExtentRef): IndexKey {
  return key
    .space(Space.TIME)
    .u48(akeyNo)
    .u64Descending(epoch)
    .u16(0xffff - minor)
    .u64(lo)
    .u64(hi - lo);
}
