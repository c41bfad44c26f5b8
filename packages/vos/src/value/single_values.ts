import type { Epoch } from '@daos/common';

import type { AkeyHead } from '../layout/head.js';
import type { PunchMark } from '../layout/incarnation_log.js';
import { IndexKey } from '../layout/index_key.js';
import { SINGLE_CLASS, Space } from '../layout/spaces.js';
import type { Umem } from '../umem/umem.js';
import type { DataStore } from './data_store.js';
import { ValueRecord } from './value_record.js';

/** Records up to this size live in the akey's head; larger ones have a place of their own. */
export const EMBEDDED_BYTES_MAX = 1024;

/**
 * The versions of an akey's single value. The newest stands in the head, so that reading or replacing it
 * needs no search; older ones are filed newest first.
 */
export class SingleValues {
  private readonly key = new IndexKey();
  private readonly end = new IndexKey();

  constructor(
    private readonly umem: Umem,
    private readonly data: DataStore,
  ) {}

  /** The version that is seen at `hi`, with its data; undefined when there is none or `punch` hides it. */
  find(head: AkeyHead, hi: Epoch, punch: PunchMark): ValueRecord | undefined {
    const newest = head.values[0];
    if (newest === undefined) return undefined;
    if (newest.epoch > hi) return head.isSpilled ? this.findOlder(head, hi, punch) : undefined;
    if (punch.hides(newest.epoch, newest.minor)) return undefined;
    return newest.isApart ? this.stored(head, newest.epoch) : newest;
  }

  /**
   * Adds a version; one at the same epoch is replaced and its space freed. The caller marks the head
   * modified.
   */
  write(head: AkeyHead, record: ValueRecord): void {
    const newest = head.values[0];
    if (newest !== undefined && record.epoch < newest.epoch) {
      const present = this.stored(head, record.epoch);
      if (present) this.data.free(present);
      this.putApart(head, record);
      head.isSpilled = true;
      return;
    }
    if (newest !== undefined) {
      if (record.epoch === newest.epoch) this.drop(head, newest);
      else {
        if (!newest.isApart) this.putApart(head, newest);
        head.isSpilled = true;
      }
    }
    const isLarge = record.encodedBytes > EMBEDDED_BYTES_MAX;
    if (isLarge) this.putApart(head, record);
    head.values = [isLarge ? record.asApart() : record];
    head.maxEpoch = record.epoch;
  }

  /** True when a version with an epoch of the range is not hidden by `punch`. */
  hasAny(head: AkeyHead, lo: Epoch, hi: Epoch, punch: PunchMark): boolean {
    const found = this.find(head, hi, punch);
    return found !== undefined && found.epoch >= lo;
  }

  private drop(head: AkeyHead, record: ValueRecord): void {
    if (record.isApart) this.umem.remove(this.place(head, record.epoch));
    else this.data.free(record);
  }

  private findOlder(head: AkeyHead, hi: Epoch, punch: PunchMark): ValueRecord | undefined {
    const from = this.place(head, hi);
    const to = this.end.space(Space.VALUE).u48(head.no).u8(SINGLE_CLASS).toPrefixEnd();
    for (const { value } of this.umem.range({ from, to, limit: 1 })) {
      const record = ValueRecord.decode(value);
      return punch.hides(record.epoch, record.minor) ? undefined : record;
    }
    return undefined;
  }

  private stored(head: AkeyHead, epoch: Epoch): ValueRecord | undefined {
    const bytes = this.umem.get(this.place(head, epoch));
    return bytes && ValueRecord.decode(bytes);
  }

  private putApart(head: AkeyHead, record: ValueRecord): void {
    const bytes = record.toBytes();
    this.umem.put(this.place(head, record.epoch), bytes);
  }

  private place(head: AkeyHead, epoch: Epoch): IndexKey {
    return this.key.space(Space.VALUE).u48(head.no).u8(SINGLE_CLASS).u64Descending(epoch);
  }
}
