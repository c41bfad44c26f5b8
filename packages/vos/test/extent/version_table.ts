import { IodType } from '@daos/common';

import { AkeyHead } from '../../src/layout/head.js';
import type { IndexKey } from '../../src/layout/index_key.js';
import { MINOR_MAX } from '../../src/ilog/punch_mark.js';
import { Space } from '../../src/layout/spaces.js';
import type { UmemEntry, UmemRange } from '../../src/umem/umem.js';
import { MemoryUmem } from './memory_umem.js';

// jest looks globals up through a slow door
const { imul, clz32 } = Math;

/** Indices of the array, and the widest extents in it. */
export const PLACES = 4096;
const WIDTH_MAX = 64;
const AKEY_NO = 5;
const VALUE_KEY_BYTES = 34;
const TIME_KEY_BYTES = 33;
const LIVE_KEY_BYTES = 15;
const RECORD_BYTES = 38;
const PIECE_BYTES = 40;
const EXTENT_IN_FILE = 6;
const EXTENT_APART = 18;

/** Sorted rows of one space, packed: a million of them are made in a moment. */
class PackedRows {
  count = 0;
  readonly keys: DataView;
  readonly values: DataView;
  private readonly keyBuffer: Buffer;

  constructor(
    readonly space: number,
    readonly keyBytes: number,
    readonly valueBytes: number,
    rowsMax: number,
  ) {
    this.keyBuffer = Buffer.alloc(rowsMax * keyBytes);
    this.keys = new DataView(this.keyBuffer.buffer, this.keyBuffer.byteOffset, this.keyBuffer.length);
    this.values = new DataView(new ArrayBuffer(rowsMax * valueBytes));
  }

  entry(at: number): UmemEntry {
    const key = Uint8Array.from(this.keyBuffer.subarray(at * this.keyBytes, (at + 1) * this.keyBytes));
    const value = new Uint8Array(this.values.buffer, at * this.valueBytes, this.valueBytes);
    return { key, value };
  }

