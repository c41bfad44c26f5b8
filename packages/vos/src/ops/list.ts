import { DaosError, IodType, type Epoch, type EpochRange, type KeyFlavour, type UnitOid } from '@daos/common';

import type { Container } from '../container_state.js';
import type { DtxHandle } from '../dtx/handle.js';
import { IncarnationLog } from '../ilog/incarnation_log.js';
import { LogState } from '../ilog/log_state.js';
import type { PunchMark } from '../ilog/punch_mark.js';
import { hash32, ownCopy, viewOf } from '../layout/bytes.js';
import { AkeyHead, DkeyHead, KeyRecord, ObjectHead } from '../layout/head.js';
import { ANCHOR_SORT_KEY_BYTES_MAX, OID_BYTES, PREFIX_BYTES } from '../layout/heads.js';
import { IndexKey } from '../layout/index_key.js';
import { appendSortKey, checkKey } from '../layout/sort_key.js';
import { Space } from '../layout/spaces.js';
import type { Store } from '../store.js';
import { TsLevel } from '../ts/ts_level.js';
import type { KeyFlavours, VosListParams, VosPage, VosRecxEntry } from '../types.js';
import { scanExtents } from '../value/extent_scan.js';
import { INDEX_MAX } from '../value/extents.js';
import type { SingleLook } from '../value/single_values.js';
import { ANCHOR_END, anchorAtIndex, anchorAtKey, anchorAtNo, anchorDecode, appendAnchorKey } from './anchor.js';
import { checkReadEpoch } from './arguments.js';
import { ReadScope } from './read_scope.js';
import { TS_SEED } from './update_space.js';

/** Entries that one call looks at, so that a stretch of punched keys does not hold the target up. */
const EXAMINED_MAX = 8192;
const LIMIT_MAX = 65_536;
const END: VosPage<never> = { items: [], next: undefined };

/** A level of keys below one parent. */
interface Level {
  readonly space: number;
  readonly parentNo: number;
  /** What is in force at the parent. */
  readonly above: LogState;
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
  private readonly state = new LogState();
  private readonly scope: ReadScope;
  private readonly store: Store;

  constructor(private readonly container: Container) {
    this.scope = new ReadScope(container);
    this.store = container.store;
  }

  objects(epr: EpochRange, limit: number, anchor: Uint8Array | undefined, handle?: DtxHandle): VosPage<UnitOid> {
    checkList(epr, limit);
    return this.run(epr.hi, handle, TsLevel.CONTAINER, () => this.objectPage(epr, limit, anchor));
  }

  dkeys(params: VosListParams, handle?: DtxHandle): VosPage<Uint8Array> {
    checkList(params.epr, params.limit);
    return this.run(params.epr.hi, handle, TsLevel.OBJECT, () => {
      const above = new LogState();
      const object = this.findObject(params, above);
      if (!object) return END;
      const level = { space: Space.DKEY, parentNo: object.no, above, keyOf: DkeyHead.keyOf, logOf: dkeyLogOf };
      return this.keys(params, level, (value, state) => this.dkeyChangedSince(KeyRecord.no(viewOf(value)), state, params.epr));
    });
  }

  akeys(params: VosListParams & { readonly dkey: Uint8Array }, handle?: DtxHandle): VosPage<Uint8Array> {
    checkList(params.epr, params.limit);
    return this.run(params.epr.hi, handle, TsLevel.DKEY, () => {
      const above = new LogState();
      const dkey = this.findDkey(params, above);
      if (!dkey) return END;
      const level = { space: Space.AKEY, parentNo: dkey.no, above, keyOf: AkeyHead.keyOf, logOf: AkeyHead.logOf };
      return this.keys(params, level, (value, state) => this.akeyChangedSince(dkey.no, value, state, params.epr));
    });
  }

  recxs(
    params: VosListParams & { readonly dkey: Uint8Array; readonly akey: Uint8Array; readonly descending?: boolean },
    handle?: DtxHandle,
  ): VosPage<VosRecxEntry> {
    checkList(params.epr, params.limit);
    checkKey('akey', params.akey, params.flavours.akey);
    return this.run(params.epr.hi, handle, TsLevel.AKEY, () => this.recxPage(params));
  }

  keyToAnchor(params: { oid: UnitOid; flavours: KeyFlavours; dkey: Uint8Array; akey?: Uint8Array }): Uint8Array {
    const { dkey, akey, flavours, oid } = params;
    checkKey('dkey', dkey, flavours.dkey);
    if (akey) checkKey('akey', akey, flavours.akey);
    const object = this.store.heads.findObject(this.container.no, oid);
    if (akey === undefined) return this.anchorFor(Space.DKEY, object?.no, dkey, flavours.dkey);
    const head = object && this.store.heads.findDkey(object.no, dkey, flavours.dkey);
    return this.anchorFor(Space.AKEY, head?.no, akey, flavours.akey);
  }

