import { assert } from '@daos/gurt';

import { NO_SLOT, SlotList } from './slot_list.js';

/**
 * Sees an entry that falls out. It is not found any more, its slot is not given out again before the call
 * returns, and all other entries may be looked up, but none may be added.
 */
export type SlotEvicted = (slot: number, keyHi: number, keyLo: number) => void;

/**
 * A fixed number of slots in order of use. Slots are numbers: what belongs to an entry lies in arrays of its
 * owner. Life of a slot: allocate (the least recently used entry makes room) → look up, which makes it the
 * most recent → evict, by the owner or for want of room.
 *
 * Each entry has a key of 64 bits, in two words, so that a slot number kept elsewhere can be trusted: a lookup
 * with the key of an entry that is gone finds nothing. No call allocates memory.
 */
export class LruArray {
  private readonly keys: Uint32Array;
  private readonly inUse: Uint8Array;
  /** Most recent first. */
  private readonly used: SlotList;
  /** The slot that is given out next first. */
  private readonly free: SlotList;
  /** Slots from here on were never touched and are in no list, so that an unused array costs no memory. */
  private fresh = 0;
  private usedCount = 0;
  private isEvicting = false;

  constructor(
    readonly capacity: number,
    private readonly onEvict?: SlotEvicted,
  ) {
    assert(Number.isInteger(capacity) && capacity > 0 && capacity <= 0x4000_0000, `an LRU array of ${capacity} slots`);
    const links = { next: new Int32Array(capacity), prev: new Int32Array(capacity) };
    this.keys = new Uint32Array(2 * capacity);
    this.inUse = new Uint8Array(capacity);
    this.used = new SlotList(links);
    this.free = new SlotList(links);
  }

  /** Entries in use. */
  get count(): number {
    return this.usedCount;
  }

  /** The slot of a new entry: the one freed last, else one never used, else that of the entry not used for longest. */
  allocate(keyHi: number, keyLo: number): number {
    assert(!this.isEvicting, 'an eviction callback adds no entry');
    let slot = this.free.first;
    if (slot !== NO_SLOT) {
      this.free.remove(slot);
    } else if (this.fresh < this.capacity) {
      slot = this.fresh++;
    } else {
      slot = this.used.last;
      this.drop(slot);
    }
    this.take(slot, keyHi, keyLo);
    return slot;
  }

  /** Makes an entry at a slot of the caller's choice. False when the slot is in use. */
  allocateAt(slot: number, keyHi: number, keyLo: number): boolean {
    assert(!this.isEvicting, 'an eviction callback adds no entry');
    assert(Number.isInteger(slot) && slot >= 0 && slot < this.capacity, 'a slot of the array');
    if (this.inUse[slot] === 1) return false;
    while (this.fresh <= slot) this.free.pushFirst(this.fresh++);
    this.free.remove(slot);
    this.take(slot, keyHi, keyLo);
    return true;
  }

  /** True when the slot holds an entry of this key, which becomes the most recently used. */
  lookup(slot: number, keyHi: number, keyLo: number): boolean {
    if (!this.holds(slot, keyHi, keyLo)) return false;
    if (this.used.first !== slot) {
      this.used.remove(slot);
      this.used.pushFirst(slot);
    }
    return true;
  }

  /** True when the slot holds an entry of this key. Leaves the order of use alone. */
  holds(slot: number, keyHi: number, keyLo: number): boolean {
    return this.inUse[slot] === 1 && this.keys[2 * slot] === keyHi && this.keys[2 * slot + 1] === keyLo;
  }

  /** Puts an entry out; its slot is the next to be given out. False when there is no such entry. */
  evict(slot: number, keyHi: number, keyLo: number): boolean {
    assert(!this.isEvicting, 'an eviction callback evicts no entry');
    if (!this.holds(slot, keyHi, keyLo)) return false;
    this.drop(slot);
    this.free.pushFirst(slot);
    return true;
  }

  private take(slot: number, keyHi: number, keyLo: number): void {
    this.keys[2 * slot] = keyHi;
    this.keys[2 * slot + 1] = keyLo;
    this.inUse[slot] = 1;
    this.usedCount++;
    this.used.pushFirst(slot);
  }

  private drop(slot: number): void {
    this.used.remove(slot);
    this.inUse[slot] = 0;
    this.usedCount--;
    if (!this.onEvict) return;
    this.isEvicting = true;
    try {
      this.onEvict(slot, this.keys[2 * slot] as number, this.keys[2 * slot + 1] as number);
    } finally {
      this.isEvicting = false;
    }
  }
}
