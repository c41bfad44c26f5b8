import {
  DaosError,
  IodType,
  isDaosError,
  objectIdToString,
  type Checksummer,
  type Iod,
  type Recx,
} from '@daos/common';
import { getLogger } from '@daos/gurt';

import { checksummerOf } from '../checksum.js';
import { allPresent, chunkParts, iodRecords } from '../chunks.js';
import { OBJ_FETCH, OBJ_UPDATE, ObjFlag, type ObjFetchedIod, type ObjFetchOut, type ObjIod, type ObjUpdateIn } from '../rpc.js';
import type { DcObject } from './object.js';
import { callRetrying, type ObjOptions } from './retry.js';
import { checkFetch, checkUpdate } from './validate.js';

const log = getLogger('object');

export interface ObjIoOptions extends ObjOptions {
  /** `Cond` bits. */
  readonly flags?: number | undefined;
}

export interface ObjFetchOptions extends ObjIoOptions {
  /** Only sizes and extents. */
  readonly sizeOnly?: boolean | undefined;
}

/** What was found for one descriptor. */
export interface ObjFetched {
  /** Length of the single value or record size; 0 when nothing is there. */
  readonly size: number;
  /** Single value: the value. Array: the buffer of all requested extents; holes are untouched. */
  readonly data: Uint8Array;
  /** Array: what is present, in request order. */
  readonly present: readonly Recx[];
}

/** How long a fetch that failed waits for its report to arrive. */
const REPORT_TIMEOUT_MS = 5000;
const EMPTY = new Uint8Array(0);
const NONE: readonly never[] = [];

/**
 * Writes values below one dkey, atomically; returns when they are durable. `values[i]` holds the bytes of `iods[i]`
 * (ignored where `size` is 0, which punches) and stays unchanged until then. Throws DER_INVAL, DER_REC2BIG, DER_NO_PERM,
 * DER_EXIST or DER_NONEXIST (conditions), DER_NOSPACE, DER_CSUM.
 */
export async function dcObjUpdate(
  obj: DcObject, dkey: Uint8Array, iods: readonly Iod[], values: readonly Uint8Array[], options: ObjIoOptions = {},
): Promise<void> {
  const apiFlags = options.flags ?? 0;
  checkUpdate(obj, dkey, iods, values, apiFlags);
  const checksummer = checksummerFor(obj);
  const checksumType = checksummer?.type ?? 0;
  const checksumChunk = checksummer?.chunkBytes ?? 0;
  const data: Uint8Array[] = [];
  const wire: ObjIod[] = [];
  for (let i = 0; i < iods.length; i++) {
    const iod = iods[i] as Iod;
    const value = exactValue(iod, values[i] as Uint8Array);
    if (value.length > 0) data.push(value);
    wire.push(wireIod(iod, checksummer, checksummer?.value(iod, value)?.bytes));
  }
  const dkeyChecksum = checksummer?.key(dkey);
  await callRetrying({
    obj, group: obj.groupOf(dkey), write: true, rpc: OBJ_UPDATE, flags: 0, apiFlags, data, options,
    make: (head): ObjUpdateIn => ({ head, dkey, dkeyChecksum, checksumType, checksumChunk, iods: wire }),
  });
}

/** The bytes that a descriptor describes: a longer buffer's surplus is not sent. */
function exactValue(iod: Iod, value: Uint8Array): Uint8Array {
  if (iod.size === 0) return EMPTY;
  const length = iod.type === IodType.SINGLE ? iod.size : iod.size * iodRecords(iod);
  return value.length === length ? value : value.subarray(0, length);
}

function checksummerFor(obj: DcObject): Checksummer | undefined {
  const { checksum } = obj.cont;
  return checksum && checksummerOf(checksum);
}

function wireIod(iod: Iod, checksummer: Checksummer | undefined, checksums?: Uint8Array): ObjIod {
  return {
    akey: iod.akey,
    type: iod.type,
    size: iod.size,
    recxs: iod.type === IodType.SINGLE ? NONE : iod.recxs.flatMap(({ idx, nr }) => [idx, nr]),
    flags: iod.flags ?? 0,
    akeyChecksum: checksummer?.key(iod.akey),
    checksums,
  };
}

/**
 * Reads values below one dkey as of one moment. `into[i]` is where an array's records land (holes leave it untouched);
 * without one a zero-filled buffer is made. What is missing has size 0. Throws DER_INVAL, DER_REC2BIG when stored
 * records are longer than the buffer takes, DER_NONEXIST (conditions), DER_CSUM when data do not match their checksums.
 */
