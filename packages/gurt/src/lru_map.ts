import { assert } from './assert.js';

/** A map that keeps the `limit` most recently used entries. */
export class LruMap<K, V> {
  /** Insertion order of the Map is the order of use, oldest first. */
  private readonly entries = new Map<K, V>();

  /** `onEvict` sees entries that fall out at the limit, not those removed by `delete` or `clear`. */
  constructor(readonly limit: number, private readonly onEvict?: (key: K, value: V) => void) {
    assert(Number.isInteger(limit) && limit > 0, 'an LRU map holds at least one entry');
  }

  get size(): number {
    return this.entries.size;
  }

  /** The value, which becomes the most recently used. */
  get(key: K): V | undefined {
    const value = this.entries.get(key);
    if (value === undefined && !this.entries.has(key)) return undefined;
    this.entries.delete(key);
    this.entries.set(key, value as V);
    return value;
  }

  /** The value, leaving the order of use alone. */
  peek(key: K): V | undefined {
    return this.entries.get(key);
  }

  has(key: K): boolean {
    return this.entries.has(key);
  }

  set(key: K, value: V): void {
    this.entries.delete(key);
    this.entries.set(key, value);
    if (this.entries.size > this.limit) this.evictOldest();
  }

  delete(key: K): boolean {
    return this.entries.delete(key);
  }

  clear(): void {
    this.entries.clear();
  }

  /** Keys from the least to the most recently used. */
  keys(): IterableIterator<K> {
    return this.entries.keys();
  }

  values(): IterableIterator<V> {
    return this.entries.values();
  }

  private evictOldest(): void {
    for (const [key, value] of this.entries) {
      this.entries.delete(key);
      this.onEvict?.(key, value);
      return;
    }
  }
}