  /** Position of the first row that is not below the key. */
  locate({ bytes, length }: IndexKey): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const start = middle * this.keyBytes;
      if (this.keyBuffer.compare(bytes, 0, length, start, start + this.keyBytes) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Place of a version: hashed, so that all kinds of overlaps come up. */
export function placeOfVersion(version: number): { lo: number; nr: number } {
  const hash = imul(version + 1, 0x9e37_79b1) >>> 0;
  return { lo: hash % (PLACES - WIDTH_MAX), nr: 1 + (imul(hash, 0x85eb_ca6b) >>> 26) };
}

/** Of every index the newest of the first `count` versions; -1: none. */
export function pictureOf(count: number): Int32Array {
  const picture = new Int32Array(PLACES).fill(-1);
  for (let version = 0; version < count; version++) {
    const { lo, nr } = placeOfVersion(version);
    picture.fill(version, lo, lo + nr);
  }
  return picture;
}

/**
 * An index, for reading only, that holds an array written `count` times: version v has epoch v + 1. The rows
 * are made straight from the layout's description and not by the code that is tested.
 */
export class VersionTable extends MemoryUmem {
  readonly head = new AkeyHead(1, Buffer.from('a'), 0, Buffer.from('a'), AKEY_NO);
  private readonly tables: PackedRows[];

  constructor(readonly count: number) {
    super();
    const live = new PackedRows(Space.LIVE, LIVE_KEY_BYTES, PIECE_BYTES, PLACES);
    const value = new PackedRows(Space.VALUE, VALUE_KEY_BYTES, RECORD_BYTES, count);
    const time = new PackedRows(Space.TIME, TIME_KEY_BYTES, 0, count);
    this.tables = [live, value, time];
    this.makeLive(live);
    this.makeTime(time);
    this.makeValues(value);
    this.head.kind = IodType.ARRAY;
    this.head.isSpilled = true;
    this.head.hasLive = true;
    this.head.recordSize = 1;
    this.head.maxEpoch = BigInt(count);
    this.head.widthClasses = 0x7fn;
  }

  override get(key: IndexKey): Uint8Array | undefined {
    this.gets++;
    const table = this.tableOf(key);
    const at = table.locate(key);
    if (at >= table.count) return undefined;
    const entry = table.entry(at);
    return Buffer.compare(entry.key, key.bytes.subarray(0, key.length)) === 0 ? entry.value : undefined;
  }

  override range({ from, to, reverse = false, limit = Infinity }: UmemRange): Iterable<UmemEntry> {
    this.ranges++;
    const table = this.tableOf(from);
    return this.read(table, table.locate(from), table.locate(to), reverse, limit);
  }

  private *read(table: PackedRows, first: number, end: number, reverse: boolean, limit: number): Generator<UmemEntry> {
    const count = Math.min(limit, end - first);
    for (let i = 0; i < count; i++) {
      this.rangeEntries++;
      yield table.entry(reverse ? end - 1 - i : first + i);
    }
  }

  private tableOf(key: IndexKey): PackedRows {
    const table = this.tables.find(({ space }) => space === key.bytes[0]);
    if (!table) throw new Error(`no rows of space ${key.bytes[0]}`);
    return table;
  }

  /** Stand-ins only: also what nothing covers stands in VALUE, as after deletes. */
  private makeLive(rows: PackedRows): void {
    const picture = pictureOf(this.count);
    for (let lo = 0; lo < PLACES; ) {
      const version = picture[lo] as number;
      let end = lo + 1;
      while (end < PLACES && picture[end] === version) end++;
      if (version >= 0) {
        const at = rows.count++ * LIVE_KEY_BYTES;
        rows.keys.setUint8(at, Space.LIVE);
        rows.keys.setUint32(at + 3, AKEY_NO);
        rows.keys.setUint32(at + 11, lo);
        const valueAt = (rows.count - 1) * PIECE_BYTES;
        writeRecord(rows.values, valueAt, version, EXTENT_APART);
        rows.values.setUint32(valueAt + 36, end - lo);
      }
      lo = end;
    }
  }

  private makeTime(rows: PackedRows): void {
    for (let version = this.count - 1; version >= 0; version--) {
      const at = rows.count++ * TIME_KEY_BYTES;
      rows.keys.setUint8(at, Space.TIME);
      rows.keys.setUint32(at + 3, AKEY_NO);
      writeAge(rows.keys, at + 7, version);
      const { lo, nr } = placeOfVersion(version);
      rows.keys.setUint32(at + 21, lo);
      rows.keys.setUint32(at + 29, nr - 1);
    }
  }

  private makeValues(rows: PackedRows): void {
    const order = new Float64Array(this.count);
    for (let version = 0; version < this.count; version++) {
      const { lo, nr } = placeOfVersion(version);
      order[version] = ((((31 - clz32(nr)) * PLACES + lo) * WIDTH_MAX + nr - 1) * 2 ** 24) + (2 ** 24 - 1 - version);
    }
    for (const rank of order.sort()) {
      const version = 2 ** 24 - 1 - (rank % 2 ** 24);
      const { lo, nr } = placeOfVersion(version);
      const at = rows.count * VALUE_KEY_BYTES;
      rows.keys.setUint8(at, Space.VALUE);
      rows.keys.setUint32(at + 3, AKEY_NO);
      rows.keys.setUint8(at + 7, 31 - clz32(nr));
      rows.keys.setUint32(at + 12, lo);
      rows.keys.setUint32(at + 20, nr - 1);
      writeAge(rows.keys, at + 24, version);
      writeRecord(rows.values, rows.count++ * RECORD_BYTES, version, EXTENT_IN_FILE);
    }
  }
}

/** Epoch and minor epoch, descending. */
function writeAge(keys: DataView, at: number, version: number): void {
  keys.setUint32(at, 0xffff_ffff);
  keys.setUint32(at + 4, 0xffff_ffff - (version + 1));
  keys.setUint16(at + 8, 0xffff - MINOR_MAX);
}

function writeRecord(values: DataView, at: number, version: number, flags: number): void {
  const { lo, nr } = placeOfVersion(version);
  values.setUint32(at + 4, version + 1);
  values.setUint16(at + 8, MINOR_MAX);
  values.setUint8(at + 10, flags);
  values.setUint32(at + 12, 1);
  values.setUint32(at + 20, lo);
  values.setUint32(at + 28, nr);
}
