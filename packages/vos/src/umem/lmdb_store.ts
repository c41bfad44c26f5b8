import { DaosError, lmdbFileState } from '@daos/common';
import * as lmdb from 'lmdb';

import type { UmemEntry } from './umem.js';

/** Address space of the map beyond the usable bytes: copies of pages under modification, free pages. */
const MAP_FACTOR = 3;
const MAP_HEADROOM_BYTES = 256 * 1024 * 1024;
export const PAGE_BYTES = 4096;

/** A key as it is handed to LMDB: the first `length` bytes. */
export interface StoreKey {
  readonly bytes: Uint8Array;
  readonly length: number;
}

/** The part of lmdb's database that is used here, with our keys. */
export interface LmdbStore {
  /** A shared buffer with its length set: gone with the next call. */
  getBinaryFast(key: StoreKey): Uint8Array | undefined;
  put(key: StoreKey, value: Uint8Array): unknown;
  remove(key: StoreKey): unknown;
  putSync(key: StoreKey, value: Uint8Array): boolean;
  removeSync(key: StoreKey): boolean;
  getRange(options: object): Iterable<UmemEntry>;
  getStats(): { treeBranchPageCount: number; treeLeafPageCount: number; overflowPages: number };
  /**
   * Runs `action`'s puts and removals in one transaction on another thread; resolves when they are durable.
   */
  batch(action: () => void): Promise<boolean>;
  transactionSync(action: () => unknown): unknown;
  /** The next read sees the newest transaction. */
  resetReadTxn(): void;
  close(): Promise<void>;
}

/** Opens (or makes) the LMDB file at `path`. DER_DF_INVAL when it is damaged. */
export function openLmdb(path: string, usableBytes: number): LmdbStore {
  const options = {
    keyEncoder: {
      writeKey(key: StoreKey, target: Uint8Array, start: number): number {
        const { bytes, length } = key;
        for (let i = 0; i < length; i++) target[start + i] = bytes[i] as number;
        return start + length;
      },
      // a copy: the `slice` of a Buffer would be a view of lmdb's scratch space
      readKey: (target: Uint8Array, start: number, end: number): Uint8Array =>
        Uint8Array.prototype.slice.call(target, start, end),
    },
    encoding: 'binary' as const,
    mapSize: Math.ceil((usableBytes * MAP_FACTOR + MAP_HEADROOM_BYTES) / PAGE_BYTES) * PAGE_BYTES,
    noSubdir: true,
    // a commit is done when it is durable: checkpoints count on it
    overlappingSync: false,
    noMemInit: true,
    maxDbs: 1,
  };
  try {
    if (lmdbFileState(path) === 'other') throw new Error('it is no file of LMDB');
    return lmdb.open(path, options) as unknown as LmdbStore;
  } catch (error) {
    throw new DaosError('DF_INVAL', `cannot open the index ${path}: ${(error as Error).message}`, { cause: error });
  }
}
