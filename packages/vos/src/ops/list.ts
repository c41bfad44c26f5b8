import { DaosError, IodType, type Epoch, type EpochRange, type KeyFlavour, type UnitOid } from '@daos/common';

import { ownCopy, viewOf } from '../layout/bytes.js';
import { AkeyHead, DkeyHead, KeyRecord, ObjectHead } from '../layout/head.js';
import { ANCHOR_SORT_KEY_BYTES_MAX, OID_BYTES } from '../layout/heads.js';
import { IncarnationLog, PunchMark } from '../layout/incarnation_log.js';
import { IndexKey } from '../layout/index_key.js';
import { appendSortKey, checkKey } from '../layout/sort_key.js';
import { Space } from '../layout/spaces.js';
import type { Store } from '../store.js';
import type { KeyFlavours, VosListParams, VosPage, VosRecxEntry } from '../types.js';
import { scanExtents } from '../value/extent_scan.js';
import { INDEX_MAX } from '../value/extents.js';
import {
  ANCHOR_END,
  anchorAtIndex,
  anchorAtKey,
  anchorAtNo,
  anchorDecode,
  appendAnchorKey,
} from './anchor.js';
import { checkReadEpoch } from './arguments.js';

/** Entries that one call looks at, so that a stretch of punched keys does not hold the target up. */
const EXAMINED_MAX = 8192;
const LIMIT_MAX = 65_536;
/** Space and number of the parent before the sort key. */
const KEY_PREFIX_BYTES = 7;


/** A level of keys below one parent. */
interface Level {
  readonly space: number;
  readonly parentNo: number;
  /** Punch in force at the parent. */
  readonly punch: PunchMark;
  readonly keyOf: (value: Uint8Array) => Uint8Array;
  readonly logOf: (value: Uint8Array) => IncarnationLog;
}

/**
 * Pages of what exists at an epoch. A page may be short, even empty, before the end: only a missing anchor
 * ends.
 */
export class List {
  private readonly from = new IndexKey();
  private readonly to = new IndexKey();
  private readonly mark = new PunchMark();

  constructor(
    private readonly store: Store,
    private readonly container: number,
  ) {}

  objects(epr: EpochRange, limit: number, anchor: Uint8Array | undefined): VosPage<UnitOid> {
    checkList(epr, limit);
    const start = anchorDecode(anchor);
    if (start.kind === 'end') return { items: [], next: undefined };
    this.store.heads.writeBack();
    const from = this.from.space(Space.OBJECT).u48(this.container);
    if (start.kind === 'key') appendAnchorKey(from, start.sortKey, start.inclusive);
    else if (start.kind !== 'start') throw new DaosError('INVAL', 'not an anchor of objects');
    const to = this.to.space(Space.OBJECT).u48(this.container).toPrefixEnd();
    const items: UnitOid[] = [];
    let examined = 0;
    let last: Uint8Array | undefined;
    for (const { key, value } of this.store.umem.range({ from, to })) {
      if (last && (items.length === limit || examined === EXAMINED_MAX)) {
        return { items, next: anchorAtKey(last, false) };
      }
      examined++;
      last = key.subarray(KEY_PREFIX_BYTES);
      const head = ObjectHead.decode(this.container, last, 0, key, value);
      if (head.log.visibleAt(epr.hi, this.mark.reset()) === 0n) continue;
      if (epr.lo > 0n && !this.objectChangedSince(head, epr)) continue;
      items.push(unpackOid(last));
    }
    return { items, next: undefined };
  }

  dkeys(params: VosListParams): VosPage<Uint8Array> {
    checkList(params.epr, params.limit);
    const punch = new PunchMark();
    const object = this.findObject(params, punch);
    if (!object) return { items: [], next: undefined };
    const level = { space: Space.DKEY, parentNo: object.no, punch, keyOf: DkeyHead.keyOf, logOf: dkeyLogOf };
    return this.keys(params, level, (value, mark) => this.dkeyChangedSince(KeyRecord.no(viewOf(value)), mark, params.epr));
  }

  akeys(params: VosListParams & { readonly dkey: Uint8Array }): VosPage<Uint8Array> {
    checkList(params.epr, params.limit);
    const punch = new PunchMark();
    const dkey = this.findDkey(params, punch);
    if (!dkey) return { items: [], next: undefined };
    const level = { space: Space.AKEY, parentNo: dkey.no, punch, keyOf: AkeyHead.keyOf, logOf: AkeyHead.logOf };
    return this.keys(params, level, (value, mark) => this.akeyChangedSince(dkey.no, value, mark, params.epr));
  }

