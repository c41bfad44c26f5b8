import { DaosError, type EpochRange } from '@daos/common';

import type { AkeyHead } from '../../layout/head.js';
import type { PunchMark } from '../../ilog/punch_mark.js';
import { IndexKey } from '../../layout/index_key.js';
import { Space } from '../../layout/spaces.js';
import type { Umem, UmemEntry } from '../../umem/umem.js';
import { ValueRecord } from '../value_record.js';
import { INDEX_MAX, isSameExtent, type ExtentRef } from './extent_ref.js';
import { show } from './insert_rules.js';
import { classesOf, widthClass } from './place_search.js';
import { ExtentFlag, type ExtentEntry } from './sweep.js';

/** What a sorted iteration shows. Neither VISIBLE nor COVERED: both. */
export const ExtentIter = {
  VISIBLE: 1,
  COVERED: 2,
  SKIP_HOLES: 4,
  REVERSE: 8,
  /** Removals, too; with COVERED they are shown anyway. */
  REMOVALS: 16,
} as const;

/** An unsorted iteration: every record, whatever covers it. */
export interface RecordScan {
  readonly epr: EpochRange;
  /** Record to begin with. DER_AGAIN when it is not there any more. */
  readonly from?: ExtentRef | undefined;
  readonly limit: number;
  /** What it hides is flagged COVERED. */
  readonly punch?: PunchMark | undefined;
  /** A page ends after so many records were looked at, of whatever epochs. Default: no limit. */
  readonly examinedMax?: number;
  /** When the record to begin with is gone, begins behind it. */
  readonly isResumable?: boolean;
}

/** Of all pieces those that the `ExtentIter` flags ask for, in their order, the last one marked. */
export function selectEntries(pieces: readonly ExtentEntry[], flags: number): ExtentEntry[] {
  const isAll = (flags & (ExtentIter.VISIBLE | ExtentIter.COVERED)) === 0;
  const wanted =
    (isAll || flags & ExtentIter.VISIBLE ? ExtentFlag.VISIBLE : 0) |
    (isAll || flags & ExtentIter.COVERED ? ExtentFlag.COVERED | ExtentFlag.REMOVE : 0) |
    (flags & ExtentIter.REMOVALS ? ExtentFlag.REMOVE : 0);
  const skipsHoles = (flags & ExtentIter.SKIP_HOLES) !== 0;
  const isSkipped = (entry: ExtentEntry): boolean =>
    skipsHoles && entry.record.isHole && (entry.flags & ExtentFlag.REMOVE) === 0;
  const entries = pieces.filter((entry) => (entry.flags & wanted) !== 0 && !isSkipped(entry));
  if (flags & ExtentIter.REVERSE) entries.reverse();
  const last = entries.at(-1);
  if (last) entries[entries.length - 1] = { ...last, flags: last.flags | ExtentFlag.LAST };
  return entries;
}

/**
 * Where a sorted iteration goes on from an anchor: the position of the first entry at or behind it, in the
 * order of the iteration; the number of entries when there is none.
 */
