import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';

import { DaosError, uuidFromBytes, uuidToBytes, type Uuid } from '@daos/common';

/**
 * Superblock of a pool's shard, little endian: magic u32 | version u32 | uuid (16) | bytes of the index u64 |
 * bytes of the data file u64 | length of its path u32 | path (UTF-8; empty: in the shard's folder) | zeros |
 * crc32 of all before, in the last 4 bytes. It is written last when a shard is made: a folder without one is
 * no shard.
 */
const MAGIC = 0x5ca1ab1e;
export const LAYOUT_VERSION = 1;
const BYTES = 4096;
const PATH_AT = 44;
const PATH_BYTES_MAX = BYTES - PATH_AT - 4;

export interface Superblock {
  readonly uuid: Uuid;
  readonly scmBytes: number;
  readonly nvmeBytes: number;
  /** Path of the data file outside of the shard's folder; empty: inside. */
  readonly dataPath: string;
}

/** Writes the superblock durably; it appears whole or not at all. */
export async function superblockWrite(path: string, superblock: Superblock): Promise<void> {
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
  block.writeUInt32LE(crc32(block.subarray(0, BYTES - 4)), BYTES - 4);
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(block);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncFolder(dirname(path));
}

/**
 * Reads the superblock. DER_NONEXIST when there is none, DER_DF_INCOMPT for a version that this program does
 * not know, DER_DF_INVAL when it is damaged or something else.
 */
export async function superblockRead(path: string): Promise<Superblock> {
  const block = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    const missing = error.code === 'ENOENT' || error.code === 'ENOTDIR';
    throw new DaosError(missing ? 'NONEXIST' : 'IO', `superblock ${path}: ${error.message}`, { cause: error });
  });
  if (block.length < BYTES || block.readUInt32LE(0) !== MAGIC) {
    throw new DaosError('DF_INVAL', `${path} is no superblock of a pool shard`);
  }
  const version = block.readUInt32LE(4);
  if (version !== LAYOUT_VERSION) {
    throw new DaosError('DF_INCOMPT', `${path} has layout version ${version}, this program knows version ${LAYOUT_VERSION}`);
  }
  if (block.readUInt32LE(BYTES - 4) !== crc32(block.subarray(0, BYTES - 4))) {
    throw new DaosError('DF_INVAL', `${path} is damaged`);
  }
  const pathBytes = Math.min(block.readUInt32LE(40), PATH_BYTES_MAX);
  return {
    uuid: uuidFromBytes(block.subarray(8, 24)),
    scmBytes: Number(block.readBigUInt64LE(24)),
    nvmeBytes: Number(block.readBigUInt64LE(32)),
    dataPath: block.toString('utf8', PATH_AT, PATH_AT + pathBytes),
  };
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
