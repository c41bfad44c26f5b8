import { createHash } from 'node:crypto';

import { DaosError } from '@daos/common';

/**
 * First block of a data file, little endian:
 * magic u32 | version u32 | block bytes u32 | reserved u32 | capacity bytes u64 | zeros | first 32 bytes' digest (32).
 */
const MAGIC = 0xb0b51ed5;
const VERSION = 1;
export const SUPERBLOCK_BYTES = 4096;
export const BLOCK_BYTES = 4096;
const FIELDS_BYTES = 32;
const DIGEST_BYTES = 32;

export interface Superblock {
  /** Bytes behind the superblock. */
  readonly capacityBytes: number;
}

export function superblockEncode(superblock: Superblock): Uint8Array {
  const block = Buffer.alloc(SUPERBLOCK_BYTES);
  block.writeUInt32LE(MAGIC, 0);
  block.writeUInt32LE(VERSION, 4);
  block.writeUInt32LE(BLOCK_BYTES, 8);
  block.writeBigUInt64LE(BigInt(superblock.capacityBytes), 16);
  digest(block).copy(block, FIELDS_BYTES);
  return block;
}

/**
 * Reads a superblock. Throws DER_DF_INCOMPT when it is not ours or of a version that this program does not know,
 * DER_DF_INVAL when it is damaged.
 */
export function superblockDecode(block: Buffer, path: string): Superblock {
  if (block.length < SUPERBLOCK_BYTES || block.readUInt32LE(0) !== MAGIC) {
    throw new DaosError('DF_INCOMPT', `${path} is not a DAOS data file`);
  }
  const version = block.readUInt32LE(4);
  if (version !== VERSION) {
    throw new DaosError('DF_INCOMPT', `${path} has data format version ${version}, this program knows version ${VERSION}`);
  }
  if (!digest(block).equals(block.subarray(FIELDS_BYTES, FIELDS_BYTES + DIGEST_BYTES))) {
    throw new DaosError('DF_INVAL', `the superblock of ${path} is damaged`);
  }
  const blockBytes = block.readUInt32LE(8);
  const capacityBytes = Number(block.readBigUInt64LE(16));
  if (blockBytes !== BLOCK_BYTES || !Number.isSafeInteger(capacityBytes)) {
    throw new DaosError('DF_INVAL', `${path} has blocks of ${blockBytes} bytes and ${capacityBytes} bytes of space`);
  }
  return { capacityBytes };
}

function digest(block: Buffer): Buffer {
  return createHash('sha256').update(block.subarray(0, FIELDS_BYTES)).digest();
}
