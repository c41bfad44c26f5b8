import type { VeaDescriptor } from './descriptor.js';

export interface VeaExtent {
  readonly offset: number;
  readonly blocks: number;
}

/** A run of blocks that is handed out in units of `unitBlocks`. */
export interface VeaChunkRow extends VeaExtent {
  readonly unitBlocks: number;
}

/** Which of 256 units of a chunk are allocated: bit n of word n / 32. */
export interface VeaWordsRow {
  /** Of the chunk. */
  readonly offset: number;
  /** Its units from 256 * group on. */
  readonly group: number;
  readonly words: Uint32Array;
}

/** Where a stream of reservations goes on. */
export interface VeaHintRow {
  readonly offset: number;
  readonly sequence: number;
}

/**
 * Rows as VOS stores them. They change inside the transaction that publishes or frees; what changes outside of one
 * (blocks of an empty chunk that become a free extent) is a transaction of its own. Transactions become durable in
 * order. Lists are read when the space is loaded and change only after they were read to the end.
 */
export interface VeaStore {
  loadDescriptor(): VeaDescriptor | undefined;
  putDescriptor(descriptor: VeaDescriptor): void;

  /** Free extents in the order of their offsets. */
  load(): Iterable<VeaExtent>;
  /** Adds or replaces the extent that starts at `offset`. */
  put(offset: number, blocks: number): void;
  remove(offset: number): void;

  loadChunks(): Iterable<VeaChunkRow>;
  putChunk(chunk: VeaChunkRow): void;
  removeChunk(offset: number): void;
  /** Groups of which no unit is allocated have no row. */
  loadWords(): Iterable<VeaWordsRow>;
  /** `words` is only lent. */
  putWords(offset: number, group: number, words: Uint32Array): void;
  removeWords(offset: number, group: number): void;

  loadHint(id: number): VeaHintRow | undefined;
  putHint(id: number, offset: number, sequence: number): void;
  removeHint(id: number): void;

  /**
   * Tells the device that it need not keep these blocks. They are handed out when the promise settles, in whatever
   * way. Without it nothing is told.
   */
  trim?(offset: number, blocks: number): Promise<void>;
}
