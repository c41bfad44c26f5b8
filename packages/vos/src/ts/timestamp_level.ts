import type { Epoch } from '@daos/common';
import { assert } from '@daos/gurt';

import { LruArray } from './lru_array.js';
import { SlotIndex } from './slot_index.js';
import { NO_SLOT } from './slot_list.js';
import { TimestampRecords } from './timestamp_records.js';

/**
 * Timestamps of all containers, objects, dkeys or akeys. An entity that exists has a positive entry, by its
 * key, as long as it is among the most recently used. All others share negative entries, by hash: those that
 * do not exist (somebody may have read that), and those that fell out.
 *
 * Invariant: what is forgotten is never earlier than what is remembered. A positive entry begins as a copy of
 * its negative one, and when it falls out its timestamps are merged into that again.
 */
export class TimestampLevel {
  readonly positive: TimestampRecords;
  readonly negative: TimestampRecords;
  private readonly array: LruArray;
  private readonly index: SlotIndex;
  /** Negative entry of each slot. */
  private readonly negatives: Int32Array;
  private readonly mask: number;

  /** `negativeCount` is a power of two. */
  constructor(positiveCount: number, negativeCount: number, start: Epoch) {
    assert(negativeCount > 0 && Math.log2(negativeCount) % 1 === 0, `${negativeCount} negative entries`);
    this.array = new LruArray(positiveCount, (slot, keyHi, keyLo) => this.evicted(slot, keyHi, keyLo));
    this.index = new SlotIndex(this.array);
    this.positive = new TimestampRecords(positiveCount, start);
    this.negative = new TimestampRecords(negativeCount, start);
    this.negatives = new Int32Array(positiveCount);
    this.mask = negativeCount - 1;
  }

  /** Positive entries in use. */
  get count(): number {
    return this.array.count;
  }

  /**
   * The negative entry of an entity. `parent` identifies its parent for good: it must not change when the
   * parent comes into being or falls out, or reads noted before would be overlooked after.
   */
  negativeOf(hash: number, parent: number): number {
    return (hash + parent * 17) & this.mask;
  }

  /** The slot of an entity's positive entry, which becomes the most recently used; `NO_SLOT` when it has none. */
  find(keyHi: number, keyLo: number): number {
    const slot = this.index.find(keyHi, keyLo);
    if (slot !== NO_SLOT) this.array.lookup(slot, keyHi, keyLo);
    return slot;
  }

  /** The slot of a positive entry, which is made when there is none. */
  findOrAdd(keyHi: number, keyLo: number, negative: number): number {
    const found = this.find(keyHi, keyLo);
    if (found !== NO_SLOT) return found;
    const slot = this.array.allocate(keyHi, keyLo);
    this.index.add(slot, keyHi, keyLo);
    this.negatives[slot] = negative;
    this.positive.copyFrom(slot, this.negative, negative);
    return slot;
  }

  /** True when the slot still belongs to the entity. */
  holds(slot: number, keyHi: number, keyLo: number): boolean {
    return this.array.holds(slot, keyHi, keyLo);
  }

  /** Puts a positive entry out; its slot is the next to be used. False when there is none. */
  evict(keyHi: number, keyLo: number): boolean {
    const slot = this.index.find(keyHi, keyLo);
    return slot !== NO_SLOT && this.array.evict(slot, keyHi, keyLo);
  }

  private evicted(slot: number, keyHi: number, keyLo: number): void {
    this.index.remove(slot, keyHi, keyLo);
    this.negative.mergeFrom(this.negatives[slot] as number, this.positive, slot);
  }
}
