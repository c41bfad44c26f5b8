import { DaosError } from '../error.js';
import { IodType, type Iod, type Recx } from '../io.js';
import { checksumAlgorithm, type ChecksumAlgorithm } from './algorithm.js';
import { checksumChunkCount, checksumChunkPhase, checksumChunkRecords } from './chunk.js';
import { scatteredChecksums, type Value } from './scattered.js';
import type { IoMap } from './io_map.js';

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
 * Checksums of what an update writes or a fetch has read; undefined when the type is `off` or the iod punches (size 0).
 *
 * `value` is the single value, or the records of all extents back to back; a list of blocks counts as one buffer, cut
 * anywhere. With `map`, only what it names is there: the places of holes in `value` are passed over, and a chunk that is
 * a hole as a whole has no checksum. Throws DER_INVAL for an unknown type, DER_IO_INVAL when the value is shorter than
 * the extents.
 */
export function iodChecksums(
  type: number, chunkBytes: number, iod: Iod, value: Value, map?: IoMap,
): IodChecksums | undefined {
  if (type === 0 || iod.size === 0 || iod.type === IodType.NONE) return undefined;
  const algorithm = knownAlgorithm(type);
  const { length } = algorithm;
  if (map !== undefined || !(value instanceof Uint8Array)) {
    return { type, chunkBytes, length, bytes: scatteredChecksums(algorithm, chunkBytes, iod, value, map) };
  }
  if (iod.type === IodType.SINGLE) {
    const bytes = new Uint8Array(length);
    algorithm.digest(value, bytes, 0);
    return { type, chunkBytes, length, bytes };
  }
  const chunkRecords = checksumChunkRecords(chunkBytes, iod.size);
  let count = 0;
  for (const recx of iod.recxs) count += checksumChunkCount(recx, chunkRecords);
  const bytes = new Uint8Array(count * length);
  let from = 0;
  let at = 0;
  for (const recx of iod.recxs) {
    const end = from + Number(recx.nr) * iod.size;
    if (end > value.length) throw new DaosError('IO_INVAL', `${value.length} bytes do not fill the extents`);
    at = digestExtent(algorithm, recx, iod.size, chunkRecords, value, from, bytes, at);
    from = end;
  }
  return { type, chunkBytes, length, bytes };
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
  let records = chunkRecords - checksumChunkPhase(recx.idx, chunkRecords);
  let start = from;
  let next = at;
  while (left > 0) {
    if (records > left) records = left;
    const end = start + records * recordSize;
    algorithm.digest(value, out, next, start, end);
    next += algorithm.length;
    start = end;
    left -= records;
    records = chunkRecords;
  }
  return next;
}

/** Checksums of one extent's records. Throws as `iodChecksums`. */
export function recxChecksums(
  type: number,
  chunkBytes: number,
  recordSize: number,
  recx: Recx,
  data: Value,
): IodChecksums | undefined {
  return iodChecksums(type, chunkBytes, arrayIod(recx, recordSize), data);
}

/**
 * Checksums of a single value that lies in cells of `cellBytes` on several targets: one per cell, the last over what is
 * left. Throws DER_INVAL for an unknown type.
 */
export function cellChecksums(type: number, cellBytes: number, value: Uint8Array): IodChecksums {
  const algorithm = knownAlgorithm(type);
  const { length } = algorithm;
  const count = Math.max(1, Math.ceil(value.length / cellBytes));
  const bytes = new Uint8Array(count * length);
  for (let cell = 0; cell < count; cell++) {
    const from = cell * cellBytes;
    algorithm.digest(value, bytes, cell * length, from, Math.min(from + cellBytes, value.length));
  }
  return { type, chunkBytes: cellBytes, length, bytes };
}

/** True when type, length, number and bytes are the same. */
export function checksumsEqual(a: IodChecksums, b: IodChecksums): boolean {
  if (a.type !== b.type || a.length !== b.length || a.bytes.length !== b.bytes.length) return false;
  return bytesEqualAt(a.bytes, b.bytes, 0);
}

/** True when the bytes of `part` stand in `whole` at `at`. */
export function bytesEqualAt(part: Uint8Array, whole: Uint8Array, at: number): boolean {
  if (at + part.length > whole.length) return false;
  for (let i = 0; i < part.length; i++) if (part[i] !== whole[at + i]) return false;
  return true;
}

/**
 * Checks a value against its checksums. `what` names it in the error; `value` and `map` are as for `iodChecksums`.
 * Throws DER_CSUM when type, number or any checksum differ.
 */
export function iodChecksumsVerify(iod: Iod, value: Value, checksums: IodChecksums, what = 'value', map?: IoMap): void {
  const algorithm = checksumAlgorithm(checksums.type);
  if (algorithm?.length !== checksums.length || checksums.chunkBytes <= 0) {
    throw new DaosError('CSUM', `${what}: checksums of unknown type ${checksums.type} and length ${checksums.length}`);
  }
  const found = iodChecksums(checksums.type, checksums.chunkBytes, iod, value, map);
  if (!found || !checksumsEqual(found, checksums)) {
    throw new DaosError('CSUM', `${what}: ${algorithm.name} checksum does not match the data`);
  }
}

/** Checks one extent's records. Throws DER_CSUM as `iodChecksumsVerify`. */
export function recxChecksumsVerify(
  recx: Recx,
  recordSize: number,
  data: Value,
  checksums: IodChecksums,
  what?: string,
): void {
  iodChecksumsVerify(arrayIod(recx, recordSize), data, checksums, what);
}

const NO_KEY = new Uint8Array(0);

function arrayIod(recx: Recx, size: number): Iod {
  return { akey: NO_KEY, type: IodType.ARRAY, size, recxs: [recx] };
}

/** Checksum of a dkey or akey. Throws DER_INVAL for an unknown type. */
export function keyChecksum(type: number, key: Uint8Array): Uint8Array {
  const algorithm = knownAlgorithm(type);
  const bytes = new Uint8Array(algorithm.length);
  algorithm.digest(key, bytes, 0);
  return bytes;
}

/** Algorithm of a type. Throws DER_INVAL for `off` and for one that this version does not know. */
export function knownAlgorithm(type: number): ChecksumAlgorithm {
  const algorithm = checksumAlgorithm(type);
  if (!algorithm) throw new DaosError('INVAL', `unknown checksum type ${type}`);
  return algorithm;
}
