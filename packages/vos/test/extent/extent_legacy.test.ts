import { AkeyHead } from '../../src/layout/head.js';
import { IndexKey } from '../../src/layout/index_key.js';
import { MINOR_MAX, PunchMark } from '../../src/ilog/punch_mark.js';
import { Space } from '../../src/layout/spaces.js';
import { scanExtents } from '../../src/value/extent_scan.js';
import { widthClass } from '../../src/value/extent/place_search.js';
import { ValueRecord } from '../../src/value/value_record.js';
import { AKEY_NO, ExtentRig, NEWEST, recordOf } from './extent_rig.js';

/** An array as version 1 of the layout stored it: every extent in the VALUE space and nothing else. */
function legacyRig(): ExtentRig {
  const rig = new ExtentRig(true);
  const key = new IndexKey();
  const put = (lo: number, text: string, epoch: number): void => {
    const record = recordOf(BigInt(lo), BigInt(lo + text.length - 1), BigInt(epoch), MINOR_MAX, 1, text);
    const cls = widthClass(record.nr);
    key.space(Space.VALUE).u48(AKEY_NO).u8(cls).u64(record.lo).u64(record.nr - 1n).u64Descending(record.epoch).u16(0xffff - MINOR_MAX);
    rig.umem.put(key, record.toBytes());
    rig.head.widthClasses |= 1n << BigInt(cls);
    rig.head.maxEpoch = BigInt(epoch);
  };
  for (let i = 0; i < 10; i++) put(i * 4, 'aaaa', i + 1);
  put(2, 'bbbb', 20);
  put(8, 'cccc', 21);
  put(9, 'dd', 22);
  put(100, 'e', 23);
  rig.head.isSpilled = true;
  rig.head.recordSize = 1;
  rig.reload();
  return rig;
}

const NEWEST_PICTURE = 'aabbbbaacddcaaaa';

describe('an array that version 1 of the layout stored', () => {
  it('is read at any epoch', () => {
    const rig = legacyRig();
    expect(rig.head.hasLive).toBe(false);
    expect(rig.see(0, 15)).toBe(NEWEST_PICTURE);
    expect(rig.see(0, 15, 21)).toBe('aabbbbaaccccaaaa');
    expect(rig.see(0, 15, 3)).toBe('aaaaaaaaaaaa....');
    expect(rig.extents.bounds(rig.head)?.lo).toBe(0n);
    expect(rig.records(3)).toHaveLength(14);
    const scan = { head: rig.head, epoch: NEWEST, punch: new PunchMark(), limit: 100 };
    const up = scanExtents(rig.extents, { ...scan, from: 0n, descending: false });
    expect(up[0]).toMatchObject({ lo: 0n, hi: 1n });
    expect(up.at(-1)).toMatchObject({ lo: 100n, hi: 100n });
    const down = scanExtents(rig.extents, { ...scan, from: NEWEST, descending: true });
    expect(down.map(({ lo }) => lo)).toEqual(up.map(({ lo }) => lo).reverse());
    expect(rig.rows()).toEqual({ live: 0, value: 14, time: 0 });
  });

  it.each([
    ['by an upgrade', (rig: ExtentRig) => void rig.extents.upgrade(rig.head)],
    ['by the first write', (rig: ExtentRig) => void rig.data(50, 'x', 30)],
    ['by the first delete', (rig: ExtentRig) => void rig.delete(100, 100, 23)],
  ])('gets its LIVE rows %s', (_, touch) => {
    const rig = legacyRig();
    touch(rig);
    expect(rig.head.hasLive).toBe(true);
    rig.reload();
    expect(rig.see(0, 15)).toBe(NEWEST_PICTURE);
    expect(rig.see(0, 15, 21)).toBe('aabbbbaaccccaaaa');
    expect(rig.see(0, 15, 3)).toBe('aaaaaaaaaaaa....');
    const { value, time } = rig.rows();
    expect(time).toBe(value);
    expect(rig.extents.upgrade(rig.head)).toBe(false);
    rig.delete(2, 5, 20);
    expect(rig.see(0, 15)).toBe('aaaaaaaacddcaaaa');
  });
});

describe('stored records', () => {
  // epoch 5, minor 16383, an extent [3, 4] of 2-byte records, as version 1 wrote it
  const V1 = '0000000000000005' + '3fff' + '02' + '00' + '00000002' + '0000000000000003' + '0000000000000002' + '61626364';

  it('are written as by version 1 when nothing new is in them', () => {
    const record = recordOf(3n, 4n, 5n, MINOR_MAX, 2, 'abcd');
    expect(Buffer.from(record.toBytes()).toString('hex')).toBe(V1);
    const read = ValueRecord.decode(Uint8Array.from(Buffer.from(V1, 'hex')));
    expect([read.lo, read.hi, read.owner, read.isCorrupted, read.pieces]).toEqual([3n, 4n, 0, false, undefined]);
  });

  it('keep their owner, corruption, and the pieces of a large value', () => {
    const pieces = Array.from({ length: 255 }, (_, i) => ({ block: 2 ** 40 + i, bytes: 8 << 20 }));
    const checksums = { type: 2, length: 4, chunkBytes: 32768, bytes: Uint8Array.of(1, 2, 3, 4) };
    const gang = new ValueRecord(9n, 1, 255 * (8 << 20), 0n, 0n, false, 2 ** 40, checksums, new Uint8Array(0), false, {
      owner: 0xffff_fffe,
      isCorrupted: true,
      pieces,
    });
    const bytes = gang.toBytes();
    expect(bytes).toHaveLength(gang.encodedBytes);
    const read = ValueRecord.decode(bytes);
    expect([read.owner, read.isCorrupted, read.block]).toEqual([0xffff_fffe, true, 2 ** 40]);
    expect(read.pieces).toEqual(pieces);
    expect(read.checksums?.bytes).toEqual(checksums.bytes);
    expect(read.with({ owner: 0, isCorrupted: false }).encodedBytes).toBe(gang.encodedBytes - 4);
  });

  it('let an array keep its flags in the head', () => {
    const rig = new ExtentRig(true);
    rig.data(0, 'aaaa', 1);
    rig.removeAll(1, 2, 1, 1);
    rig.reload();
    expect([rig.head.isSpilled, rig.head.hasLive, rig.head.hasRemovals]).toEqual([true, true, true]);
    expect(rig.see(0, 3)).toBe('a..a');
    expect(rig.head).toBeInstanceOf(AkeyHead);
  });

  it('can be marked as damaged', () => {
    for (const isSpilled of [false, true]) {
      const rig = new ExtentRig(isSpilled);
      rig.data(0, 'aaaa', 1);
      rig.data(2, 'b', 2);
      expect(rig.extents.markCorrupted(rig.head, { lo: 0n, hi: 3n, epoch: 1n, minor: MINOR_MAX })).toBe(true);
      const seen = rig.extents.visible(rig.head, 0n, 3n, NEWEST);
      expect(seen.map(({ record }) => record.isCorrupted)).toEqual([true, false, true]);
    }
  });
});
