import { PairTree } from './pair_tree.js';

/** What changed of the extents by offset: extents that vanished, then extents that came. */
export interface ExtentListener {
  put(offset: number, blocks: number): void;
  remove(offset: number): void;
}

/**
 * A set of blocks, kept as maximal runs: no two extents touch. Indexed by offset and, when asked, by size.
 * Blocks are plain numbers.
 */
export class FreeExtents {
  private readonly byOffset = new PairTree();
  private readonly bySize: PairTree | undefined;
  private total = 0;

  constructor(options: { bySize: boolean }) {
    this.bySize = options.bySize ? new PairTree() : undefined;
  }

  /** Sum of all extents. */
  get blocks(): number {
    return this.total;
  }

  get extentCount(): number {
    return this.byOffset.size;
  }

  /** True when any block of the range is in the set. */
  overlaps(offset: number, blocks: number): boolean {
    const node = this.byOffset.floor(offset + blocks - 1, Infinity);
    return node !== 0 && this.byOffset.first(node) + this.byOffset.second(node) > offset;
  }

  /** True when every block of the range is in the set. */
  contains(offset: number, blocks: number): boolean {
    const node = this.byOffset.floor(offset, Infinity);
    return node !== 0 && this.byOffset.first(node) + this.byOffset.second(node) >= offset + blocks;
  }

  /** Smallest extent of at least `blocks`, the lowest offset among equals; undefined when there is none. */
  bestFit(blocks: number): { offset: number; blocks: number } | undefined {
    const tree = this.bySize;
    const node = tree?.ceiling(blocks, -Infinity) ?? 0;
    return tree && node !== 0 ? { offset: tree.second(node), blocks: tree.first(node) } : undefined;
  }

  /** The largest extent; undefined when the set is empty. */
  largest(): { offset: number; blocks: number } | undefined {
    const tree = this.bySize;
    const node = tree?.max() ?? 0;
    return tree && node !== 0 ? { offset: tree.second(node), blocks: tree.first(node) } : undefined;
  }

  /** Adds a range of which no block may be in the set; joins it with its neighbours. */
  add(offset: number, blocks: number, listener?: ExtentListener): void {
    let start = offset;
    let length = blocks;
    const before = this.byOffset.floor(offset, Infinity);
    if (before !== 0) {
      const at = this.byOffset.first(before);
      const size = this.byOffset.second(before);
      if (at + size === offset) {
        this.drop(at, size);
        start = at;
        length += size;
      }
    }
    const after = this.byOffset.ceiling(offset + blocks, -Infinity);
    if (after !== 0 && this.byOffset.first(after) === offset + blocks) {
      const size = this.byOffset.second(after);
      this.drop(offset + blocks, size);
      listener?.remove(offset + blocks);
      length += size;
    }
    this.keep(start, length);
    listener?.put(start, length);
  }

  /** Takes out a range of which every block must be in the set; false (and nothing done) when one is not. */
  take(offset: number, blocks: number, listener?: ExtentListener): boolean {
    const node = this.byOffset.floor(offset, Infinity);
    if (node === 0) return false;
    const start = this.byOffset.first(node);
    const size = this.byOffset.second(node);
    const tail = start + size - (offset + blocks);
    if (tail < 0) return false;
    this.drop(start, size);
    if (offset > start) {
      this.keep(start, offset - start);
      listener?.put(start, offset - start);
    } else listener?.remove(start);
    if (tail > 0) {
      this.keep(offset + blocks, tail);
      listener?.put(offset + blocks, tail);
    }
    return true;
  }

  /** All extents as [offset, blocks], ascending. */
  extents(): Generator<[number, number]> {
    return this.byOffset.pairs();
  }

  private keep(offset: number, blocks: number): void {
    this.byOffset.insert(offset, blocks);
    this.bySize?.insert(blocks, offset);
    this.total += blocks;
  }

  private drop(offset: number, blocks: number): void {
    this.byOffset.delete(offset, blocks);
    this.bySize?.delete(blocks, offset);
    this.total -= blocks;
  }
}
