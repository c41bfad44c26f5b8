import { DaosError } from '@daos/common';

import type { BlockIo, WriteRun } from './block_io.js';
import type { BioDevice } from './device/device.js';
import { ioError } from './io_error.js';
import { BLOCK_BYTES } from './superblock.js';

/** A write this big starts with its tick: sharing the trip of a flush that comes later would gain nothing. */
const LARGE_WRITE_BYTES = 256 * 1024;
/** Bytes that may wait for the device before writes are refused. */
export const QUEUED_BYTES_MAX = 512 * 1024 * 1024;

const ZEROS = new Uint8Array(BLOCK_BYTES);

interface QueuedWrite {
  readonly offset: number;
  /** With the padding to whole blocks. */
  readonly end: number;
  readonly length: number;
  readonly buffers: readonly Uint8Array[];
}

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

/** Work handed to the device as one call. */
class Batch {
  readonly writes: QueuedWrite[] = [];
  readonly waiters: Waiter[] = [];
  sync = false;
  bytes = 0;
  low = Infinity;
  high = 0;
}

/**
 * Gathers writes and flushes: one batch is at the device, the next one collects meanwhile. A batch is one hop to a
 * helper thread, however many writes and flushes it serves; contiguous writes become one system call. Under load the
 * batches grow by themselves to what arrives during a flush.
 */
export class WriteQueue {
  private current = new Batch();
  private active: Batch | undefined;
  private scheduled: 'no' | 'later' | 'soon' = 'no';
  /** A failed flush loses written data without telling which: nothing may be acknowledged after it. */
  private failure: DaosError | undefined;

  /** `device` counts what goes wrong, once per batch. */
  constructor(private readonly io: BlockIo, private readonly device?: BioDevice) {}

  /** Resolves when the bytes are with the operating system. They must not change before. */
  write(offset: number, buffers: readonly Uint8Array[]): Promise<void> {
    if (this.failure) return Promise.reject(this.failure);
    const batch = this.current;
    let length = 0;
    for (const buffer of buffers) length += buffer.length;
    if (batch.bytes + length > QUEUED_BYTES_MAX) {
      return Promise.reject(new DaosError('OVERLOAD_RETRY', `${batch.bytes} bytes wait to be written to ${this.io.path}`));
    }
    const end = offset + Math.ceil(length / BLOCK_BYTES) * BLOCK_BYTES;
    batch.writes.push({ offset, end, length, buffers });
    batch.bytes += length;
    batch.low = Math.min(batch.low, offset);
    batch.high = Math.max(batch.high, end);
    return this.wait(batch, length >= LARGE_WRITE_BYTES ? 'soon' : 'later');
  }

  /** Resolves when all that was written before this call is durable. */
  flush(): Promise<void> {
    if (this.failure) return Promise.reject(this.failure);
    this.current.sync = true;
    return this.wait(this.current, 'soon');
  }

  /**
   * Bytes of a range that is on its way to the device: copied from memory when one write holds it all, 'wait' when
   * several do, 'none' when no write touches it.
   */
  peek(offset: number, into: Uint8Array): 'served' | 'wait' | 'none' {
    const found = this.newestOver(this.current, offset, into.length) ?? this.newestOver(this.active, offset, into.length);
    if (!found) return 'none';
    if (offset < found.offset || offset + into.length > found.end) return 'wait';
    copyRange(found, offset - found.offset, into);
    return 'served';
  }

  /** Resolves when nothing is queued or at the device any more, failed or not. */
  async drain(): Promise<void> {
    while (this.active || this.current.waiters.length > 0) {
      await new Promise<void>((resolve) => {
        const batch = this.active ?? this.current;
        batch.waiters.push({ resolve, reject: () => resolve() });
      });
    }
  }

  private wait(batch: Batch, urgency: 'later' | 'soon'): Promise<void> {
    const promise = new Promise<void>((resolve, reject) => batch.waiters.push({ resolve, reject }));
    this.schedule(urgency);
    return promise;
  }

