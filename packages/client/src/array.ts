import {
  Cond,
  DaosError,
  IodType,
  ObjectType,
  QueryFlag,
  objectIdToString,
  objectTypeIsArray,
  type Epoch,
  type Iod,
  type ObjectId,
  type Recx,
} from '@daos/common';
import type { DcCont } from '@daos/container/dc';
import {
  dcObjFetch,
  dcObjListDkeys,
  dcObjOpen,
  dcObjPunch,
  dcObjPunchDkey,
  dcObjQueryKey,
  dcObjUpdate,
  forEachBounded,
  type DcObject,
} from '@daos/object/dc';

import { chunkIos, endOf, recordsBelow, recordsOf, zeroHoles, type ArrayShape, type ChunkIo } from './array_chunks.js';
import { integerKey, integerKeyValue, noTx } from './keys.js';
import { eachOf } from './object.js';
import type { ArrayObject, OpOptions, Tx } from './types.js';

type ArrayOptions = OpOptions & { tx?: Tx };

const AKEY = Buffer.from('0');
const ATTR_DKEY = integerKey(0n);
const ATTR_MAGIC = 0xdaca_55a9_daca_55a9n;
const ATTR_BYTES = 24;
const SHAPE_MAX = 0xffff_ffff;
/** So many ranges of at most so many records each are one range too many: each is an extent of its own. */
const LIST_IO_RANGES_MAX = 16_384;
const LIST_IO_SMALL_RECORDS = 16n;
const NO_RECXS: readonly Recx[] = [];
const NO_BYTES = new Uint8Array(0);

/** A one-dimensional array of fixed-size cells over an object with integer dkeys. */
export class ClientArray implements ArrayObject, ArrayShape {
  private constructor(
    private readonly dc: DcObject,
    readonly cellSize: number,
    readonly chunkSize: number,
  ) {}

  /** Makes an array and stores its attributes. DER_EXIST when the object has attributes already. */
  static async create(cont: DcCont, oid: ObjectId, shape: ArrayShape, options: OpOptions = {}): Promise<ClientArray> {
    const dc = openArray(cont, oid, 'rw');
    checkShape(shape);
    const value = Buffer.alloc(ATTR_BYTES);
    value.writeBigUInt64LE(ATTR_MAGIC, 0);
    value.writeBigUInt64LE(BigInt(shape.cellSize), 8);
    value.writeBigUInt64LE(BigInt(shape.chunkSize), 16);
    const iod: Iod = { akey: AKEY, type: IodType.SINGLE, size: ATTR_BYTES, recxs: NO_RECXS };
    await dcObjUpdate(dc, ATTR_DKEY, [iod], [value], { ...options, flags: Cond.DKEY_INSERT | Cond.AKEY_INSERT });
    return new ClientArray(dc, shape.cellSize, shape.chunkSize);
  }

  /** DER_INVAL unless the id's type says that attributes are stored, DER_NONEXIST without them, DER_NO_PERM for bad ones. */
  static async open(cont: DcCont, oid: ObjectId, mode: 'ro' | 'rw', options: OpOptions = {}): Promise<ClientArray> {
    const dc = openArray(cont, oid, mode);
    if (dc.type !== ObjectType.ARRAY) throw new DaosError('INVAL', `object ${objectIdToString(oid)} stores no array attributes`);
    const iod: Iod = { akey: AKEY, type: IodType.SINGLE, size: 0, recxs: NO_RECXS };
    const [found] = await dcObjFetch(dc, ATTR_DKEY, [iod], [], options);
    if (!found || found.size === 0) throw new DaosError('NONEXIST', `there is no array ${objectIdToString(oid)}`);
    const attr = Buffer.from(found.data.buffer, found.data.byteOffset, found.data.length);
    if (attr.length !== ATTR_BYTES || attr.readBigUInt64LE(0) !== ATTR_MAGIC) {
      throw new DaosError('NO_PERM', `the attributes of array ${objectIdToString(oid)} are not an array's`);
    }
    const shape = { cellSize: Number(attr.readBigUInt64LE(8)), chunkSize: Number(attr.readBigUInt64LE(16)) };
    if (shape.cellSize === 0 || shape.chunkSize === 0) {
      throw new DaosError('NO_PERM', `the attributes of array ${objectIdToString(oid)} have a size of zero`);
    }
    return new ClientArray(dc, shape.cellSize, shape.chunkSize);
  }

