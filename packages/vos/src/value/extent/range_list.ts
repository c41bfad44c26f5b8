import { maxOf, minOf, type IndexRange } from './extent_ref.js';

/** Ranges in one block; a full one is split. Small, so that a change moves little. */
const BLOCK_RANGES_MAX = 256;

/** Disjoint ranges in order, from which parts are taken: O(log n) and what is taken, also among many ranges. */
export class RangeList {
  private readonly blocks: IndexRange[][] = [];

  constructor(ranges: readonly IndexRange[]) {
    for (let at = 0; at < ranges.length; at += BLOCK_RANGES_MAX) this.blocks.push(ranges.slice(at, at + BLOCK_RANGES_MAX));
  }

  get isEmpty(): boolean {
    return this.blocks.length === 0;
  }

  overlaps({ lo, hi }: IndexRange): boolean {
    const block = this.blocks[this.blockOf(lo)];
    const range = block?.[firstEndingAt(block, lo)];
    return range !== undefined && range.lo <= hi;
  }

  /** Takes out what is there of a part, and calls back with each piece of it, in order. */
  take(part: IndexRange, visit: (lo: bigint, hi: bigint) => void): void {
    const { blocks } = this;
    for (let at = this.blockOf(part.lo); at < blocks.length; ) {
      const block = blocks[at] as IndexRange[];
      const isEnd = (block[block.length - 1] as IndexRange).hi > part.hi;
      takeFrom(block, part, visit);
      if (block.length === 0) blocks.splice(at, 1);
      else if (block.length > BLOCK_RANGES_MAX) {
        blocks.splice(at + 1, 0, block.splice(BLOCK_RANGES_MAX / 2));
        at += 2;
      } else at++;
      if (isEnd) return;
    }
  }

  /** Position of the first block that does not end before `index`. */
  private blockOf(index: bigint): number {
    let low = 0;
    let high = this.blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const block = this.blocks[middle] as IndexRange[];
      if ((block[block.length - 1] as IndexRange).hi < index) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function takeFrom(block: IndexRange[], part: IndexRange, visit: (lo: bigint, hi: bigint) => void): void {
  const first = firstEndingAt(block, part.lo);
  const remains: IndexRange[] = [];
  let end = first;
  for (; end < block.length; end++) {
    const range = block[end] as IndexRange;
    if (range.lo > part.hi) break;
    visit(maxOf(range.lo, part.lo), minOf(range.hi, part.hi));
    remains.push(...cutOut(range, part));
  }
  if (end > first) block.splice(first, end - first, ...remains);
}

/** Position of the first range that does not end before `index`. */
function firstEndingAt(ranges: readonly IndexRange[], index: bigint): number {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ranges[middle] as IndexRange).hi < index) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What is left of a range without another. */
export function cutOut(range: IndexRange, { lo, hi }: IndexRange): IndexRange[] {
  if (lo > range.hi || hi < range.lo) return [range];
  const left: IndexRange[] = [];
  if (range.lo < lo) left.push({ lo: range.lo, hi: lo - 1n });
  if (range.hi > hi) left.push({ lo: hi + 1n, hi: range.hi });
  return left;
}
