import { DaosError } from '@daos/common';

import { Batch } from './batch.js';
import { FlushRule } from './flush_rule.js';
import { LogBuffer } from './log_buffer.js';
import type { LogPosition } from './log_position.js';
import { sequenceAfter, sequenceDistance } from './sequence.js';
import type { Wal } from './wal.js';

/** A batch on its way to the disk. */
interface Flush {
  readonly batch: Batch;
  readonly sequence: number;
  readonly payloadBytes: number;
  /** What its record says is durable. */
  readonly durable: number;
  /** Writes that are not done: the record, and the data that it depends on. */
  writesLeft: number;
  error: DaosError | undefined;
}

interface SealWaiter {
  readonly sequence: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export interface LogWriterHooks {
  /** A batch was acknowledged: there may be a flush to spare for the next one. */
  onAcknowledged(): void;
  /** Nothing can be acknowledged any more. */
  onFailure(error: DaosError): void;
}

/**
 * Writes batches to the two log files. Several are on their way at a time and reach the disk in any order; they are
 * acknowledged in theirs: a record counts only when all before it are durable.
 */
export class LogWriter {
  readonly rule = new FlushRule();
  /** In order of their sequence numbers. */
  private readonly flushes: Flush[] = [];
  private readonly spareBuffers: LogBuffer[] = [];
  private readonly sealWaiters: SealWaiter[] = [];
  /** Highest number that is durable with all before it. */
  private durable: number;
  /** As `durable`, as a record that is durable itself tells. */
  private sealed: number;
  private bytesInFlight = 0;
  private last: Promise<void> = Promise.resolve();
  private failure: DaosError | undefined;

  constructor(
    private readonly wals: readonly [Wal, Wal],
    private position: LogPosition,
    /** False: records are handed to the kernel, and flushed only by `sync`. */
    private readonly isDurable: boolean,
    private readonly hooks: LogWriterHooks,
  ) {
    this.durable = sequenceAfter(position.sequence, -1);
    this.sealed = this.durable;
    this.wal.restart();
  }

  /** Bytes in the log since the last switch. */
  get bytes(): number {
    return this.wal.bytes;
  }

  get pendingBytes(): number {
    return this.bytesInFlight;
  }

  /** Settles with the batch written last, and so with all before. */
  get tail(): Promise<void> {
    return this.last;
  }

  newBatch(): Batch {
    return new Batch(this.spareBuffers.pop() ?? new LogBuffer());
  }

  /** False: the batch has to wait for a switch to the other file. */
  hasRoomFor({ buffer }: Batch): boolean {
    return this.wal.bytes === 0 || this.wal.hasRoomFor(buffer.recordBytes);
  }

  write(batch: Batch): void {
    const { buffer, data, callers } = batch;
    const { generation, sequence } = this.position;
    this.position = { generation, sequence: sequenceAfter(sequence, 1) };
    const { payloadBytes } = buffer;
    const flush: Flush = { batch, sequence, payloadBytes, durable: this.durable, writesLeft: data.length, error: undefined };
    this.last = batch.promise;
    this.flushes.push(flush);
    this.bytesInFlight += payloadBytes;
    this.rule.closed(callers);
    const bytes = buffer.seal({ generation, sequence, durable: this.durable });
    for (const done of data) this.settleWith(flush, done);
    if (this.isDurable) {
      flush.writesLeft++;
      this.settleWith(flush, this.wal.append(buffer.buffer, bytes));
      return;
    }
    this.wal.appendNow(buffer.buffer, bytes);
    this.acknowledge();
  }

  /** Goes on in the other file, whose content must not be needed any more. The result is where that begins. */
  switchLog(): LogPosition {
    this.position = { generation: sequenceAfter(this.position.generation, 1), sequence: this.position.sequence };
    this.wal.restart();
    return this.position;
  }

  /** Resolves when all records that are with the kernel now are durable. Nothing is acknowledged after a failure. */
  async sync(): Promise<void> {
    if (this.failure) throw this.failure;
    const upTo = sequenceAfter(this.flushes[0]?.sequence ?? this.position.sequence, -1);
    try {
      await Promise.all(this.wals.map((wal) => wal.sync()));
    } catch (error) {
      // the kernel may have dropped what it could not write: a flush that succeeds later says nothing about it
      this.hooks.onFailure(asDaosError(error));
      throw asDaosError(error);
    }
    if (sequenceDistance(this.durable, upTo) > 0) this.durable = upTo;
  }

  /** Resolves when a durable record says that all that was written up to now (and `batch`) is durable. */
  sealedUpTo(batch: Batch | undefined): Promise<void> {
    if (this.failure) return Promise.reject(this.failure);
    const sequence = batch ? this.position.sequence : sequenceAfter(this.position.sequence, -1);
    if (sequenceDistance(sequence, this.sealed) >= 0) return Promise.resolve();
    return new Promise((resolve, reject) => this.sealWaiters.push({ sequence, resolve, reject }));
  }

  /** True when somebody waits for a record that nobody else will write. */
  get isSealWanted(): boolean {
    return this.sealWaiters.length > 0 && this.flushes.length === 0;
  }

  /** Refuses all that is under way and all that will come. */
  fail(error: DaosError): void {
    this.failure ??= error;
    for (const { reject } of this.sealWaiters.splice(0)) reject(error);
  }

  async close(): Promise<void> {
    await Promise.all(this.wals.map((wal) => wal.close()));
  }

  private get wal(): Wal {
    return this.wals[(this.position.generation % 2) as 0 | 1];
  }

  private settleWith(flush: Flush, write: Promise<void>): void {
    write.then(
      () => {
        flush.writesLeft--;
        this.acknowledge();
      },
      (error: unknown) => {
        flush.error ??= asDaosError(error);
        this.hooks.onFailure(flush.error);
        this.acknowledge();
      },
    );
  }

  /** Settles the batches at the head of the queue whose outcome is known. */
  private acknowledge(): void {
    let settled = 0;
    for (;;) {
      const flush = this.flushes[0];
      if (!flush || (flush.writesLeft > 0 && !flush.error)) break;
      this.flushes.shift();
      settled++;
      this.bytesInFlight -= flush.payloadBytes;
      this.rule.acknowledged(flush.batch.callers);
      if (flush.error) {
        // none behind it counts, whether it reaches the disk or not; their buffers may still be read
        for (const later of this.flushes) later.error ??= flush.error;
        flush.batch.reject(flush.error);
        continue;
      }
      if (this.isDurable) this.durable = flush.sequence;
      flush.batch.buffer.reset();
      this.spareBuffers.push(flush.batch.buffer);
      flush.batch.resolve();
      if (this.isDurable) this.unseal(flush.durable);
    }
    if (settled > 0) this.hooks.onAcknowledged();
  }

  private unseal(sequence: number): void {
    this.sealed = sequence;
    while (this.sealWaiters[0] && sequenceDistance(this.sealWaiters[0].sequence, sequence) >= 0) this.sealWaiters.shift()?.resolve();
  }
}

export function asDaosError(error: unknown): DaosError {
  return error instanceof DaosError ? error : new DaosError('NVME_IO', `index: ${String(error)}`, { cause: error });
}
