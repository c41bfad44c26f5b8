import { DaosError } from '@daos/common';
import { assert, getLogger } from '@daos/gurt';

import type { IndexKey } from '../layout/index_key.js';
import type { Batch } from './batch.js';
import { writeCheckpoint } from './checkpoint.js';
import { CheckpointSchedule } from './checkpoint_schedule.js';
import { Layers } from './layers.js';
import { PAGE_BYTES, openLmdb, type LmdbStore } from './lmdb_store.js';
import { NODE_LOG_FILES, type LogFile } from './log_files.js';
import { positionReplace, type LogPosition } from './log_position.js';
import { LogWriter, asDaosError } from './log_writer.js';
import type { Overlay } from './overlay.js';
import { recover } from './recovery.js';
import type { Umem, UmemDataWrite, UmemEntry, UmemPeek, UmemRange } from './umem.js';
import type { UmemEvent } from './umem_event.js';
import { CHECKPOINT_POLICY, UMEM_TUNING, type CheckpointPolicy, type UmemOptions, type UmemTuning } from './umem_options.js';
import { Wal } from './wal.js';

export type { UmemTuning } from './umem_options.js';

/** A batch that has grown to this is closed with the next caller that waits for it, to bound its record. */
const BATCH_BYTES_MAX = 1024 * 1024;
/** Share of a page that keys and values fill on average. */
const PAGE_FILL = 0.6;

export interface LmdbUmemPaths {
  readonly index: string;
  readonly logs: readonly [string, string];
}

/**
 * LMDB under a memory overlay, with a write-ahead log. A modification goes into the overlay, where all reads
 * see it, and into the batch's log record; the batch is durable when the record, all records before it, and the data
 * that it depends on are. In the background a checkpoint writes a frozen overlay to LMDB, in several transactions,
 * the last of which moves the place from which a recovery replays the log. Replaying twice does no harm, since the
 * log holds keys and values and not what was done to them.
 */
export class LmdbUmem implements Umem {
  private readonly layers: Layers;
  private readonly log: LogWriter;
  private readonly schedule: CheckpointSchedule;
  private readonly tuning: UmemTuning;
  private readonly isDurable: boolean;
  private checkpointing: Promise<void> | undefined;
  private batch: Batch | undefined;
  private isClosingBatch = false;
  private isTurnEndAwaited = false;
  private readonly batchEndCallbacks: (() => void)[] = [];
  private failure: DaosError | undefined;
  private storeBytes = 0;
  private isClosed = false;

  private constructor(
    private readonly store: LmdbStore,
    wals: readonly [Wal, Wal],
    position: LogPosition,
    private readonly path: string,
    private readonly options: UmemOptions,
  ) {
    this.tuning = { ...UMEM_TUNING, ...options };
    this.isDurable = options.durability !== 'none';
    this.layers = new Layers(store);
    this.log = new LogWriter(wals, position, this.isDurable, {
      onAcknowledged: () => this.afterAcknowledge(),
      onFailure: (error) => this.fail(error),
    });
    this.schedule = new CheckpointSchedule(options.checkpoint ?? CHECKPOINT_POLICY, this.tuning, () => this.checkpointOnTime());
    this.measure();
  }

  static async create(paths: LmdbUmemPaths, usableBytes: number, options: UmemOptions = {}): Promise<void> {
    const { logFiles = NODE_LOG_FILES, openStore = openLmdb } = options;
    const store = openStore(paths.index, usableBytes);
    try {
      for (const path of paths.logs) await Wal.create(logFiles, path);
      store.transactionSync(() => positionReplace(store, { generation: 1, sequence: 1 }));
    } finally {
      await store.close();
    }
  }

  /**
   * Opens an index and brings it to what was acknowledged. DER_DF_INVAL when it is damaged, DER_DF_INCOMPT for a
   * log of an unknown version (nothing is changed), DER_INVAL for an impossible checkpoint policy.
   */
  static async open(paths: LmdbUmemPaths, usableBytes: number, options: UmemOptions = {}): Promise<LmdbUmem> {
    const { logFiles = NODE_LOG_FILES, openStore = openLmdb, logBytesMax = UMEM_TUNING.logBytesMax } = options;
    const store = openStore(paths.index, usableBytes);
    const opened: LogFile[] = [];
    const openLog = async (path: string): Promise<LogFile> => {
      const file = await logFiles.open(path);
      opened.push(file);
      return file;
    };
    try {
      const files = [await openLog(paths.logs[0]), await openLog(paths.logs[1])] as const;
      const { position, event } = await recover(store, files, options.readData);
      const wals = [await Wal.open(files[0], logBytesMax), await Wal.open(files[1], logBytesMax)] as const;
      const umem = new LmdbUmem(store, wals, position, paths.index, options);
      umem.emit(event);
      return umem;
    } catch (error) {
      for (const file of opened) await file.close();
      await store.close();
      throw error;
    }
  }

