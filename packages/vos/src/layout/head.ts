import { IodType, type Epoch } from '@daos/common';

import { ValueRecord } from '../value/value_record.js';
import { EMPTY, getU48, ownCopy, setU48, viewOf } from './bytes.js';
import { IncarnationLog } from '../ilog/incarnation_log.js';

/**
 * Heads are the index records of objects, dkeys and akeys, kept decoded in memory and written back when a
 * batch ends. `indexKey` is where it stands in the index; `key` are the real key bytes, compared on every
 * hit.
 */
export abstract class Head {
  log = new IncarnationLog();
  /** Set while a change waits to be written to the index. */
  isDirty = false;
  /** Set while the cache holds it; a changed head is always there. */
  isCached = false;

  constructor(
    /** Number of the parent: container, object or dkey. */
    readonly parent: number,
    readonly key: Uint8Array,
    readonly hash: number,
    readonly indexKey: Uint8Array,
    /** What the level below is filed under. Unique in the pool, never reused. */
    readonly no: number,
  ) {}

  abstract get encodedBytes(): number;
  abstract encode(into: Uint8Array, view: DataView): void;
}

/** Stored as: no u48 | highest write epoch u64 | log entries u32 | log | epoch of the last synchronization u64, if any. */
const OBJECT_FIXED_BYTES = 18;
/** Where the highest epoch of a stored object's modifications stands. */
export const OBJECT_MAX_WRITE_AT = 6;
const SYNC_BYTES = 8;

export class ObjectHead extends Head {
  /** Highest epoch of any modification of the object. */
  maxWrite: Epoch = 0n;
  /** Transactions at or below it are all decided. */
  sync: Epoch = 0n;

  static decode(parent: number, key: Uint8Array, hash: number, indexKey: Uint8Array, bytes: Uint8Array): ObjectHead {
    const view = viewOf(bytes);
    const head = new ObjectHead(parent, key, hash, indexKey, getU48(view, 0));
    head.maxWrite = view.getBigUint64(6);
    head.log = IncarnationLog.decode(bytes, OBJECT_FIXED_BYTES, view.getUint32(14));
    const end = OBJECT_FIXED_BYTES + head.log.encodedBytes;
    if (bytes.length >= end + SYNC_BYTES) head.sync = view.getBigUint64(end);
    return head;
  }

  override get encodedBytes(): number {
    return OBJECT_FIXED_BYTES + this.log.encodedBytes + (this.sync > 0n ? SYNC_BYTES : 0);
  }

  override encode(_into: Uint8Array, view: DataView): void {
    setU48(view, 0, this.no);
    view.setBigUint64(6, this.maxWrite);
    view.setUint32(14, this.log.countField);
    this.log.encode(view, OBJECT_FIXED_BYTES);
    if (this.sync > 0n) view.setBigUint64(OBJECT_FIXED_BYTES + this.log.encodedBytes, this.sync);
  }
}

/**
 * Reads of a stored dkey or akey without making a head of it: for listings. Stored first: no u48 | key bytes
 * u16 | log entries u32.
 */
export const KeyRecord = {
  FIXED_BYTES: 12,
  no: (view: DataView): number => getU48(view, 0),
  keyBytes: (view: DataView): number => view.getUint16(6),
  logCount: (view: DataView): number => view.getUint32(8),
} as const;

/** Where the log of a stored dkey, and of a stored akey, begins. */
export const DKEY_LOG_AT = KeyRecord.FIXED_BYTES;
export const AKEY_LOG_AT = KeyRecord.FIXED_BYTES + 24;
/** Where the highest epoch of a stored akey's values stands. */
export const AKEY_MAX_EPOCH_AT = 20;

/** Stored as: no u48 | key bytes u16 | log entries u32 | log | key. */
export class DkeyHead extends Head {
  static decode(parent: number, key: Uint8Array, hash: number, indexKey: Uint8Array, bytes: Uint8Array): DkeyHead {
    const view = viewOf(bytes);
    const head = new DkeyHead(parent, key, hash, indexKey, KeyRecord.no(view));
    head.log = IncarnationLog.decode(bytes, KeyRecord.FIXED_BYTES, KeyRecord.logCount(view));
    return head;
  }

  /** The key of a stored dkey. */
  static keyOf(bytes: Uint8Array): Uint8Array {
    const view = viewOf(bytes);
    const at = KeyRecord.FIXED_BYTES + IncarnationLog.bytesFor(KeyRecord.logCount(view));
    return bytes.subarray(at, at + KeyRecord.keyBytes(view));
  }

  override get encodedBytes(): number {
    return KeyRecord.FIXED_BYTES + IncarnationLog.bytesFor(this.log.count) + this.key.length;
  }

