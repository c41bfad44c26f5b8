import { DaosError } from '@daos/common';
import { getLogger } from '@daos/gurt';

import { EMPTY, viewOf } from '../layout/bytes.js';
import type { IndexKey } from '../layout/index_key.js';
import { commit, writeSlices } from './checkpoint.js';
import { PAGE_BYTES, openLmdb, type LmdbStore } from './lmdb_store.js';
import { LogBuffer } from './log_buffer.js';
import { positionEncode, positionKey, recover, type LogPosition } from './log_position.js';
import { mergeEntries } from './merge.js';
import { Overlay, type OverlayEntry } from './overlay.js';
import { Slab } from './slab.js';
import type { Umem, UmemEntry, UmemPeek, UmemRange } from './umem.js';
import { Wal } from './wal.js';

/**
 * Log records that may be on their way to the disk: while one flushes, the next batch is executed and
 * written.
 */
const FLUSHES_MAX = 2;
/** After this long with nothing to do, what is left is written to LMDB. */
const CHECKPOINT_IDLE_MS = 5_000;
/** Share of a page that keys and values fill on average. */
const PAGE_FILL = 0.6;

export interface LmdbUmemPaths {
  readonly index: string;
  readonly logs: readonly [string, string];
}

/** When and how checkpoints are made. Tests make them often. */
export interface UmemTuning {
  /** A checkpoint begins when this much is not in LMDB yet: bounds memory and the time of a recovery. */
  readonly checkpointEntries: number;
  readonly checkpointLogBytes: number;
  /** A checkpoint is written in slices: each holds the thread for about a millisecond, its commit none. */
  readonly sliceEntries: number;
  /** Limit of one log file. Reached only when a checkpoint takes longer than the next one takes to fill. */
  readonly logBytesMax: number;
}

const TUNING: UmemTuning = {
  checkpointEntries: 16_384,
  checkpointLogBytes: 4 * 1024 * 1024,
  sliceEntries: 1024,
  logBytesMax: 64 * 1024 * 1024,
};

interface Batch {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * LMDB under a memory overlay, with a write-ahead log. A modification goes into the overlay, where all reads
 * see it, and into the batch's log record; the batch is durable when the record is. In the background a
 * checkpoint writes a frozen overlay to LMDB, in several transactions, the last of which moves the place from
 * which a recovery replays the log. Replaying twice does no harm, since the log holds keys and values and not
 * what was done to them.
 */
export class LmdbUmem implements Umem {
  private active = new Overlay();
  /** On its way to LMDB. Never modified. */
  private frozen: Overlay | undefined;
  private checkpointing: Promise<void> | undefined;
  private readonly spareLogs: LogBuffer[] = [];
  private log = new LogBuffer();
  private batch: Batch | undefined;
  private scheduled = false;
  private flushes = 0;
  /** Of the batch closed last. */
  private tail: Promise<void> = Promise.resolve();
  private readonly batchEndCallbacks: (() => void)[] = [];
  private failure: DaosError | undefined;
  private idleTimer: NodeJS.Timeout | undefined;
  private storeBytes = 0;
  private bytesInFlight = 0;
  private closed = false;
  private readonly slab = new Slab();
  private readonly peeked: { source: Uint8Array; bytes: Uint8Array; view: DataView; length: number } = {
    source: EMPTY,
    bytes: EMPTY,
    view: viewOf(EMPTY),
    length: 0,
  };

  private constructor(
    private readonly store: LmdbStore,
    private readonly wals: readonly [Wal, Wal],
    private position: LogPosition,
    private readonly path: string,
    private readonly tuning: UmemTuning,
  ) {
    this.wal.restart(position.generation);
    this.measure();
  }

  static async create(paths: LmdbUmemPaths, usableBytes: number): Promise<void> {
    const store = openLmdb(paths.index, usableBytes);
    try {
      for (const path of paths.logs) await Wal.create(path);
      store.transactionSync(() => store.putSync(positionKey(), positionEncode({ generation: 1, sequence: 1 })));
    } finally {
      await store.close();
    }
  }

