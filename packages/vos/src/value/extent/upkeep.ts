import type { AkeyHead } from '../../layout/head.js';
import { IndexKey } from '../../layout/index_key.js';
import { SINGLE_CLASS, Space } from '../../layout/spaces.js';
import type { Umem } from '../../umem/umem.js';
import type { DataStore } from '../data_store.js';
import { ValueRecord } from '../value_record.js';
import type { SpilledExtents } from './spilled_extents.js';
import { ExtentFlag, sweepExtents } from './sweep.js';

/** What a slice of a removal did. */
export interface DrainSlice {
  readonly records: number;
  /** Credits left. */
  readonly credits: number;
  /** Nothing of the array is left. */
  readonly isEmpty: boolean;
}

/** Work on whole arrays: removing them in slices, and bringing those of older layouts up to date. */
export class ExtentUpkeep {
  private readonly from = new IndexKey();
  private readonly to = new IndexKey();

  constructor(
    private readonly umem: Umem,
    private readonly data: DataStore,
    private readonly spilled: SpilledExtents,
  ) {}

  /**
   * Removes records and frees their space, one credit a row. Between slices the array cannot be read. The
   * caller stores or removes the head in the same batch; of a spilled array only once it is empty.
   */
  drain(head: AkeyHead, credits: number): DrainSlice {
    this.spilled.live.forget(head.no);
    let left = credits;
    let records = 0;
    if (left > 0 && head.values.length > 0) {
      for (const record of head.values) this.data.free(record);
      records += head.values.length;
      head.values = [];
      left--;
    }
    for (const space of [Space.LIVE, Space.VALUE, Space.TIME]) {
      for (const { key, value } of this.slice(head, space, left)) {
        const record = space === Space.TIME ? undefined : ValueRecord.decode(value);
        if (record && !record.isApart) {
          this.data.free(record);
          records++;
        }
        this.umem.remove(this.from.assign(key));
        left--;
      }
    }
    const isEmpty = left > 0 || (head.values.length === 0 && !head.isSpilled);
    if (isEmpty) resetHead(head);
    return { records, credits: left, isEmpty };
  }

  /** Adds the LIVE and TIME rows to an array that was stored without. True when there was something to do. */
  upgrade(head: AkeyHead): boolean {
    if (!head.isSpilled || head.hasLive) return false;
    const { live, history } = this.spilled;
    live.forget(head.no);
    const standIns: ValueRecord[] = [];
    this.classes(head);
    for (const { value } of this.umem.range({ from: this.from, to: this.to })) standIns.push(ValueRecord.decode(value).asApart());
    const whole = new Set<ValueRecord>();
    for (const { record, lo, hi, flags } of sweepExtents(standIns)) {
      if ((flags & ExtentFlag.VISIBLE) === 0) continue;
      if ((flags & ExtentFlag.PARTIAL) === 0) whole.add(record);
      else live.putPiece(head.no, lo, hi, record);
    }
    for (const standIn of standIns) {
      if (!whole.has(standIn)) {
        history.putTime(head.no, standIn);
        continue;
      }
      const record = history.mustGet(head.no, standIn);
      history.remove(head.no, standIn);
      live.putWhole(head.no, record);
    }
    head.hasLive = true;
    head.bounds = undefined;
    return true;
  }

  private slice(head: AkeyHead, space: number, limit: number): { key: Uint8Array; value: Uint8Array }[] {
    if (limit <= 0) return [];
    if (space === Space.VALUE) this.classes(head);
    else {
      this.from.space(space).u48(head.no);
      this.to.space(space).u48(head.no).toPrefixEnd();
    }
    return [...this.umem.range({ from: this.from, to: this.to, limit })];
  }

  /** All extents of the VALUE space. */
  private classes(head: AkeyHead): void {
    this.from.space(Space.VALUE).u48(head.no).u8(0);
    this.to.space(Space.VALUE).u48(head.no).u8(SINGLE_CLASS);
  }
}

/** An array without records is as if it had never been written. */
export function resetHead(head: AkeyHead): void {
  head.values = [];
  head.isSpilled = false;
  head.hasLive = false;
  head.hasRemovals = false;
  head.recordSize = 0;
  head.maxEpoch = 0n;
  head.widthClasses = 0n;
  head.bounds = undefined;
}