  /** Writes alone wait for the end of the tick, so that a flush that follows shares their trip. */
  private schedule(urgency: 'later' | 'soon'): void {
    if (this.active || this.scheduled === 'soon' || this.scheduled === urgency) return;
    this.scheduled = urgency;
    if (urgency === 'soon') queueMicrotask(this.start);
    else setImmediate(this.start);
  }

  private readonly start = (): void => {
    if (this.active || this.current.waiters.length === 0) return;
    this.scheduled = 'no';
    const batch = this.current;
    this.active = batch;
    this.current = new Batch();
    const refusal = this.device?.refusal(`write to ${this.io.path}`);
    if (refusal) {
      this.finish(batch, refusal);
      return;
    }
    const token = this.device?.ioStarted();
    this.io.write(toRuns(batch.writes), batch.sync).then(
      () => this.ended(batch, token, undefined),
      (error: unknown) => this.ended(batch, token, ioError(error, `write to ${this.io.path}`)),
    );
  };

  private ended(batch: Batch, token: number | undefined, error: DaosError | undefined): void {
    if (token !== undefined) this.device?.ioEnded(token);
    if (error?.der === 'NVME_IO') this.device?.mediaError('write', error.detail);
    this.finish(batch, error);
  }

  private finish(batch: Batch, error: DaosError | undefined): void {
    this.active = undefined;
    if (error && isFlushFailure(error)) this.failure = error;
    for (const waiter of batch.waiters) {
      if (error) waiter.reject(error);
      else waiter.resolve();
    }
    if (this.current.waiters.length > 0) this.start();
  }

  private newestOver(batch: Batch | undefined, offset: number, length: number): QueuedWrite | undefined {
    if (!batch || offset >= batch.high || offset + length <= batch.low) return undefined;
    return batch.writes.findLast((write) => offset < write.end && offset + length > write.offset);
  }
}

/** The system may have dropped dirty pages, not only refused new ones. */
function isFlushFailure(error: DaosError): boolean {
  return (error.cause as { syscall?: string } | undefined)?.syscall === 'fdatasync';
}

/** Orders writes by place and joins neighbours; each is filled up to whole blocks, so that no block is read first. */
function toRuns(writes: readonly QueuedWrite[]): WriteRun[] {
  const runs: { offset: number; length: number; buffers: Uint8Array[] }[] = [];
  for (const write of sorted(writes)) {
    let run = runs.at(-1);
    if (!run || run.offset + run.length !== write.offset) {
      run = { offset: write.offset, length: 0, buffers: [] };
      runs.push(run);
    }
    for (const buffer of write.buffers) if (buffer.length > 0) run.buffers.push(buffer);
    const padding = write.end - write.offset - write.length;
    if (padding > 0) run.buffers.push(ZEROS.subarray(0, padding));
    run.length += write.end - write.offset;
  }
  return runs;
}

/** In order of place; in order of call when any two overlap, so that the later one wins. */
function sorted(writes: readonly QueuedWrite[]): readonly QueuedWrite[] {
  if (isAscending(writes)) return writes;
  const ordered = writes.toSorted((x, y) => x.offset - y.offset);
  return isAscending(ordered) ? ordered : writes;
}

function isAscending(writes: readonly QueuedWrite[]): boolean {
  return writes.every((write, i) => i === 0 || write.offset >= (writes[i - 1] as QueuedWrite).end);
}

function copyRange(write: QueuedWrite, from: number, into: Uint8Array): void {
  let skip = from;
  let filled = 0;
  for (const buffer of write.buffers) {
    if (filled === into.length) return;
    if (skip >= buffer.length) {
      skip -= buffer.length;
      continue;
    }
    const part = buffer.subarray(skip, skip + into.length - filled);
    into.set(part, filled);
    filled += part.length;
    skip = 0;
  }
  into.fill(0, filled);
}
