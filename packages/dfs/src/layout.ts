import { DaosError, type ObjectId } from '@daos/common';

/** What a DFS container stores, byte for byte (layout version 3). All numbers are little-endian. */

export const NAME_BYTES_MAX = 255;
export const PATH_BYTES_MAX = 4095;
export const SYMLINK_DEPTH_MAX = 40;
export const XATTR_NAME_BYTES_MAX = 255;
export const XATTR_VALUE_BYTES_MAX = 65_536;
export const SYMLINK_TARGET_BYTES_MAX = 4095;
export const CHUNK_SIZE_DEFAULT = 1_048_576;

/** Object types of a DFS container's objects. */
export const OTYPE_DIRECTORY = 0; // MULTI_HASHED
export const OTYPE_FILE = 13; // ARRAY_BYTE

/** User parts of the two reserved object ids. */
export const SUPERBLOCK_OID: ObjectId = { hi: 0n, lo: 0n };
export const ROOT_OID: ObjectId = { hi: 1n, lo: 0n };

export const SUPERBLOCK_DKEY = Buffer.from('DFS_SB_METADATA');
export const ROOT_NAME = Buffer.from('/');
export const AKEY_INODE = Buffer.from('DFS_INODE');
export const AKEY_SYMLINK = Buffer.from('DFS_SLINK');
export const XATTR_PREFIX = Buffer.from('x:');

const SUPERBLOCK_MAGIC = 0xda05df50da05df50n;
const SUPERBLOCK_VERSION = 2;
const LAYOUT_VERSION = 3;

export const MODE_RELAXED = 0;
export const MODE_BALANCED = 4;

/** File type bits of a mode. */
export const S_IFMT = 0o170000;
export const S_IFDIR = 0o040000;
export const S_IFREG = 0o100000;
export const S_IFLNK = 0o120000;
export const S_ISVTX = 0o001000;

export interface Superblock {
  readonly chunkSize: number;
  /** Legacy common default class; 0: none. */
  readonly objectClass: number;
  readonly directoryClass: number;
  readonly fileClass: number;
  /** MODE_RELAXED or MODE_BALANCED. */
  readonly mode: number;
  readonly hints: string;
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}
function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

const SUPERBLOCK_AKEYS = [
  'DFS_MAGIC',
  'DFS_SB_VERSION',
  'DFS_LAYOUT_VERSION',
  'DFS_CHUNK_SIZE',
  'DFS_OBJ_CLASS',
  'DFS_DIR_OBJ_CLASS',
  'DFS_FILE_OBJ_CLASS',
  'DFS_MODE',
  'DFS_HINTS',
] as const;
export const SUPERBLOCK_AKEY_LIST: readonly string[] = SUPERBLOCK_AKEYS;

/** Single values of the superblock's akeys; `DFS_HINTS` only when there are hints. */
export function encodeSuperblock(superblock: Superblock): { akey: string; value: Buffer }[] {
  const values: { akey: (typeof SUPERBLOCK_AKEYS)[number]; value: Buffer }[] = [
    { akey: 'DFS_MAGIC', value: u64(SUPERBLOCK_MAGIC) },
    { akey: 'DFS_SB_VERSION', value: u16(SUPERBLOCK_VERSION) },
    { akey: 'DFS_LAYOUT_VERSION', value: u16(LAYOUT_VERSION) },
    { akey: 'DFS_CHUNK_SIZE', value: u64(BigInt(superblock.chunkSize)) },
    { akey: 'DFS_OBJ_CLASS', value: u32(superblock.objectClass) },
    { akey: 'DFS_DIR_OBJ_CLASS', value: u32(superblock.directoryClass) },
    { akey: 'DFS_FILE_OBJ_CLASS', value: u32(superblock.fileClass) },
    { akey: 'DFS_MODE', value: u32(superblock.mode) },
  ];
  if (superblock.hints) values.push({ akey: 'DFS_HINTS', value: Buffer.from(`${superblock.hints}\0`) });
  return values;
}

/**
 * Checks and decodes the superblock's values, given in the order of `SUPERBLOCK_AKEY_LIST`.
 * DER_NONEXIST when there is no superblock, DER_INVAL for a foreign or newer one.
 */
export function decodeSuperblock(values: readonly Uint8Array[]): Superblock {
  const [magic, version, layout, chunk, oclass, dirClass, fileClass, mode, hints] = values.map((value) => Buffer.from(value));
  if (!magic?.length) throw new DaosError('NONEXIST', 'the container has no DFS superblock');
  if (magic.length !== 8 || magic.readBigUInt64LE() !== SUPERBLOCK_MAGIC) throw new DaosError('INVAL', 'wrong magic in the DFS superblock');
  if (version?.length !== 2 || version.readUInt16LE() > SUPERBLOCK_VERSION) throw new DaosError('INVAL', 'the DFS superblock is newer than this library');
  if (layout?.length !== 2 || layout.readUInt16LE() !== LAYOUT_VERSION) throw new DaosError('INVAL', 'the DFS layout version is not supported');
  const number = (value: Buffer | undefined) => (value?.length === 4 ? value.readUInt32LE() : 0);
  const chunkSize = chunk?.length === 8 ? Number(chunk.readBigUInt64LE()) : 0;
  return {
    chunkSize: chunkSize || CHUNK_SIZE_DEFAULT,
    objectClass: number(oclass),
    directoryClass: number(dirClass),
    fileClass: number(fileClass),
    mode: number(mode),
    hints: (hints ?? Buffer.alloc(0)).toString().replace(/\0$/, ''),
  };
}

