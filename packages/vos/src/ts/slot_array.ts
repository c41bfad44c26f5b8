import { assert } from '@daos/gurt';

import { NO_SLOT } from './slot_list.js';

/** A run of slots whose memory comes and goes as one. */
interface SubArray {
  /** Links of the free slots, by place in the sub-array; the numbers in them are slots of the whole array. */
  readonly next: Int32Array;
  readonly prev: Int32Array;
  readonly keys: Uint32Array;
  readonly inUse: Uint8Array;
  usedCount: number;
}

/**
 * The LRU array's sibling for entries that only their owner may put out, such as transactions under way: when
 * it is full, allocation fails. A freed slot is used again after all other free ones, so that a stale slot
 * number meets another entry as late as possible; the key of 64 bits (two words) tells them apart then.
 *
 * Memory comes in sub-arrays, when all slots of those in use are taken, and goes back with `giveBack`.
 */
export class SlotArray {
  private readonly subs: (SubArray | undefined)[];
  private readonly shift: number;
  private readonly mask: number;
  /** Free slots of the sub-arrays in memory: the next one to be given out, and the one freed last. */
  private firstFree = NO_SLOT;
  private lastFree = NO_SLOT;
  private usedCount = 0;

  /** Both numbers are powers of two. */
  constructor(
    readonly capacity: number,
    subArrays: number,
  ) {
    assert(isPowerOfTwo(capacity) && isPowerOfTwo(subArrays) && subArrays <= capacity, `${capacity} slots in ${subArrays} parts`);
    this.subs = new Array<SubArray | undefined>(subArrays).fill(undefined);
    this.shift = Math.log2(capacity / subArrays);
    this.mask = capacity / subArrays - 1;
  }

  /** Entries in use. */
  get count(): number {
    return this.usedCount;
  }

  /** Sub-arrays that are in memory. */
  get subArrayCount(): number {
    return this.subs.reduce((count, sub) => count + (sub ? 1 : 0), 0);
  }

  /** The slot of a new entry; `NO_SLOT` when all are in use. */
  allocate(keyHi: number, keyLo: number): number {
    if (this.firstFree === NO_SLOT && !this.addSubArray()) return NO_SLOT;
    const slot = this.firstFree;
    this.take(slot, keyHi, keyLo);
    return slot;
  }

  /** Makes an entry at a slot of the caller's choice. False when the slot is in use. */
  allocateAt(slot: number, keyHi: number, keyLo: number): boolean {
    assert(Number.isInteger(slot) && slot >= 0 && slot < this.capacity, 'a slot of the array');
    const sub = this.subs[slot >>> this.shift] ?? this.makeSubArray(slot >>> this.shift);
    if (sub.inUse[slot & this.mask] === 1) return false;
    this.take(slot, keyHi, keyLo);
    return true;
  }

  /** True when the slot holds an entry of this key; false for any other slot or key. */
  holds(slot: number, keyHi: number, keyLo: number): boolean {
    if (slot < 0 || slot >= this.capacity) return false;
    const sub = this.subs[slot >>> this.shift];
    const at = slot & this.mask;
    return sub?.inUse[at] === 1 && sub.keys[2 * at] === keyHi && sub.keys[2 * at + 1] === keyLo;
  }

  /** Puts an entry out. False when there is no such entry. */
  evict(slot: number, keyHi: number, keyLo: number): boolean {
    if (!this.holds(slot, keyHi, keyLo)) return false;
    const sub = this.subOf(slot);
    sub.inUse[slot & this.mask] = 0;
    sub.usedCount--;
    this.usedCount--;
    this.pushFree(slot);
    return true;
  }

  /** Gives the memory of sub-arrays without an entry back, except for `spare` of them; returns how many went. */
  giveBack(spare = 1): number {
    let kept = 0;
    let given = 0;
    for (let no = 0; no < this.subs.length; no++) {
      const sub = this.subs[no];
      if (sub?.usedCount !== 0) continue;
      if (kept < spare) {
        kept++;
        continue;
      }
      for (let at = 0; at <= this.mask; at++) this.removeFree((no << this.shift) + at);
      this.subs[no] = undefined;
      given++;
    }
    return given;
  }

  private addSubArray(): boolean {
    const no = this.subs.indexOf(undefined);
    if (no < 0) return false;
    this.makeSubArray(no);
    return true;
  }

  private makeSubArray(no: number): SubArray {
    const size = this.mask + 1;
    const sub: SubArray = {
      next: new Int32Array(size),
      prev: new Int32Array(size),
      keys: new Uint32Array(2 * size),
      inUse: new Uint8Array(size),
      usedCount: 0,
    };
    this.subs[no] = sub;
    for (let at = 0; at < size; at++) this.pushFree((no << this.shift) + at);
    return sub;
  }

  private take(slot: number, keyHi: number, keyLo: number): void {
    const sub = this.subOf(slot);
    const at = slot & this.mask;
    this.removeFree(slot);
    sub.keys[2 * at] = keyHi;
    sub.keys[2 * at + 1] = keyLo;
    sub.inUse[at] = 1;
    sub.usedCount++;
    this.usedCount++;
  }

  private pushFree(slot: number): void {
    const sub = this.subOf(slot);
    sub.next[slot & this.mask] = NO_SLOT;
    sub.prev[slot & this.mask] = this.lastFree;
    if (this.lastFree === NO_SLOT) this.firstFree = slot;
    else this.subOf(this.lastFree).next[this.lastFree & this.mask] = slot;
    this.lastFree = slot;
  }

  private removeFree(slot: number): void {
    const sub = this.subOf(slot);
    const after = sub.next[slot & this.mask] as number;
    const before = sub.prev[slot & this.mask] as number;
    if (before === NO_SLOT) this.firstFree = after;
    else this.subOf(before).next[before & this.mask] = after;
    if (after === NO_SLOT) this.lastFree = before;
    else this.subOf(after).prev[after & this.mask] = before;
  }

  private subOf(slot: number): SubArray {
    const sub = this.subs[slot >>> this.shift];
    assert(sub, 'a slot of a sub-array in memory');
    return sub;
  }
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(value) && value > 0 && Math.log2(value) % 1 === 0 && value <= 0x4000_0000;
}
