import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';

import { DaosError, uuidFromBytes, uuidToBytes, type Uuid } from '@daos/common';

/**
 * Superblock of a pool's shard, little endian: magic u32 | layout version u32 | uuid (16) | bytes of the index u64 |
 * bytes of the data file u64 | length of its path u32 | path (UTF-8; empty: in the shard's folder) | zeros | from
 * `VERSION_AT` on: durable format version u32, open flags u32, compat flags u64, incompat flags u64, zeros | crc32 of all
 * before, in the last 4 bytes. Version 1 of the layout has zeros from the path on. It is written last when a shard is
 * made: a folder without one is no shard.
 */
const MAGIC = 0x5ca1ab1e;
/** Versions of how this program stores things; `DF_VERSION` counts what a pool can do. */
export const LAYOUT_VERSION = 2;
export const LAYOUT_VERSION_MIN = 1;
const BYTES = 4096;
const PATH_AT = 44;
const VERSION_AT = BYTES - 64;
const PATH_BYTES_MAX = VERSION_AT - PATH_AT;

/** Durable format versions. Numbers as in DAOS. */
export const DF_VERSION = { V1: 23, V2_2: 24, V2_4: 25, V2_6: 26, V2_8: 28, CURRENT: 28 } as const;

/** Compat flags of a pool: what the servers do with it. Bits as in DAOS. */
export const PoolCompat = { IMMUTABLE: 1n, SKIP_START: 2n, SKIP_REBUILD: 4n, SKIP_DTX_RESYNC: 8n } as const;
const POOL_COMPAT_ALL = PoolCompat.IMMUTABLE | PoolCompat.SKIP_START | PoolCompat.SKIP_REBUILD | PoolCompat.SKIP_DTX_RESYNC;

export interface Superblock {
  readonly layoutVersion: number;
  readonly formatVersion: number;
  /** `VosPoolFlag` bits that the shard was made with and that count for good. */
  readonly flags: number;
  /** `PoolCompat` bits. */
  readonly compat: bigint;
  readonly incompat: bigint;
  readonly uuid: Uuid;
  readonly scmBytes: number;
  readonly nvmeBytes: number;
  /** Path of the data file outside of the shard's folder; empty: inside. */
  readonly dataPath: string;
}

/** DER_INVAL for a version that no pool can be made with, or upgraded to. */
export function checkFormatVersion(version: number): void {
  if (Number.isInteger(version) && version >= DF_VERSION.V1 && version <= DF_VERSION.CURRENT) return;
  throw new DaosError('INVAL', `durable format version ${version}; give ${DF_VERSION.V1} to ${DF_VERSION.CURRENT}`);
}

/** DER_INVAL for a flag that is none. */
export function checkCompat(compat: bigint): void {
  if ((compat & ~POOL_COMPAT_ALL) === 0n) return;
  throw new DaosError('INVAL', `compat flags 0x${compat.toString(16)}; known are 0x${POOL_COMPAT_ALL.toString(16)}`);
}

/** Writes the superblock durably, in the newest layout; it appears whole or not at all. */
export async function superblockWrite(path: string, superblock: Omit<Superblock, 'layoutVersion'>): Promise<void> {
  const block = Buffer.alloc(BYTES);
  const dataPath = Buffer.from(superblock.dataPath);
  if (dataPath.length > PATH_BYTES_MAX) throw new DaosError('INVAL', `path of the data file is too long: ${superblock.dataPath}`);
  block.writeUInt32LE(MAGIC, 0);
  block.writeUInt32LE(LAYOUT_VERSION, 4);
  uuidToBytes(superblock.uuid).copy(block, 8);
  block.writeBigUInt64LE(BigInt(superblock.scmBytes), 24);
  block.writeBigUInt64LE(BigInt(superblock.nvmeBytes), 32);
  block.writeUInt32LE(dataPath.length, 40);
  dataPath.copy(block, PATH_AT);
  block.writeUInt32LE(superblock.formatVersion, VERSION_AT);
  block.writeUInt32LE(superblock.flags, VERSION_AT + 4);
  block.writeBigUInt64LE(superblock.compat, VERSION_AT + 8);
  block.writeBigUInt64LE(superblock.incompat, VERSION_AT + 16);
  block.writeUInt32LE(crc32(block.subarray(0, BYTES - 4)), BYTES - 4);
  try {
    await replaceFile(path, block);
  } catch (error) {
    throw new DaosError('IO', `superblock ${path} cannot be written: ${(error as Error).message}`, { cause: error });
  }
}

async function replaceFile(path: string, content: Uint8Array): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncFolder(dirname(path));
}

/**
 * Reads the superblock. DER_NONEXIST when there is none, DER_DF_INCOMPT for a version or a feature that this program
 * does not know, DER_DF_INVAL when it is damaged or something else.
 */
export async function superblockRead(path: string): Promise<Superblock> {
  const block = await readBlock(path);
  const layoutVersion = block.readUInt32LE(4);
  if (layoutVersion < LAYOUT_VERSION_MIN || layoutVersion > LAYOUT_VERSION) {
    const known = `versions ${LAYOUT_VERSION_MIN} to ${LAYOUT_VERSION}`;
    throw new DaosError('DF_INCOMPT', `${path} has layout version ${layoutVersion}, this program knows ${known}`);
  }
  if (block.readUInt32LE(BYTES - 4) !== crc32(block.subarray(0, BYTES - 4))) {
    throw new DaosError('DF_INVAL', `${path} is damaged`);
  }
  const isVersioned = layoutVersion > 1;
  const formatVersion = isVersioned ? block.readUInt32LE(VERSION_AT) : DF_VERSION.CURRENT;
  const incompat = isVersioned ? block.readBigUInt64LE(VERSION_AT + 16) : 0n;
  if (formatVersion < DF_VERSION.V1 || formatVersion > DF_VERSION.CURRENT || incompat !== 0n) {
    throw new DaosError(
      'DF_INCOMPT',
      `${path} has format version ${formatVersion} with features 0x${incompat.toString(16)}, ` +
        `this program knows versions ${DF_VERSION.V1} to ${DF_VERSION.CURRENT} without any`,
    );
  }
  return {
    layoutVersion,
    formatVersion,
    flags: isVersioned ? block.readUInt32LE(VERSION_AT + 4) : 0,
    compat: isVersioned ? block.readBigUInt64LE(VERSION_AT + 8) : 0n,
    incompat,
    uuid: uuidFromBytes(block.subarray(8, 24)),
    scmBytes: Number(block.readBigUInt64LE(24)),
    nvmeBytes: Number(block.readBigUInt64LE(32)),
    dataPath: pathIn(block),
  };
}

/** Path of the data file of a shard of any version; undefined when it is in the folder, or unknown. */
export async function superblockDataPath(path: string): Promise<string | undefined> {
  const block = await readBlock(path).catch(() => undefined);
  return block && (pathIn(block) || undefined);
}

async function readBlock(path: string): Promise<Buffer> {
  const block = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    const missing = error.code === 'ENOENT' || error.code === 'ENOTDIR';
    throw new DaosError(missing ? 'NONEXIST' : 'IO', `superblock ${path}: ${error.message}`, { cause: error });
  });
  if (block.length < BYTES || block.readUInt32LE(0) !== MAGIC) {
    throw new DaosError('DF_INVAL', `${path} is no superblock of a pool shard`);
  }
  return block;
}

function pathIn(block: Buffer): string {
  const bytes = Math.min(block.readUInt32LE(40), PATH_BYTES_MAX);
  return block.toString('utf8', PATH_AT, PATH_AT + bytes);
}

/** Makes the names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