export async function dcObjFetch(
  obj: DcObject, dkey: Uint8Array, iods: readonly Iod[], into: readonly (Uint8Array | undefined)[] = NONE,
  options: ObjFetchOptions = {},
): Promise<ObjFetched[]> {
  const apiFlags = options.flags ?? 0;
  checkFetch(obj, dkey, iods, into, apiFlags);
  const sink = options.sizeOnly ? undefined : soleSink(iods, into);
  const checksummer = checksummerFor(obj);
  const checksumType = checksummer?.type ?? 0;
  const dkeyChecksum = checksummer?.key(dkey);
  const wire = iods.map((iod) => wireIod(iod, checksummer));
  const { output, data } = await callRetrying({
    obj, group: obj.groupOf(dkey), write: false, rpc: OBJ_FETCH, options, apiFlags, sink,
    flags: options.sizeOnly ? ObjFlag.EMPTY_SGL : 0,
    make: (head): ObjUpdateIn => ({ head, dkey, dkeyChecksum, checksumType, checksumChunk: 0, iods: wire }),
  });
  if (output.iods.length !== iods.length) throw new DaosError('PROTO', 'a fetch was answered with another number of values');
  if (options.sizeOnly) return output.iods.map((found, i) => sizesOf(iods[i] as Iod, found));
  try {
    return new FetchReader(obj, output, data).read(iods, into, sink);
  } catch (error) {
    if (isDaosError(error, 'CSUM')) await reportCorruption(obj, dkey, wire, options);
    throw error;
  }
}

/** The caller's buffer when the reply can land there directly: one array descriptor of known size. */
function soleSink(iods: readonly Iod[], into: readonly (Uint8Array | undefined)[]): Uint8Array | undefined {
  const [iod] = iods;
  const [buffer] = into;
  if (iods.length !== 1 || iod?.type !== IodType.ARRAY || !buffer || iod.size === 0) return undefined;
  return buffer.subarray(0, iod.size * iodRecords(iod));
}

function presentOf(iod: Iod, found: ObjFetchedIod): readonly number[] {
  const { present } = found;
  if (!present) return allPresent(iod.recxs);
  if (present.length % 3 !== 0) throw new DaosError('PROTO', 'extents of a fetch reply are not triples');
  for (let i = 0; i < present.length; i += 3) {
    const recx = iod.recxs[present[i] as number];
    const offset = present[i + 1] as number;
    const count = present[i + 2] as number;
    if (!recx || offset < 0 || count <= 0 || BigInt(offset) + BigInt(count) > recx.nr) {
      throw new DaosError('PROTO', 'a fetch was answered with records that were not asked for');
    }
  }
  return present;
}

function presentRecxs(iod: Iod, found: ObjFetchedIod): readonly Recx[] {
  if (!found.present) return iod.recxs;
  const triples = presentOf(iod, found);
  const recxs: Recx[] = [];
  for (let i = 0; i < triples.length; i += 3) {
    const { idx } = iod.recxs[triples[i] as number] as Recx;
    recxs.push({ idx: idx + BigInt(triples[i + 1] as number), nr: BigInt(triples[i + 2] as number) });
  }
  return recxs;
}

function sizesOf(iod: Iod, found: ObjFetchedIod): ObjFetched {
  return { size: found.size, data: EMPTY, present: iod.type === IodType.SINGLE ? NONE : presentRecxs(iod, found) };
}

/** Takes a fetch reply apart: the bytes of all descriptors follow each other. */
class FetchReader {
  private at = 0;
  private readonly checksummer: Checksummer | undefined;

  constructor(private readonly obj: DcObject, private readonly output: ObjFetchOut, private readonly data: Uint8Array) {
    this.checksummer = checksummerFor(obj);
  }

  read(iods: readonly Iod[], into: readonly (Uint8Array | undefined)[], sink: Uint8Array | undefined): ObjFetched[] {
    const all = iods.map((iod, i) => {
      const found = this.output.iods[i] as ObjFetchedIod;
      return iod.type === IodType.SINGLE ? this.single(found) : this.array(iod, found, into[i], sink);
    });
    if (this.at !== this.data.length) throw new DaosError('PROTO', 'a fetch reply has bytes that no value claims');
    return all;
  }

