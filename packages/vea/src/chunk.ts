import { AssertionError, assert } from '@daos/gurt';

import { DaosError } from '@daos/common';

/** Extents of up to this many blocks come from bitmaps; a chunk's class is the size of its units in blocks. */
export const VEA_BITMAP_CLASS_MAX = 64;
/** Units of the smallest chunk, and of what one row of the store says. */
export const GROUP_UNITS = 256;
export const GROUP_WORDS = GROUP_UNITS / 32;
export const CHUNK_BLOCKS_MAX = VEA_BITMAP_CLASS_MAX * GROUP_UNITS;

/**
 * A chunk's life: `new` while nothing in it was published (then it is only in memory), `publishing` until the
 * transaction that published the first unit is durable, `published` until all units are free and it is dissolved.
 */
export type ChunkState = 'new' | 'publishing' | 'published';

/**
 * A run of blocks handed out in units of one size. Two bitmaps: what is durably allocated, and what cannot be handed
 * out now, which is the same with reservations and with resting units. The second is a superset of the first.
 */
export class Chunk {
  /** Links of the list that the chunk is in. */
  list: ChunkList | undefined;
  before: Chunk | undefined;
  after: Chunk | undefined;
  readonly units: number;
  private readonly taken: Uint32Array;
  private readonly allocated: Uint32Array;
  private takenCount = 0;
  private allocatedCount = 0;
  /** No word below this has a unit to hand out. */
  private wordMin = 0;

  constructor(
    readonly offset: number,
    readonly blocks: number,
    readonly unitBlocks: number,
    public state: ChunkState,
  ) {
    this.units = blocks / unitBlocks;
    assert(this.units % GROUP_UNITS === 0 && blocks <= CHUNK_BLOCKS_MAX, 'a chunk has a multiple of 256 units');
    this.taken = new Uint32Array(this.units / 32);
    this.allocated = new Uint32Array(this.units / 32);
  }

  get end(): number {
    return this.offset + this.blocks;
  }

  get isFull(): boolean {
    return this.takenCount === this.units;
  }

  /** Nothing in it is allocated, reserved or resting. */
  get isEmpty(): boolean {
    return this.takenCount === 0;
  }

  /** Blocks that can be handed out now. */
  get readyBlocks(): number {
    return (this.units - this.takenCount) * this.unitBlocks;
  }

  /** Blocks that are durably free. */
  get freeBlocks(): number {
    return (this.units - this.allocatedCount) * this.unitBlocks;
  }

  /** Takes the first unit that is free. There must be one. */
  takeUnit(): number {
    const { taken } = this;
    let word = this.wordMin;
    while (taken[word] === 0xffff_ffff) word++;
    if (word >= taken.length) throw new AssertionError(`the chunk at block ${this.offset} is full`);
    this.wordMin = word;
    const free = ~(taken[word] as number);
    const unit = word * 32 + 31 - Math.clz32(free & -free);
    set(taken, unit);
    this.takenCount++;
    return unit;
  }

  /** Units can be handed out again. */
  giveUnits(unit: number, count: number): void {
    for (let i = unit; i < unit + count; i++) clear(this.taken, i);
    this.takenCount -= count;
    this.wordMin = Math.min(this.wordMin, unit >>> 5);
  }

  allocateUnits(unit: number, count: number): void {
    for (let i = unit; i < unit + count; i++) set(this.allocated, i);
    this.allocatedCount += count;
  }

  freeUnits(unit: number, count: number): void {
    for (let i = unit; i < unit + count; i++) clear(this.allocated, i);
    this.allocatedCount -= count;
  }

  /** True when every one of the units is durably allocated. */
  areAllocated(unit: number, count: number): boolean {
    for (let i = unit; i < unit + count; i++) if (!isSet(this.allocated, i)) return false;
    return true;
  }

  /** True when every block of a range in the chunk is durably free (persistent), or can be handed out (transient). */
  isFree(view: 'persistent' | 'transient', offset: number, blocks: number): boolean {
    const words = view === 'persistent' ? this.allocated : this.taken;
    const last = this.unitAt(offset + blocks - 1);
    for (let unit = this.unitAt(offset); unit <= last; unit++) if (isSet(words, unit)) return false;
    return true;
  }

  /** First unit of a range of whole units, -1 when it is not one. */
  firstUnit(offset: number, blocks: number): number {
    const isWhole = (offset - this.offset) % this.unitBlocks === 0 && blocks % this.unitBlocks === 0;
    return isWhole && offset >= this.offset && offset + blocks <= this.end ? this.unitAt(offset) : -1;
  }

  /** Copies what a row of the store says. False when no unit of the group is allocated. */
  readGroup(group: number, into: Uint32Array): boolean {
    let any = 0;
    for (let i = 0; i < GROUP_WORDS; i++) {
      const word = this.allocated[group * GROUP_WORDS + i] as number;
      into[i] = word;
      any |= word;
    }
    return any !== 0;
  }

  /** Takes over a row of the store. */
  loadGroup(group: number, words: Uint32Array): void {
    if (group >= this.units / GROUP_UNITS || words.length !== GROUP_WORDS) {
      throw new DaosError('DF_INVAL', `the chunk at block ${this.offset} has no group ${group} of ${words.length} words`);
    }
    for (let unit = group * GROUP_UNITS; unit < (group + 1) * GROUP_UNITS; unit++) {
      if (((words[(unit % GROUP_UNITS) >>> 5] as number) & (1 << (unit & 31))) === 0) continue;
      set(this.taken, unit);
      this.takenCount++;
      this.allocateUnits(unit, 1);
    }
  }

  private unitAt(offset: number): number {
    return Math.floor((offset - this.offset) / this.unitBlocks);
  }
}

/** Chunks in the order in which they came, linked through the chunks: one is in at most one list. */
export class ChunkList {
  private head: Chunk | undefined;
  private tail: Chunk | undefined;

  get first(): Chunk | undefined {
    return this.head;
  }

  push(chunk: Chunk): void {
    chunk.list = this;
    chunk.before = this.tail;
    chunk.after = undefined;
    if (this.tail) this.tail.after = chunk;
    else this.head = chunk;
    this.tail = chunk;
  }

  remove(chunk: Chunk): void {
    const { before, after } = chunk;
    if (before) before.after = after;
    else this.head = after;
    if (after) after.before = before;
    else this.tail = before;
    chunk.list = chunk.before = chunk.after = undefined;
  }
}

function isSet(words: Uint32Array, bit: number): boolean {
  return ((words[bit >>> 5] as number) & (1 << (bit & 31))) !== 0;
}

function set(words: Uint32Array, bit: number): void {
  words[bit >>> 5] = (words[bit >>> 5] as number) | (1 << (bit & 31));
}

function clear(words: Uint32Array, bit: number): void {
  words[bit >>> 5] = (words[bit >>> 5] as number) & ~(1 << (bit & 31));
}