/** Inode record of an entry. Times are Unix nanoseconds and may be negative. */
export interface Inode {
  readonly mode: number;
  readonly oid: ObjectId;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  /** File: its chunk size; folder: default for its files; 0: the container's default. */
  readonly chunkSize: number;
  /** Folder: default class of its children; 0: default. */
  readonly objectClass: number;
  readonly uid: number;
  readonly gid: number;
  /** Length of a symlink's target. */
  readonly valueLength: number;
  /** Highest epoch of the object when a user last set mtime; 0: never. */
  readonly objectHlc: bigint;
}

export const INODE_BYTES = 88;
export const InodeOffset = { MODE: 0, OID: 4, MTIME: 20, CTIME: 28, CHUNK: 36, CLASS: 44, MTIME_NSEC: 48, CTIME_NSEC: 56, UID: 64, GID: 68, VALUE_LEN: 72, HLC: 80 } as const;

const NS_PER_SEC = 1_000_000_000n;

/** Whole seconds (rounded down, also before 1970) and the nanoseconds above them. */
export function splitTime(ns: bigint): { sec: bigint; nsec: bigint } {
  const nsec = ((ns % NS_PER_SEC) + NS_PER_SEC) % NS_PER_SEC;
  return { sec: (ns - nsec) / NS_PER_SEC, nsec };
}

export function encodeInode(inode: Inode): Buffer {
  const bytes = Buffer.alloc(INODE_BYTES);
  const mtime = splitTime(inode.mtimeNs);
  const ctime = splitTime(inode.ctimeNs);
  bytes.writeUInt32LE(inode.mode, InodeOffset.MODE);
  bytes.writeBigUInt64LE(inode.oid.lo, InodeOffset.OID);
  bytes.writeBigUInt64LE(inode.oid.hi, InodeOffset.OID + 8);
  bytes.writeBigInt64LE(mtime.sec, InodeOffset.MTIME);
  bytes.writeBigInt64LE(ctime.sec, InodeOffset.CTIME);
  bytes.writeBigUInt64LE(BigInt(inode.chunkSize), InodeOffset.CHUNK);
  bytes.writeUInt32LE(inode.objectClass, InodeOffset.CLASS);
  bytes.writeBigUInt64LE(mtime.nsec, InodeOffset.MTIME_NSEC);
  bytes.writeBigUInt64LE(ctime.nsec, InodeOffset.CTIME_NSEC);
  bytes.writeUInt32LE(inode.uid, InodeOffset.UID);
  bytes.writeUInt32LE(inode.gid, InodeOffset.GID);
  bytes.writeBigUInt64LE(BigInt(inode.valueLength), InodeOffset.VALUE_LEN);
  bytes.writeBigUInt64LE(inode.objectHlc, InodeOffset.HLC);
  return bytes;
}

/** DER_IO when the record has another length than a layout-3 inode. */
export function decodeInode(record: Uint8Array): Inode {
  if (record.length !== INODE_BYTES) throw new DaosError('IO', `an inode record has ${INODE_BYTES} bytes, got ${record.length}`);
  const bytes = Buffer.from(record.buffer, record.byteOffset, record.byteLength);
  const time = (sec: number, nsec: number) => bytes.readBigInt64LE(sec) * NS_PER_SEC + bytes.readBigUInt64LE(nsec);
  return {
    mode: bytes.readUInt32LE(InodeOffset.MODE),
    oid: { lo: bytes.readBigUInt64LE(InodeOffset.OID), hi: bytes.readBigUInt64LE(InodeOffset.OID + 8) },
    mtimeNs: time(InodeOffset.MTIME, InodeOffset.MTIME_NSEC),
    ctimeNs: time(InodeOffset.CTIME, InodeOffset.CTIME_NSEC),
    chunkSize: Number(bytes.readBigUInt64LE(InodeOffset.CHUNK)),
    objectClass: bytes.readUInt32LE(InodeOffset.CLASS),
    uid: bytes.readUInt32LE(InodeOffset.UID),
    gid: bytes.readUInt32LE(InodeOffset.GID),
    valueLength: Number(bytes.readBigUInt64LE(InodeOffset.VALUE_LEN)),
    objectHlc: bytes.readBigUInt64LE(InodeOffset.HLC),
  };
}
