import { DaosError } from '@daos/common';
import { assert, getLogger } from '@daos/gurt';
import * as lmdb from 'lmdb';

import { EMPTY, viewOf } from '../layout/bytes.js';
import { IndexKey } from '../layout/index_key.js';
import { Meta, Space } from '../layout/spaces.js';
import { LogBuffer, replayOps } from './log_buffer.js';
import { Slab } from './slab.js';
import type { Umem, UmemEntry, UmemPeek, UmemRange } from './umem.js';
import { Wal } from './wal.js';

/** Log records that may be on their way to the disk: while one flushes, the next batch is executed and written. */
const FLUSHES_MAX = 2;
/** A checkpoint writes every page touched since the last one: bounds its length. */
const CHECKPOINT_PUTS = 12_000;
/** After this long with nothing to do, the log is turned into a checkpoint. */
const CHECKPOINT_IDLE_MS = 5_000;
const LOG_BYTES_MIN = 1024 * 1024;
const LOG_BYTES_MAX = 16 * 1024 * 1024;
/** Address space of the map beyond the usable bytes: copies of pages under modification, free pages. */
const MAP_FACTOR = 3;
const MAP_HEADROOM_BYTES = 256 * 1024 * 1024;
const PAGE_BYTES = 4096;
/** Share of a page that keys and values fill on average. */
const PAGE_FILL = 0.6;
const INDEX_ENTRY_BYTES = 16;

export interface LmdbUmemPaths {
  readonly index: string;
  readonly log: string;
}

interface Batch {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** The part of lmdb's database that is used here, with our keys (see `keyEncoder`). */
interface Store {
  getBinaryFast(key: IndexKey): Uint8Array | undefined;
  putSync(key: IndexKey, value: Uint8Array): boolean;
  removeSync(key: IndexKey): boolean;
  getRange(options: object): Iterable<UmemEntry>;
  getStats(): { treeBranchPageCount: number; treeLeafPageCount: number; overflowPages: number };
  transactionSync(action: () => unknown): unknown;
  close(): Promise<void>;
}

/** The open write transaction: both end it at once, `commit` throws when it fails. */
interface OpenTransaction {
  commit(): void;
  abort(): void;
}

/**
 * LMDB with a write-ahead log. One LMDB write transaction stays open from one checkpoint to the next and takes every
 * modification at once; a batch becomes durable by one flushed log record. A checkpoint commits the transaction (LMDB
 * flushes it) with the number of the log's next generation. Opening replays the log onto the last checkpoint.
 */
export class LmdbUmem implements Umem {
  private readonly spareLogs: LogBuffer[] = [];
  private log = new LogBuffer();
  private batch: Batch | undefined;
  private scheduled = false;
  private flushes = 0;
  /** Of the batch closed last. */
  private tail: Promise<void> = Promise.resolve();
  private transaction: OpenTransaction | undefined;
  private readonly batchEndCallbacks: (() => void)[] = [];
  private failure: DaosError | undefined;
  private putsSinceCheckpoint = 0;
  private idleTimer: NodeJS.Timeout | undefined;
  private pagesUsed = 0;
  private bytesSincePages = 0;
  private bytesInFlight = 0;
  private closed = false;
  private readonly metaKey = logPositionKey();
  private readonly slab = new Slab();
  private readonly peeked: { source: Uint8Array; bytes: Uint8Array; view: DataView; length: number } = {
    source: EMPTY,
    bytes: EMPTY,
    view: viewOf(EMPTY),
    length: 0,
  };

  private constructor(
    private readonly store: Store,
    private readonly wal: Wal,
    private generation: number,
    private readonly path: string,
  ) {}

  static async create(paths: LmdbUmemPaths, usableBytes: number): Promise<void> {
    const store = openStore(paths.index, usableBytes);
    try {
      await Wal.create(paths.log);
      store.transactionSync(() => store.putSync(logPositionKey(), generationBytes(1)));
    } finally {
      await store.close();
    }
  }

