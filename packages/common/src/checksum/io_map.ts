import type { Recx } from '../io.js';

/**
 * What of an array request is there: extents in request order, ascending within each requested extent, none across the
 * border of two requested ones. The rest are holes, which no checksum covers.
 */
export type IoMap = readonly Recx[];

/** A run of entries of an I/O map. */
export interface IoMapRange {
  readonly index: number;
  readonly count: number;
}

/**
 * The entries that overlap `recx`, looked for from entry `from` on, which is not behind the first of them. With none,
 * `index` is where a search for the next extent may start.
 */
export function ioMapRange(map: IoMap, recx: Recx, from = 0): IoMapRange {
  const end = recx.idx + recx.nr;
  let index = from;
  while (index < map.length && !overlaps(map[index] as Recx, recx.idx, end)) index++;
  if (index === map.length) return { index: from, count: 0 };
  let next = index + 1;
  while (next < map.length && overlaps(map[next] as Recx, recx.idx, end)) next++;
  return { index, count: next - index };
}

function overlaps({ idx, nr }: Recx, from: bigint, to: bigint): boolean {
  return idx < to && idx + nr > from;
}
