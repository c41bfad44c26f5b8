import { DaosError, type Epoch } from '@daos/common';

import type { AkeyHead } from '../layout/head.js';
import type { PunchMark } from '../ilog/punch_mark.js';
import { IndexKey } from '../layout/index_key.js';
import { SINGLE_CLASS, Space } from '../layout/spaces.js';
import type { Umem } from '../umem/umem.js';
import type { DataStore } from './data_store.js';
import { ValueRecord } from './value_record.js';
import type { ValueViewer } from './visibility.js';

/** Records up to this size live in the akey's head; larger ones have a place of their own. */
export const EMBEDDED_BYTES_MAX = 1024;

/** How a single value is looked up. */
export interface SingleLook {
  readonly hi: Epoch;
  /** At least `hi`: a value in between may be older than the reader knows. */
  readonly bound: Epoch;
  readonly punch: PunchMark;
  readonly viewer: ValueViewer;
}

/**
 * The versions of an akey's single value, one per epoch. The newest stands in the head, so that reading or replacing
 * it needs no search; older ones are filed newest first. A head without a value may still have older ones: the
 * newest was taken out.
 */
export class SingleValues {
  private readonly key = new IndexKey();
  private readonly end = new IndexKey();

  constructor(
    private readonly umem: Umem,
    private readonly data: DataStore,
  ) {}

  /**
   * The version that is seen, with its data; undefined when there is none or the punch hides it. DER_TX_RESTART for a
   * version between `hi` and `bound`, DER_INPROGRESS when the reader has to wait for a transaction.
   */
  find(head: AkeyHead, look: SingleLook): ValueRecord | undefined {
    const newest = head.values[0];
    if (newest !== undefined && newest.epoch <= look.hi) {
      if (look.punch.hides(newest.epoch, newest.minor)) return undefined;
      if (newest.owner === 0 || look.viewer.see(newest)) return newest.isApart ? this.stored(head, newest.epoch) : newest;
    } else if (newest !== undefined) checkCertain(newest, look);
    return head.isSpilled ? this.findOlder(head, look) : undefined;
  }

