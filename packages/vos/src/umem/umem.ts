import type { IndexKey } from '../layout/index_key.js';

/** An entry of a scan; own copies. */
export interface UmemEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export interface UmemRange {
  /** Also for a reverse scan the lower end, inclusive. */
  readonly from: IndexKey;
  /** Upper end, exclusive. */
  readonly to: IndexKey;
  readonly reverse?: boolean;
  readonly limit?: number;
}

/**
 * Bytes that are only lent: gone with the next call of the umem. `length` counts, not the length of `bytes`.
 */
export interface UmemPeek {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly length: number;
}

/**
 * What VOS asks of the ordered, transactional memory that holds its index. Modifications are seen by all
 * later calls at once and belong to the batch that is being collected: a batch is durable as a whole or not
 * at all, and batches in order. There is no undo: callers check first and modify then.
 */
export interface Umem {
  /** The value, undefined when there is none. Stays valid; must not be changed. */
  get(key: IndexKey): Uint8Array | undefined;
  /** The value without a copy; undefined when there is none. */
  peek(key: IndexKey): UmemPeek | undefined;
  has(key: IndexKey): boolean;
  /** Opens a batch, when there is none, for a modification that its callbacks at the end will write. */
  touch(): void;
  put(key: IndexKey, value: Uint8Array): void;
  /** True when there was something to remove. */
  remove(key: IndexKey): boolean;
  /** Entries in key order. Lazy: finish with it before anything is modified, and in the same turn. */
  range(range: UmemRange): Iterable<UmemEntry>;
  /**
   * Resolves when everything modified so far is durable. Callers of one batch get one and the same promise.
   */
  durable(): Promise<void>;
  /** Called when a batch closes, with the last chance to add to it. */
  onBatchEnd(callback: () => void): void;
  /** Bytes of the pages that the index occupies, with an estimate for what is not in pages yet. */
  usedBytes(): number;
  /** Bytes modified but not durable yet. */
  pendingBytes(): number;
  /** Resolves when no work goes on in the background. */
  settled(): Promise<void>;
  /** Makes everything durable and closes. */
  close(): Promise<void>;
}
