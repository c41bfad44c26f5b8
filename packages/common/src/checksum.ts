import { checksumAlgorithm, type ChecksumAlgorithm } from './checksum_type.js';
import { DaosError } from './error.js';
import { IodType, type Iod, type Recx } from './io.js';

/** Chunk size of a container that names none, in bytes. */
export const CHECKSUM_CHUNK_BYTES_DEFAULT = 32768;

/** Checksums of one iod: one per single value, one per chunk of each extent. */
export interface IodChecksums {
  /** `ChecksumType` number. */
  readonly type: number;
  readonly chunkBytes: number;
  /** Bytes of one checksum. */
  readonly length: number;
  /** All checksums back to back, in extent order, chunk order within an extent. */
  readonly bytes: Uint8Array;
}

/**
 * Records of one chunk: the chunk size rounded down to whole records, at least one record. Chunks are aligned to
 * index 0 of the array, so that any reader finds the same borders.
 */
export function checksumChunkRecords(chunkBytes: number, recordSize: number): number {
  return recordSize >= chunkBytes ? 1 : Math.trunc(chunkBytes / recordSize);
}

/** Number of chunks that an extent touches. */
export function checksumChunkCount(recx: Recx, chunkRecords: number): number {
  if (recx.nr === 0n) return 0;
  return Math.ceil((offsetInChunk(recx.idx, chunkRecords) + Number(recx.nr)) / chunkRecords);
}

function offsetInChunk(index: bigint, chunkRecords: number): number {
  if (index <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(index) % chunkRecords;
  return Number(index % BigInt(chunkRecords));
}

/**
 * Checksums of what an update writes; undefined when the type is `off` or the iod punches (size 0).
 * `value` is the single value, or the records of all extents back to back.
 * Throws DER_INVAL for an unknown type, DER_IO_INVAL when the value is shorter than the extents.
 */
export function iodChecksums(type: number, chunkBytes: number, iod: Iod, value: Uint8Array): IodChecksums | undefined {
  if (type === 0 || iod.size === 0 || iod.type === IodType.NONE) return undefined;
  const algorithm = known(type);
  if (iod.type === IodType.SINGLE) {
    const bytes = new Uint8Array(algorithm.length);
    algorithm.digest(value, bytes, 0);
    return { type, chunkBytes, length: algorithm.length, bytes };
  }
  const chunkRecords = checksumChunkRecords(chunkBytes, iod.size);
  let count = 0;
  for (const recx of iod.recxs) count += checksumChunkCount(recx, chunkRecords);
  const bytes = new Uint8Array(count * algorithm.length);
  let from = 0;
  let at = 0;
  for (const recx of iod.recxs) {
    const end = from + Number(recx.nr) * iod.size;
    if (end > value.length) throw new DaosError('IO_INVAL', `${value.length} bytes do not fill the extents`);
    at = digestExtent(algorithm, recx, iod.size, chunkRecords, value, from, bytes, at);
    from = end;
  }
  return { type, chunkBytes, length: algorithm.length, bytes };
}

/** Writes the checksums of one extent whose records start at `from` in `value`; returns where the next ones go. */
function digestExtent(
  algorithm: ChecksumAlgorithm,
  recx: Recx,
  recordSize: number,
  chunkRecords: number,
  value: Uint8Array,
  from: number,
  out: Uint8Array,
  at: number,
): number {
  let left = Number(recx.nr);
  let records = chunkRecords - offsetInChunk(recx.idx, chunkRecords);
  let start = from;
  while (left > 0) {
    if (records > left) records = left;
    const end = start + records * recordSize;
    algorithm.digest(start === 0 && end === value.length ? value : value.subarray(start, end), out, at);
    at += algorithm.length;
    start = end;
    left -= records;
    records = chunkRecords;
  }
  return at;
}

/** Checksums of one extent's records. Throws as `iodChecksums`. */
export function recxChecksums(
  type: number,
  chunkBytes: number,
  recordSize: number,
  recx: Recx,
  data: Uint8Array,
): IodChecksums | undefined {
  const iod = { akey: data, type: IodType.ARRAY, size: recordSize, recxs: [recx] };
  return iodChecksums(type, chunkBytes, iod, data);
}

/**
 * Checks a value against its checksums. `what` names it in the error.
 * Throws DER_CSUM when type, number or any checksum differ.
 */
export function iodChecksumsVerify(iod: Iod, value: Uint8Array, checksums: IodChecksums, what = 'value'): void {
  const algorithm = checksumAlgorithm(checksums.type);
  if (algorithm?.length !== checksums.length || checksums.chunkBytes <= 0) {
    throw new DaosError('CSUM', `${what}: checksums of unknown type ${checksums.type} and length ${checksums.length}`);
  }
  const found = iodChecksums(checksums.type, checksums.chunkBytes, iod, value);
  if (!found || !sameBytes(found.bytes, checksums.bytes)) {
    throw new DaosError('CSUM', `${what}: ${algorithm.name} checksum does not match the data`);
  }
}

/** Checks one extent's records. Throws DER_CSUM as `iodChecksumsVerify`. */
export function recxChecksumsVerify(
  recx: Recx,
  recordSize: number,
  data: Uint8Array,
  checksums: IodChecksums,
  what?: string,
): void {
  iodChecksumsVerify({ akey: data, type: IodType.ARRAY, size: recordSize, recxs: [recx] }, data, checksums, what);
}

/** Checksum of a dkey or akey. */
export function keyChecksum(type: number, key: Uint8Array): Uint8Array {
  const algorithm = known(type);
  const bytes = new Uint8Array(algorithm.length);
  algorithm.digest(key, bytes, 0);
  return bytes;
}

function known(type: number): ChecksumAlgorithm {
  const algorithm = checksumAlgorithm(type);
  if (!algorithm) throw new DaosError('INVAL', `unknown checksum type ${type}`);
  return algorithm;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