  private run<T>(epoch: Epoch, handle: DtxHandle | undefined, level: TsLevel, list: () => VosPage<T>): VosPage<T> {
    const { scope } = this;
    scope.begin(epoch, handle);
    try {
      const page = list();
      scope.reads(level);
      scope.checkCertain();
      scope.succeed();
      return page;
    } catch (error) {
      throw scope.fail(error);
    }
  }

  private objectPage(epr: EpochRange, limit: number, anchor: Uint8Array | undefined): VosPage<UnitOid> {
    const start = anchorDecode(anchor);
    if (start.kind === 'end') return END;
    this.store.heads.writeBack();
    const { no } = this.container;
    const from = this.from.space(Space.OBJECT).u48(no);
    if (start.kind === 'key') appendAnchorKey(from, start.sortKey, start.inclusive);
    else if (start.kind !== 'start') throw new DaosError('INVAL', 'not an anchor of objects');
    const to = this.to.space(Space.OBJECT).u48(no).toPrefixEnd();
    const items: UnitOid[] = [];
    let examined = 0;
    let last: Uint8Array | undefined;
    for (const { key, value } of this.store.umem.range({ from, to })) {
      if (last && (items.length === limit || examined === EXAMINED_MAX)) {
        return { items, next: anchorAtKey(last, false) };
      }
      examined++;
      last = key.subarray(PREFIX_BYTES);
      const head = ObjectHead.decode(no, last, 0, key, value);
      const state = this.state.reset(undefined);
      if (!this.sees(head.log, state)) continue;
      if (epr.lo > 0n && !this.objectChangedSince(head, state, epr)) continue;
      items.push(unpackOid(last));
    }
    return { items, next: undefined };
  }

  private recxPage(
    params: VosListParams & { readonly dkey: Uint8Array; readonly akey: Uint8Array; readonly descending?: boolean },
  ): VosPage<VosRecxEntry> {
    const { scope } = this;
    const start = anchorDecode(params.anchor);
    const above = new LogState();
    const dkey = this.findDkey(params, above);
    const akey = dkey && this.store.heads.findAkey(dkey.no, params.akey, params.flavours.akey);
    scope.touch(TsLevel.AKEY, akey, hash32(params.akey, TS_SEED));
    const state = new LogState().reset(above);
    if (start.kind === 'end' || !akey || !scope.sees(akey, state)) return END;
    if (start.kind !== 'start' && start.kind !== 'index') throw new DaosError('INVAL', 'not an anchor of extents');
    if (akey.kind === IodType.SINGLE) return this.singleAsRecx(akey, params.epr, state, start.kind === 'start');
    const descending = params.descending === true;
    const from = start.kind === 'index' ? start.index : descending ? INDEX_MAX : 0n;
    const { limit, epr } = params;
    const { view } = scope;
    const scan = { head: akey, epoch: epr.hi, punch: state.punch, viewer: view, from, descending, limit: limit + 1 };
    const pieces = scanExtents(this.store.extents, scan);
    const shown = pieces.slice(0, limit);
    const items = shown
      .filter(({ record }) => record.epoch >= epr.lo)
      .map(({ record, lo, hi }) => ({ recx: { idx: lo, nr: hi - lo + 1n }, epoch: record.epoch, recordSize: record.size }));
    const last = shown.at(-1);
    const more = pieces.length > limit && last !== undefined;
    return { items, next: more ? anchorAtIndex(descending ? last.lo - 1n : last.hi + 1n) : undefined };
  }

  private keys(
    params: VosListParams,
    level: Level,
    changedSince: (value: Uint8Array, state: LogState) => boolean,
  ): VosPage<Uint8Array> {
    const { epr, limit } = params;
    this.store.heads.writeBack();
    const to = this.to.space(level.space).u48(level.parentNo).toPrefixEnd();
    if (!this.startAt(level, params.anchor)) return END;
    const items: Uint8Array[] = [];
    let examined = 0;
    let last: { key: Uint8Array; value: Uint8Array } | undefined;
    for (const entry of this.store.umem.range({ from: this.from, to })) {
      if (last && (items.length === limit || examined === EXAMINED_MAX)) return { items, next: anchorAfter(last) };
      examined++;
      last = entry;
      const state = this.state.reset(level.above);
      if (!this.sees(level.logOf(entry.value), state)) continue;
      if (epr.lo > 0n && !changedSince(entry.value, state)) continue;
      items.push(ownCopy(level.keyOf(entry.value)));
    }
    return { items, next: undefined };
  }

