import { seededRandom } from '@daos/gurt';

import {
  IodType, cellChecksums, checksumChunkBytes, checksumChunkCount, checksumChunkRecx, checksumExtentCount, checksumsEqual, ioMapRange,
  iodChecksums, iodChecksumsVerify, keyChecksum, type Iod, type Recx,
} from '../src/index.js';
import { pattern } from './fixture.js';

const CRC64 = 3;
const recx = (idx: number | bigint, end: number | bigint): Recx => ({ idx: BigInt(idx), nr: BigInt(end) - BigInt(idx) + 1n });
const array = (size: number, ...recxs: Recx[]): Iod => ({ akey: Buffer.from('a'), type: IodType.ARRAY, size, recxs });
const cut = (bytes: Uint8Array | undefined, length = 8) =>
  Array.from({ length: (bytes?.length ?? 0) / length }, (_, i) => Buffer.from(bytes ?? []).toString('hex', i * length, (i + 1) * length));
const digest = (...parts: (Uint8Array | string)[]) =>
  Buffer.from(keyChecksum(CRC64, Buffer.concat(parts.map((part) => Buffer.from(part))))).toString('hex');

describe('checksum chunks', () => {
  it.each([[1, 1, 1], [2, 1, 2], [3, 2, 2], [4, 3, 3], [4, 10, 10], [20, 3, 18]])(
    'of %d bytes hold whole records of %d: %d bytes', (chunkBytes, recordSize, bytes) => {
      expect(checksumChunkBytes(chunkBytes, recordSize)).toBe(bytes);
    });

  it.each([[0, 1, 1], [1, 2, 2], [1, 3, 2], [1, 5, 3]])('of two records that [%d, %d] touches are %d', (lo, hi, count) => {
    expect(checksumChunkCount(recx(lo, hi), 2)).toBe(count);
    expect(checksumExtentCount(recx(lo, hi), 4, 8)).toBe(count);
  });

  it('are counted without loss for extents of any length', () => {
    expect(checksumChunkCount({ idx: 1n, nr: 1n << 62n }, 1 << 30)).toBe(2 ** 32 + 1);
    expect(checksumExtentCount(recx(0, 7), 0, 8)).toBe(0);
  });

  it('know their records: clipped by the extent at both ends', () => {
    const extent = recx(1, 9);
    expect([0, 1, 2].map((chunk) => checksumChunkRecx(extent, 4, chunk))).toEqual([recx(1, 3), recx(4, 7), recx(8, 9)]);
    expect(checksumChunkRecx(recx((1n << 63n) - 2n, (1n << 63n) - 1n), 4, 0)).toEqual({ idx: (1n << 63n) - 2n, nr: 2n });
  });
});

describe('checksums of an iod', () => {
  it('have one chunk more for an extent that begins inside of one', () => {
    const data = pattern(8);
    expect(cut(iodChecksums(CRC64, 4, array(1, recx(0, 7)), data)?.bytes)).toEqual([digest(data.subarray(0, 4)), digest(data.subarray(4))]);
    expect(cut(iodChecksums(CRC64, 4, array(1, recx(1, 8)), data)?.bytes))
      .toEqual([digest(data.subarray(0, 3)), digest(data.subarray(3, 7)), digest(data.subarray(7))]);
  });

  it('do not depend on where the value is cut into blocks, for any extents and chunks', () => {
    const seed = Date.now() % 1_000_000;
    const random = seededRandom(seed);
    for (let round = 0; round < 200; round++) {
      const size = 1 + random.below(7);
      const recxs = Array.from({ length: 1 + random.below(4) }, () => ({ idx: BigInt(random.below(50)), nr: BigInt(1 + random.below(40)) }));
      const iod = random.below(5) === 0
        ? { akey: Buffer.from('a'), type: IodType.SINGLE, size: 100, recxs: [] } : array(size, ...recxs);
      const value = random.bytes(iod.type === IodType.SINGLE ? 100 : recxs.reduce((sum, { nr }) => sum + Number(nr) * size, 0));
      const blocks: Uint8Array[] = [];
      for (let at = 0; at < value.length;) {
        const next = Math.min(value.length, at + random.below(30));
        blocks.push(value.subarray(at, next));
        at = next;
      }
      const type = 1 + random.below(7);
      const chunkBytes = 1 + random.below(40);
      const whole = iodChecksums(type, chunkBytes, iod, value);
      expect([seed, round, iodChecksums(type, chunkBytes, iod, blocks)?.bytes.toString()]).toEqual([seed, round, Buffer.from(whole?.bytes ?? []).toString()]);
    }
  });

  it('refuse a value that is shorter than its extents, in one block or several', () => {
    expect(() => iodChecksums(CRC64, 4, array(2, recx(0, 7)), pattern(15))).toThrow('DER_IO_INVAL');
    expect(() => iodChecksums(CRC64, 4, array(2, recx(0, 7)), [pattern(8), pattern(7)])).toThrow(/DER_IO_INVAL.*1 bytes shorter/);
  });

  it('of a single value in cells are one per cell, the last over what is left', () => {
    const value = pattern(10);
    const found = cellChecksums(CRC64, 4, value);
    expect(cut(found.bytes)).toEqual([digest(value.subarray(0, 4)), digest(value.subarray(4, 8)), digest(value.subarray(8))]);
    expect(cut(cellChecksums(CRC64, 4, pattern(3)).bytes)).toHaveLength(1);
    expect(cut(cellChecksums(CRC64, 4, pattern(8)).bytes)).toHaveLength(2);
  });
});

