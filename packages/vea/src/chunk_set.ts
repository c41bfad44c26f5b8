import { AssertionError } from '@daos/gurt';

import { ChunkList, VEA_BITMAP_CLASS_MAX, type Chunk } from './chunk.js';
import { PairTree } from './pair_tree.js';
import type { VeaExtent } from './store.js';

/**
 * All chunks: by offset, and per class those that have units to hand out. An empty chunk waits in a list of its own:
 * it is used when no other of its class has room, and dissolved otherwise.
 */
export class ChunkSet {
  /** (offset, index in `chunks`) */
  private readonly byOffset = new PairTree();
  private readonly chunks: (Chunk | undefined)[] = [];
  private readonly spare: number[] = [];
  private readonly available: readonly ChunkList[] = lists();
  private readonly empty: readonly ChunkList[] = lists();
  private empties = 0;
  private ready = 0;
  private free = 0;

  get count(): number {
    return this.byOffset.size;
  }

  get emptyCount(): number {
    return this.empties;
  }

  /** Blocks of all chunks that can be handed out. */
  get readyBlocks(): number {
    return this.ready;
  }

  /** Blocks that are durably free in chunks that the store knows. */
  get freeBlocks(): number {
    return this.free;
  }

  /** The chunk that a block belongs to. */
  find(block: number): Chunk | undefined {
    const node = this.byOffset.floor(block, Infinity);
    if (node === 0) return undefined;
    const chunk = this.chunks[this.byOffset.second(node)];
    return chunk !== undefined && block < chunk.end ? chunk : undefined;
  }

  /** True when a chunk has a block of the range. */
  overlaps(offset: number, blocks: number): boolean {
    if (this.find(offset) !== undefined) return true;
    const node = this.byOffset.ceiling(offset, -Infinity);
    return node !== 0 && this.byOffset.first(node) < offset + blocks;
  }

  add(chunk: Chunk): void {
    const at = this.spare.pop() ?? this.chunks.length;
    this.chunks[at] = chunk;
    this.byOffset.insert(chunk.offset, at);
    this.ready += chunk.readyBlocks;
    if (chunk.state !== 'new') this.free += chunk.freeBlocks;
    this.file(chunk);
  }

  /** Takes out an empty chunk. */
  remove(chunk: Chunk): void {
    const node = this.byOffset.floor(chunk.offset, Infinity);
    const at = this.byOffset.second(node);
    if (node === 0 || this.chunks[at] !== chunk) throw new AssertionError(`no chunk at block ${chunk.offset}`);
    this.byOffset.delete(chunk.offset, at);
    this.chunks[at] = undefined;
    this.spare.push(at);
    this.move(chunk, undefined);
    this.ready -= chunk.readyBlocks;
    if (chunk.state !== 'new') this.free -= chunk.freeBlocks;
  }

  /** A chunk with a unit to hand out, one that is partly used if possible. */
  withRoom(unitBlocks: number): Chunk | undefined {
    return this.available[unitBlocks]?.first ?? this.empty[unitBlocks]?.first;
  }

  /** Some empty chunk. */
  nextEmpty(): Chunk | undefined {
    if (this.empties === 0) return undefined;
    return this.empty.find((list) => list.first !== undefined)?.first;
  }

  takeUnit(chunk: Chunk): number {
    const unit = chunk.takeUnit();
    this.ready -= chunk.unitBlocks;
    this.file(chunk);
    return unit;
  }

  giveUnits(chunk: Chunk, unit: number, count: number): void {
    chunk.giveUnits(unit, count);
    this.ready += count * chunk.unitBlocks;
    this.file(chunk);
  }

  allocateUnits(chunk: Chunk, unit: number, count: number): void {
    chunk.allocateUnits(unit, count);
    this.free -= count * chunk.unitBlocks;
  }

  freeUnits(chunk: Chunk, unit: number, count: number): void {
    chunk.freeUnits(unit, count);
    this.free += count * chunk.unitBlocks;
  }

  /** The store knows the chunk from now on, or no more. */
  setState(chunk: Chunk, state: Chunk['state']): void {
    if (chunk.state === 'new') this.free += chunk.freeBlocks;
    chunk.state = state;
    if (state === 'new') this.free -= chunk.freeBlocks;
  }

  /** A range cut where chunks begin and end. O(chunks). */
  cut(offset: number, blocks: number): VeaExtent[] {
    const pieces: VeaExtent[] = [];
    const end = offset + blocks;
    let at = offset;
    for (const chunk of this.all()) {
      if (chunk.end <= at || chunk.offset >= end) continue;
      if (chunk.offset > at) pieces.push({ offset: at, blocks: chunk.offset - at });
      const from = Math.max(at, chunk.offset);
      at = Math.min(end, chunk.end);
      pieces.push({ offset: from, blocks: at - from });
    }
    if (at < end) pieces.push({ offset: at, blocks: end - at });
    return pieces;
  }

  /** In the order of their offsets. The set must not change meanwhile. */
  *all(): Generator<Chunk> {
    for (const [, at] of this.byOffset.pairs()) {
      const chunk = this.chunks[at];
      if (chunk) yield chunk;
    }
  }

  /** Puts a chunk into the list where it belongs now. */
  private file(chunk: Chunk): void {
    const lists = chunk.isEmpty ? this.empty : this.available;
    const list = chunk.isFull ? undefined : lists[chunk.unitBlocks];
    if (chunk.list !== list) this.move(chunk, list);
  }

  private move(chunk: Chunk, to: ChunkList | undefined): void {
    if (chunk.list === this.empty[chunk.unitBlocks]) this.empties--;
    chunk.list?.remove(chunk);
    to?.push(chunk);
    if (to === this.empty[chunk.unitBlocks]) this.empties++;
  }
}

/** One list per class; index 0 stays empty. */
function lists(): ChunkList[] {
  return Array.from({ length: VEA_BITMAP_CLASS_MAX + 1 }, () => new ChunkList());
}
