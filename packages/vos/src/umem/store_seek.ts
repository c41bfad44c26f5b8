import type { LmdbStore, StoreKey } from './lmdb_store.js';
import type { UmemEntry } from './umem.js';

const NO_KEY: StoreKey = { bytes: new Uint8Array(0), length: 0 };

/**
 * Seeks in LMDB. Making a range costs more than the seek itself, so the one for the last key of a range is made once:
 * lmdb reads the bounds from the options whenever an iteration begins.
 */
export class StoreSeek {
  private readonly bounds = { start: NO_KEY, end: NO_KEY, reverse: true, exclusiveStart: true, inclusiveEnd: true, limit: 1 };
  private readonly lastOf: Iterable<UmemEntry>;

  constructor(private readonly store: LmdbStore) {
    this.lastOf = store.getRange(this.bounds);
  }

  /** The entry with the greatest key from `from` to before `to`. */
  findLast(from: StoreKey, to: StoreKey): UmemEntry | undefined {
    this.bounds.start = to;
    this.bounds.end = from;
    const iterator = this.lastOf[Symbol.iterator]();
    const { done, value } = iterator.next();
    if (done === true) return undefined;
    iterator.return?.();
    return value;
  }

  range(from: StoreKey, to: StoreKey, reverse: boolean, limit: number): Iterable<UmemEntry> {
    const limited = limit === Infinity ? {} : { limit };
    return this.store.getRange(
      reverse
        ? { start: to, end: from, reverse: true, exclusiveStart: true, inclusiveEnd: true, ...limited }
        : { start: from, end: to, ...limited },
    );
  }
}