  recxs(
    params: VosListParams & { readonly dkey: Uint8Array; readonly akey: Uint8Array; readonly descending?: boolean },
  ): VosPage<VosRecxEntry> {
    checkList(params.epr, params.limit);
    checkKey('akey', params.akey, params.flavours.akey);
    const start = anchorDecode(params.anchor);
    const punch = new PunchMark();
    const dkey = this.findDkey(params, punch);
    const akey = dkey && this.store.heads.findAkey(dkey.no, params.akey, params.flavours.akey);
    if (start.kind === 'end' || !akey || akey.log.visibleAt(params.epr.hi, punch) === 0n) {
      return { items: [], next: undefined };
    }
    if (start.kind !== 'start' && start.kind !== 'index') throw new DaosError('INVAL', 'not an anchor of extents');
    if (akey.kind === IodType.SINGLE) return this.singleAsRecx(akey, params.epr, punch, start.kind === 'start');
    const descending = params.descending === true;
    const from = start.kind === 'index' ? start.index : descending ? INDEX_MAX : 0n;
    const { limit, epr } = params;
    const pieces = scanExtents(this.store.extents, { head: akey, epoch: epr.hi, punch, from, descending, limit: limit + 1 });
    const shown = pieces.slice(0, limit);
    const items = shown
      .filter(({ record }) => record.epoch >= epr.lo)
      .map(({ record, lo, hi }) => ({ recx: { idx: lo, nr: hi - lo + 1n }, epoch: record.epoch, recordSize: record.size }));
    const last = shown.at(-1);
    const more = pieces.length > limit && last !== undefined;
    return { items, next: more ? anchorAtIndex(descending ? last.lo - 1n : last.hi + 1n) : undefined };
  }

  keyToAnchor(params: { oid: UnitOid; flavours: KeyFlavours; dkey: Uint8Array; akey?: Uint8Array }): Uint8Array {
    const { dkey, akey, flavours, oid } = params;
    checkKey('dkey', dkey, flavours.dkey);
    if (akey) checkKey('akey', akey, flavours.akey);
    const object = this.store.heads.findObject(this.container, oid);
    if (akey === undefined) return this.anchorFor(Space.DKEY, object?.no, dkey, flavours.dkey);
    const head = object && this.store.heads.findDkey(object.no, dkey, flavours.dkey);
    return this.anchorFor(Space.AKEY, head?.no, akey, flavours.akey);
  }

  private keys(
    params: VosListParams,
    level: Level,
    changedSince: (value: Uint8Array, punch: PunchMark) => boolean,
  ): VosPage<Uint8Array> {
    const { epr, limit } = params;
    this.store.heads.writeBack();
    const to = this.to.space(level.space).u48(level.parentNo).toPrefixEnd();
    if (!this.startAt(level, params.anchor)) return { items: [], next: undefined };
    const items: Uint8Array[] = [];
    let examined = 0;
    let last: { key: Uint8Array; value: Uint8Array } | undefined;
    for (const entry of this.store.umem.range({ from: this.from, to })) {
      if (last && (items.length === limit || examined === EXAMINED_MAX)) return { items, next: anchorAfter(last) };
      examined++;
      last = entry;
      const { mark } = this;
      mark.epoch = level.punch.epoch;
      mark.minor = level.punch.minor;
      if (level.logOf(entry.value).visibleAt(epr.hi, mark) === 0n) continue;
      if (epr.lo > 0n && !changedSince(entry.value, mark)) continue;
      items.push(ownCopy(level.keyOf(entry.value)));
    }
    return { items, next: undefined };
  }

  /** Sets `from`; false when the anchor is at the end. */
  private startAt(level: Level, bytes: Uint8Array | undefined): boolean {
    const anchor = anchorDecode(bytes);
    const from = this.from.space(level.space).u48(level.parentNo);
    if (anchor.kind === 'end') return false;
    if (anchor.kind === 'start') return true;
    if (anchor.kind === 'index') throw new DaosError('INVAL', 'not an anchor of keys');
    let sortKey: Uint8Array | undefined;
    if (anchor.kind === 'key') ({ sortKey } = anchor);
    else sortKey = this.store.umem.get(new IndexKey().space(Space.LONG_KEY).u48(anchor.no));
    if (!sortKey) throw new DaosError('INVAL', 'the key of this anchor is gone');
    appendAnchorKey(from, sortKey, anchor.inclusive);
    return true;
  }

  private anchorFor(space: number, parentNo: number | undefined, key: Uint8Array, flavour: KeyFlavour): Uint8Array {
    const from = this.from.space(space).u48(parentNo ?? 0);
    appendSortKey(from, key, flavour, 0);
    if (from.length - KEY_PREFIX_BYTES <= ANCHOR_SORT_KEY_BYTES_MAX) {
      return anchorAtKey(from.bytes.slice(KEY_PREFIX_BYTES, from.length), true);
    }
    // too long for an anchor: name the key that stands there, or the next one
    this.store.heads.writeBack();
    const to = this.to.space(space).u48(parentNo ?? 0).toPrefixEnd();
    for (const entry of this.store.umem.range({ from, to, limit: 1 })) return anchorOf(entry, true);
    return ANCHOR_END;
  }

