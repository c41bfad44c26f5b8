import fc from 'fast-check';

import type { Recx } from '@daos/common';

import { chunkIos, endOf, recordsBelow, recordsOf, zeroHoles } from '../src/array_chunks.js';

const range = (idx: number, nr: number): Recx => ({ idx: BigInt(idx), nr: BigInt(nr) });

describe('mapping of arrays to chunks', () => {
  it('cuts at chunk borders: cells of 4 bytes, chunks of 3 cells', () => {
    expect(chunkIos([range(0, 3), range(9, 1)], { cellSize: 4, chunkSize: 3 })).toEqual([
      { dkey: 1n, start: 0n, recxs: [range(0, 3)], offset: 0, bytes: 12 },
      { dkey: 4n, start: 9n, recxs: [range(0, 1)], offset: 12, bytes: 4 },
    ]);
  });

  it('puts neighbouring ranges of one chunk into one operation, joining those that touch', () => {
    const [io, ...others] = chunkIos([range(1, 2), range(3, 1), range(6, 2)], { cellSize: 1, chunkSize: 10 });
    expect(others).toEqual([]);
    expect(io).toEqual({ dkey: 1n, start: 0n, recxs: [range(1, 3), range(6, 2)], offset: 0, bytes: 5 });
  });

  it('bounds the bytes of one operation', () => {
    const ios = chunkIos([range(0, 100 * 2 ** 20)], { cellSize: 1, chunkSize: 2 ** 30 });
    expect(ios.every((io) => io.bytes <= 16 * 2 ** 20)).toBe(true);
    expect(ios.reduce((sum, io) => sum + io.bytes, 0)).toBe(100 * 2 ** 20);
  });

  it('covers every cell of every range exactly once, in the order of the buffer', () => {
    const ranges = fc.array(fc.tuple(fc.nat(200), fc.nat(30)), { maxLength: 8 });
    fc.assert(fc.property(ranges, fc.integer({ min: 1, max: 17 }), (list, chunkSize) => {
      const cells: bigint[] = [];
      for (const io of chunkIos(list.map(([idx, nr]) => range(idx, nr)), { cellSize: 1, chunkSize })) {
        expect(io.offset).toBe(cells.length);
        for (const { idx, nr } of io.recxs) {
          expect(idx + nr).toBeLessThanOrEqual(BigInt(chunkSize));
          for (let i = idx; i < idx + nr; i++) cells.push((io.dkey - 1n) * BigInt(chunkSize) + i);
        }
      }
      const wanted = list.flatMap(([idx, nr]) => Array.from({ length: nr }, (_, i) => BigInt(idx + i)));
      expect(cells).toEqual(wanted);
    }));
  });

  it('counts cells: all, below a size, and the end', () => {
    const list = [range(0, 4), range(10, 5), range(30, 0)];
    expect([recordsOf(list), recordsBelow(list, 12n), endOf(list)]).toEqual([9n, 6n, 15n]);
  });

  it('zeroes holes below the end and leaves what lies behind it', () => {
    const [io] = chunkIos([range(2, 4), range(8, 6)], { cellSize: 2, chunkSize: 16 });
    const buffer = Buffer.alloc(20, 'x');
    if (io) zeroHoles(io, [range(3, 2), range(9, 1)], 2, 12n, buffer);
    //                              2 zero, 3-4 there, 5 zero | 8 zero, 9 there, 10-11 zero, 12-13 behind the end
    expect(buffer.toString().replaceAll('\0', '0')).toBe('00xxxx00' + '00xx0000xxxx');
  });
});
