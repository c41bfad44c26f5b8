import type { LruArray } from './lru_array.js';
import { NO_SLOT } from './slot_list.js';

const { imul } = Math;

/** Finds the slot of a key in an LRU array: chains of slots, by hash of the key. */
export class SlotIndex {
  /** First slot of each chain, plus one. */
  private readonly chains: Int32Array;
  /** The next slot in the chain of each slot, plus one. */
  private readonly next: Int32Array;
  private readonly shift: number;

  constructor(private readonly array: LruArray) {
    const bits = Math.max(1, Math.ceil(Math.log2(array.capacity)));
    this.chains = new Int32Array(2 ** bits);
    this.next = new Int32Array(array.capacity);
    this.shift = 32 - bits;
  }

  find(keyHi: number, keyLo: number): number {
    let link = this.chains[this.chainOf(keyHi, keyLo)] as number;
    while (link !== 0 && !this.array.holds(link - 1, keyHi, keyLo)) link = this.next[link - 1] as number;
    return link === 0 ? NO_SLOT : link - 1;
  }

  add(slot: number, keyHi: number, keyLo: number): void {
    const chain = this.chainOf(keyHi, keyLo);
    this.next[slot] = this.chains[chain] as number;
    this.chains[chain] = slot + 1;
  }

  remove(slot: number, keyHi: number, keyLo: number): void {
    const chain = this.chainOf(keyHi, keyLo);
    const after = this.next[slot] as number;
    let link = this.chains[chain] as number;
    if (link === slot + 1) {
      this.chains[chain] = after;
      return;
    }
    while (link !== 0) {
      const next = this.next[link - 1] as number;
      if (next === slot + 1) {
        this.next[link - 1] = after;
        return;
      }
      link = next;
    }
  }

  /** Multiplicative hashing: the upper bits of the product. */
  private chainOf(keyHi: number, keyLo: number): number {
    return imul(keyLo ^ imul(keyHi, 0x85ebca6b), 0x9e3779b1) >>> this.shift;
  }
}