describe('checksums are equal', () => {
  const one = { type: 1, chunkBytes: 4, length: 2, bytes: Uint8Array.of(1, 2, 3, 4) };

  it('when type, number and bytes are', () => {
    expect(checksumsEqual(one, { ...one, bytes: Buffer.from(one.bytes) })).toBe(true);
  });

  it.each([
    ['bytes', { ...one, bytes: Uint8Array.of(1, 2, 3, 5) }],
    ['number', { ...one, bytes: Uint8Array.of(1, 2) }],
    ['number', { ...one, bytes: Uint8Array.of(1, 2, 3, 4, 0, 0) }],
    ['length', { ...one, length: 4 }],
    ['type', { ...one, type: 2 }],
  ])('but not with another %s', (_what, other) => {
    expect(checksumsEqual(one, other)).toBe(false);
  });
});

describe('an I/O map', () => {
  const map = [recx(2, 3), recx(6, 9), recx(12, 12), recx(20, 29)];

  it.each([
    // range, first entry, entries
    [0, 1, 0, 0],
    [0, 2, 0, 1],
    [0, 30, 0, 4],
    [3, 6, 0, 2],
    [4, 5, 0, 0],
    [7, 12, 1, 2],
    [10, 11, 0, 0],
    [9, 20, 1, 3],
    [29, 40, 3, 1],
    [30, 40, 0, 0],
  ])('has for the records [%d, %d] from entry %d on %d entries', (lo, hi, index, count) => {
    expect(ioMapRange(map, recx(lo, hi))).toEqual({ index, count });
  });

  it('is searched from an entry on', () => {
    expect(ioMapRange(map, recx(0, 30), 2)).toEqual({ index: 2, count: 2 });
    expect(ioMapRange(map, recx(0, 5), 2)).toEqual({ index: 2, count: 0 });
    expect(ioMapRange([], recx(0, 5))).toEqual({ index: 0, count: 0 });
  });
});

describe('checksums with an I/O map', () => {
  const value = Buffer.from('ABCDEFGHIJKL');
  const sums = (map: readonly Recx[], iod = array(1, recx(0, 11))) => cut(iodChecksums(CRC64, 4, iod, value, map)?.bytes);

  it.each<[string, Recx[], string[]]>([
    ['everything there', [recx(0, 11)], ['ABCD', 'EFGH', 'IJKL']],
    ['everything there, in pieces', [recx(0, 4), recx(5, 11)], ['ABCD', 'EFGH', 'IJKL']],
    ['a hole in the middle of a chunk', [recx(0, 4), recx(7, 11)], ['ABCD', 'EH', 'IJKL']],
    ['a hole at the start', [recx(2, 11)], ['CD', 'EFGH', 'IJKL']],
    ['a hole at the end', [recx(0, 8)], ['ABCD', 'EFGH', 'I']],
    ['a hole across two chunks', [recx(0, 1), recx(6, 11)], ['AB', 'GH', 'IJKL']],
    ['a hole across three chunks: the middle one has no checksum', [recx(0, 2), recx(9, 11)], ['ABC', 'JKL']],
    ['several holes in one chunk', [recx(0, 0), recx(2, 2), recx(8, 11)], ['AC', 'IJKL']],
    ['nothing there', [], []],
  ])('cover only what is mapped: %s', (_name, map, chunks) => {
    expect(sums(map)).toEqual(chunks.map((chunk) => digest(chunk)));
  });

  it('follow the extents of a request, whatever their order', () => {
    const iod = array(1, recx(4, 7), recx(0, 3), recx(20, 23));
    expect(sums([recx(5, 6), recx(0, 0), recx(2, 3), recx(21, 22)], iod)).toEqual([digest('BC'), digest('EGH'), digest('JK')]);
    expect(sums([recx(0, 0)], iod)).toEqual([digest('E')]);
  });

  it('verify as they were computed', () => {
    const iod = array(1, recx(0, 11));
    const map = [recx(0, 4), recx(7, 11)];
    const found = iodChecksums(CRC64, 4, iod, value, map);
    if (!found) throw new Error('no checksums');
    const inHole = Buffer.from(value);
    inHole[5] = 0;
    expect(() => { iodChecksumsVerify(iod, inHole, found, 'value', map); }).not.toThrow();
    const outside = Buffer.from(value);
    outside[7] = 0;
    expect(() => { iodChecksumsVerify(iod, outside, found, 'value', map); }).toThrow('DER_CSUM');
    expect(() => { iodChecksumsVerify(iod, value, found); }).toThrow('DER_CSUM');
  });
});
