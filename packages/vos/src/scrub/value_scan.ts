import { checksumAlgorithm, checksumChunkPhase, checksumChunkRecords, checksumExtentCount, type ChecksumAlgorithm } from '@daos/common';

import type { IodChecksums } from '../types.js';
import type { ScrubValue } from './source.js';

/** Called after each checksum that was computed, with the bytes under it; false ends the scan. */
export type AfterChecksum = (bytes: number, matches: boolean) => Promise<boolean>;

const scratch = new Uint8Array(64);

/**
 * Compares a stored value with its checksums, an array chunk by chunk, a single value as a whole, up to the first that
 * differs. Only the bytes of one chunk are in memory. Checksums of an unknown type or of a wrong number differ from
 * whatever is stored, and nothing is read. Rejects with what `read` throws.
 */
export async function scanValue(value: ScrubValue, checksums: IodChecksums, after: AfterChecksum): Promise<void> {
  const algorithm = checksumAlgorithm(checksums.type);
  if (algorithm?.length !== checksums.length || checksums.bytes.length !== checksumCount(value, checksums) * checksums.length) {
    await after(0, false);
    return;
  }
  let at = 0;
  let from = 0;
  for (const bytes of chunkSizes(value, checksums.chunkBytes)) {
    const read = value.read(from, bytes);
    const data = read instanceof Promise ? await read : read;
    const matches = data.length === bytes && digestStands(algorithm, data, checksums.bytes, at);
    if (!(await after(bytes, matches)) || !matches) return;
    from += bytes;
    at += algorithm.length;
  }
}

function checksumCount({ recx, size }: ScrubValue, { chunkBytes }: IodChecksums): number {
  return recx ? checksumExtentCount(recx, size, chunkBytes) : 1;
}

/** Bytes under each checksum, in their order. */
function* chunkSizes({ recx, size }: ScrubValue, chunkBytes: number): Generator<number> {
  if (!recx) {
    yield size;
    return;
  }
  const chunkRecords = checksumChunkRecords(chunkBytes, size);
  let left = Number(recx.nr);
  let records = chunkRecords - checksumChunkPhase(recx.idx, chunkRecords);
  while (left > 0) {
    records = Math.min(records, left);
    yield records * size;
    left -= records;
    records = chunkRecords;
  }
}

function digestStands(algorithm: ChecksumAlgorithm, data: Uint8Array, expected: Uint8Array, at: number): boolean {
  algorithm.digest(data, scratch, 0);
  for (let i = 0; i < algorithm.length; i++) if (scratch[i] !== expected[at + i]) return false;
  return true;
}
