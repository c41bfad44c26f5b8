import {
  CHECKSUM_LIST_BYTES_MAX, ChecksumInfoList, checksumInfoAt, checksumInfoBytes, checksumInfoCount, checksumInfoRead, checksumInfoWrite,
  type IodChecksums,
} from '../src/index.js';

const info = (count: number, fill = 1, length = 8): IodChecksums => ({
  type: 3, chunkBytes: 32768, length, bytes: new Uint8Array(count * length).fill(fill),
});

describe('stored checksums', () => {
  it('are read as they were written, one after the other', () => {
    const [first, second] = [info(3, 7), info(1, 9, 20)];
    const bytes = new Uint8Array(5 + checksumInfoBytes(first) + checksumInfoBytes(second));
    const middle = checksumInfoWrite(first, bytes, 5);
    expect(checksumInfoWrite(second, bytes, middle)).toBe(bytes.length);
    expect(checksumInfoRead(bytes, 5)).toEqual({ info: first, next: middle });
    expect(checksumInfoRead(bytes, middle)).toEqual({ info: second, next: bytes.length });
  });

  it('have a fixed form', () => {
    const bytes = new Uint8Array(14);
    checksumInfoWrite({ type: 1, chunkBytes: 0x01020304, length: 2, bytes: Uint8Array.of(0xaa, 0xbb) }, bytes, 0);
    expect(Buffer.from(bytes).toString('hex')).toBe('01000200' + '04030201' + '01000000' + 'aabb');
  });

  it('are refused with DER_REC2BIG by a buffer that is too small, which stays as it is', () => {
    for (const size of [0, 11, 12, 35]) {
      const bytes = new Uint8Array(size);
      expect(() => checksumInfoWrite(info(3), bytes, 0)).toThrow(/DER_REC2BIG.*36 bytes/);
      expect(bytes.every((byte) => byte === 0)).toBe(true);
    }
    expect(() => checksumInfoWrite(info(3), new Uint8Array(36), 1)).toThrow('DER_REC2BIG');
  });

  it('are refused with DER_INVAL when they end early', () => {
    const bytes = new Uint8Array(36);
    checksumInfoWrite(info(3), bytes, 0);
    for (let length = 0; length < 36; length++) expect(() => checksumInfoRead(bytes.subarray(0, length), 0)).toThrow('DER_INVAL');
    bytes.fill(0xff, 8, 12);
    expect(() => checksumInfoRead(bytes, 0)).toThrow('DER_INVAL');
  });

  it('are found by number', () => {
    const sums = { ...info(2), bytes: Uint8Array.from({ length: 16 }, (_, i) => i) };
    expect(checksumInfoCount(sums)).toBe(2);
    expect([...checksumInfoAt(sums, 1)]).toEqual([8, 9, 10, 11, 12, 13, 14, 15]);
    for (const index of [-1, 2]) expect(() => checksumInfoAt(sums, index)).toThrow('DER_INVAL');
  });
});

describe('a list of stored checksums', () => {
  it('keeps what it was given, in order, also while it grows', () => {
    const list = new ChecksumInfoList();
    list.append(info(2, 5));
    const early = list.at(0);
    const bytes = list.bytes();
    const before = Buffer.from(bytes);
    for (let i = 1; i < 1000; i++) list.append(info(1 + (i % 4), i & 0xff));
    expect(list.count).toBe(1000);
    expect(early).toEqual(info(2, 5));
    expect(before.equals(bytes)).toBe(true);
    for (const i of [0, 1, 499, 999]) expect(list.at(i)).toEqual(i === 0 ? info(2, 5) : info(1 + (i % 4), i & 0xff));
    expect(() => list.at(1000)).toThrow('DER_INVAL');
  });

  it('travels as bytes', () => {
    const list = new ChecksumInfoList();
    expect(ChecksumInfoList.read(list.bytes()).count).toBe(0);
    list.append(info(2, 5));
    list.append(info(0));
    list.append(info(3, 6, 4));
    const copy = ChecksumInfoList.read(Buffer.from(list.bytes()));
    expect([copy.count, copy.at(0), copy.at(1), copy.at(2)]).toEqual([3, info(2, 5), info(0), info(3, 6, 4)]);
    expect(() => ChecksumInfoList.read(list.bytes().subarray(1))).toThrow('DER_INVAL');
  });

  it('ends with DER_REC2BIG at its limit and keeps what it has', () => {
    const list = new ChecksumInfoList();
    const large = info(1000, 1, 64);
    const fits = Math.floor(CHECKSUM_LIST_BYTES_MAX / checksumInfoBytes(large));
    for (let i = 0; i < fits; i++) list.append(large);
    expect(() => { list.append(large); }).toThrow('DER_REC2BIG');
    expect(list.count).toBe(fits);
  });
});
