import type { Recx } from '../io.js';

/**
 * Chunks: what one checksum of an array covers. The chunk size is rounded down to whole records, at least one record.
 * Chunks are aligned to index 0 of the array, so that any reader finds the same borders, and clipped by the extent.
 */

/** Chunk size of a container that names none, in bytes. */
export const CHECKSUM_CHUNK_BYTES_DEFAULT = 32768;

const SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** Records of one chunk. `recordSize` is not 0: punches have no chunks. */
export function checksumChunkRecords(chunkBytes: number, recordSize: number): number {
  return recordSize >= chunkBytes ? 1 : Math.trunc(chunkBytes / recordSize);
}

/** Bytes of one whole chunk. */
export function checksumChunkBytes(chunkBytes: number, recordSize: number): number {
  return checksumChunkRecords(chunkBytes, recordSize) * recordSize;
}

/** Number of chunks that an extent touches; 0 for an empty one. */
export function checksumChunkCount(recx: Recx, chunkRecords: number): number {
  const { idx, nr } = recx;
  if (nr === 0n) return 0;
  if (nr <= SAFE) return Math.ceil((checksumChunkPhase(idx, chunkRecords) + Number(nr)) / chunkRecords);
  const records = BigInt(chunkRecords);
  return Number((idx + nr - 1n) / records - idx / records) + 1;
}

/** Number of checksums of an extent of records of `recordSize` bytes; 0 when the size is 0: a punch has none. */
export function checksumExtentCount(recx: Recx, recordSize: number, chunkBytes: number): number {
  return recordSize === 0 ? 0 : checksumChunkCount(recx, checksumChunkRecords(chunkBytes, recordSize));
}

/** How many records the index lies behind the start of its chunk. */
export function checksumChunkPhase(index: bigint, chunkRecords: number): number {
  if (index <= SAFE) return Number(index) % chunkRecords;
  return Number(index % BigInt(chunkRecords));
}

/** The records of an extent that its chunk number `chunk` covers, from 0. */
export function checksumChunkRecx(recx: Recx, chunkRecords: number, chunk: number): Recx {
  const records = BigInt(chunkRecords);
  const end = recx.idx + recx.nr;
  const from = (recx.idx / records + BigInt(chunk)) * records;
  const to = from + records;
  const idx = from > recx.idx ? from : recx.idx;
  return { idx, nr: (to < end ? to : end) - idx };
}
