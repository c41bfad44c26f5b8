import type { Recx } from '@daos/common';

/**
 * How a one-dimensional array lies in an object: record i is record `i mod chunk` of the dkey `i / chunk + 1`.
 * Dkey 0 holds the attributes.
 */

/** Bytes of one object operation at most: larger accesses are cut, so that memory in flight stays bounded. */
const IO_BYTES_MAX = 16 * 1024 * 1024;

/** One object operation: extents of one chunk whose bytes lie together in the caller's buffer. */
export interface ChunkIo {
  /** Number of the dkey. */
  readonly dkey: bigint;
  /** Array index of the chunk's first record. */
  readonly start: bigint;
  /** Relative to the chunk. */
  readonly recxs: Recx[];
  /** Where the bytes begin in the caller's buffer. */
  readonly offset: number;
  bytes: number;
}

export interface ArrayShape {
  readonly cellSize: number;
  readonly chunkSize: number;
}

/** Cuts ranges at chunk borders; neighbours of one chunk share an operation. Empty ranges are skipped. */
export function chunkIos(ranges: readonly Recx[], shape: ArrayShape): ChunkIo[] {
  const chunk = BigInt(shape.chunkSize);
  const recordsMax = BigInt(Math.max(1, Math.floor(IO_BYTES_MAX / shape.cellSize)));
  const ios: ChunkIo[] = [];
  let offset = 0;
  for (const range of ranges) {
    let { idx, nr: left } = range;
    while (left > 0n) {
      const within = idx % chunk;
      let nr = chunk - within;
      if (nr > left) nr = left;
      if (nr > recordsMax) nr = recordsMax;
      const bytes = Number(nr) * shape.cellSize;
      append(ios, { dkey: idx / chunk + 1n, start: idx - within, recxs: [{ idx: within, nr }], offset, bytes });
      offset += bytes;
      idx += nr;
      left -= nr;
    }
  }
  return ios;
}

function append(ios: ChunkIo[], io: ChunkIo): void {
  const last = ios.at(-1);
  if (last?.dkey !== io.dkey || last.bytes + io.bytes > IO_BYTES_MAX) {
    ios.push(io);
    return;
  }
  const before = last.recxs.at(-1);
  const [added] = io.recxs;
  if (!before || !added) return;
  if (before.idx + before.nr === added.idx) last.recxs[last.recxs.length - 1] = { idx: before.idx, nr: before.nr + added.nr };
  else last.recxs.push(added);
  last.bytes += io.bytes;
}

/** Records of all ranges. */
export function recordsOf(ranges: readonly Recx[]): bigint {
  let total = 0n;
  for (const { nr } of ranges) total += nr;
  return total;
}

/** Records of the ranges that lie below `size`. */
export function recordsBelow(ranges: readonly Recx[], size: bigint): bigint {
  let total = 0n;
  for (const { idx, nr } of ranges) {
    if (idx < size) total += idx + nr <= size ? nr : size - idx;
  }
  return total;
}

/** Index behind the last record of the ranges. */
export function endOf(ranges: readonly Recx[]): bigint {
  let end = 0n;
  for (const { idx, nr } of ranges) if (nr > 0n && idx + nr > end) end = idx + nr;
  return end;
}

/**
 * Zeroes what an operation did not find and lies below `size`. `present` are the extents that were found, in request
 * order; `buffer` is the caller's.
 */
export function zeroHoles(io: ChunkIo, present: readonly Recx[], cellSize: number, size: bigint, buffer: Uint8Array): void {
  let at = io.offset;
  let next = 0;
  for (const { idx, nr } of io.recxs) {
    const end = idx + nr;
    let from = idx;
    while (from < end) {
      const found = present[next];
      const inside = found !== undefined && found.idx >= idx && found.idx < end;
      const to = inside ? found.idx : end;
      zeroRange(io, from, to, { idx, at }, cellSize, size, buffer);
      from = inside ? found.idx + found.nr : end;
      if (inside) next++;
    }
    at += Number(nr) * cellSize;
  }
}

function zeroRange(
  io: ChunkIo, from: bigint, to: bigint, extent: { idx: bigint; at: number }, cellSize: number, size: bigint, buffer: Uint8Array,
): void {
  const limit = size - io.start;
  const end = to < limit ? to : limit;
  if (from >= end) return;
  const start = extent.at + Number(from - extent.idx) * cellSize;
  buffer.fill(0, start, start + Number(end - from) * cellSize);
}
