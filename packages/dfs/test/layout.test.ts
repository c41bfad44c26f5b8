import { isDaosError } from '@daos/common';

import { decodeInode, decodeSuperblock, encodeInode, encodeSuperblock, splitTime, type Inode } from '../src/layout.js';

const inode: Inode = {
  mode: 0o100644,
  oid: { lo: 5n, hi: 0x0d00_0001_3b9a_c9c1n },
  mtimeNs: 1_700_000_000_500_000_000n,
  ctimeNs: 1_700_000_000_500_000_000n,
  chunkSize: 1 << 20,
  objectClass: 0,
  uid: 1000,
  gid: 1000,
  valueLength: 0,
  objectHlc: 0n,
};

describe('the inode record', () => {
  it('has 88 bytes at the offsets that DAOS uses', () => {
    const hex = encodeInode(inode).toString('hex');
    expect(hex).toHaveLength(176);
    expect(hex.slice(0, 8)).toBe('a4810000');
    expect(hex.slice(8, 24)).toBe('0500000000000000');
    expect(hex.slice(24, 32)).toBe('c1c99a3b');
    expect(hex.slice(40, 56)).toBe('00f1536500000000');
    expect(hex.slice(72, 88)).toBe('0000100000000000');
    expect(hex.slice(96, 112)).toBe('0065cd1d00000000');
    expect(hex.slice(128, 144)).toBe('e8030000e8030000');
    expect(hex.slice(144)).toBe('0'.repeat(32));
  });

  it.each([
    ['1900-12-31', BigInt(Date.UTC(1900, 11, 31)) * 1_000_000n + 123_456_789n],
    ['just before 1970', -1n],
    ['2999-12-31', BigInt(Date.UTC(2999, 11, 31)) * 1_000_000n + 1n],
  ])('keeps a time of %s to the nanosecond', (_name, ns) => {
    expect(decodeInode(encodeInode({ ...inode, mtimeNs: ns, ctimeNs: -ns }))).toEqual({ ...inode, mtimeNs: ns, ctimeNs: -ns });
    expect(splitTime(ns).nsec).toBeGreaterThanOrEqual(0n);
  });

  it('of another length is DER_IO', () => {
    expect(() => decodeInode(Buffer.alloc(56))).toThrow(expect.objectContaining({ der: 'IO' }) as Error);
  });
});

describe('the superblock', () => {
  const superblock = { chunkSize: 65536, objectClass: 0, directoryClass: 0x0100_0001, fileClass: 0x0100_ffff, mode: 0, hints: 'file:max' };
  const values = (change: Record<string, Buffer> = {}) => encodeSuperblock(superblock).map(({ akey, value }) => change[akey] ?? value);

  it('has 8 akeys, 9 with hints, and comes back as it was', () => {
    expect(encodeSuperblock({ ...superblock, hints: '' })).toHaveLength(8);
    expect(values()).toHaveLength(9);
    expect(decodeSuperblock(values())).toEqual(superblock);
  });

  it.each([
    ['a missing one is DER_NONEXIST', values({ DFS_MAGIC: Buffer.alloc(0) }), 'NONEXIST'],
    ['another magic is DER_INVAL', values({ DFS_MAGIC: Buffer.alloc(8, 1) }), 'INVAL'],
    ['a newer version is DER_INVAL', values({ DFS_SB_VERSION: Buffer.from([3, 0]) }), 'INVAL'],
    ['another layout is DER_INVAL', values({ DFS_LAYOUT_VERSION: Buffer.from([2, 0]) }), 'INVAL'],
  ] as const)('%s', (_name, stored, der) => {
    let thrown: unknown;
    try {
      decodeSuperblock(stored);
    } catch (error) {
      thrown = error;
    }
    expect(isDaosError(thrown, der)).toBe(true);
  });

  it('with a chunk size of 0 means the default', () => {
    expect(decodeSuperblock(values({ DFS_CHUNK_SIZE: Buffer.alloc(8) })).chunkSize).toBe(1_048_576);
  });
});
