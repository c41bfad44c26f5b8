import { IodType, type Epoch } from '@daos/common';

import { viewOf } from '../../src/layout/bytes.js';
import { AkeyHead } from '../../src/layout/head.js';
import { MINOR_MAX, PunchMark } from '../../src/ilog/punch_mark.js';
import { Space } from '../../src/layout/spaces.js';
import { DataStore } from '../../src/value/data_store.js';
import { MINOR_REMOVE, type ExtentRef } from '../../src/value/extent/extent_ref.js';
import { ExtentFlag, type ExtentEntry } from '../../src/value/extent/sweep.js';
import { Extents } from '../../src/value/extents.js';
import { ValueRecord } from '../../src/value/value_record.js';
import { SEES_COMMITTED, type ValueViewer, type VisiblePiece } from '../../src/value/visibility.js';
import { MemoryUmem } from './memory_umem.js';

export const AKEY_NO = 77;
export const NEWEST: Epoch = 0xffff_ffff_ffff_ffffn;
export const ALL = { lo: 0n, hi: NEWEST };

export interface PutOptions {
  minor?: number;
  bound?: number;
  owner?: number;
}

/** One array over an index in memory, with short calls. Values are texts of one-byte records. */
export class ExtentRig {
  readonly umem = new MemoryUmem();
  readonly freed: ValueRecord[] = [];
  extents: Extents;
  private readonly store: DataStore;
  head = new AkeyHead(1, Buffer.from('a'), 0, Buffer.from('a'), AKEY_NO);
  /** Minor epoch of the last write. */
  minor = 0;

  /** A spilled array stays out of the head from its first record on. */
  constructor(readonly isSpilled: boolean) {
    this.store = new DataStore(this.umem, undefined, undefined);
    this.store.free = (record) => this.freed.push(record);
    this.extents = new Extents(this.umem, this.store);
    this.head.kind = IodType.ARRAY;
  }

  /** Checks and writes; undefined text: a hole. The result is the hint for aggregation. */
  put(lo: number | bigint, hi: number | bigint, epoch: number, text?: string, options: PutOptions = {}): number {
    this.settle();
    const { minor = MINOR_MAX, bound = epoch, owner = 0 } = options;
    const place = { lo: BigInt(lo), hi: BigInt(hi), epoch: BigInt(epoch) };
    const size = text === undefined ? 0 : text.length / Number(place.hi - place.lo + 1n);
    this.minor = this.extents.check(this.head, { ...place, minor, bound: BigInt(bound), size });
    return this.extents.write(this.head, recordOf(place.lo, place.hi, place.epoch, this.minor, size, text, owner));
  }

  data(lo: number, text: string, epoch: number, options?: PutOptions): number {
    return this.put(lo, lo + text.length - 1, epoch, text, options);
  }

  hole(lo: number | bigint, hi: number | bigint, epoch: number, options?: PutOptions): number {
    return this.put(lo, hi, epoch, undefined, options);
  }

  delete(lo: number | bigint, hi: number | bigint, epoch: number, minor = MINOR_MAX): boolean {
    return this.extents.delete(this.head, ref(lo, hi, epoch, minor));
  }

  removeAll(lo: number, hi: number, epochLo: number, epochHi: number): ExtentRef[] {
    return this.extents.removeAll(this.head, BigInt(lo), BigInt(hi), { lo: BigInt(epochLo), hi: BigInt(epochHi) });
  }

  /** What is seen, record by record: '_' is a hole, '.' is nothing. */
  see(lo: number, hi: number, epoch: number | bigint = NEWEST, viewer?: ValueViewer, punch?: PunchMark): string {
    const text = Array<string>(hi - lo + 1).fill('.');
    for (const piece of this.extents.visible(this.head, BigInt(lo), BigInt(hi), BigInt(epoch), punch, viewer)) {
      for (let i = Number(piece.lo); i <= Number(piece.hi); i++) text[i - lo] = letterOf(piece, BigInt(i));
    }
    return text.join('');
  }

  entries(flags: number, options: { punch?: PunchMark; viewer?: ValueViewer } = {}): string[] {
    return this.extents.entries(this.head, { ...ALL, epr: ALL, flags, viewer: SEES_COMMITTED, ...options }).map(showEntry);
  }

  /** All records, read in pages. */
  records(limit = 1000, punch?: PunchMark): ExtentEntry[] {
    const all: ExtentEntry[] = [];
    let from: ExtentRef | undefined;
    do {
      const page = this.extents.records(this.head, { epr: ALL, limit, from, punch });
      all.push(...page.entries);
      from = page.next;
    } while (from);
    return all;
  }

  /** The head as it comes back from the index, and nothing of the array in memory. */
  reload(): void {
    this.extents = new Extents(this.umem, this.store);
    const { head } = this;
    const bytes = new Uint8Array(head.encodedBytes);
    head.encode(bytes, viewOf(bytes));
    this.head = AkeyHead.decode(head.parent, head.key, head.hash, head.indexKey, bytes);
  }

  /** Rows in the index, by space. */
  rows(): { live: number; value: number; time: number } {
    const { umem } = this;
    return { live: umem.countOf(Space.LIVE), value: umem.countOf(Space.VALUE), time: umem.countOf(Space.TIME) };
  }

  private settle(): void {
    if (!this.isSpilled || this.head.isSpilled) return;
    this.head.isSpilled = true;
    this.head.hasLive = true;
  }
}

export function recordOf(
  lo: bigint,
  hi: bigint,
  epoch: Epoch,
  minor: number,
  size: number,
  text: string | undefined,
  owner = 0,
): ValueRecord {
  if (text === undefined) return ValueRecord.hole(epoch, minor, lo, hi, owner);
  const data = Uint8Array.from(Buffer.from(text));
  return new ValueRecord(epoch, minor, size, lo, hi, true, -1, undefined, data, false, owner === 0 ? {} : { owner });
}

export function ref(lo: number | bigint, hi: number | bigint, epoch: number, minor = MINOR_MAX): ExtentRef {
  return { lo: BigInt(lo), hi: BigInt(hi), epoch: BigInt(epoch), minor };
}

export function punchAt(epoch: number, minor = 0xffff): PunchMark {
  const punch = new PunchMark();
  punch.epoch = BigInt(epoch);
  punch.minor = minor;
  return punch;
}

export function sees(...owners: number[]): ValueViewer {
  return { see: ({ owner }) => owners.includes(owner) };
}

function letterOf({ record }: VisiblePiece, index: bigint): string {
  if (record.isHole) return '_';
  return String.fromCharCode(record.data[Number(index - record.lo) * record.size] as number);
}

/** As `[lo-hi]@epoch FLAGS`, the minor epoch when it is not the usual one. */
export function showEntry({ lo, hi, flags, record }: ExtentEntry): string {
  const names = (Object.keys(ExtentFlag) as (keyof typeof ExtentFlag)[]).filter((name) => flags & ExtentFlag[name]);
  const isPlain = record.minor === MINOR_MAX || record.minor === MINOR_REMOVE;
  return `[${lo}-${hi}]@${record.epoch}${isPlain ? '' : `.${record.minor}`}${names.map((name) => ` ${name}`).join('')}`;
}
