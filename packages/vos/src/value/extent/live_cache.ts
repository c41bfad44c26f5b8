import type { ValueRecord } from '../value_record.js';
import type { IndexRange } from './extent_ref.js';

/** A row of the LIVE space: some of the indices, and the record that lies on top there. */
export interface LiveRow extends IndexRange {
  /** The record itself, or its stand-in (`isApart`) when the record stands in HISTORY. */
  readonly record: ValueRecord;
}

/** Memory of all rows that are kept, about. */
const BYTES_MAX = 32 * 1024 * 1024;
/** What a row takes beside the bytes of its record. */
const ROW_BYTES = 256;
/** Arrays that grow beyond are not kept any more: rows would be moved too far. */
const ROWS_MAX = 4096;
/** Look-ups of an array before its rows are worth reading, and the most rows that are read. */
const LOOKUPS_BEFORE_LOAD = 32;
export const LOAD_ROWS_MAX = 512;
/** Arrays whose look-ups are counted. */
const ARRAYS_MAX = 65_536;

interface CachedArray {
  /** All rows, ascending; undefined: they are not here. */
  rows: LiveRow[] | undefined;
  bytes: number;
  lookups: number;
}

/**
 * The LIVE rows of arrays in use, each array whole or not at all: a look-up in the index by the nearest key
 * costs ten times as much. Arrays that were not used for the longest time leave first.
 */
export class LiveCache {
  private readonly arrays = new Map<number, CachedArray>();
  private latest = -1;
  private bytes = 0;

  /** The rows of an array, to be changed only through `put` and `remove`. */
  rows(akeyNo: number): readonly LiveRow[] | undefined {
    return this.touch(akeyNo).rows;
  }

  /** True when an array's rows should be read and handed to `fill`. */
  wants(akeyNo: number): boolean {
    const array = this.touch(akeyNo);
    return array.rows === undefined && ++array.lookups === LOOKUPS_BEFORE_LOAD;
  }

  /** Keeps an array: these are all its rows. */
  fill(akeyNo: number, rows: LiveRow[]): void {
    this.forget(akeyNo);
    const array = this.touch(akeyNo);
    array.rows = rows;
    for (const row of rows) this.count(array, row, 1);
    this.shrink(akeyNo);
  }

  put(akeyNo: number, row: LiveRow): void {
    const array = this.arrays.get(akeyNo);
    if (!array?.rows) return;
    const { rows } = array;
    const at = firstFrom(rows, row.lo);
    const present = rows[at];
    if (present?.lo === row.lo) {
      this.count(array, present, -1);
      rows[at] = row;
    } else if (at === rows.length) rows.push(row);
    else rows.splice(at, 0, row);
    this.count(array, row, 1);
    if (rows.length > ROWS_MAX) this.drop(array);
    else this.shrink(akeyNo);
  }

  remove(akeyNo: number, lo: bigint): void {
    const array = this.arrays.get(akeyNo);
    if (!array?.rows) return;
    const at = firstFrom(array.rows, lo);
    const row = array.rows[at];
    if (row?.lo !== lo) return;
    this.count(array, row, -1);
    array.rows.splice(at, 1);
  }

  /** The array is not kept any more. */
  forget(akeyNo: number): void {
    const array = this.arrays.get(akeyNo);
    if (!array) return;
    this.bytes -= array.bytes;
    this.arrays.delete(akeyNo);
    if (this.latest === akeyNo) this.latest = -1;
  }

  private touch(akeyNo: number): CachedArray {
    let array = this.arrays.get(akeyNo);
    if (array && this.latest === akeyNo) return array;
    this.latest = akeyNo;
    if (array) this.arrays.delete(akeyNo);
    else {
      array = { rows: undefined, bytes: 0, lookups: 0 };
      if (this.arrays.size >= ARRAYS_MAX) this.forget(this.oldest());
    }
    this.arrays.set(akeyNo, array);
    return array;
  }

  private shrink(akeyNo: number): void {
    while (this.bytes > BYTES_MAX) {
      const oldest = this.oldest();
      this.forget(oldest);
      if (oldest === akeyNo) return;
    }
  }

  private oldest(): number {
    for (const akeyNo of this.arrays.keys()) return akeyNo;
    return -1;
  }

  /** Keeps in mind that the array is too large. */
  private drop(array: CachedArray): void {
    this.bytes -= array.bytes;
    array.bytes = 0;
    array.rows = undefined;
    array.lookups = LOOKUPS_BEFORE_LOAD;
  }

  private count(array: CachedArray, { record }: LiveRow, sign: number): void {
    const bytes = sign * (ROW_BYTES + record.data.length + (record.checksums?.bytes.length ?? 0));
    array.bytes += bytes;
    this.bytes += bytes;
  }
}

/** Position of the first row that begins at `index` or behind it. */
export function firstFrom(rows: readonly LiveRow[], index: bigint): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rows[middle] as LiveRow).lo < index) low = middle + 1;
    else high = middle;
  }
  return low;
}