  /** Opens an index and brings it to what was acknowledged. DER_DF_INVAL when it is damaged. */
  static async open(paths: LmdbUmemPaths, usableBytes: number, tuning = TUNING): Promise<LmdbUmem> {
    const store = openLmdb(paths.index, usableBytes);
    try {
      const position = await recover(store, paths.logs);
      const { logBytesMax } = tuning;
      const wals: [Wal, Wal] = [await Wal.open(paths.logs[0], logBytesMax), await Wal.open(paths.logs[1], logBytesMax)];
      return new LmdbUmem(store, wals, position, paths.index, tuning);
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  get(key: IndexKey): Uint8Array | undefined {
    const entry = this.overlaid(key);
    if (entry) return entry.value;
    const found = this.peekStore(key);
    if (found === undefined) return undefined;
    const { bytes, length } = found;
    const copy = this.slab.take(length);
    if (length <= 64) for (let i = 0; i < length; i++) copy[i] = bytes[i] as number;
    else copy.set(bytes.subarray(0, length));
    return copy;
  }

  peek(key: IndexKey): UmemPeek | undefined {
    const entry = this.overlaid(key);
    if (!entry) return this.peekStore(key);
    const { value } = entry;
    return value && { bytes: value, view: viewOf(value), length: value.length };
  }

  has(key: IndexKey): boolean {
    const entry = this.overlaid(key);
    return entry ? entry.value !== undefined : this.store.getBinaryFast(key) !== undefined;
  }

  touch(): void {
    if (this.failure) throw this.failure;
    this.batch ??= this.openBatch();
  }

  put(key: IndexKey, value: Uint8Array): void {
    this.touch();
    this.log.put(key, value);
    this.active.put(key, value);
  }

  remove(key: IndexKey): boolean {
    if (!this.has(key)) return false;
    this.touch();
    this.log.remove(key);
    this.active.put(key, undefined);
    return true;
  }

  range({ from, to, reverse = false, limit = Infinity }: UmemRange): Iterable<UmemEntry> {
    const overlays = [this.active, this.frozen].filter((overlay) => overlay?.isEmptyBetween(from, to) === false);
    if (overlays.length === 0) return this.storeRange(from, to, reverse, limit);
    const sources: Iterable<OverlayEntry>[] = overlays.map((overlay) => (overlay as Overlay).range(from, to, reverse));
    sources.push(this.storeRange(from, to, reverse, Infinity));
    return mergeEntries(sources, reverse, limit);
  }

  durable(): Promise<void> {
    if (this.failure) return Promise.reject(this.failure);
    return this.batch?.promise ?? this.tail;
  }

  onBatchEnd(callback: () => void): void {
    this.batchEndCallbacks.push(callback);
  }

  usedBytes(): number {
    const above = this.active.bytes + (this.frozen?.bytes ?? 0) + this.log.payloadBytes;
    return this.storeBytes + Math.ceil(above / PAGE_FILL);
  }

  pendingBytes(): number {
    return this.bytesInFlight + this.log.payloadBytes;
  }

  async settled(): Promise<void> {
    while (this.checkpointing) await this.checkpointing;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    clearTimeout(this.idleTimer);
    while (this.batch || this.flushes > 0) await this.durable().catch(() => undefined);
    await this.checkpointing;
    if (!this.failure && this.active.count > 0) await this.startCheckpoint();
    await Promise.all(this.wals.map((wal) => wal.close()));
    await this.store.close();
  }

  private get wal(): Wal {
    return this.wals[(this.position.generation % 2) as 0 | 1];
  }

  private overlaid(key: IndexKey): OverlayEntry | undefined {
    return this.active.find(key) ?? this.frozen?.find(key);
  }

  private peekStore(key: IndexKey): UmemPeek | undefined {
    const found = this.store.getBinaryFast(key);
    if (found === undefined) return undefined;
    // lmdb hands out one shared buffer, which it replaces to grow
    const { peeked } = this;
    if (peeked.source !== found) {
      peeked.source = found;
      peeked.bytes = new Uint8Array(found.buffer, found.byteOffset);
      peeked.view = new DataView(found.buffer, found.byteOffset);
    }
    peeked.length = found.length;
    return peeked;
  }

  private storeRange(from: IndexKey, to: IndexKey, reverse: boolean, limit: number): Iterable<UmemEntry> {
    const limited = limit === Infinity ? {} : { limit };
    return this.store.getRange(
      reverse
        ? { start: to, end: from, reverse: true, exclusiveStart: true, inclusiveEnd: true, ...limited }
        : { start: from, end: to, ...limited },
    );
  }

  private openBatch(): Batch {
    let settle: Pick<Batch, 'resolve' | 'reject'> = { resolve: () => undefined, reject: () => undefined };
    const promise = new Promise<void>((resolve, reject) => (settle = { resolve, reject }));
    // whoever needs the outcome holds the promise
    promise.catch(() => undefined);
    if (!this.scheduled && this.flushes < FLUSHES_MAX) {
      this.scheduled = true;
      setImmediate(this.closeBatch);
    }
    return { promise, ...settle };
  }

  private readonly closeBatch = (): void => {
    this.scheduled = false;
    const { batch } = this;
    if (!batch || this.flushes >= FLUSHES_MAX) return;
    try {
      for (const callback of this.batchEndCallbacks) callback();
      if (!this.wal.hasRoomFor(this.log.payloadBytes) && this.wal.bytes > 0) {
        // this log is full: go on in the other one, once the checkpoint that it waits for is done
        if (this.checkpointing) return;
        void this.startCheckpoint();
      }
      this.flush(batch);
    } catch (error) {
      this.fail(asDaosError(error));
    }
  };

  private flush(batch: Batch): void {
    const { log } = this;
    this.batch = undefined;
    this.log = this.spareLogs.pop() ?? new LogBuffer();
    this.bytesInFlight += log.payloadBytes;
    this.flushes++;
    const { sequence } = this.position;
    this.position = { ...this.position, sequence: (sequence + 1) >>> 0 };
    const written = this.wal.append(log.buffer, log.payloadBytes, sequence);
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
    const { checkpointEntries, checkpointLogBytes } = this.tuning;
    const isDue = this.active.count >= checkpointEntries || this.wal.bytes >= checkpointLogBytes;
    if (isDue) void this.startCheckpoint();
    else this.idleTimer ??= setTimeout(this.onIdle, CHECKPOINT_IDLE_MS).unref();
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
    if (this.closed || this.failure || this.active.count === 0) return;
    if (this.batch || this.flushes > 0) this.idleTimer = setTimeout(this.onIdle, CHECKPOINT_IDLE_MS).unref();
    else void this.startCheckpoint();
  };

  /**
   * Freezes the overlay at a batch's end and goes on in the other log file, unless a checkpoint is under way.
   * The result resolves when what was frozen is in LMDB; it does not reject.
   */
  private startCheckpoint(): Promise<void> {
    if (this.checkpointing || this.failure) return this.checkpointing ?? Promise.resolve();
    const frozen = this.active;
    this.frozen = frozen;
    this.active = new Overlay();
    this.position = { generation: (this.position.generation + 1) >>> 0, sequence: this.position.sequence };
    this.wal.restart(this.position.generation);
    this.checkpointing = this.writeCheckpoint(frozen, this.position)
      .catch((error: unknown) => this.fail(asDaosError(error)))
      .finally(() => {
        this.checkpointing = undefined;
        if (this.batch) this.closeBatch();
      });
    return this.checkpointing;
  }

  private async writeCheckpoint(frozen: Overlay, position: LogPosition): Promise<void> {
    // nothing may reach LMDB before the log has it, or a crash could leave half of a batch there; the batch
    // that is being closed now is the last one in the overlay
    await Promise.resolve();
    await this.tail;
    await writeSlices(this.store, frozen.sorted(), this.tuning.sliceEntries);
    await commit(this.store, () => this.store.put(positionKey(), positionEncode(position)));
    this.store.resetReadTxn();
    this.frozen = undefined;
    this.measure();
  }

  private measure(): void {
    const { treeBranchPageCount, treeLeafPageCount, overflowPages } = this.store.getStats();
    this.storeBytes = (treeBranchPageCount + treeLeafPageCount + overflowPages) * PAGE_BYTES;
  }
}

function asDaosError(error: unknown): DaosError {
  return error instanceof DaosError ? error : new DaosError('NVME_IO', `index: ${String(error)}`, { cause: error });
}
