import { DaosError } from '@daos/common';

import { VEA_BLOCK_BYTES, VEA_MAGIC, checkTotal, veaDescriptor, type VeaDescriptor, type VeaFormat } from './descriptor.js';
import type { VeaStore } from './store.js';

/**
 * Writes the descriptor and the one free extent of a new space. A number asks for that many usable blocks of 4 KiB
 * behind one header block. DER_EXIST when it is formatted and `force` is not set, DER_INVAL and DER_NOSPACE for sizes
 * as in `veaDescriptor`. Hints of streams stay: they are only hints.
 */
export function veaFormat(store: VeaStore, format: VeaFormat | number): void {
  const isForced = typeof format !== 'number' && format.force === true;
  if (!isForced && isFormatted(store)) throw new DaosError('EXIST', 'the free space is already formatted');
  const descriptor = typeof format === 'number' ? simpleDescriptor(format) : veaDescriptor(format);
  if (isForced) erase(store);
  store.putDescriptor(descriptor);
  store.put(0, descriptor.totalBlocks);
}

/** What a space is taken for that was formatted before there were descriptors. DER_UNINIT when its size is unknown. */
export function implicitDescriptor(totalBlocks: number | undefined): VeaDescriptor {
  if (totalBlocks === undefined) throw new DaosError('UNINIT', 'the space is not formatted');
  checkTotal(totalBlocks);
  return { magic: VEA_MAGIC, compat: 0, blockBytes: VEA_BLOCK_BYTES, headerBlocks: 0, totalBlocks };
}

function simpleDescriptor(totalBlocks: number): VeaDescriptor {
  checkTotal(totalBlocks);
  return veaDescriptor({ capacityBytes: (totalBlocks + 1) * VEA_BLOCK_BYTES });
}

function isFormatted(store: VeaStore): boolean {
  if (store.loadDescriptor() !== undefined) return true;
  for (const _ of store.load()) return true;
  return false;
}

function erase(store: VeaStore): void {
  for (const { offset } of [...store.load()]) store.remove(offset);
  for (const { offset, group } of [...store.loadWords()]) store.removeWords(offset, group);
  for (const { offset } of [...store.loadChunks()]) store.removeChunk(offset);
}