  override encode(into: Uint8Array, view: DataView): void {
    setU48(view, 0, this.no);
    view.setUint16(6, this.key.length);
    view.setUint32(8, this.log.countField);
    this.log.encode(view, KeyRecord.FIXED_BYTES);
    into.set(this.key, KeyRecord.FIXED_BYTES + IncarnationLog.bytesFor(this.log.count));
  }
}

/** Bits of an akey's flags. */
const SPILLED = 1;
const LIVE = 2;
const REMOVALS = 4;

/**
 * An akey with its newest values, so that most reads end here. Single value: `values` is the newest version
 * alone. Array: `values` are all extents until they are spilled to spaces of their own. Stored as: no u48 | key
 * bytes u16 | log entries u32 | kind u8 | flags u8 | values u16 | record size u32 | highest value epoch u64 |
 * width classes u64 | log | key | values.
 */
export class AkeyHead extends Head {
  kind: IodType = IodType.NONE;
  /** Array: extents are not in `values`. Single value: older versions are in the VALUE space. */
  isSpilled = false;
  /** Spilled array: the LIVE and TIME rows are there; arrays stored by version 1 of the layout have none. */
  hasLive = false;
  /** Array: some of its records are removals. */
  hasRemovals = false;
  /** Size of all records of the array that are not holes; 0 while there is none. */
  recordSize = 0;
  /** Highest epoch of any value. */
  maxEpoch: Epoch = 0n;
  /** Width classes of the extents in the VALUE space, one bit each. */
  widthClasses = 0n;
  /** Not stored: first and last index of the spilled extents, once they were asked for. */
  bounds: { readonly lo: bigint; readonly hi: bigint } | undefined;
  values: readonly ValueRecord[] = [];

  static decode(parent: number, key: Uint8Array, hash: number, indexKey: Uint8Array, bytes: Uint8Array): AkeyHead {
    const view = viewOf(bytes);
    const head = new AkeyHead(parent, key, hash, indexKey, KeyRecord.no(view));
    const logCount = KeyRecord.logCount(view);
    head.kind = bytes[12] as IodType;
    const flags = bytes[13] as number;
    head.isSpilled = (flags & SPILLED) !== 0;
    head.hasLive = (flags & LIVE) !== 0;
    head.hasRemovals = (flags & REMOVALS) !== 0;
    head.recordSize = view.getUint32(16);
    head.maxEpoch = view.getBigUint64(AKEY_MAX_EPOCH_AT);
    head.widthClasses = view.getBigUint64(28);
    head.log = IncarnationLog.decode(bytes, AKEY_LOG_AT, logCount);
    let at = AKEY_LOG_AT + IncarnationLog.bytesFor(logCount) + KeyRecord.keyBytes(view);
    const values: ValueRecord[] = [];
    for (let i = view.getUint16(14); i > 0; i--) {
      const value = ValueRecord.decode(bytes, at, view);
      at += value.encodedBytes;
      values.push(value);
    }
    head.values = values;
    return head;
  }

  static logOf(bytes: Uint8Array): IncarnationLog {
    return IncarnationLog.decode(bytes, AKEY_LOG_AT, KeyRecord.logCount(viewOf(bytes)));
  }

  static keyOf(bytes: Uint8Array): Uint8Array {
    const view = viewOf(bytes);
    const at = AKEY_LOG_AT + IncarnationLog.bytesFor(KeyRecord.logCount(view));
    return bytes.subarray(at, at + KeyRecord.keyBytes(view));
  }

  override get encodedBytes(): number {
    const fixed = AKEY_LOG_AT + IncarnationLog.bytesFor(this.log.count) + this.key.length;
    return fixed + valuesBytes(this.values);
  }

  override encode(into: Uint8Array, view: DataView): void {
    setU48(view, 0, this.no);
    view.setUint16(6, this.key.length);
    view.setUint32(8, this.log.countField);
    into[12] = this.kind;
    into[13] = (this.isSpilled ? SPILLED : 0) | (this.hasLive ? LIVE : 0) | (this.hasRemovals ? REMOVALS : 0);
    view.setUint16(14, this.values.length);
    view.setUint32(16, this.recordSize);
    view.setBigUint64(AKEY_MAX_EPOCH_AT, this.maxEpoch);
    view.setBigUint64(28, this.widthClasses);
    let at = AKEY_LOG_AT;
    this.log.encode(view, at);
    at += IncarnationLog.bytesFor(this.log.count);
    into.set(this.key, at);
    at += this.key.length;
    for (const value of this.values) at = value.encode(into, view, at);
  }
}

export function valuesBytes(values: readonly ValueRecord[]): number {
  let bytes = 0;
  for (const value of values) bytes += value.encodedBytes;
  return bytes;
}

/** Key bytes as a head keeps them. */
export function headKey(key: Uint8Array): Uint8Array {
  return key.length === 0 ? EMPTY : ownCopy(key);
}
