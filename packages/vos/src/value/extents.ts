import { DaosError, type Epoch } from '@daos/common';

import { valuesBytes, type AkeyHead } from '../layout/head.js';
import type { PunchMark } from '../layout/incarnation_log.js';
import { IndexKey } from '../layout/index_key.js';
import { Space } from '../layout/spaces.js';
import type { Umem, UmemEntry } from '../umem/umem.js';
import type { DataStore } from './data_store.js';
import { ValueRecord } from './value_record.js';
import { visiblePieces, type VisiblePiece } from './visibility.js';

export const INDEX_MAX = 0xffff_ffff_ffff_ffffn;
/** Widest extent of data; wider holes are laid over the data that is there only. */
export const EXTENT_RECORDS_MAX = 2n ** 48n - 1n;
/** Extents that an akey's head holds before they move to places of their own. */
const EMBEDDED_COUNT_MAX = 8;
const EMBEDDED_BYTES_MAX = 1024;
/** Versions of one extent that are read through before the scan jumps to the next extent. */
const VERSIONS_READ_MAX = 4;

/** Bytes of a key that name the extent: space, akey, class, first index, width. */
const IDENTITY_BYTES = 24;

/**
 * The extents of an array. A few stand in the akey's head; more are filed by width class (the power of two
 * below their width), then by first index, width and age. An extent that overlaps a range begins less than
 * twice its class below it, so each class is searched from there on and no further.
 */
export class Extents {
  private readonly key = new IndexKey();
  private readonly end = new IndexKey();

  constructor(
    private readonly umem: Umem,
    private readonly data: DataStore,
  ) {}

  /**
   * Throws DER_VOS_PARTIAL_UPDATE when an extent of the same epoch overlaps [lo, hi] without being identical,
   * unless one of them has the larger minor epoch.
   */
  check(head: AkeyHead, lo: bigint, hi: bigint, epoch: Epoch, minor: number): void {
    if (epoch > head.maxEpoch) return;
    for (const record of this.overlapping(head, lo, hi, epoch)) {
      if (record.epoch !== epoch || record.minor !== minor || (record.lo === lo && record.hi === hi)) continue;
      throw new DaosError('VOS_PARTIAL_UPDATE', `[${lo}, ${hi}] at epoch ${epoch} cuts [${record.lo}, ${record.hi}]`);
    }
  }

  /**
   * Adds an extent; an identical one of the same epoch is replaced and its space freed. The caller marks the
   * head.
   */
  write(head: AkeyHead, record: ValueRecord): void {
    if (head.isSpilled) this.put(head, record, record.epoch <= head.maxEpoch);
    else this.embed(head, record);
    if (record.epoch > head.maxEpoch) head.maxEpoch = record.epoch;
    if (!record.isHole) head.recordSize = record.size;
  }

  /** What is seen of [lo, hi] at `epoch`: pieces in ascending order, holes included. */
  visible(head: AkeyHead, lo: bigint, hi: bigint, epoch: Epoch, punch: PunchMark): VisiblePiece[] {
    const records: ValueRecord[] = [];
    for (const record of this.overlapping(head, lo, hi, epoch)) {
      if (!punch.hides(record.epoch, record.minor)) records.push(record);
    }
    return visiblePieces(records, lo, hi);
  }

  /** Largest last index (or smallest first index) of any extent; undefined when there is none. */
  bounds(head: AkeyHead): { lo: bigint; hi: bigint } | undefined {
    let lo = INDEX_MAX;
    let hi = -1n;
    const widen = (from: bigint, to: bigint): void => {
      if (from < lo) lo = from;
      if (to > hi) hi = to;
    };
    for (const { lo: from, hi: to } of head.values) widen(from, to);
    for (let cls = 0n; head.widthClasses >> cls > 0n; cls++) {
      if (((head.widthClasses >> cls) & 1n) === 0n) continue;
      const from = this.classPrefix(this.key, head, Number(cls));
      const to = this.classPrefix(this.end, head, Number(cls)).toPrefixEnd();
      for (const reverse of [false, true]) {
        for (const { value } of this.umem.range({ from, to, reverse, limit: 1 })) {
          const record = ValueRecord.decode(value);
          // extents of one class differ in width by less than a factor of two
          widen(record.lo, saturate(record.lo + 2n * (1n << cls)));
        }
      }
    }
    return hi < 0n ? undefined : { lo, hi };
  }

