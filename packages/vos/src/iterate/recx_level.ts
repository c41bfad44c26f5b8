import type { AkeyHead } from '../layout/head.js';
import { ExtentIter, RecordMerge, mergeOrder, seekEntry } from '../value/extent/iteration.js';
import { INDEX_MAX, type ExtentRef } from '../value/extent/extent_ref.js';
import { ExtentFlag, type ExtentEntry } from '../value/extent/sweep.js';
import type { ValueRecord } from '../value/value_record.js';
import type { VisiblePiece } from '../value/visibility.js';
import type { IterContext } from './context.js';
import { SLICE_ITEMS_MAX, notOfLevel, type Item, type Level, type Parent, type Slice } from './level.js';
import type { Place } from './place.js';
import { VosIterFlag, VosIterType } from './types.js';
import { akeyOf, valueItem } from './value_item.js';

const { RECX_COVERED, RECX_VISIBLE, RECX_SKIP_HOLES, RECX_REVERSE } = VosIterFlag;
const END: Slice = { items: [], next: undefined };

/** The level of extents that the flags of an iteration ask for. */
export function recxLevel(context: IterContext, parent: Parent): Level {
  const { flags } = context;
  if ((flags & (RECX_COVERED | RECX_SKIP_HOLES | RECX_REVERSE)) === 0) return new RecordLevel(context, parent);
  return (flags & RECX_COVERED) === RECX_VISIBLE ? new VisibleLevel(context, parent) : new PieceLevel(context, parent);
}

/** Every stored extent, whatever covers it: by first index, width, and age. */
class RecordLevel implements Level {
  readonly type = VosIterType.RECX;

  constructor(
    private readonly context: IterContext,
    private readonly parent: Parent,
  ) {}

  slice(place: Place, count: number): Slice {
    const { context, parent } = this;
    const head = akeyOf(context, parent);
    if (place.kind === 'end' || !head) return END;
    if (place.kind !== 'start' && place.kind !== 'record') throw notOfLevel('extents');
    const from = place.kind === 'record' ? place.ref : undefined;
    const records = this.recordsFrom(head, from, place.kind === 'record' && !place.isInclusive, count);
    const { lo, hi } = context.range;
    const items: Item[] = [];
    for (const record of records) {
      if (record.epoch < lo || record.epoch > hi || !context.see(record)) continue;
      const visibility = parent.state.punch.hides(record.epoch, record.minor) ? ExtentFlag.COVERED : 0;
      items.push(valueItem(context, parent, record, { lo: record.lo, hi: record.hi, visibility, isSorted: false }));
    }
    const last = records.at(-1);
    if (!last || records.length < count) return { items, next: undefined };
    return { items, next: { kind: 'record', ref: refOf(last), isInclusive: false } };
  }

  private recordsFrom(head: AkeyHead, from: ExtentRef | undefined, isBehind: boolean, count: number): ValueRecord[] {
    const isWanted = (record: ValueRecord): boolean => !from || mergeOrder(record, from) > (isBehind ? 0 : -1);
    if (!head.isSpilled) return head.values.filter(isWanted).sort(mergeOrder).slice(0, count);
    const merge = new RecordMerge(this.context.store.umem, head, from);
    const records: ValueRecord[] = [];
    try {
      for (let record = merge.next(); record && records.length < count; record = merge.next()) {
        if (isWanted(record)) records.push(record);
      }
    } finally {
      merge.close();
    }
    return records;
  }
}

/** What shows at the range's end: read in windows. */
class VisibleLevel implements Level {
  readonly type = VosIterType.RECX;

  constructor(
    private readonly context: IterContext,
    private readonly parent: Parent,
  ) {}

  slice(place: Place, count: number): Slice {
    const { context, parent } = this;
    const head = akeyOf(context, parent);
    const isReverse = context.has(RECX_REVERSE);
    const from = startIndex(place, isReverse);
    if (!head || from === undefined) return END;
    const { pieces, next } = this.window(head, from, isReverse, count);
    const items = pieces
      .filter(({ record }) => record.epoch >= context.range.lo && !(record.isHole && context.has(RECX_SKIP_HOLES)))
      .map(({ record, lo, hi }) => valueItem(context, parent, record, { lo, hi, visibility: visibilityOf(record, lo, hi), isSorted: true }));
    if (next === undefined) return { items, next };
    return { items, next: { kind: 'index', index: next, isInclusive: true } };
  }