  private sees(log: IncarnationLog, state: LogState): boolean {
    const { epoch, bound, view } = this.scope;
    log.parse(epoch, bound, view, state);
    return state.create !== 0n;
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
    if (from.length - PREFIX_BYTES <= ANCHOR_SORT_KEY_BYTES_MAX) {
      return anchorAtKey(from.bytes.slice(PREFIX_BYTES, from.length), true);
    }
    // too long for an anchor: name the key that stands there, or the next one
    this.store.heads.writeBack();
    const to = this.to.space(space).u48(parentNo ?? 0).toPrefixEnd();
    for (const entry of this.store.umem.range({ from, to, limit: 1 })) return anchorOf(entry, true);
    return ANCHOR_END;
  }

  private findObject({ oid }: VosListParams, state: LogState): ObjectHead | undefined {
    const { heads } = this.store;
    const object = heads.findObject(this.container.no, oid);
    this.scope.touch(TsLevel.OBJECT, object, heads.objectHash(this.container.no, oid));
    return this.scope.sees(object, state) ? object : undefined;
  }

  private findDkey(params: VosListParams & { readonly dkey: Uint8Array }, state: LogState): DkeyHead | undefined {
    checkKey('dkey', params.dkey, params.flavours.dkey);
    const above = new LogState();
    const object = this.findObject(params, above);
    const dkey = object && this.store.heads.findDkey(object.no, params.dkey, params.flavours.dkey);
    this.scope.touch(TsLevel.DKEY, dkey, hash32(params.dkey, TS_SEED));
    return this.scope.sees(dkey, state.reset(above)) ? dkey : undefined;
  }

  private singleAsRecx(akey: AkeyHead, epr: EpochRange, { punch }: LogState, isFirst: boolean): VosPage<VosRecxEntry> {
    const record = isFirst ? this.store.singles.find(akey, this.lookAt(punch)) : undefined;
    if (!record || record.isHole || record.epoch < epr.lo) return END;
    return { items: [{ recx: { idx: 0n, nr: 1n }, epoch: record.epoch, recordSize: record.size }], next: undefined };
  }

  private lookAt(punch: PunchMark): SingleLook {
    const { epoch, bound, view } = this.scope;
    return { hi: epoch, bound, punch, viewer: view };
  }

  private objectChangedSince(object: ObjectHead, above: LogState, epr: EpochRange): boolean {
    if (object.maxWrite < epr.lo) return false;
    return this.someBelow(Space.DKEY, object.no, dkeyLogOf, above, (value, state) =>
      this.dkeyChangedSince(KeyRecord.no(viewOf(value)), state, epr),
    );
  }

  private dkeyChangedSince(dkeyNo: number, above: LogState, epr: EpochRange): boolean {
    return this.someBelow(Space.AKEY, dkeyNo, AkeyHead.logOf, above, (value, state) =>
      this.akeyChangedSince(dkeyNo, value, state, epr),
    );
  }

  /** True when a value is seen at the range's end that was written in the range. */
  private akeyChangedSince(dkeyNo: number, value: Uint8Array, { punch }: LogState, epr: EpochRange): boolean {
    const head = AkeyHead.decode(dkeyNo, value, 0, value, value);
    if (head.maxEpoch < epr.lo) return false;
    if (head.kind === IodType.SINGLE) return this.store.singles.hasAny(head, epr.lo, this.lookAt(punch));
    return this.store.extents.visible(head, 0n, INDEX_MAX, epr.hi, punch, this.scope.view).some(({ record }) => record.epoch >= epr.lo);
  }

  private someBelow(
    space: number,
    parentNo: number,
    logOf: (value: Uint8Array) => IncarnationLog,
    above: LogState,
    test: (value: Uint8Array, state: LogState) => boolean,
  ): boolean {
    // the scan's own state is reused for the entry that asks
    const parent = new LogState().assign(above);
    const from = new IndexKey().space(space).u48(parentNo);
    const to = new IndexKey().space(space).u48(parentNo).toPrefixEnd();
    for (const { value } of this.store.umem.range({ from, to })) {
      const state = new LogState().reset(parent);
      if (this.sees(logOf(value), state) && test(value, state)) return true;
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

function anchorAfter(entry: { key: Uint8Array; value: Uint8Array }): Uint8Array {
  return anchorOf(entry, false);
}

function anchorOf({ key, value }: { key: Uint8Array; value: Uint8Array }, inclusive: boolean): Uint8Array {
  const sortKey = key.subarray(PREFIX_BYTES);
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
