import type { Epoch } from '@daos/common';

/** Names one record of an array: exact extent and epoch. */
export interface ExtentRef {
  readonly lo: bigint;
  readonly hi: bigint;
  readonly epoch: Epoch;
  readonly minor: number;
}

/** First and last index, both inclusive. */
export interface IndexRange {
  readonly lo: bigint;
  readonly hi: bigint;
}

export const INDEX_MAX = 0xffff_ffff_ffff_ffffn;
/** Widest extent of data; wider holes are laid over the data that is there only. */
export const EXTENT_RECORDS_MAX = 2n ** 48n - 1n;
/** Indices with this bit hold parity of erasure coded objects. */
export const PARITY_BIT = 1n << 63n;
/** Minor epoch of removals: records that undo those of their own epoch. */
export const MINOR_REMOVE = 0xffff;
/** Minor epochs of extents that rebuild writes: several of one epoch are kept. */
export const MINOR_REBUILD_MIN = 16_384;
export const MINOR_REBUILD_MAX = 32_767;

export function isSameExtent(a: ExtentRef, b: ExtentRef): boolean {
  return a.epoch === b.epoch && a.minor === b.minor && a.lo === b.lo && a.hi === b.hi;
}

/** True when `a` lies over `b`. */
export function isNewer(a: ExtentRef, b: ExtentRef): boolean {
  return a.epoch > b.epoch || (a.epoch === b.epoch && a.minor > b.minor);
}

/** Newest first; at one epoch the larger minor epoch. */
export function newestFirst(a: ExtentRef, b: ExtentRef): number {
  if (a.epoch !== b.epoch) return a.epoch > b.epoch ? -1 : 1;
  return b.minor - a.minor;
}

export function overlaps(a: IndexRange, lo: bigint, hi: bigint): boolean {
  return a.lo <= hi && a.hi >= lo;
}

export function isParity(index: bigint): boolean {
  return index >= PARITY_BIT;
}

export function minOf(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

export function maxOf(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
