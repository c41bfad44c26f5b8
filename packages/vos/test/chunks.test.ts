import type { IodChecksums } from '../src/index.js';
import { alignToChunks, extentChecksumBytes, extentChunkCount, recordsPerChunk, trimChecksums, wholeChunks } from '../src/value/chunks.js';
import { ValueRecord } from '../src/value/value_record.js';

const INDEX_MAX = (1n << 64n) - 1n;

/** Checksums of 2 bytes: number n of the extent is n twice. */
const numbered = (count: number): IodChecksums => ({
  type: 1, chunkBytes: 4, length: 2, bytes: Uint8Array.from({ length: 2 * count }, (_, i) => i >> 1),
});

const range = ([lo, hi]: readonly [number | bigint, number | bigint]) => ({ lo: BigInt(lo), hi: BigInt(hi) });

describe('checksum chunks of a stored extent', () => {
  it.each<[number, number, number, number, number]>([
    // lo, hi, record bytes, chunk bytes, chunks
    [0, 0, 0, 4, 0],
    [0, 3, 1, 4, 1],
    [0, 3, 2, 4, 2],
    [1, 7, 1, 4, 2],
    [1, 9, 1, 4, 3],
    [0, 1024 ** 3 - 1, 16, 65536, 262_144],
  ])('of [%d, %d] with records of %d bytes in chunks of %d are %d', (lo, hi, recordBytes, chunkBytes, count) => {
    expect(extentChunkCount(BigInt(lo), BigInt(hi), recordBytes, chunkBytes)).toBe(count);
    expect(extentChecksumBytes(BigInt(lo), BigInt(hi), recordBytes, { chunkBytes, length: 8 })).toBe(8 * count);
  });

  it.each<[readonly [number, number], readonly [number, number], number, readonly [number, number]]>([
    // selection, extent, records per chunk, aligned
    [[0, 0], [0, 1], 2, [0, 1]],
    [[1, 1], [0, 1], 2, [0, 1]],
    [[2, 2], [0, 5], 2, [2, 3]],
    [[3, 5], [0, 5], 2, [2, 5]],
    [[2, 9], [1, 10], 4, [1, 10]],
    [[4, 4], [1, 10], 4, [4, 7]],
    [[9, 9], [1, 10], 4, [8, 10]],
    [[3, 3], [1, 10], 4, [1, 3]],
  ])('a selection %j in %j with %d records per chunk widens to %j', (selection, extent, perChunk, aligned) => {
    expect(alignToChunks(range(selection), range(extent), BigInt(perChunk))).toEqual(range(aligned));
  });

  it('hold whole records: records of 4 bytes in chunks of 16 widen record 5 to [4, 7]', () => {
    expect(alignToChunks(range([5, 5]), range([0, 100]), recordsPerChunk(16, 4))).toEqual(range([4, 7]));
    expect(alignToChunks(range([5, 5]), range([0, 100]), recordsPerChunk(16, 5))).toEqual(range([3, 5]));
    expect(alignToChunks(range([5, 5]), range([0, 100]), recordsPerChunk(16, 32))).toEqual(range([5, 5]));
  });

  it('reach up to the last index there is', () => {
    expect(alignToChunks(range([INDEX_MAX, INDEX_MAX]), range([0, INDEX_MAX]), 3n)).toEqual(range([INDEX_MAX - (INDEX_MAX % 3n), INDEX_MAX]));
    expect(alignToChunks(range([INDEX_MAX - 9n, INDEX_MAX]), range([INDEX_MAX - 5n, INDEX_MAX]), 4n)).toEqual(range([INDEX_MAX - 5n, INDEX_MAX]));
    expect(extentChunkCount(INDEX_MAX - 4n, INDEX_MAX, 1, 4)).toBe(2);
  });

  it.each<[number, number, number, number, number[]]>([
    // first record of the extent, selection, chunks of the extent, checksums kept
    [0, 0, 7, 2, [0, 1]],
    [0, 2, 7, 2, [0, 1]],
    [0, 3, 3, 2, [0]],
    [0, 4, 7, 2, [1]],
    [0, 5, 6, 2, [1]],
    [2, 3, 9, 3, [0, 1, 2]],
    [2, 4, 9, 3, [1, 2]],
    [2, 6, 6, 3, [1]],
    [2, 8, 8, 3, [2]],
  ])('of an extent from %d lose their checksums before and behind [%d, %d]', (extentLo, lo, hi, count, kept) => {
    const trimmed = trimChecksums(numbered(count), BigInt(extentLo), BigInt(lo), BigInt(hi), 4n);
    expect([...trimmed.bytes].filter((_, i) => i % 2 === 0)).toEqual(kept);
    expect(trimmed).toMatchObject({ type: 1, chunkBytes: 4, length: 2 });
  });

  it('are those around a selection, with their checksums', () => {
    const record = new ValueRecord(1n, 0, 1, 2n, 9n, true, -1, numbered(3), new Uint8Array(8));
    const around = (lo: bigint, hi: bigint) => {
      const whole = wholeChunks(record, numbered(3), lo, hi);
      return [whole.lo, whole.hi, [...whole.checksums.bytes].filter((_, i) => i % 2 === 0)];
    };
    expect(around(2n, 9n)).toEqual([2n, 9n, [0, 1, 2]]);
    expect(around(3n, 3n)).toEqual([2n, 3n, [0]]);
    expect(around(5n, 8n)).toEqual([4n, 9n, [1, 2]]);
  });
});