  private findObject({ oid, epr }: VosListParams, punch: PunchMark): ObjectHead | undefined {
    const object = this.store.heads.findObject(this.container, oid);
    return object && object.log.visibleAt(epr.hi, punch) !== 0n ? object : undefined;
  }

  private findDkey(params: VosListParams & { readonly dkey: Uint8Array }, punch: PunchMark): DkeyHead | undefined {
    checkKey('dkey', params.dkey, params.flavours.dkey);
    const object = this.findObject(params, punch);
    const dkey = object && this.store.heads.findDkey(object.no, params.dkey, params.flavours.dkey);
    return dkey && dkey.log.visibleAt(params.epr.hi, punch) !== 0n ? dkey : undefined;
  }

  private singleAsRecx(akey: AkeyHead, epr: EpochRange, punch: PunchMark, isFirst: boolean): VosPage<VosRecxEntry> {
    const record = isFirst ? this.store.singles.find(akey, epr.hi, punch) : undefined;
    if (!record || record.isHole || record.epoch < epr.lo) return { items: [], next: undefined };
    return { items: [{ recx: { idx: 0n, nr: 1n }, epoch: record.epoch, recordSize: record.size }], next: undefined };
  }

  private objectChangedSince(object: ObjectHead, epr: EpochRange): boolean {
    const punch = copyMark(this.mark);
    return this.someBelow(Space.DKEY, object.no, dkeyLogOf, punch, epr.hi, (value, mark) =>
      this.dkeyChangedSince(KeyRecord.no(viewOf(value)), mark, epr),
    );
  }

  private dkeyChangedSince(dkeyNo: number, punch: PunchMark, epr: EpochRange): boolean {
    return this.someBelow(Space.AKEY, dkeyNo, AkeyHead.logOf, copyMark(punch), epr.hi, (value, mark) =>
      this.akeyChangedSince(dkeyNo, value, mark, epr),
    );
  }

  /** True when a value is seen at the range's end that was written in the range. */
  private akeyChangedSince(dkeyNo: number, value: Uint8Array, punch: PunchMark, epr: EpochRange): boolean {
    const head = AkeyHead.decode(dkeyNo, value, 0, value, value);
    if (head.kind === IodType.SINGLE) return this.store.singles.hasAny(head, epr.lo, epr.hi, punch);
    const seen = this.store.extents.visible(head, 0n, INDEX_MAX, epr.hi, punch);
    return seen.some(({ record }) => record.epoch >= epr.lo);
  }

  private someBelow(
    space: number,
    parentNo: number,
    logOf: (value: Uint8Array) => IncarnationLog,
    punch: PunchMark,
    hi: Epoch,
    test: (value: Uint8Array, mark: PunchMark) => boolean,
  ): boolean {
    const from = new IndexKey().space(space).u48(parentNo);
    const to = new IndexKey().space(space).u48(parentNo).toPrefixEnd();
    for (const { value } of this.store.umem.range({ from, to })) {
      const mark = copyMark(punch);
      if (logOf(value).visibleAt(hi, mark) !== 0n && test(value, mark)) return true;
    }
    return false;
  }
}

function checkList({ lo, hi }: EpochRange, limit: number): void {
  checkReadEpoch(hi);
  if (lo < 0n || lo > hi) throw new DaosError('INVAL', `epoch range ${lo}..${hi}`);
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX) throw new DaosError('INVAL', `a page of ${limit} entries`);
}

function dkeyLogOf(value: Uint8Array): IncarnationLog {
  return IncarnationLog.decode(value, KeyRecord.FIXED_BYTES, KeyRecord.logCount(viewOf(value)));
}

function copyMark(punch: PunchMark): PunchMark {
  const copy = new PunchMark();
  copy.epoch = punch.epoch;
  copy.minor = punch.minor;
  return copy;
}

function anchorAfter(entry: { key: Uint8Array; value: Uint8Array }): Uint8Array {
  return anchorOf(entry, false);
}

function anchorOf({ key, value }: { key: Uint8Array; value: Uint8Array }, inclusive: boolean): Uint8Array {
  const sortKey = key.subarray(KEY_PREFIX_BYTES);
  if (sortKey.length <= ANCHOR_SORT_KEY_BYTES_MAX) return anchorAtKey(sortKey, inclusive);
  return anchorAtNo(KeyRecord.no(viewOf(value)), inclusive);
}

function unpackOid(bytes: Uint8Array): UnitOid {
  const view = viewOf(bytes.subarray(0, OID_BYTES));
  return {
    oid: { hi: view.getBigUint64(0), lo: view.getBigUint64(8) },
    shard: view.getUint32(16),
    layoutVersion: view.getUint16(20),
  };
}