  /** Opens an index and brings it to what was acknowledged. DER_DF_INVAL when it is damaged. */
  static async open(paths: LmdbUmemPaths, usableBytes: number): Promise<LmdbUmem> {
    const store = openStore(paths.index, usableBytes);
    try {
      const stored = store.getBinaryFast(logPositionKey());
      if (!stored) throw new DaosError('DF_INVAL', `${paths.index} has no log position`);
      const generation = new DataView(stored.buffer, stored.byteOffset, 4).getUint32(0);
      const payloads: Buffer[] = [];
      const bytesMax = Math.min(LOG_BYTES_MAX, Math.max(LOG_BYTES_MIN, Math.floor(usableBytes / 4)));
      const wal = await Wal.open(paths.log, generation, bytesMax, (payload) => payloads.push(payload));
      const umem = new LmdbUmem(store, wal, generation, paths.index);
      umem.recover(payloads);
      return umem;
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  get(key: IndexKey): Uint8Array | undefined {
    const found = this.peek(key);
    if (found === undefined) return undefined;
    const { bytes, length } = found;
    const copy = this.slab.take(length);
    if (length <= 64) for (let i = 0; i < length; i++) copy[i] = bytes[i] as number;
    else copy.set(bytes.subarray(0, length));
    return copy;
  }

  peek(key: IndexKey): UmemPeek | undefined {
    const found = this.store.getBinaryFast(key);
    if (found === undefined) return undefined;
    // lmdb hands out one shared buffer whose length it sets, and which it replaces to grow
    const { peeked } = this;
    if (peeked.source !== found) {
      peeked.source = found;
      peeked.bytes = new Uint8Array(found.buffer, found.byteOffset);
      peeked.view = new DataView(found.buffer, found.byteOffset);
    }
    peeked.length = found.length;
    return peeked;
  }

  has(key: IndexKey): boolean {
    return this.store.getBinaryFast(key) !== undefined;
  }

  touch(): void {
    this.joinBatch(0);
  }

  put(key: IndexKey, value: Uint8Array): void {
    this.joinBatch(key.length + value.length);
    this.store.putSync(key, this.log.put(key, value));
  }

  remove(key: IndexKey): boolean {
    if (!this.has(key)) return false;
    this.joinBatch(key.length);
    this.log.remove(key);
    return this.store.removeSync(key);
  }

  range(range: UmemRange): Iterable<UmemEntry> {
    const { from, to, reverse = false, limit } = range;
    const limited = limit === undefined ? {} : { limit };
    return this.store.getRange(
      reverse
        ? { start: to, end: from, reverse: true, exclusiveStart: true, inclusiveEnd: true, ...limited }
        : { start: from, end: to, ...limited },
    );
  }

  durable(): Promise<void> {
    if (this.failure) return Promise.reject(this.failure);
    return this.batch?.promise ?? this.tail;
  }

  onBatchEnd(callback: () => void): void {
    this.batchEndCallbacks.push(callback);
  }

  usedBytes(): number {
    return this.pagesUsed * PAGE_BYTES + Math.ceil(this.bytesSincePages / PAGE_FILL);
  }

  pendingBytes(): number {
    return this.bytesInFlight + this.log.payloadBytes;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    clearTimeout(this.idleTimer);
    while (this.batch || this.flushes > 0) await this.durable().catch(() => undefined);
    try {
      if (this.failure) this.transaction?.abort();
      else this.checkpoint();
    } finally {
      await this.wal.close();
      await this.store.close();
    }
  }

  /** Opens batch and transaction when there is none. */
  private joinBatch(bytes: number): void {
    if (this.failure) throw this.failure;
    this.transaction ??= beginTransaction(this.store);
    this.batch ??= this.openBatch();
    this.bytesSincePages += bytes + INDEX_ENTRY_BYTES;
    this.putsSinceCheckpoint++;
  }

  private openBatch(): Batch {
    let settle: Pick<Batch, 'resolve' | 'reject'> = { resolve: () => undefined, reject: () => undefined };
    const promise = new Promise<void>((resolve, reject) => (settle = { resolve, reject }));
    // whoever needs the outcome holds the promise
    promise.catch(() => undefined);
    this.schedule();
    return { promise, ...settle };
  }

  private schedule(): void {
    if (this.scheduled || this.flushes >= FLUSHES_MAX) return;
    this.scheduled = true;
    setImmediate(this.closeBatch);
  }

  private readonly closeBatch = (): void => {
    this.scheduled = false;
    if (!this.batch || this.flushes >= FLUSHES_MAX) return;
    const { log } = this;
    try {
      for (const callback of this.batchEndCallbacks) callback();
      const full = !this.wal.hasRoomFor(log.payloadBytes) || this.putsSinceCheckpoint >= CHECKPOINT_PUTS;
      // a checkpoint restarts the log: nothing may be on its way there
      if (full && this.flushes > 0) return;
      this.flush(this.batch, full);
    } catch (error) {
      this.fail(asDaosError(error));
    }
  };

  private flush(batch: Batch, byCheckpoint: boolean): void {
    const { log } = this;
    this.batch = undefined;
    this.log = this.spareLogs.pop() ?? new LogBuffer();
    this.bytesInFlight += log.payloadBytes;
    this.flushes++;
    this.measure();
    const written = byCheckpoint ? this.checkpointAsync() : this.wal.append(log.buffer, log.payloadBytes);
    // a log record counts only when all before it are durable
    const all = Promise.all([this.tail, written]);
    this.tail = batch.promise;
    const done = (error?: DaosError): void => {
      this.flushes--;
      this.bytesInFlight -= log.payloadBytes;
      log.reset();
      this.spareLogs.push(log);
      if (error) this.fail(error);
      if (this.failure) batch.reject(this.failure);
      else batch.resolve();
      if (this.batch) this.closeBatch();
    };
    all.then(
      () => done(),
      (error: unknown) => done(asDaosError(error)),
    );
    this.idleTimer ??= setTimeout(this.onIdle, CHECKPOINT_IDLE_MS).unref();
  }

  private fail(error: DaosError): void {
    if (this.failure) return;
    this.failure = error;
    getLogger('vos').error(`index ${this.path} takes no more modifications: ${error.message}`);
    this.batch?.reject(error);
    this.batch = undefined;
  }

  private readonly onIdle = (): void => {
    this.idleTimer = undefined;
    if (this.closed || this.failure || this.wal.bytes === 0) return;
    if (this.batch || this.flushes > 0) {
      this.idleTimer = setTimeout(this.onIdle, CHECKPOINT_IDLE_MS).unref();
      return;
    }
    try {
      this.checkpoint();
    } catch (error) {
      this.fail(asDaosError(error));
    }
  };

  /** Commits what is open; afterwards the log starts anew. */
  private checkpoint(): void {
    this.putsSinceCheckpoint = 0;
    const { transaction } = this;
    if (!transaction) return;
    const generation = (this.generation + 1) >>> 0;
    this.store.putSync(this.metaKey, generationBytes(generation));
    this.transaction = undefined;
    transaction.commit();
    this.generation = generation;
    this.wal.restart(generation);
  }

  /** The checkpoint itself is done at once; only its failure is told later. */
  private checkpointAsync(): Promise<void> {
    try {
      this.checkpoint();
      return Promise.resolve();
    } catch (error) {
      return Promise.reject(asDaosError(error));
    }
  }

  private recover(payloads: readonly Buffer[]): void {
    const key = new IndexKey();
    this.transaction = beginTransaction(this.store);
    for (const payload of payloads) {
      replayOps(payload, (bytes, value) => {
        key.assign(bytes);
        if (value) this.store.putSync(key, value);
        else this.store.removeSync(key);
      });
    }
    // also without anything to replay: what a torn record left in the log must never match a new one
    this.checkpoint();
    this.measure();
  }

  private measure(): void {
    const { treeBranchPageCount, treeLeafPageCount, overflowPages } = this.store.getStats();
    this.pagesUsed = treeBranchPageCount + treeLeafPageCount + overflowPages;
    this.bytesSincePages = 0;
  }
}

function openStore(path: string, usableBytes: number): Store {
  const options = {
    keyEncoder: {
      writeKey(key: IndexKey, target: Uint8Array, start: number): number {
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
    // a commit returns when it is durable: the checkpoint counts on it
    overlappingSync: false,
    noMemInit: true,
    maxDbs: 1,
  };
  try {
    return lmdb.open(path, options) as unknown as Store;
  } catch (error) {
    throw new DaosError('DF_INVAL', `cannot open the index ${path}: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * lmdb keeps a synchronous transaction open while its action's result is pending, and ends it inside the call that
 * settles the result: with a thenable of ours that is exactly when we say so.
 */
function beginTransaction(store: Store): OpenTransaction {
  let end: OpenTransaction | undefined;
  store.transactionSync(() => ({
    then(onDone: (value?: unknown) => unknown, onFailed: (error: Error) => unknown): void {
      end = {
        commit: () => void onDone(),
        abort: () => {
          try {
            onFailed(new Error('abandoned'));
          } catch {
            // lmdb throws what it was given
          }
        },
      };
    },
  }));
  assert(end !== undefined, 'lmdb did not take a pending transaction');
  return end;
}

function logPositionKey(): IndexKey {
  return new IndexKey().space(Space.META).u8(Meta.LOG);
}

function generationBytes(generation: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(generation);
  return bytes;
}

function asDaosError(error: unknown): DaosError {
  return error instanceof DaosError ? error : new DaosError('NVME_IO', `index: ${String(error)}`, { cause: error });
}