  get(key: IndexKey): Uint8Array | undefined {
    return this.layers.get(key);
  }

  peek(key: IndexKey): UmemPeek | undefined {
    return this.layers.peek(key);
  }

  has(key: IndexKey): boolean {
    return this.layers.has(key);
  }

  findLast(from: IndexKey, to: IndexKey): UmemEntry | undefined {
    return this.layers.findLast(from, to);
  }

  range(range: UmemRange): Iterable<UmemEntry> {
    return this.layers.range(range);
  }

  touch(): void {
    if (!this.batch) this.openBatch();
    else if (this.failure) throw this.failure;
  }

  put(key: IndexKey, value: Uint8Array): void {
    const { buffer } = this.batch ?? this.openBatch();
    buffer.put(key, value);
    this.layers.active.put(key, value);
  }

  remove(key: IndexKey): boolean {
    if (!this.has(key)) return false;
    const { buffer } = this.batch ?? this.openBatch();
    buffer.remove(key);
    this.layers.active.put(key, undefined);
    return true;
  }

  dependsOn({ offset, bytes, crc, done }: UmemDataWrite): void {
    const { buffer, data } = this.batch ?? this.openBatch();
    buffer.dependsOn({ offset, bytes, crc: crc >>> 0 });
    // it may fail before the batch is closed; what follows from that is found out then
    done.catch(() => undefined);
    data.push(done);
  }

  durable(): Promise<void> {
    if (this.failure) return Promise.reject(this.failure);
    const { batch } = this;
    if (!batch) return this.log.tail;
    if (this.isClosingBatch) return batch.promise;
    batch.callers++;
    const isDue = this.isDurable && this.log.rule.isDueNow(batch.callers);
    if (isDue || batch.buffer.payloadBytes >= BATCH_BYTES_MAX) this.closeBatch();
    return batch.promise;
  }

  async sealed(): Promise<void> {
    if (this.failure) throw this.failure;
    if (this.isDurable) {
      const sealed = this.log.sealedUpTo(this.batch);
      this.sealIfWanted();
      return sealed;
    }
    // what is acknowledged is not durable: flush it, say so in a record, flush that
    await this.durable();
    await this.log.sync();
    this.touch();
    await this.durable();
    await this.log.sync();
  }

  onBatchEnd(callback: () => void): void {
    this.batchEndCallbacks.push(callback);
  }

  usedBytes(): number {
    const above = this.layers.active.bytes + (this.layers.frozen?.bytes ?? 0) + (this.batch?.buffer.payloadBytes ?? 0);
    return this.storeBytes + Math.ceil(above / PAGE_FILL);
  }

  pendingBytes(): number {
    return this.log.pendingBytes + (this.batch?.buffer.payloadBytes ?? 0);
  }

  /** From now on checkpoints are made so. DER_INVAL. */
  setCheckpointPolicy(policy: CheckpointPolicy): void {
    this.schedule.setPolicy(policy);
    this.checkpointIfDue();
  }

  async settled(): Promise<void> {
    while (this.checkpointing) await this.checkpointing;
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    this.schedule.restart();
    while (!this.failure && (this.batch || this.log.rule.flushes > 0)) await this.durable().catch(() => undefined);
    await this.log.tail.catch(() => undefined);
    await this.checkpointing;
    if (!this.failure && this.layers.active.count > 0) await this.startCheckpoint();
    this.log.fail(new DaosError('SHUTDOWN', `index ${this.path} is closed`));
    try {
      await this.log.close();
    } finally {
      await this.store.close();
    }
  }

  private openBatch(): Batch {
    if (this.failure) throw this.failure;
    const batch = this.log.newBatch();
    this.batch = batch;
    this.awaitTurnEnd();
    return batch;
  }

