import { AssertionError } from '@daos/gurt';

import { PairTree } from './pair_tree.js';

/** What changed of the extents by offset: extents that vanished, then extents that came. */
export interface ExtentListener {
  put(offset: number, blocks: number): void;
  remove(offset: number): void;
}

/**
 * A set of blocks, kept as maximal runs: no two extents touch. Indexed by offset and, when asked, by size. Extents of
 * one size are found in the order in which they got that size, so that old ones are used before new ones. Blocks are
 * plain numbers.
 */
export class FreeExtents {
  /** (offset, blocks), carrying the age of the entry by size. */
  private readonly byOffset: PairTree;
  /** (blocks, age), carrying the offset: extents of up to `largeBlocks`, and those above. */
  private readonly small: PairTree | undefined;
  private readonly large: PairTree | undefined;
  private readonly largeBlocks: number;
  private age = 0;
  private total = 0;

  /** `largeBlocks` given: indexed by size, extents of more blocks apart from the others. */
  constructor(options: { readonly largeBlocks?: number } = {}) {
    const bySize = options.largeBlocks !== undefined;
    this.largeBlocks = options.largeBlocks ?? Infinity;
    this.byOffset = new PairTree({ carries: bySize });
    this.small = bySize ? new PairTree({ carries: true }) : undefined;
    this.large = bySize ? new PairTree({ carries: true }) : undefined;
  }

  /** Sum of all extents. */
  get blocks(): number {
    return this.total;
  }

  get extentCount(): number {
    return this.byOffset.size;
  }

  get largeCount(): number {
    return this.large?.size ?? 0;
  }

  get smallCount(): number {
    return this.small?.size ?? 0;
  }

  /** Memory of the indexes. */
  get bytes(): number {
    return this.byOffset.bytes + (this.small?.bytes ?? 0) + (this.large?.bytes ?? 0);
  }

  /** True when any block of the range is in the set. */
  overlaps(offset: number, blocks: number): boolean {
    const node = this.byOffset.floor(offset + blocks - 1, Infinity);
    return node !== 0 && this.endOf(node) > offset;
  }

  /** True when every block of the range is in the set. */
  contains(offset: number, blocks: number): boolean {
    const node = this.byOffset.floor(offset, Infinity);
    return node !== 0 && this.endOf(node) >= offset + blocks;
  }

  /** True when an extent of at least `blocks` begins at `offset`. */
  beginsAt(offset: number, blocks: number): boolean {
    const node = this.byOffset.floor(offset, Infinity);
    return node !== 0 && this.byOffset.first(node) === offset && this.byOffset.second(node) >= blocks;
  }

  /** Offset of the smallest extent of at least `blocks` that is not large, the oldest among equals; -1: none. */
  bestFit(blocks: number): number {
    const node = this.small?.ceiling(blocks, -Infinity) ?? 0;
    return node === 0 ? -1 : (this.small as PairTree).third(node);
  }

  /** The largest of the large extents; undefined when there is none. */
  largest(): { readonly offset: number; readonly blocks: number } | undefined {
    const node = this.large?.max() ?? 0;
    if (node === 0) return undefined;
    return { offset: (this.large as PairTree).third(node), blocks: (this.large as PairTree).first(node) };
  }

  /** Size of the largest extent of all; 0 when the set is empty. Only when indexed by size. */
  get largestBlocks(): number {
    const tree = this.largeCount > 0 ? this.large : this.small;
    return tree === undefined || tree.size === 0 ? 0 : tree.first(tree.max());
  }

  /** Adds a range of which no block may be in the set; joins it with its neighbours. */
  add(offset: number, blocks: number, listener?: ExtentListener): void {
    const { byOffset } = this;
    const end = offset + blocks;
    let length = blocks;
    const after = byOffset.ceiling(offset, -Infinity);
    if (after !== 0 && byOffset.first(after) < end) alreadyFree(offset, blocks);
    if (after !== 0 && byOffset.first(after) === end) {
      length += byOffset.second(after);
      this.drop(after);
      listener?.remove(end);
    }
    const before = byOffset.floor(offset, Infinity);
    if (before !== 0 && this.endOf(before) > offset) alreadyFree(offset, blocks);
    if (before !== 0 && this.endOf(before) === offset) {
      const start = byOffset.first(before);
      length += byOffset.second(before);
      this.resize(before, start, length);
      listener?.put(start, length);
    } else {
      this.keep(offset, length);
      listener?.put(offset, length);
    }
    this.total += blocks;
  }

  /** Takes out a range of which every block must be in the set; false (and nothing done) when one is not. */
  take(offset: number, blocks: number, listener?: ExtentListener): boolean {
    const { byOffset } = this;
    const node = byOffset.floor(offset, Infinity);
    if (node === 0) return false;
    const start = byOffset.first(node);
    const end = offset + blocks;
    const tail = this.endOf(node) - end;
    if (tail < 0) return false;
    this.total -= blocks;
    if (offset > start) {
      this.resize(node, start, offset - start);
      listener?.put(start, offset - start);
      if (tail > 0) this.keep(end, tail);
    } else {
      if (tail > 0) this.resize(node, end, tail);
      else this.drop(node);
      listener?.remove(start);
    }
    if (tail > 0) listener?.put(end, tail);
    return true;
  }

  /** All extents as [offset, blocks], ascending. */
  extents(): Generator<[number, number]> {
    return this.byOffset.pairs();
  }

  private endOf(node: number): number {
    return this.byOffset.first(node) + this.byOffset.second(node);
  }

  private keep(offset: number, blocks: number): void {
    this.byOffset.insert(offset, blocks, ++this.age);
    this.treeFor(blocks)?.insert(blocks, this.age, offset);
  }

  private drop(node: number): void {
    const { byOffset } = this;
    const blocks = byOffset.second(node);
    this.treeFor(blocks)?.delete(blocks, byOffset.third(node));
    byOffset.delete(byOffset.first(node), blocks);
  }

  /** Moves an end of an extent. Its place among the others by offset stays the same. */
  private resize(node: number, offset: number, blocks: number): void {
    const { byOffset } = this;
    const before = byOffset.second(node);
    this.treeFor(before)?.delete(before, byOffset.third(node));
    byOffset.rewrite(node, offset, blocks, ++this.age);
    this.treeFor(blocks)?.insert(blocks, this.age, offset);
  }

  private treeFor(blocks: number): PairTree | undefined {
    return blocks > this.largeBlocks ? this.large : this.small;
  }
}

function alreadyFree(offset: number, blocks: number): never {
  throw new AssertionError(`of blocks ${offset} to ${offset + blocks - 1}, which become free, some are free already`);
}