  private take(length: number): Uint8Array {
    const end = this.at + length;
    if (end > this.data.length) throw new DaosError('PROTO', 'a fetch reply ends early');
    const bytes = this.at === 0 && end === this.data.length ? this.data : this.data.subarray(this.at, end);
    this.at = end;
    return bytes;
  }

  private single(found: ObjFetchedIod): ObjFetched {
    const data = this.take(found.size);
    if (this.checksummer && found.size > 0) this.verify(this.checksummer, data, found.checksums, 0);
    return { size: found.size, data, present: NONE };
  }

  private array(iod: Iod, found: ObjFetchedIod, into: Uint8Array | undefined, sink: Uint8Array | undefined): ObjFetched {
    if (found.size === 0) return { size: 0, data: into ?? Buffer.alloc(iod.size * iodRecords(iod)), present: NONE };
    const present = presentOf(iod, found);
    let records = 0;
    for (let i = 2; i < present.length; i += 3) records += present[i] as number;
    const bytes = this.take(records * found.size);
    if (this.checksummer) this.verifyArray(this.checksummer, iod, found, present, bytes);
    const wanted = found.size * iodRecords(iod);
    if (iod.size > 0 && iod.size < found.size || into && into.length < wanted) {
      throw new DaosError('REC2BIG', `records of object ${objectIdToString(this.obj.oid)} have ${found.size} bytes, more than the buffer takes`);
    }
    const recxs = presentRecxs(iod, found);
    if (sink && bytes.buffer === sink.buffer && bytes.byteOffset === sink.byteOffset) return { size: found.size, data: into ?? bytes, present: recxs };
    if (!into && bytes.length === wanted) return { size: found.size, data: bytes, present: recxs };
    const target = into ?? Buffer.alloc(wanted);
    scatter(iod.recxs, present, found.size, bytes, target);
    return { size: found.size, data: target, present: recxs };
  }

  private verifyArray(checksummer: Checksummer, iod: Iod, found: ObjFetchedIod, present: readonly number[], bytes: Uint8Array): void {
    const parts = chunkParts(iod.recxs, present, checksummer.chunkRecords(found.size));
    let from = 0;
    let to = 0;
    let index = 0;
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i] as (typeof parts)[number];
      to += part.count * found.size;
      const next = parts[i + 1];
      if (next?.extent === part.extent && next.chunk === part.chunk) continue;
      this.verify(checksummer, bytes, found.checksums, index++, from, to);
      from = to;
    }
  }

  /** Checks `bytes[from, to)` against checksum number `index`. */
  private verify(
    checksummer: Checksummer, bytes: Uint8Array, checksums: Uint8Array | undefined, index: number, from = 0, to = bytes.length,
  ): void {
    if (!checksums || !checksummer.matches(bytes, checksums, index * checksummer.algorithm.length, from, to)) {
      throw new DaosError('CSUM', `data of object ${objectIdToString(this.obj.oid)} do not match their checksum`);
    }
  }
}

/** Copies what is present to its place in a buffer of all requested extents. */
function scatter(recxs: readonly Recx[], present: readonly number[], size: number, bytes: Uint8Array, target: Uint8Array): void {
  let extent = 0;
  let extentAt = 0;
  let at = 0;
  for (let i = 0; i < present.length; i += 3) {
    while (extent < (present[i] as number)) extentAt += Number((recxs[extent++] as Recx).nr) * size;
    const length = (present[i + 2] as number) * size;
    target.set(bytes.subarray(at, at + length), extentAt + (present[i + 1] as number) * size);
    at += length;
  }
}

/**
 * Tells the target that served corrupted data, so that its operator learns of it. A class without redundancy has nowhere
 * else to read: the caller gets its DER_CSUM next, whether or not the report arrives.
 */
async function reportCorruption(obj: DcObject, dkey: Uint8Array, iods: readonly ObjIod[], options: ObjOptions): Promise<void> {
  const timeoutMs = Math.min(REPORT_TIMEOUT_MS, options.timeoutMs ?? REPORT_TIMEOUT_MS);
  try {
    await callRetrying({
      obj, group: obj.groupOf(dkey), write: false, rpc: OBJ_FETCH, options: { timeoutMs, signal: options.signal }, apiFlags: 0,
      flags: ObjFlag.CSUM_REPORT,
      make: (head): ObjUpdateIn => ({ head, dkey, checksumType: 0, checksumChunk: 0, iods }),
    });
  } catch (error) {
    log.warn('a checksum mismatch could not be reported', { oid: objectIdToString(obj.oid), error: String(error) });
  }
}