export function seekEntry(entries: readonly ExtentEntry[], anchor: ExtentRef, isReverse = false): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const order = orderOf(entries[middle] as ExtentEntry, anchor);
    if (isReverse ? order > 0 : order < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function orderOf({ lo, hi, record }: ExtentEntry, anchor: ExtentRef): number {
  if (lo !== anchor.lo) return lo < anchor.lo ? -1 : 1;
  if (record.epoch !== anchor.epoch) return record.epoch > anchor.epoch ? -1 : 1;
  if (record.minor !== anchor.minor) return anchor.minor - record.minor;
  return hi < anchor.hi ? -1 : hi > anchor.hi ? 1 : 0;
}

/**
 * Every record of a spilled array by first index, then width, then age, newest first: a merge of the LIVE rows
 * and of the width classes. O(log n) for each class, and a page costs what it holds.
 */
export class RecordMerge {
  private readonly sources: Iterator<ValueRecord>[];
  private readonly heads: (ValueRecord | undefined)[];

  constructor(
    private readonly umem: Umem,
    private readonly head: AkeyHead,
    from: ExtentRef | undefined,
  ) {
    this.sources = classesOf(head).map((cls) => records(this.ofClass(cls, from)));
    if (head.hasLive) this.sources.push(this.ofLive(from));
    this.heads = this.sources.map(nextOf);
  }

  next(): ValueRecord | undefined {
    let best = -1;
    for (let i = 0; i < this.heads.length; i++) {
      const record = this.heads[i];
      if (record && (best < 0 || mergeOrder(record, this.heads[best] as ValueRecord) < 0)) best = i;
    }
    const record = this.heads[best];
    if (record) this.heads[best] = nextOf(this.sources[best] as Iterator<ValueRecord>);
    return record;
  }

  close(): void {
    for (const source of this.sources) source.return?.();
  }

  private ofClass(cls: number, from: ExtentRef | undefined): Iterable<UmemEntry> {
    const key = new IndexKey().space(Space.VALUE).u48(this.head.no).u8(cls);
    const to = new IndexKey().assign(key.copy()).toPrefixEnd();
    if (from) {
      const width = from.hi - from.lo;
      const own = widthClass(width + 1n);
      // of other classes the narrower ones of this index come before, the wider ones behind
      if (cls === own) key.u64(from.lo).u64(width).u64Descending(from.epoch).u16(0xffff - from.minor);
      else if (cls < own) key.u64(from.lo).u64(INDEX_MAX);
      else key.u64(from.lo);
    }
    return this.umem.range({ from: key, to });
  }

  private *ofLive(from: ExtentRef | undefined): Generator<ValueRecord> {
    const key = new IndexKey().space(Space.LIVE).u48(this.head.no);
    const to = new IndexKey().assign(key.copy()).toPrefixEnd();
    if (from) key.u64(from.lo);
    for (const record of records(this.umem.range({ from: key, to }))) {
      if (!record.isApart && (!from || mergeOrder(record, from) >= 0)) yield record;
    }
  }
}

/** A page of an unsorted iteration; `next` undefined: the end was reached. */
export function scanRecords(
  source: { next(): ValueRecord | undefined },
  { epr, from, limit, punch, examinedMax = Infinity, isResumable = false }: RecordScan,
): { entries: ExtentEntry[]; next: ExtentRef | undefined } {
  const entries: ExtentEntry[] = [];
  let isFirst = from !== undefined && !isResumable;
  let examined = 0;
  for (;;) {
    const record = source.next();
    if (isFirst && from && !(record && isSameExtent(record, from))) {
      throw new DaosError('AGAIN', `${show(from)} is not there any more: begin the iteration again`);
    }
    isFirst = false;
    if (!record) return { entries, next: undefined };
    const isWanted = record.epoch >= epr.lo && record.epoch <= epr.hi;
    if ((isWanted && entries.length === limit) || examined++ === examinedMax) {
      const { lo, hi, epoch, minor } = record;
      return { entries, next: { lo, hi, epoch, minor } };
    }
    if (!isWanted) continue;
    const isPunched = punch?.hides(record.epoch, record.minor) === true;
    entries.push({ record, lo: record.lo, hi: record.hi, flags: isPunched ? ExtentFlag.COVERED : 0 });
  }
}

/** By first index, then width, newest first. */
export function mergeOrder(a: ExtentRef, b: ExtentRef): number {
  if (a.lo !== b.lo) return a.lo < b.lo ? -1 : 1;
  if (a.hi !== b.hi) return a.hi < b.hi ? -1 : 1;
  if (a.epoch !== b.epoch) return a.epoch > b.epoch ? -1 : 1;
  return b.minor - a.minor;
}

function* records(entries: Iterable<UmemEntry>): Generator<ValueRecord> {
  for (const { value } of entries) yield ValueRecord.decode(value);
}

function nextOf(source: Iterator<ValueRecord>): ValueRecord | undefined {
  const step = source.next();
  return step.done ? undefined : step.value;
}
