import { DaosError } from '@daos/common';
import { assert } from '@daos/gurt';

import { CHUNK_BLOCKS_MAX, Chunk, GROUP_UNITS, GROUP_WORDS, VEA_BITMAP_CLASS_MAX } from './chunk.js';
import { ChunkSet } from './chunk_set.js';
import { largeBlocksOf, type VeaDescriptor } from './descriptor.js';
import { FreeExtents } from './free_extents.js';
import { VeaHint } from './hint.js';
import type { VeaChunkRow, VeaExtent, VeaStore } from './store.js';

/** With this much in free extents chunks are made as large as they may be. */
const SCALE_BYTES = 32 * 1024 ** 3;
/** A new chunk may take this share of what is in free extents: on a small device there must be room for other sizes. */
const CHUNK_SHARE_MAX = 1 / 4;

/** How a reservation found its blocks. */
export type ServedBy = 'hint' | 'large' | 'small' | 'bitmap';

/**
 * The space twice: what is durably free, as the store's rows say, and what can be handed out, which is the same without
 * reservations and without what rests. In both, blocks are in extents or in chunks of units.
 */
export class Space {
  readonly durable = new FreeExtents();
  readonly ready: FreeExtents;
  readonly chunks = new ChunkSet();
  readonly largeBlocks: number;
  private readonly totalBlocks: number;
  private readonly scaleBlocks: number;
  /** New chunks lie together, too. */
  private readonly chunkHint = new VeaHint();
  private readonly words = new Uint32Array(GROUP_WORDS);

  /** Loads the rows. DER_DF_INVAL when they contradict each other or leave the device. */
  constructor(
    private readonly store: VeaStore,
    { blockBytes, totalBlocks }: VeaDescriptor,
  ) {
    this.totalBlocks = totalBlocks;
    this.largeBlocks = largeBlocksOf(blockBytes);
    this.scaleBlocks = SCALE_BYTES / blockBytes;
    this.ready = new FreeExtents({ largeBlocks: this.largeBlocks });
    this.loadChunks();
    for (const extent of store.load()) this.loadExtent(extent);
  }

  get freeBlocks(): number {
    return this.durable.blocks + this.chunks.freeBlocks;
  }

  get readyBlocks(): number {
    return this.ready.blocks + this.chunks.readyBlocks;
  }

  /** True when every block of the range is durably free, or can be handed out. */
  isFree(view: 'persistent' | 'transient', offset: number, blocks: number): boolean {
    const extents = view === 'persistent' ? this.durable : this.ready;
    if (extents.contains(offset, blocks)) return true;
    const chunk = this.chunks.find(offset);
    if (chunk === undefined || offset + blocks > chunk.end) return false;
    return (view === 'transient' || chunk.state !== 'new') && chunk.isFree(view, offset, blocks);
  }

  /** Where an extent of this size goes: behind its stream, the best fit, or the middle of the largest extent. */
  findExtent(blocks: number, hintOffset: number | undefined): { readonly offset: number; readonly by: ServedBy } | undefined {
    const { ready, largeBlocks } = this;
    if (hintOffset !== undefined && ready.beginsAt(hintOffset, blocks)) return { offset: hintOffset, by: 'hint' };
    const fit = blocks <= largeBlocks ? ready.bestFit(blocks) : -1;
    if (fit >= 0) return { offset: fit, by: 'small' };
    const largest = ready.largest();
    if (largest === undefined || largest.blocks < blocks) return undefined;
    const isSplit = largest.blocks > 2 * Math.max(blocks, largeBlocks);
    return { offset: isSplit ? largest.offset + Math.floor(largest.blocks / 2) : largest.offset, by: 'large' };
  }

  /** A chunk with a free unit of this size, made when there is none; undefined: there is no room for one. */
  chunkWithRoom(unitBlocks: number): Chunk | undefined {
    const chunk = this.chunks.withRoom(unitBlocks);
    if (chunk) return chunk;
    const least = unitBlocks * GROUP_UNITS;
    const scale = this.ready.blocks >= this.scaleBlocks ? Math.floor(CHUNK_BLOCKS_MAX / least) : 1;
    return this.newChunk(least * scale, unitBlocks) ?? (scale > 1 ? this.newChunk(least, unitBlocks) : undefined);
  }

  /** Reserved units, or units that have rested, can be handed out again. */
  giveUnits(chunk: Chunk, offset: number, blocks: number): void {
    this.chunks.giveUnits(chunk, chunk.firstUnit(offset, blocks), blocks / chunk.unitBlocks);
    // nobody but this memory knows a new chunk
    if (chunk.state === 'new' && chunk.isEmpty) {
      this.chunks.remove(chunk);
      this.ready.add(chunk.offset, chunk.blocks);
    }
  }

