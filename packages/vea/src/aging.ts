import { PairTree } from './pair_tree.js';

/** An entry of this size takes no more neighbours: it would grow and never be old. */
const JOINED_BLOCKS_MAX = 8192;
const CAPACITY_MIN = 64;
/** Owner of blocks that are not units of a chunk. */
export const NO_CHUNK = -1;

/**
 * Freed blocks that rest before they are handed out again, since a reader may still be fetching the old data from the
 * device. In the order they were freed; neighbours are joined and rest anew. All of them are durably free.
 */
export class Aging {
  private offset = new Float64Array(CAPACITY_MIN);
  private length = new Float64Array(CAPACITY_MIN);
  private owner = new Float64Array(CAPACITY_MIN);
  private freedAtMs = new Float64Array(CAPACITY_MIN);
  private older = new Int32Array(CAPACITY_MIN);
  private younger = new Int32Array(CAPACITY_MIN);
  /** (offset, slot) */
  private readonly byOffset = new PairTree();
  private oldest = 0;
  private youngest = 0;
  private used = 1;
  /** Freed slots, linked through `younger`. */
  private spare = 0;
  private total = 0;

  get blocks(): number {
    return this.total;
  }

  get entryCount(): number {
    return this.byOffset.size;
  }

  /** `owner`: offset of the chunk whose units these are, or NO_CHUNK. */
  add(offset: number, blocks: number, owner: number, nowMs: number): void {
    this.total += blocks;
    let start = offset;
    let length = blocks;
    const before = this.neighbour(this.byOffset.floor(offset, -Infinity), owner);
    if (before !== 0 && (this.offset[before] as number) + (this.length[before] as number) === offset) {
      start = this.offset[before] as number;
      length += this.length[before] as number;
      this.drop(before);
    }
    const after = this.neighbour(this.byOffset.ceiling(offset + blocks, -Infinity), owner);
    if (after !== 0 && this.offset[after] === offset + blocks) {
      length += this.length[after] as number;
      this.drop(after);
    }
    this.keep(start, length, owner, nowMs);
  }

  /** Hands on up to `limit` entries that were freed at or before `untilMs`. Returns how many. */
  release(untilMs: number, limit: number, give: (offset: number, blocks: number, owner: number) => void): number {
    let released = 0;
    while (released < limit && this.oldest !== 0 && (this.freedAtMs[this.oldest] as number) <= untilMs) {
      const slot = this.oldest;
      const offset = this.offset[slot] as number;
      const blocks = this.length[slot] as number;
      const owner = this.owner[slot] as number;
      this.drop(slot);
      this.total -= blocks;
      give(offset, blocks, owner);
      released++;
    }
    return released;
  }

  /** The slot of a node when it may be joined, else 0. */
  private neighbour(node: number, owner: number): number {
    if (node === 0) return 0;
    const slot = this.byOffset.second(node);
    return this.owner[slot] === owner && (this.length[slot] as number) < JOINED_BLOCKS_MAX ? slot : 0;
  }

  private keep(offset: number, length: number, owner: number, nowMs: number): void {
    const slot = this.allocate();
    this.offset[slot] = offset;
    this.length[slot] = length;
    this.owner[slot] = owner;
    this.freedAtMs[slot] = nowMs;
    this.older[slot] = this.youngest;
    this.younger[slot] = 0;
    if (this.youngest !== 0) this.younger[this.youngest] = slot;
    else this.oldest = slot;
    this.youngest = slot;
    this.byOffset.insert(offset, slot);
  }

  private drop(slot: number): void {
    this.byOffset.delete(this.offset[slot] as number, slot);
    const older = this.older[slot] as number;
    const younger = this.younger[slot] as number;
    if (older !== 0) this.younger[older] = younger;
    else this.oldest = younger;
    if (younger !== 0) this.older[younger] = older;
    else this.youngest = older;
    this.younger[slot] = this.spare;
    this.spare = slot;
  }

  private allocate(): number {
    const slot = this.spare;
    if (slot !== 0) {
      this.spare = this.younger[slot] as number;
      return slot;
    }
    if (this.used === this.offset.length) this.grow();
    return this.used++;
  }

  private grow(): void {
    const capacity = this.offset.length * 2;
    const floats = (from: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> => {
      const to = new Float64Array(capacity);
      to.set(from);
      return to;
    };
    const integers = (from: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> => {
      const to = new Int32Array(capacity);
      to.set(from);
      return to;
    };
    this.offset = floats(this.offset);
    this.length = floats(this.length);
    this.owner = floats(this.owner);
    this.freedAtMs = floats(this.freedAtMs);
    this.older = integers(this.older);
    this.younger = integers(this.younger);
  }
}
