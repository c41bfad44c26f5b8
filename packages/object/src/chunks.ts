import { IodType, checksumChunkCount, checksumChunkPhase, checksumChunkRecords, type Iod, type Recx } from '@daos/common';

/**
 * Chunks that one checksum covers. They are aligned to record 0 of the akey and clipped by the extent; a single value
 * is one chunk. Offsets and counts inside an extent are numbers: a request fits in memory, only indices do not.
 */

/** A part of one chunk that is present in a request's data: records `offset..` of extent `extent`. */
export interface ChunkPart {
  readonly extent: number;
  readonly chunk: number;
  readonly offset: number;
  readonly count: number;
}

/** Records that a descriptor asks for, over all its extents. */
export function iodRecords(iod: Pick<Iod, 'recxs'>): number {
  let total = 0;
  for (const recx of iod.recxs) total += Number(recx.nr);
  return total;
}

/** Number of checksums of the value that a descriptor writes. */
export function valueChecksumCount(chunkBytes: number, iod: Pick<Iod, 'type' | 'size' | 'recxs'>): number {
  if (iod.size === 0) return 0;
  if (iod.type === IodType.SINGLE) return 1;
  const records = checksumChunkRecords(chunkBytes, iod.size);
  return iod.recxs.reduce((sum, recx) => sum + checksumChunkCount(recx, records), 0);
}

/**
 * Cuts what is present of a request at chunk borders, in the order in which its data travels. `present` holds triples
 * (extent, records from its start, count). Parts of one chunk follow each other.
 */
export function chunkParts(recxs: readonly Recx[], present: readonly number[], records: number): ChunkPart[] {
  const parts: ChunkPart[] = [];
  let phaseOf = -1;
  let phase = 0;
  for (let i = 0; i + 2 < present.length; i += 3) {
    const extent = present[i] as number;
    if (extent !== phaseOf) {
      phase = checksumChunkPhase((recxs[extent] as Recx).idx, records);
      phaseOf = extent;
    }
    let offset = present[i + 1] as number;
    let left = present[i + 2] as number;
    while (left > 0) {
      const chunk = Math.floor((phase + offset) / records);
      const count = Math.min(left, (chunk + 1) * records - phase - offset);
      parts.push({ extent, chunk, offset, count });
      offset += count;
      left -= count;
    }
  }
  return parts;
}

/** The triples of a request that is present as a whole. */
export function allPresent(recxs: readonly Recx[]): number[] {
  const present: number[] = [];
  for (let i = 0; i < recxs.length; i++) present.push(i, 0, Number((recxs[i] as Recx).nr));
  return present;
}
