import type { IodChecksums } from '../types.js';
import type { ValueRecord } from './value_record.js';

/** Records per checksum chunk: the chunk size rounded down to whole records, at least one. */
export function recordsPerChunk(chunkBytes: number, recordBytes: number): bigint {
  return BigInt(Math.max(1, Math.floor(chunkBytes / recordBytes)));
}

/** Chunks that [lo, hi] touches; chunks are aligned to index 0. */
export function chunkCount(lo: bigint, hi: bigint, perChunk: bigint): number {
  return Number(hi / perChunk - lo / perChunk) + 1;
}

/**
 * The chunks of a stored extent that overlap [lo, hi], whole but clipped to the extent, and their checksums.
 */
export function wholeChunks(
  record: ValueRecord,
  checksums: IodChecksums,
  lo: bigint,
  hi: bigint,
): { lo: bigint; hi: bigint; checksums: IodChecksums } {
  if (lo === record.lo && hi === record.hi) return { lo, hi, checksums };
  const perChunk = recordsPerChunk(checksums.chunkBytes, record.size);
  const first = lo / perChunk;
  const last = hi / perChunk;
  const from = first * perChunk;
  const to = (last + 1n) * perChunk - 1n;
  const skipped = Number(first - record.lo / perChunk);
  const count = Number(last - first) + 1;
  return {
    lo: from > record.lo ? from : record.lo,
    hi: to < record.hi ? to : record.hi,
    checksums: {
      ...checksums,
      bytes: checksums.bytes.subarray(skipped * checksums.length, (skipped + count) * checksums.length),
    },
  };
}