  /** Whole pieces: one that the window's far end may cut is left to the next window. */
  private window(head: AkeyHead, from: bigint, isReverse: boolean, count: number): { pieces: VisiblePiece[]; next: bigint | undefined } {
    const { context, parent } = this;
    const view = { epoch: context.range.hi, punch: parent.state.punch, viewer: context };
    for (let rows = count; ; rows *= 2) {
      const window = context.store.extents.window(head, from, isReverse, rows, view);
      const pieces = isReverse ? window.pieces.slice().reverse() : window.pieces.slice();
      const last = pieces.at(-1);
      if (window.next === undefined || !last) return { pieces, next: window.next };
      if (isReverse ? last.lo > window.lo : last.hi < window.hi) return { pieces, next: window.next };
      pieces.pop();
      if (pieces.length > 0) return { pieces, next: isReverse ? last.hi : last.lo };
      if (rows >= 4 * SLICE_ITEMS_MAX) return { pieces: [last], next: window.next };
    }
  }
}

/**
 * All pieces with what covers them. Cuts depend on all extents of an akey, so this holds a picture of them, as DAOS
 * does: later changes do not disturb it, but what was removed meanwhile is not shown.
 */
class PieceLevel implements Level {
  readonly type = VosIterType.RECX;
  private entries: readonly ExtentEntry[] | undefined;

  constructor(
    private readonly context: IterContext,
    private readonly parent: Parent,
  ) {}

  slice(place: Place, count: number): Slice {
    const { context, parent } = this;
    const head = akeyOf(context, parent);
    if (place.kind === 'end' || !head) return END;
    if (place.kind === 'start') this.entries = undefined;
    const entries = (this.entries ??= this.read(head));
    let at = 0;
    if (place.kind === 'record') {
      at = seekEntry(entries, place.ref, context.has(RECX_REVERSE));
      if (!place.isInclusive && this.stands(entries[at], place.ref)) at++;
    } else if (place.kind !== 'start') throw notOfLevel('extents');
    const items: Item[] = [];
    const end = Math.min(entries.length, at + count);
    for (const { record, lo, hi, flags } of entries.slice(at, end)) {
      const item = valueItem(context, parent, record, { lo, hi, visibility: flags, isSorted: true });
      if (item.validate()) items.push(item);
    }
    const last = entries[end - 1];
    if (end === entries.length || !last) return { items, next: undefined };
    return { items, next: { kind: 'record', ref: { ...refOf(last.record), lo: last.lo, hi: last.hi }, isInclusive: false } };
  }

  private stands(entry: ExtentEntry | undefined, { lo, hi, epoch, minor }: ExtentRef): boolean {
    return entry?.lo === lo && entry.hi === hi && entry.record.epoch === epoch && entry.record.minor === minor;
  }

  private read(head: AkeyHead): ExtentEntry[] {
    const { context, parent } = this;
    const flags =
      (context.has(RECX_SKIP_HOLES) ? ExtentIter.SKIP_HOLES : 0) | (context.has(RECX_REVERSE) ? ExtentIter.REVERSE : 0);
    const { punch } = parent.state;
    return context.store.extents.entries(head, { lo: 0n, hi: INDEX_MAX, epr: context.range, punch, viewer: context, flags });
  }
}

function startIndex(place: Place, isReverse: boolean): bigint | undefined {
  switch (place.kind) {
    case 'start':
      return isReverse ? INDEX_MAX : 0n;
    case 'end':
      return undefined;
    case 'index':
      return place.index;
    case 'record': {
      const { lo, hi } = place.ref;
      if (isReverse) return place.isInclusive ? hi : lo === 0n ? undefined : lo - 1n;
      return place.isInclusive ? lo : hi === INDEX_MAX ? undefined : hi + 1n;
    }
    default:
      throw notOfLevel('extents');
  }
}

function visibilityOf(record: ValueRecord, lo: bigint, hi: bigint): number {
  return lo === record.lo && hi === record.hi ? ExtentFlag.VISIBLE : ExtentFlag.VISIBLE | ExtentFlag.PARTIAL;
}

function refOf({ lo, hi, epoch, minor }: ExtentRef): ExtentRef {
  return { lo, hi, epoch, minor };
}