  /**
   * Adds a version; one at the same epoch is replaced and its space freed. The caller marks the head
   * modified. True when there are older versions, which aggregation may remove.
   */
  write(head: AkeyHead, record: ValueRecord): boolean {
    const newest = head.values[0];
    if (record.epoch > head.maxEpoch) head.maxEpoch = record.epoch;
    if (newest !== undefined && record.epoch < newest.epoch) {
      this.replaceApart(head, record);
      return true;
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
    else if (newest === undefined && head.isSpilled) this.removeApart(head, record.epoch);
    head.values = [isLarge ? record.asApart() : record];
    return head.isSpilled;
  }

  /** True when a version with an epoch from `lo` on is seen. */
  hasAny(head: AkeyHead, lo: Epoch, look: SingleLook): boolean {
    const found = this.find(head, look);
    return found !== undefined && found.epoch >= lo;
  }

  /** All versions with their data, newest first, from `hi` down to `lo`. Nothing may be changed meanwhile. */
  *versions(head: AkeyHead, lo: Epoch, hi: Epoch): Generator<ValueRecord> {
    const newest = head.values[0];
    if (newest && newest.epoch <= hi) {
      if (newest.epoch < lo) return;
      const whole = newest.isApart ? this.stored(head, newest.epoch) : newest;
      if (whole) yield whole;
    }
    if (!head.isSpilled) return;
    const from = this.place(new IndexKey(), head, newest && newest.epoch <= hi ? newest.epoch - 1n : hi);
    for (const { value } of this.umem.range({ from, to: this.endOf(new IndexKey(), head) })) {
      const record = ValueRecord.decode(value);
      if (record.epoch < lo) return;
      yield record;
    }
  }

  /** Takes one version out and frees its space. False when there is none. The caller marks the head. */
  delete(head: AkeyHead, epoch: Epoch): boolean {
    const newest = head.values[0];
    if (newest?.epoch === epoch) {
      this.drop(head, newest);
      head.values = [];
      this.promote(head);
      return true;
    }
    if (!head.isSpilled || !this.removeApart(head, epoch)) return false;
    return true;
  }

  /** Takes out what a transaction has written; nothing when that is not there any more. */
  removeOwned(head: AkeyHead, epoch: Epoch, owner: number): void {
    if (this.recordAt(head, epoch)?.owner === owner) this.delete(head, epoch);
  }

  /** The version of `owner` at `epoch` gets another owner; nothing when it is not there. */
  setOwner(head: AkeyHead, epoch: Epoch, from: number, owner: number): void {
    const record = this.recordAt(head, epoch);
    if (record?.owner === from) this.replace(head, record.with({ owner }));
  }

  /** Marks the version at `epoch` as damaged. False when there is none. */
  markCorrupted(head: AkeyHead, epoch: Epoch): boolean {
    const record = this.recordAt(head, epoch);
    if (!record) return false;
    this.replace(head, record.with({ isCorrupted: true }));
    return true;
  }

  /** The version written at exactly this epoch, with its data. */
  recordAt(head: AkeyHead, epoch: Epoch): ValueRecord | undefined {
    const newest = head.values[0];
    if (newest?.epoch === epoch && !newest.isApart) return newest;
    return newest?.epoch === epoch || head.isSpilled ? this.stored(head, epoch) : undefined;
  }

  /** Puts a record in the place of the one with its epoch, whose data it still names. */
  private replace(head: AkeyHead, record: ValueRecord): void {
    const newest = head.values[0];
    if (newest?.epoch !== record.epoch) this.putApart(head, record);
    else if (newest.isApart) {
      this.putApart(head, record);
      head.values = [record.asApart()];
    } else head.values = [record];
  }

  /** Brings the newest filed version into the head, whose own one is gone. */
  private promote(head: AkeyHead): void {
    if (!head.isSpilled) return;
    const from = this.place(this.key, head, 0xffff_ffff_ffff_ffffn);
    const [next] = this.umem.range({ from, to: this.endOf(this.end, head), limit: 1 });
    if (!next) {
      head.isSpilled = false;
      return;
    }
    const record = ValueRecord.decode(next.value);
    if (record.encodedBytes > EMBEDDED_BYTES_MAX) {
      head.values = [record.asApart()];
      return;
    }
    this.umem.remove(this.place(this.key, head, record.epoch));
    head.values = [record];
  }

  private replaceApart(head: AkeyHead, record: ValueRecord): void {
    if (head.isSpilled) this.removeApart(head, record.epoch);
    this.putApart(head, record);
    head.isSpilled = true;
  }

  private removeApart(head: AkeyHead, epoch: Epoch): boolean {
    const present = this.stored(head, epoch);
    if (!present) return false;
    this.data.free(present);
    this.umem.remove(this.place(this.key, head, epoch));
    return true;
  }

  private drop(head: AkeyHead, record: ValueRecord): void {
    if (record.isApart) this.removeApart(head, record.epoch);
    else this.data.free(record);
  }

  private findOlder(head: AkeyHead, look: SingleLook): ValueRecord | undefined {
    const from = this.place(this.key, head, look.bound);
    for (const { value } of this.umem.range({ from, to: this.endOf(this.end, head) })) {
      const record = ValueRecord.decode(value);
      if (record.epoch > look.hi) {
        checkCertain(record, look);
        continue;
      }
      if (look.punch.hides(record.epoch, record.minor)) return undefined;
      if (record.owner === 0 || look.viewer.see(record)) return record;
    }
    return undefined;
  }

  private stored(head: AkeyHead, epoch: Epoch): ValueRecord | undefined {
    const bytes = this.umem.get(this.place(this.key, head, epoch));
    return bytes && ValueRecord.decode(bytes);
  }

  private putApart(head: AkeyHead, record: ValueRecord): void {
    const bytes = record.lendBytes();
    this.umem.put(this.place(this.key, head, record.epoch), bytes);
  }

  private place(key: IndexKey, head: AkeyHead, epoch: Epoch): IndexKey {
    return key.space(Space.VALUE).u48(head.no).u8(SINGLE_CLASS).u64Descending(epoch);
  }

  private endOf(key: IndexKey, head: AkeyHead): IndexKey {
    return key.space(Space.VALUE).u48(head.no).u8(SINGLE_CLASS).toPrefixEnd();
  }
}

function checkCertain({ epoch }: ValueRecord, { hi, bound }: SingleLook): void {
  if (epoch > hi && epoch <= bound) throw new DaosError('TX_RESTART', `a value of epoch ${epoch} may be older than this read at ${hi}`);
}