  /** Without any RPC. DER_INVAL for the type that stores attributes, and for sizes of zero. */
  static openWithAttr(cont: DcCont, oid: ObjectId, shape: ArrayShape, mode: 'ro' | 'rw'): ClientArray {
    const dc = openArray(cont, oid, mode);
    if (dc.type === ObjectType.ARRAY) {
      throw new DaosError('INVAL', `array ${objectIdToString(oid)} stores its attributes; open it without giving them`);
    }
    checkShape(shape);
    return new ClientArray(dc, shape.cellSize, shape.chunkSize);
  }

  get oid(): ObjectId {
    return this.dc.oid;
  }

  /**
   * Reads the ranges one behind the other into the buffer, which they fill exactly. Byte arrays: holes below the end
   * read as zero, what lies behind it is left untouched and not counted in `bytesRead`. Other arrays: holes leave the
   * buffer untouched, `bytesRead` counts the cells found.
   */
  async read(ranges: readonly Recx[] | Recx, into: Uint8Array, options: ArrayOptions = {}): Promise<{ bytesRead: number }> {
    noTx(options.tx);
    const list = this.checkedRanges(ranges, into.length);
    const ios = chunkIos(list, this);
    const present: (readonly Recx[])[] = [];
    let missing = BigInt(into.length / this.cellSize);
    let foundEnd = 0n;
    await forEachBounded(ios.length, async (i) => {
      const io = ios[i] as ChunkIo;
      const iod: Iod = { akey: AKEY, type: IodType.ARRAY, size: this.cellSize, recxs: io.recxs };
      const buffer = into.subarray(io.offset, io.offset + io.bytes);
      const [found] = await dcObjFetch(this.dc, integerKey(io.dkey), [iod], [buffer], opOf(options));
      present[i] = found?.present ?? [];
      for (const { idx, nr } of present[i] ?? []) {
        missing -= nr;
        if (io.start + idx + nr > foundEnd) foundEnd = io.start + idx + nr;
      }
    });
    if (missing === 0n) return { bytesRead: into.length };
    if (this.dc.type !== ObjectType.ARRAY_BYTE) return { bytesRead: into.length - Number(missing) * this.cellSize };
    const end = endOf(list);
    const size = foundEnd >= end ? end : await this.getSize(options);
    ios.forEach((io, i) => {
      zeroHoles(io, present[i] ?? [], this.cellSize, size, into);
    });
    return { bytesRead: Number(recordsBelow(list, size)) * this.cellSize };
  }

  /** Writes the ranges from the buffer, which they use up exactly. Not atomic across chunks. */
  async write(ranges: readonly Recx[] | Recx, data: Uint8Array, options: ArrayOptions = {}): Promise<void> {
    noTx(options.tx);
    const ios = chunkIos(this.checkedRanges(ranges, data.length), this);
    await forEachBounded(ios.length, (i) => {
      const io = ios[i] as ChunkIo;
      return this.update(io.dkey, io.recxs, this.cellSize, data.subarray(io.offset, io.offset + io.bytes), options);
    });
  }

  async punch(ranges: readonly Recx[] | Recx, options: ArrayOptions = {}): Promise<void> {
    noTx(options.tx);
    const list = this.checkedRanges(ranges, undefined);
    const ios = chunkIos(list, { cellSize: 1, chunkSize: this.chunkSize });
    await forEachBounded(ios.length, (i) => {
      const io = ios[i] as ChunkIo;
      return this.update(io.dkey, io.recxs, 0, NO_BYTES, options);
    });
  }

  /** Index behind the last cell that was written. */
  async getSize(options: ArrayOptions = {}): Promise<bigint> {
    return (await this.stat(options)).size;
  }

  async stat(options: ArrayOptions = {}): Promise<{ size: bigint; maxEpoch: Epoch }> {
    noTx(options.tx);
    const flags = QueryFlag.MAX | QueryFlag.DKEY | QueryFlag.RECX;
    const found = await dcObjQueryKey(this.dc, flags, { akey: AKEY }, opOf(options));
    const dkey = found.dkey ? integerKeyValue(found.dkey) : 0n;
    const size = dkey === 0n || !found.recx ? 0n : BigInt(this.chunkSize) * (dkey - 1n) + found.recx.idx + found.recx.nr;
    return { size, maxEpoch: found.maxEpoch };
  }

