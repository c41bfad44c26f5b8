import type { IodChecksums } from '../types.js';
import type { ValueRecord } from './value_record.js';

/**
 * Checksum chunks of stored extents. Extents are given by their first and last record; chunks are aligned to index 0 and
 * clipped by the extent. All arithmetic is on 64-bit indices and may pass them on the way.
 */

/** Records per checksum chunk: the chunk size rounded down to whole records, at least one. */
export function recordsPerChunk(chunkBytes: number, recordBytes: number): bigint {
  return BigInt(Math.max(1, Math.floor(chunkBytes / recordBytes)));
}

/** Chunks that [lo, hi] touches. */
export function chunkCount(lo: bigint, hi: bigint, perChunk: bigint): number {
  return Number(hi / perChunk - lo / perChunk) + 1;
}

/** Checksums of an extent; 0 when its records have no bytes: a hole has none. */
export function extentChunkCount(lo: bigint, hi: bigint, recordBytes: number, chunkBytes: number): number {
  return recordBytes === 0 ? 0 : chunkCount(lo, hi, recordsPerChunk(chunkBytes, recordBytes));
}

/** Bytes that the checksums of an extent take. */
export function extentChecksumBytes(
  lo: bigint, hi: bigint, recordBytes: number, { chunkBytes, length }: Pick<IodChecksums, 'chunkBytes' | 'length'>,
): number {
  return extentChunkCount(lo, hi, recordBytes, chunkBytes) * length;
}

/** A selection of records, widened to whole chunks of the extent that it lies in. */
export function alignToChunks(
  selection: { readonly lo: bigint; readonly hi: bigint }, extent: { readonly lo: bigint; readonly hi: bigint }, perChunk: bigint,
): { lo: bigint; hi: bigint } {
  const from = (selection.lo / perChunk) * perChunk;
  const to = (selection.hi / perChunk + 1n) * perChunk - 1n;
  return { lo: from > extent.lo ? from : extent.lo, hi: to < extent.hi ? to : extent.hi };
}

/** Of the checksums of an extent that begins at `extentLo`, those of the chunks that [lo, hi] touches: a view. */
export function trimChecksums(checksums: IodChecksums, extentLo: bigint, lo: bigint, hi: bigint, perChunk: bigint): IodChecksums {
  const { length, bytes } = checksums;
  const from = Number(lo / perChunk - extentLo / perChunk) * length;
  const to = from + chunkCount(lo, hi, perChunk) * length;
  return from === 0 && to === bytes.length ? checksums : { ...checksums, bytes: bytes.subarray(from, to) };
}

/** The chunks of a stored extent that overlap [lo, hi], whole, and their checksums. */
export function wholeChunks(
  record: ValueRecord,
  checksums: IodChecksums,
  lo: bigint,
  hi: bigint,
): { lo: bigint; hi: bigint; checksums: IodChecksums } {
  if (lo === record.lo && hi === record.hi) return { lo, hi, checksums };
  const perChunk = recordsPerChunk(checksums.chunkBytes, record.size);
  const whole = alignToChunks({ lo, hi }, record, perChunk);
  return { lo: whole.lo, hi: whole.hi, checksums: trimChecksums(checksums, record.lo, lo, hi, perChunk) };
}
