import { viewOf } from '../../layout/bytes.js';
import { IndexKey } from '../../layout/index_key.js';
import { Space } from '../../layout/spaces.js';
import type { Umem, UmemEntry } from '../../umem/umem.js';
import { ValueRecord } from '../value_record.js';
import { INDEX_MAX, type IndexRange } from './extent_ref.js';
import { LOAD_ROWS_MAX, LiveCache, firstFrom, type LiveRow } from './live_cache.js';

/** Where the first index stands in a key, behind the space and the akey's number. */
const KEY_LO_AT = 7;
/** How much shows stands behind the encoding of the stand-in. */
const PIECE_NR_AT = 32;
const PIECE_BYTES = 40;

/**
 * The LIVE space: what lies on top of an array, in disjoint rows by first index. A record that nothing covers,
 * not even in part, is its own row. Of any other record a row holds a stand-in: its name, and how much shows
 * from the row's index on.
 */
export class LiveSpace {
  private readonly key = new IndexKey();
  private readonly end = new IndexKey();
  private readonly piece = new Uint8Array(PIECE_BYTES);
  private readonly pieceView = viewOf(this.piece);
  private readonly cache = new LiveCache();

  constructor(private readonly umem: Umem) {}

  /** A new array: it has no rows yet. */
  begin(akeyNo: number): void {
    this.cache.fill(akeyNo, []);
  }

  /** Call before rows are changed by others. */
  forget(akeyNo: number): void {
    this.cache.forget(akeyNo);
  }

  /** The row that begins at `lo`. */
  at(akeyNo: number, lo: bigint): LiveRow | undefined {
    const rows = this.cached(akeyNo);
    if (rows) {
      const row = rows[firstFrom(rows, lo)];
      return row?.lo === lo ? row : undefined;
    }
    const value = this.umem.get(this.place(this.key, akeyNo, lo));
    return value && decode(value, lo);
  }

  /** The rows that overlap [lo, hi], ascending. One scan: downwards, to the row that reaches `lo`. */
  overlapping(akeyNo: number, lo: bigint, hi: bigint): LiveRow[] {
    const cached = this.cached(akeyNo);
    if (cached) return overlappingOf(cached, lo, hi);
    const rows: LiveRow[] = [];
    const from = this.place(this.key, akeyNo, 0n);
    const to = this.behind(this.end, akeyNo, hi);
    for (const entry of this.umem.range({ from, to, reverse: true })) {
      const row = decodeEntry(entry);
      if (row.hi >= lo) rows.push(row);
      if (row.lo <= lo) break;
    }
    return rows.reverse();
  }

  /** At most `limit` rows from the one that holds `index` (or the next one) on, in the direction of the scan. */
  from(akeyNo: number, index: bigint, isDescending: boolean, limit: number): LiveRow[] {
    const cached = this.cached(akeyNo);
    if (cached && isDescending) {
      const end = index < INDEX_MAX ? firstFrom(cached, index + 1n) : cached.length;
      return cached.slice(Math.max(0, end - limit), end).reverse();
    }
    if (isDescending) return this.page(this.place(this.key, akeyNo, 0n), this.behind(this.end, akeyNo, index), true, limit);
    const first = this.overlapping(akeyNo, index, index);
    if (index === INDEX_MAX) return first;
    const left = limit - first.length;
    if (cached) {
      const at = firstFrom(cached, index + 1n);
      return [...first, ...cached.slice(at, at + left)];
    }
    const from = this.place(this.key, akeyNo, index + 1n);
    return [...first, ...this.page(from, this.behind(this.end, akeyNo, INDEX_MAX), false, left)];
  }

  /** First and last index of all rows. */
  bounds(akeyNo: number): IndexRange | undefined {
    const [first] = this.from(akeyNo, 0n, false, 1);
    const [last] = this.from(akeyNo, INDEX_MAX, true, 1);
    return first && last && { lo: first.lo, hi: last.hi };
  }

  putWhole(akeyNo: number, record: ValueRecord): void {
    this.umem.put(this.place(this.key, akeyNo, record.lo), record.lendBytes());
    this.cache.put(akeyNo, { lo: record.lo, hi: record.hi, record });
  }

  /** From `lo` to `hi` a record shows that stands in HISTORY. */
  putPiece(akeyNo: number, lo: bigint, hi: bigint, record: ValueRecord): void {
    const standIn = record.isApart ? record : record.asApart();
    standIn.encode(this.piece, this.pieceView, 0);
    this.pieceView.setBigUint64(PIECE_NR_AT, hi - lo + 1n);
    this.umem.put(this.place(this.key, akeyNo, lo), this.piece);
    this.cache.put(akeyNo, { lo, hi, record: standIn });
  }

  remove(akeyNo: number, lo: bigint): void {
    this.umem.remove(this.place(this.key, akeyNo, lo));
    this.cache.remove(akeyNo, lo);
  }

  private cached(akeyNo: number): readonly LiveRow[] | undefined {
    const rows = this.cache.rows(akeyNo);
    if (rows || !this.cache.wants(akeyNo)) return rows;
    const all = this.page(this.place(this.key, akeyNo, 0n), this.behind(this.end, akeyNo, INDEX_MAX), false, LOAD_ROWS_MAX + 1);
    if (all.length > LOAD_ROWS_MAX) return undefined;
    this.cache.fill(akeyNo, all);
    return all;
  }

  private page(from: IndexKey, to: IndexKey, reverse: boolean, limit: number): LiveRow[] {
    const rows: LiveRow[] = [];
    if (limit <= 0) return rows;
    for (const entry of this.umem.range({ from, to, reverse, limit })) rows.push(decodeEntry(entry));
    return rows;
  }

  private place(key: IndexKey, akeyNo: number, lo: bigint): IndexKey {
    return key.space(Space.LIVE).u48(akeyNo).u64(lo);
  }

  /** The end of a scan that includes the row at `hi`. */
  private behind(key: IndexKey, akeyNo: number, hi: bigint): IndexKey {
    return this.place(key, akeyNo, hi).u8(0);
  }
}

function decodeEntry({ key, value }: UmemEntry): LiveRow {
  return decode(value, viewOf(key).getBigUint64(KEY_LO_AT));
}

function decode(value: Uint8Array, lo: bigint): LiveRow {
  const record = ValueRecord.decode(value);
  if (!record.isApart) return { lo, hi: record.hi, record };
  return { lo, hi: lo + viewOf(value).getBigUint64(PIECE_NR_AT) - 1n, record };
}

function overlappingOf(rows: readonly LiveRow[], lo: bigint, hi: bigint): LiveRow[] {
  let at = firstFrom(rows, lo);
  const before = rows[at - 1];
  if (before && before.hi >= lo) at--;
  const found: LiveRow[] = [];
  for (let row = rows[at]; row !== undefined && row.lo <= hi; row = rows[++at]) found.push(row);
  return found;
}
