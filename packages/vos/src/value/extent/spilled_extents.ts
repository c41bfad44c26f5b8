import type { EpochRange } from '@daos/common';

import type { AkeyHead } from '../../layout/head.js';
import type { Umem } from '../../umem/umem.js';
import type { ValueRecord } from '../value_record.js';
import { SEES_ALL, joinPieces, type View, type VisiblePiece } from '../visibility.js';
import {
  INDEX_MAX, MINOR_REMOVE, isNewer, isParity, isSameExtent, maxOf, minOf, overlaps, type ExtentRef, type IndexRange,
} from './extent_ref.js';
import { History } from './history.js';
import type { LiveRow } from './live_cache.js';
import { LiveSpace } from './live_space.js';

/** The picture of what lies on top, whoever wrote it. */
const TOP: View = { epoch: INDEX_MAX, punch: undefined, viewer: SEES_ALL, isRaw: true };

/**
 * The extents of an array that outgrew its akey's head. LIVE holds what lies on top, the newest by (epoch, minor)
 * of all records, committed or not; HISTORY what is covered, wholly or in part. So the newest picture is read
 * off LIVE; only where its row may not be shown to the reader (too new, not committed, a removal) the question
 * goes to HISTORY, for the indices of that row. Each record stands in one place: in LIVE when nothing covers any
 * of it, else in HISTORY.
 */
export class SpilledExtents {
  readonly live: LiveSpace;
  readonly history: History;

  constructor(umem: Umem) {
    this.live = new LiveSpace(umem);
    this.history = new History(umem);
  }

  /** First and last index of all records. */
  bounds(head: AkeyHead): IndexRange | undefined {
    head.bounds ??= this.live.bounds(head.no);
    return head.bounds;
  }

  /** Adds a record that is not there. The result is 1 when it meets others, else 0. */
  insert(head: AkeyHead, record: ValueRecord): number {
    const { lo, hi } = record;
    const bounds = this.bounds(head);
    if (!bounds || lo > bounds.hi || hi < bounds.lo) {
      this.live.putWhole(head.no, record);
      head.bounds = bounds ? { lo: minOf(lo, bounds.lo), hi: maxOf(hi, bounds.hi) } : { lo, hi };
      if (!bounds) return 0;
      return lo === bounds.hi + 1n || hi + 1n === bounds.lo || meetsParity(bounds, lo) ? 1 : 0;
    }
    const same = this.live.at(head.no, lo);
    if (same && same.hi === hi && !same.record.isApart && isNewer(record, same.record)) {
      this.history.put(head, same.record);
      this.live.putWhole(head.no, record);
      return 1;
    }
    const rows = this.live.overlapping(head.no, lo > 0n ? lo - 1n : 0n, hi < INDEX_MAX ? hi + 1n : hi);
    this.lay(head, record, rows);
    if (lo < bounds.lo || hi > bounds.hi) head.bounds = { lo: minOf(lo, bounds.lo), hi: maxOf(hi, bounds.hi) };
    return rows.length > 0 || meetsParity(bounds, lo) ? 1 : 0;
  }

  /** Puts records, ascending, in the place of `sources`, which need not be kept beneath them. See `Extents.merge`. */
  merge(head: AkeyHead, merged: readonly ValueRecord[], sources: readonly ValueRecord[]): void {
    const gone = new Set(sources.map(nameOf));
    const isGone = (covered: ExtentRef): boolean => gone.has(nameOf(covered));
    const first = merged[0];
    const rows = first ? this.live.overlapping(head.no, first.lo, merged.at(-1)?.hi ?? first.hi) : [];
    // a source that is its own row leaves with it; others stand in HISTORY
    const whole = new Set(rows.filter(({ record }) => !record.isApart).map(({ record }) => nameOf(record)));
    for (const source of sources) if (!whole.has(nameOf(source))) this.history.remove(head.no, source);
    let next = 0;
    for (const record of merged) {
      while (next < rows.length && (rows[next] as LiveRow).hi < record.lo) next++;
      const covered: LiveRow[] = [];
      for (let at = next; at < rows.length && (rows[at] as LiveRow).lo <= record.hi; at++) covered.push(rows[at] as LiveRow);
      this.lay(head, record, covered, isGone);
      // what of the last row reaches on is a row of its own now
      const last = covered.at(-1);
      if (last && last.hi > record.hi) {
        next += covered.length - 1;
        rows[next] = isNewer(last.record, record) && !isGone(last.record) ? last : { ...last, lo: record.hi + 1n, record: last.record.asApart() };
      }
    }
    head.bounds = undefined;
  }

  /** The record of this name. */
  find(head: AkeyHead, ref: ExtentRef): ValueRecord | undefined {
    return this.liveRow(head, ref)?.record ?? this.history.get(head.no, ref);
  }

  /** Puts a record in the place of the one with the same name. */
  replace(head: AkeyHead, record: ValueRecord): void {
    if (this.liveRow(head, record)) this.live.putWhole(head.no, record);
    else this.history.replace(head.no, record);
  }

  /** Takes a record out; what it covered comes up again. True when it was the last one. */
  remove(head: AkeyHead, ref: ExtentRef): boolean {
    const { no } = head;
    const rows = this.live.overlapping(no, ref.lo > 0n ? ref.lo - 1n : 0n, ref.hi < INDEX_MAX ? ref.hi + 1n : ref.hi);
    const freed = rows.filter(({ record }) => isSameExtent(record, ref));
    if (freed[0]?.record.isApart !== false) this.history.remove(no, ref);
    if (freed.length === 0) return false;
    const below = this.history.look(head, TOP, freed, []);
    const kept = rows.filter((row) => !freed.includes(row));
    const after = joinPieces([...kept, ...below].sort((a, b) => (a.lo < b.lo ? -1 : 1)));
    this.redraw(head, rows, after);
    head.bounds = undefined;
    return after.length === 0 && !this.bounds(head);
  }

