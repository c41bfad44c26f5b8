import { DaosError } from '@daos/common';

/** Default unit of allocation in bytes; every unit is a multiple of it. */
export const VEA_BLOCK_BYTES = 4096;
const BLOCK_BYTES_MAX = 1024 * 1024;
/** Fewer usable blocks than this are not worth a device. */
export const VEA_BLOCKS_MIN = 100;
export const VEA_BLOCKS_MAX = 2 ** 32 - 1;

export const VEA_MAGIC = 0xea201804;
/** Bits of `compat`: small extents come from bitmaps. */
export const VEA_COMPAT_BITMAP = 1;
const COMPAT_KNOWN = VEA_COMPAT_BITMAP;

/** Free extents of more than 64 MiB are large. */
const LARGE_BYTES = 64 * 1024 * 1024;

/** What a formatted space is, durable. Block numbers count from behind the header blocks. */
export interface VeaDescriptor {
  readonly magic: number;
  readonly compat: number;
  readonly blockBytes: number;
  /** Blocks at the head of the device that belong to others, such as its superblock. */
  readonly headerBlocks: number;
  /** Usable blocks. */
  readonly totalBlocks: number;
}

export interface VeaFormat {
  /** Size of the device with its header. */
  readonly capacityBytes: number;
  /** Default 4096. */
  readonly blockBytes?: number;
  /** Default 1. */
  readonly headerBlocks?: number;
  /** Default true. */
  readonly bitmaps?: boolean;
  /** Replaces what is there. */
  readonly force?: boolean;
}

/**
 * The descriptor of a new space. DER_INVAL for a block size that is not a multiple of 4 KiB up to 1 MiB, for no header
 * block and for more than 2^32 - 1 usable blocks; DER_NOSPACE for fewer than 100.
 */
export function veaDescriptor(format: VeaFormat): VeaDescriptor {
  const { capacityBytes, blockBytes = VEA_BLOCK_BYTES, headerBlocks = 1, bitmaps = true } = format;
  if (!isBlockSize(blockBytes)) {
    throw new DaosError('INVAL', `blocks of ${blockBytes} bytes; a multiple of ${VEA_BLOCK_BYTES}, at most ${BLOCK_BYTES_MAX}`);
  }
  if (!Number.isInteger(headerBlocks) || headerBlocks < 1) {
    throw new DaosError('INVAL', `${headerBlocks} header blocks; a device has at least one`);
  }
  if (!Number.isSafeInteger(capacityBytes) || capacityBytes < 0) {
    throw new DaosError('INVAL', `a device of ${capacityBytes} bytes is not possible`);
  }
  const totalBlocks = Math.floor(capacityBytes / blockBytes) - headerBlocks;
  checkTotal(totalBlocks);
  return { magic: VEA_MAGIC, compat: bitmaps ? VEA_COMPAT_BITMAP : 0, blockBytes, headerBlocks, totalBlocks };
}

/** DER_NOSPACE below 100 blocks, DER_INVAL above 2^32 - 1. */
export function checkTotal(totalBlocks: number): void {
  if (!Number.isInteger(totalBlocks) || totalBlocks > VEA_BLOCKS_MAX) {
    throw new DaosError('INVAL', `a device has at most ${VEA_BLOCKS_MAX} blocks, not ${totalBlocks}`);
  }
  if (totalBlocks < VEA_BLOCKS_MIN) {
    throw new DaosError('NOSPACE', `a device needs at least ${VEA_BLOCKS_MIN} usable blocks, not ${totalBlocks}`);
  }
}

/**
 * A stored descriptor that can be worked with. DER_UNINIT when it is none of ours, DER_DF_INCOMPT when it has features
 * that this program does not know, DER_DF_INVAL when its sizes are impossible or not the expected ones.
 */
export function checkDescriptor(descriptor: VeaDescriptor, expectedBlocks: number | undefined): void {
  const { magic, compat, blockBytes, headerBlocks, totalBlocks } = descriptor;
  if (magic !== VEA_MAGIC) throw new DaosError('UNINIT', `the space is not formatted: its magic is 0x${magic.toString(16)}`);
  if ((compat & ~COMPAT_KNOWN) !== 0) {
    throw new DaosError('DF_INCOMPT', `the space has features 0x${compat.toString(16)}; this program knows 0x${COMPAT_KNOWN}`);
  }
  const isSize = Number.isInteger(totalBlocks) && totalBlocks >= VEA_BLOCKS_MIN && totalBlocks <= VEA_BLOCKS_MAX;
  if (!isBlockSize(blockBytes) || !Number.isInteger(headerBlocks) || headerBlocks < 0 || !isSize) {
    throw new DaosError('DF_INVAL', `the space's descriptor is damaged: ${headerBlocks}+${totalBlocks} blocks of ${blockBytes} bytes`);
  }
  if (expectedBlocks !== undefined && expectedBlocks !== totalBlocks) {
    throw new DaosError('DF_INVAL', `the space is formatted with ${totalBlocks} blocks, the device has ${expectedBlocks}`);
  }
}

/** Blocks above which an extent is large: split rather than eaten from its head, to keep streams apart. */
export function largeBlocksOf(blockBytes: number): number {
  return LARGE_BYTES / blockBytes;
}

function isBlockSize(bytes: number): boolean {
  return Number.isInteger(bytes) && bytes > 0 && bytes <= BLOCK_BYTES_MAX && bytes % VEA_BLOCK_BYTES === 0;
}
