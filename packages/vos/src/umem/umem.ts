import type { IndexKey } from '../layout/index_key.js';
import type { CheckpointPolicy } from './umem_options.js';

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

/** Bytes that were written to the data file and may not be durable yet. */
export interface UmemDataWrite {
  /** Byte offset in the data file. */
  readonly offset: number;
  readonly bytes: number;
  /** CRC-32C of the bytes (start and end inverted, as usual). */
  readonly crc: number;
  /** Resolves when they are durable. Its failure fails the index: there is no undo. */
  readonly done: Promise<void>;
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
  /** The entry with the greatest key from `from` to before `to`: the cheap form of a reverse range of one. */
  findLast(from: IndexKey, to: IndexKey): UmemEntry | undefined;
  /** Entries in key order. Lazy: finish with it before anything is modified, and in the same turn. */
  range(range: UmemRange): Iterable<UmemEntry>;
  /**
   * The batch that is being collected points at data that is on its way to the data file: the batch is durable
   * only when the data is, too. Index and data are so flushed side by side. A recovery verifies the sums of data that
   * may not have arrived. Blocks that are given back may be written again only after `sealed`.
   */
  dependsOn(write: UmemDataWrite): void;
  /**
   * Resolves when everything modified so far is durable. Callers of one batch get one and the same promise. The batch
   * may be closed by this call: ask when all modifications that belong together are made.
   */
  durable(): Promise<void>;
  /**
   * Resolves when everything modified so far is durable and a recovery will know that without looking at data:
   * from then on blocks that were given back up to now may be written again. Later than `durable` by one record,
   * which is written for it when no other is; for work in the background.
   */
  sealed(): Promise<void>;
  /** Called when a batch closes, with the last chance to add to it. */
  onBatchEnd(callback: () => void): void;
  /** When modifications go from the log into the index, from now on. DER_INVAL for an impossible policy. */
  setCheckpointPolicy(policy: CheckpointPolicy): void;
  /** Bytes of the pages that the index occupies, with an estimate for what is not in pages yet. */
  usedBytes(): number;
  /** Bytes modified but not durable yet. */
  pendingBytes(): number;
  /** Resolves when no work goes on in the background. */
  settled(): Promise<void>;
  /** Makes everything durable and closes. */
  close(): Promise<void>;
}