  /** Cuts off what lies behind `size`, or extends the array by writing its last cell as zero. */
  async setSize(size: bigint, options: ArrayOptions = {}): Promise<void> {
    noTx(options.tx);
    const chunk = BigInt(this.chunkSize);
    const lastDkey = size === 0n ? 0n : (size - 1n) / chunk + 1n;
    const behind: bigint[] = [];
    let lastFound = false;
    for await (const key of eachOf((anchor) => dcObjListDkeys(this.dc, { ...opOf(options), anchor }))) {
      const dkey = integerKeyValue(key);
      if (dkey === 0n) continue;
      if (dkey > lastDkey) behind.push(dkey);
      else if (dkey === lastDkey) lastFound = true;
    }
    await forEachBounded(behind.length, (i) => this.removeChunk(behind[i] as bigint, options));
    if (size > 0n) await this.endAt(lastDkey, (size - 1n) % chunk, lastFound, options);
  }

  async destroy(options: OpOptions = {}): Promise<void> {
    await dcObjPunch(this.dc, options);
  }

   
  async close(): Promise<void> {
    this.dc.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.dc.isClosed) await this.close();
  }

  /** The first chunk keeps its dkey, and with it the epoch of the change. */
  private removeChunk(dkey: bigint, options: ArrayOptions): Promise<void> {
    if (dkey !== 1n) return dcObjPunchDkey(this.dc, integerKey(dkey), opOf(options));
    return this.update(dkey, [{ idx: 0n, nr: BigInt(this.chunkSize) }], 0, NO_BYTES, options);
  }

  /** Makes a record the last one of its chunk. */
  private async endAt(dkey: bigint, record: bigint, exists: boolean, options: ArrayOptions): Promise<void> {
    const behind = BigInt(this.chunkSize) - record - 1n;
    if (exists && behind > 0n) await this.update(dkey, [{ idx: record + 1n, nr: behind }], 0, NO_BYTES, options);
    const last = [{ idx: record, nr: 1n }];
    if (exists) {
      const iod: Iod = { akey: AKEY, type: IodType.ARRAY, size: this.cellSize, recxs: last };
      const [found] = await dcObjFetch(this.dc, integerKey(dkey), [iod], [], { ...opOf(options), sizeOnly: true });
      if (found && found.present.length > 0) return;
    }
    await this.update(dkey, last, this.cellSize, Buffer.alloc(this.cellSize), options);
  }

  private update(dkey: bigint, recxs: readonly Recx[], size: number, value: Uint8Array, options: ArrayOptions): Promise<void> {
    return dcObjUpdate(this.dc, integerKey(dkey), [{ akey: AKEY, type: IodType.ARRAY, size, recxs }], [value], opOf(options));
  }

  /** `bytes` undefined: the ranges need no buffer. */
  private checkedRanges(ranges: readonly Recx[] | Recx, bytes: number | undefined): readonly Recx[] {
    const list: readonly Recx[] = 'idx' in ranges ? [ranges] : ranges;
    for (const { idx, nr } of list) {
      if (idx < 0n || nr < 0n) throw new DaosError('INVAL', `range {${idx},${nr}} is negative`);
    }
    if (bytes !== undefined && recordsOf(list) * BigInt(this.cellSize) !== BigInt(bytes)) {
      throw new DaosError('INVAL', `ranges of ${recordsOf(list) * BigInt(this.cellSize)} bytes with a buffer of ${bytes} bytes`);
    }
    if (list.length > LIST_IO_RANGES_MAX && list.every(({ nr }) => nr <= LIST_IO_SMALL_RECORDS)) {
      throw new DaosError('NOTSUPPORTED', `${list.length} small ranges in one call, at most ${LIST_IO_RANGES_MAX} are possible`);
    }
    return list;
  }
}

function opOf({ signal, timeoutMs }: ArrayOptions): OpOptions {
  return { ...(signal && { signal }), ...(timeoutMs !== undefined && { timeoutMs }) };
}

/** DER_INVAL when the id's type is not an array type. */
function openArray(cont: DcCont, oid: ObjectId, mode: 'ro' | 'rw'): DcObject {
  const dc = dcObjOpen(cont, oid, { writable: mode === 'rw' });
  if (!objectTypeIsArray(dc.type)) {
    throw new DaosError('INVAL', `object ${objectIdToString(oid)} is not an array (type ${dc.type})`);
  }
  return dc;
}

function checkShape({ cellSize, chunkSize }: ArrayShape): void {
  for (const [name, value] of [['cell', cellSize], ['chunk', chunkSize]] as const) {
    if (!Number.isInteger(value) || value < 1 || value > SHAPE_MAX) {
      throw new DaosError('INVAL', `${name} size ${value}; possible are 1 to ${SHAPE_MAX}`);
    }
  }
}