  /** What `view` shows of [lo, hi]. */
  visible(head: AkeyHead, range: IndexRange, view: View): VisiblePiece[] {
    if (!head.hasLive) return this.history.look(head, view, [range], []);
    const same = this.live.at(head.no, range.lo);
    const rows = same && same.hi >= range.hi ? [same] : this.live.overlapping(head.no, range.lo, range.hi);
    return this.resolve(head, rows, range, view);
  }

  /** What `view` shows of a range of which `rows`, ascending, are the LIVE rows. */
  resolve(head: AkeyHead, rows: readonly LiveRow[], range: IndexRange, view: View): VisiblePiece[] {
    const pieces: VisiblePiece[] = [];
    const open: IndexRange[] = [];
    const removals: ValueRecord[] = [];
    for (const row of rows) {
      const part = { lo: maxOf(row.lo, range.lo), hi: minOf(row.hi, range.hi) };
      if (row.record.epoch > view.epoch) {
        addRange(open, part);
        continue;
      }
      // nothing below is newer
      if (view.punch?.hides(row.record.epoch, row.record.minor)) continue;
      const record = this.whole(head, row);
      if (record.owner !== 0 && !view.viewer.see(record)) addRange(open, part);
      else if (record.minor === MINOR_REMOVE) {
        removals.push(record);
        addRange(open, part);
      } else pieces.push({ record, ...part });
    }
    if (open.length === 0) return pieces.length > 1 ? joinPieces(pieces) : pieces;
    const below = this.history.look(head, view, open, removals);
    return joinPieces([...pieces, ...below].sort((a, b) => (a.lo < b.lo ? -1 : 1)));
  }

  /** All records that overlap a range, of a range of epochs. */
  overlapping(head: AkeyHead, range: IndexRange, epr: EpochRange): ValueRecord[] {
    if (!head.hasLive) return this.history.collect(head, range, epr);
    const rows = this.live.overlapping(head.no, range.lo, range.hi);
    const found: ValueRecord[] = [];
    let isOlder = true;
    for (const { record } of rows) {
      if (record.epoch < epr.lo) continue;
      isOlder = false;
      if (!record.isApart && record.epoch <= epr.hi) found.push(record);
    }
    // what lies on top is the newest
    return isOlder ? found : [...found, ...this.history.collect(head, range, epr)];
  }

  private liveRow(head: AkeyHead, ref: ExtentRef): LiveRow | undefined {
    const row = head.hasLive ? this.live.at(head.no, ref.lo) : undefined;
    return row && !row.record.isApart && isSameExtent(row.record, ref) ? row : undefined;
  }

  private whole(head: AkeyHead, { record }: LiveRow): ValueRecord {
    return record.isApart ? this.history.mustGet(head.no, record) : record;
  }

  /** Lays a record over and under the rows around it. Of what it covers, some records may be on their way out. */
  private lay(head: AkeyHead, record: ValueRecord, rows: readonly LiveRow[], isGone = (_covered: ValueRecord): boolean => false): void {
    const { no } = head;
    const shown: IndexRange[] = [];
    let at = record.lo;
    for (const row of rows) {
      if (!overlaps(row, record.lo, record.hi)) continue;
      if (isNewer(row.record, record) && !isGone(row.record)) {
        if (row.lo > at) shown.push({ lo: at, hi: row.lo - 1n });
        at = row.hi + 1n;
        continue;
      }
      if (!row.record.isApart && !isGone(row.record)) this.history.put(head, row.record);
      if (row.lo < record.lo) this.live.putPiece(no, row.lo, record.lo - 1n, row.record);
      // a row that begins where the new one does is overwritten by it
      else if (row.lo !== at) this.live.remove(no, row.lo);
      if (row.hi > record.hi) this.live.putPiece(no, record.hi + 1n, row.hi, row.record);
    }
    if (at <= record.hi) shown.push({ lo: at, hi: record.hi });
    const [first] = shown;
    if (shown.length === 1 && first && first.lo === record.lo && first.hi === record.hi) {
      this.live.putWhole(no, record);
      return;
    }
    this.history.put(head, record);
    for (const { lo, hi } of shown) this.live.putPiece(no, lo, hi, record);
  }

  /** Changes rows to pieces of the same range. */
  private redraw(head: AkeyHead, rows: readonly LiveRow[], pieces: readonly VisiblePiece[]): void {
    const old = new Map(rows.map((row) => [row.lo, row]));
    for (const { lo, hi, record } of pieces) {
      const row = old.get(lo);
      old.delete(lo);
      if (row?.hi === hi && isSameExtent(row.record, record)) continue;
      this.live.putPiece(head.no, lo, hi, record);
    }
    for (const lo of old.keys()) this.live.remove(head.no, lo);
  }
}

function nameOf({ lo, hi, epoch, minor }: ExtentRef): string {
  return `${lo} ${hi} ${epoch} ${minor}`;
}

/** Parity over data, or data over parity: one of them is to go. */
function meetsParity(bounds: IndexRange, lo: bigint): boolean {
  return isParity(lo) ? !isParity(bounds.lo) : isParity(bounds.hi);
}

/** Adds a range that lies behind all others. */
function addRange(ranges: IndexRange[], range: IndexRange): void {
  const last = ranges.at(-1);
  if (last && last.hi + 1n === range.lo) ranges[ranges.length - 1] = { lo: last.lo, hi: range.hi };
  else ranges.push(range);
}