  /** Extents of blocks that were ready, with rows. */
  allocateExtent(offset: number, blocks: number): void {
    assert(this.durable.take(offset, blocks, this.store), 'what is reserved is durably free');
  }

  /** The blocks of a new chunk leave the free extents, with rows. */
  publishChunk(chunk: Chunk): void {
    this.allocateExtent(chunk.offset, chunk.blocks);
    this.chunks.setState(chunk, 'publishing');
    this.store.putChunk({ offset: chunk.offset, blocks: chunk.blocks, unitBlocks: chunk.unitBlocks });
  }

  /** The store's rows are rolled back. */
  unpublishChunk(chunk: Chunk): void {
    this.chunks.setState(chunk, 'new');
    this.durable.add(chunk.offset, chunk.blocks);
  }

  /** An empty chunk becomes a free extent, with rows; its blocks are not ready yet. */
  dissolve(chunk: Chunk): void {
    assert(chunk.isEmpty && chunk.state === 'published', 'only an empty chunk is dissolved');
    this.chunks.remove(chunk);
    this.store.removeChunk(chunk.offset);
    this.durable.add(chunk.offset, chunk.blocks, this.store);
  }

  /** Frees units, with rows. */
  freeUnits(chunk: Chunk, unit: number, count: number): void {
    this.chunks.freeUnits(chunk, unit, count);
    const last = Math.floor((unit + count - 1) / GROUP_UNITS);
    for (let group = Math.floor(unit / GROUP_UNITS); group <= last; group++) this.writeGroup(chunk, group);
  }

  /** Writes what a row says of a group of units. */
  writeGroup(chunk: Chunk, group: number): void {
    if (chunk.readGroup(group, this.words)) this.store.putWords(chunk.offset, group, this.words);
    else this.store.removeWords(chunk.offset, group);
  }

  private newChunk(blocks: number, unitBlocks: number): Chunk | undefined {
    if (blocks > this.ready.blocks * CHUNK_SHARE_MAX) return undefined;
    const found = this.findExtent(blocks, this.chunkHint.offset);
    if (found === undefined) return undefined;
    this.ready.take(found.offset, blocks);
    this.chunkHint.advance(found.offset + blocks);
    const chunk = new Chunk(found.offset, blocks, unitBlocks, 'new');
    this.chunks.add(chunk);
    return chunk;
  }

  private loadChunks(): void {
    const chunks = new Map<number, Chunk>();
    for (const row of this.store.loadChunks()) {
      this.checkRow(row, isChunk(row) && !chunks.has(row.offset));
      chunks.set(row.offset, new Chunk(row.offset, row.blocks, row.unitBlocks, 'published'));
    }
    for (const { offset, group, words } of this.store.loadWords()) {
      const chunk = chunks.get(offset);
      if (chunk === undefined) throw new DaosError('DF_INVAL', `units of block ${offset} are allocated, where no chunk is`);
      chunk.loadGroup(group, words);
    }
    for (const chunk of chunks.values()) {
      this.checkRow(chunk, !this.chunks.overlaps(chunk.offset, chunk.blocks));
      this.chunks.add(chunk);
    }
  }

  private loadExtent(extent: VeaExtent): void {
    const { offset, blocks } = extent;
    // widened by a block on each side: stored extents never touch
    const isApart = !this.durable.overlaps(offset - 1, blocks + 2) && !this.chunks.overlaps(offset, blocks);
    this.checkRow(extent, isCount(blocks) && isApart);
    this.durable.add(offset, blocks);
    this.ready.add(offset, blocks);
  }

  private checkRow({ offset, blocks }: VeaExtent, isSane: boolean): void {
    if (isSane && Number.isInteger(offset) && offset >= 0 && offset + blocks <= this.totalBlocks) return;
    throw new DaosError('DF_INVAL', `${blocks} blocks at block ${offset} contradict the rest of the free space`);
  }
}

export function isCount(blocks: number): boolean {
  return Number.isInteger(blocks) && blocks > 0;
}

function isChunk({ blocks, unitBlocks }: VeaChunkRow): boolean {
  const isClass = isCount(unitBlocks) && unitBlocks <= VEA_BITMAP_CLASS_MAX;
  return isClass && isCount(blocks) && blocks % (unitBlocks * GROUP_UNITS) === 0 && blocks <= CHUNK_BLOCKS_MAX;
}