  private awaitTurnEnd(): void {
    if (this.isTurnEndAwaited) return;
    this.isTurnEndAwaited = true;
    setImmediate(this.onTurnEnd);
  }

  private readonly onTurnEnd = (): void => {
    this.isTurnEndAwaited = false;
    if (this.batch && this.log.rule.isDueAtTurnEnd(this.batch.callers)) this.closeBatch();
  };

  private afterAcknowledge(): void {
    this.sealIfWanted();
    // those who were waiting may go on in this turn, and belong to the batch that has waited for this flush
    if (this.batch) this.awaitTurnEnd();
  }

  private sealIfWanted(): void {
    if (this.log.isSealWanted && !this.batch && !this.failure) this.openBatch();
  }

  /** Ends the collection of the batch and sends it on its way; not when it has to wait for room in the log. */
  private closeBatch(): void {
    const { batch } = this;
    assert(batch !== undefined && !this.isClosingBatch, 'there is one batch to close');
    if (this.checkpointing && !this.log.hasRoomFor(batch)) return;
    this.isClosingBatch = true;
    try {
      for (const callback of this.batchEndCallbacks) callback();
      if (!this.log.hasRoomFor(batch)) {
        // this log is full: go on in the other one, once the checkpoint that it waits for is done
        if (this.checkpointing) return;
        void this.startCheckpoint();
      }
      this.batch = undefined;
      this.log.write(batch);
      this.checkpointIfDue();
    } catch (error) {
      this.fail(asDaosError(error));
      batch.reject(asDaosError(error));
    } finally {
      this.isClosingBatch = false;
    }
  }

  private fail(error: DaosError): void {
    if (this.failure) return;
    this.failure = error;
    getLogger('vos').error(`index ${this.path} takes no more modifications: ${error.message}`);
    this.log.fail(error);
    this.batch?.reject(error);
    this.batch = undefined;
    this.emit({ type: 'failed', error });
  }

  private emit(event: UmemEvent): void {
    this.options.onEvent?.(event);
  }

  private checkpointIfDue(): void {
    if (this.batch || this.checkpointing || this.isClosed) return;
    const load = { entries: this.layers.active.count, logBytes: this.log.bytes };
    if (load.entries > 0 && this.schedule.isDue(load)) void this.startCheckpoint();
  }

  private checkpointOnTime(): void {
    if (this.isClosed || this.failure || this.layers.active.count === 0) return;
    // a checkpoint begins between batches
    if (this.batch && !this.isClosingBatch) this.closeBatch();
    if (!this.batch) void this.startCheckpoint();
  }

  /**
   * Freezes the overlay at a batch's end and goes on in the other log file, unless a checkpoint is under way.
   * The result resolves when what was frozen is in LMDB; it does not reject.
   */
  private startCheckpoint(): Promise<void> {
    if (this.checkpointing || this.failure) return this.checkpointing ?? Promise.resolve();
    this.schedule.restart();
    const frozen = this.layers.freeze();
    const bytesBefore = this.log.bytes;
    const position = this.log.switchLog();
    this.emit({ type: 'logSwitched', generation: position.generation, bytesBefore });
    this.checkpointing = this.checkpoint(frozen, position)
      .catch((error: unknown) => this.fail(asDaosError(error)))
      .finally(() => {
        this.checkpointing = undefined;
        if (this.batch) this.awaitTurnEnd();
        else this.checkpointIfDue();
      });
    return this.checkpointing;
  }

  private async checkpoint(frozen: Overlay, position: LogPosition): Promise<void> {
    const { count: entries, bytes } = frozen;
    const started = performance.now();
    this.emit({ type: 'checkpointBegun', entries, bytes });
    // nothing may reach LMDB before the log has it, or a crash could leave half of a batch there; the batch
    // that is being closed now is the last one in the overlay
    await Promise.resolve();
    await this.log.tail;
    if (!this.isDurable) await this.log.sync();
    await writeCheckpoint(this.store, frozen, position, this.tuning.sliceEntries);
    this.layers.thaw();
    this.measure();
    this.emit({ type: 'checkpointDone', entries, bytes, ms: performance.now() - started });
  }

  private measure(): void {
    const { treeBranchPageCount, treeLeafPageCount, overflowPages } = this.store.getStats();
    this.storeBytes = (treeBranchPageCount + treeLeafPageCount + overflowPages) * PAGE_BYTES;
  }
}