  /**
   * All versions that overlap [lo, hi] at or before `epoch`; of an extent written repeatedly perhaps only the
   * newest.
   */
  private overlapping(head: AkeyHead, lo: bigint, hi: bigint, epoch: Epoch): ValueRecord[] {
    const found: ValueRecord[] = [];
    for (const record of head.values) {
      if (record.epoch <= epoch && record.lo <= hi && record.hi >= lo) found.push(record);
    }
    if (!head.isSpilled) return found;
    for (let cls = 0n; head.widthClasses >> cls > 0n; cls++) {
      if (((head.widthClasses >> cls) & 1n) !== 0n) this.scanClass(head, Number(cls), lo, hi, epoch, found);
    }
    return found;
  }

  private scanClass(head: AkeyHead, cls: number, lo: bigint, hi: bigint, epoch: Epoch, found: ValueRecord[]): void {
    const reach = (1n << BigInt(cls + 1)) - 2n;
    this.classPrefix(this.key, head, cls).u64(lo > reach ? lo - reach : 0n);
    this.classPrefix(this.end, head, cls).u64(hi).u64(INDEX_MAX).u64(INDEX_MAX).u16(0xffff);
    let behind = this.scanVersions(lo, epoch, found);
    while (behind) {
      this.key.assign(behind.subarray(0, IDENTITY_BYTES)).toPrefixEnd();
      behind = this.scanVersions(lo, epoch, found);
    }
  }

  /** Reads on until an extent has too many versions; its key is the result. */
  private scanVersions(lo: bigint, epoch: Epoch, found: ValueRecord[]): Uint8Array | undefined {
    let newest: ValueRecord | undefined;
    let older = 0;
    for (const entry of this.umem.range({ from: this.key, to: this.end })) {
      const record = ValueRecord.decode(entry.value);
      if (record.hi < lo) continue;
      const isOlder = newest !== undefined && newest.lo === record.lo && newest.hi === record.hi;
      if (isOlder && (newest as ValueRecord).epoch <= epoch) {
        // an older version of the same extent shows nowhere
        if (++older > VERSIONS_READ_MAX) return entry.key;
        continue;
      }
      if (isOlder && ++older > VERSIONS_READ_MAX) {
        const version = this.versionAt(entry, record, epoch);
        if (version) found.push(version);
        return entry.key;
      }
      if (!isOlder) older = 0;
      newest = record;
      if (record.epoch <= epoch) found.push(record);
    }
    return undefined;
  }

  /** The newest version of an extent at or before `epoch`, by search. */
  private versionAt(entry: UmemEntry, record: ValueRecord, epoch: Epoch): ValueRecord | undefined {
    if (record.epoch <= epoch) return record;
    const identity = entry.key.subarray(0, IDENTITY_BYTES);
    const from = new IndexKey().assign(identity).u64Descending(epoch);
    const to = new IndexKey().assign(identity).toPrefixEnd();
    for (const { value } of this.umem.range({ from, to, limit: 1 })) return ValueRecord.decode(value);
    return undefined;
  }

  private embed(head: AkeyHead, record: ValueRecord): void {
    const values = head.values.slice();
    const at = values.findIndex((other) => isSame(other, record));
    if (at >= 0) this.data.free(values[at] as ValueRecord);
    values.splice(at >= 0 ? at : values.length, at >= 0 ? 1 : 0, record);
    if (values.length <= EMBEDDED_COUNT_MAX && valuesBytes(values) <= EMBEDDED_BYTES_MAX) {
      head.values = values;
      return;
    }
    head.isSpilled = true;
    head.values = [];
    for (const value of values) this.put(head, value, false);
  }

  private put(head: AkeyHead, record: ValueRecord, mayReplace: boolean): void {
    const cls = widthClass(record.nr);
    head.widthClasses |= 1n << BigInt(cls);
    const key = this.classPrefix(this.key, head, cls)
      .u64(record.lo)
      .u64(record.nr - 1n)
      .u64Descending(record.epoch)
      .u16(0xffff - record.minor);
    if (mayReplace) {
      const present = this.umem.get(key);
      if (present) this.data.free(ValueRecord.decode(present));
    }
    this.umem.put(key, record.toBytes());
  }

  private classPrefix(key: IndexKey, head: AkeyHead, cls: number): IndexKey {
    return key.space(Space.VALUE).u48(head.no).u8(cls);
  }
}

function isSame(a: ValueRecord, b: ValueRecord): boolean {
  return a.epoch === b.epoch && a.minor === b.minor && a.lo === b.lo && a.hi === b.hi;
}

function saturate(index: bigint): bigint {
  return index > INDEX_MAX ? INDEX_MAX : index;
}

/** Largest c with 2^c <= nr. */
function widthClass(nr: bigint): number {
  const high = Number(nr >> 32n);
  return high > 0 ? 63 - Math.clz32(high) : 31 - Math.clz32(Number(nr & 0xffff_ffffn));
}
