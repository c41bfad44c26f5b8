import { ChecksumType, iodChecksums, recxChecksumsVerify } from '@daos/common';

import type { VosContainer } from '../src/index.js';
import { HASHED, TestPool, array, bytes, unitOid } from './fixture.js';

const CHUNK_BYTES = 8;
const D = bytes('d');
const A = bytes('a');

let test: TestPool;
let container: VosContainer;
let epoch = 0n;

beforeAll(async () => {
  test = await TestPool.create();
});
beforeEach(async () => {
  container = await test.newContainer();
});
afterAll(() => test.destroy());

/** Extent of records: first record and number. */
type Extent = [idx: number, nr: number];

/** Writes extents with their checksums, each in an update of its own; record i of one byte has the value i. */
async function write(recordSize: number, ...extents: Extent[]): Promise<void> {
  for (const [idx, nr] of extents) {
    const iods = [array(A, recordSize, [idx, nr])];
    const value = Buffer.from(Array.from({ length: nr * recordSize }, (_, i) => Math.floor(i / recordSize) + idx));
    const checksums = iods.map((iod) => iodChecksums(ChecksumType.CRC64, CHUNK_BYTES, iod, value));
    await container.update({ oid: unitOid(1), flavours: HASHED, epoch: ++epoch, flags: 0, dkey: D, iods, values: [value], checksums });
  }
}

/** Per piece: its records, the bytes of its stored chunks before and behind them, and the number of checksums. */
async function fetch(recordSize: number, ...extents: Extent[]) {
  const iods = [array(A, recordSize, ...extents)];
  const [found] = await container.fetch({ oid: unitOid(1), flavours: HASHED, epoch, flags: 0, dkey: D, iods });
  return (found?.pieces ?? []).map(({ recx, data, stored }) => {
    if (!stored) throw new Error('the piece has no stored checksums');
    expect(data[0]).toBe(Number(recx.idx));
    recxChecksumsVerify(stored.recx, recordSize, stored.data, stored.checksums);
    const prefix = Number(recx.idx - stored.recx.idx) * recordSize;
    expect(Buffer.compare(stored.data.subarray(prefix, prefix + data.length), data)).toBe(0);
    return {
      at: [Number(recx.idx), Number(recx.nr)], prefix, suffix: stored.data.length - prefix - data.length,
      checksums: stored.checksums.bytes.length / stored.checksums.length,
    };
  });
}

const piece = (at: Extent, prefix: number, suffix: number, checksums: number) => ({ at, prefix, suffix, checksums });

describe('stored checksums of extents in chunks of 8 bytes', () => {
  it('come with an extent that is fetched as it was written', async () => {
    await write(1, [0, 8]);
    expect(await fetch(1, [0, 8])).toEqual([piece([0, 8], 0, 0, 1)]);
  });

  it('come with two extents, each asked for', async () => {
    await write(1, [0, 8], [8, 8]);
    expect(await fetch(1, [0, 8], [8, 8])).toEqual([piece([0, 8], 0, 0, 1), piece([8, 8], 0, 0, 1)]);
  });

  it('come with each chunk of an extent', async () => {
    await write(1, [0, 16]);
    expect(await fetch(1, [0, 16])).toEqual([piece([0, 16], 0, 0, 2)]);
  });

  it('come with two extents that are asked for as one', async () => {
    await write(1, [0, 8], [8, 8]);
    expect(await fetch(1, [0, 16])).toEqual([piece([0, 8], 0, 0, 1), piece([8, 8], 0, 0, 1)]);
  });

  it('are parted where one extent is asked for as two', async () => {
    await write(1, [0, 16]);
    expect(await fetch(1, [0, 8], [8, 8])).toEqual([piece([0, 8], 0, 0, 1), piece([8, 8], 0, 0, 1)]);
  });

  it('come with what the chunk has before and behind a part of it', async () => {
    await write(1, [0, 8]);
    expect(await fetch(1, [1, 5])).toEqual([piece([1, 5], 1, 2, 1)]);
  });

  it('count chunks of whole records', async () => {
    await write(4, [2, 4]);
    expect(await fetch(4, [2, 4])).toEqual([piece([2, 4], 0, 0, 2)]);
    expect(await fetch(4, [3, 2])).toEqual([piece([3, 2], 4, 4, 2)]);
  });

  it('come with the rest of the last chunk of several extents', async () => {
    await write(1, [0, 8], [8, 8], [16, 8], [24, 12]);
    expect(await fetch(1, [0, 33])).toEqual([
      piece([0, 8], 0, 0, 1), piece([8, 8], 0, 0, 1), piece([16, 8], 0, 0, 1), piece([24, 9], 0, 3, 2),
    ]);
  });

  it('have nothing for a hole', async () => {
    await write(1, [0, 8], [16, 8]);
    expect(await fetch(1, [0, 24])).toEqual([piece([0, 8], 0, 0, 1), piece([16, 8], 0, 0, 1)]);
  });

  it('are those of the extent under a newer one, cut to the chunks that still show', async () => {
    await write(1, [0, 24], [4, 10]);
    const shown = await fetch(1, [0, 24]);
    expect(shown).toEqual([piece([0, 4], 0, 4, 1), piece([4, 10], 0, 0, 2), piece([14, 10], 6, 0, 2)]);
  });
});

