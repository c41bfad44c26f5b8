import { isAligned } from '@daos/native';

import { assert } from '@daos/gurt';

import type { BlockIo, WriteRun } from './block_io.js';
import { BUFFER_ALIGNMENT_BYTES, BufferPool, POOLED_BYTES_MAX } from './buffer_pool.js';

const BLOCK_BYTES = BUFFER_ALIGNMENT_BYTES;
/** Bytes of a batch that are copied and at the device at once. */
const WINDOW_BYTES = POOLED_BYTES_MAX;
/** Bytes for windows of all files of a thread. */
const DIRECT_POOL_BYTES = 64 * 1024 * 1024;

/**
 * Any transfer on a device that takes whole, aligned blocks only (opened with O_DIRECT). What does not fit goes through
 * an aligned buffer; what fits goes as it is. Writes must be whole blocks, reads may be anything.
 */
export class DirectIo implements BlockIo {
  /** Not the pool of the readers: a transfer under way must never wait for a lease that waits for it. */
  private static pool: BufferPool | undefined;

  constructor(private readonly io: BlockIo) {}

  get path(): string {
    return this.io.path;
  }

  size(): Promise<number> {
    return this.io.size();
  }

  resize(bytes: number): Promise<void> {
    return this.io.resize(bytes);
  }

  /** Windows follow each other, so that a later run over an earlier one wins; the flush goes with the last. */
  async write(runs: readonly WriteRun[], sync: boolean): Promise<void> {
    let window: WriteRun[] = [];
    let windowBytes = 0;
    for (const part of runs.flatMap(cutRun)) {
      if (windowBytes + part.length > WINDOW_BYTES) {
        await this.writeWindow(window, false);
        window = [];
        windowBytes = 0;
      }
      window.push(part);
      windowBytes += part.length;
    }
    await this.writeWindow(window, sync);
  }

  async read(offset: number, into: Uint8Array): Promise<number> {
    if (offset % BLOCK_BYTES === 0 && isWhole(into)) return this.io.read(offset, into);
    let done = 0;
    while (done < into.length) {
      const got = await this.readThrough(offset + done, into.subarray(done, done + WINDOW_BYTES - BLOCK_BYTES));
      if (got === 0) break;
      done += got;
    }
    return done;
  }

  readNow(): number {
    return -1;
  }

  close(): Promise<void> {
    return this.io.close();
  }

  /** One buffer for all runs of a window: a second one could wait for windows that wait for this one. */
  private async writeWindow(runs: readonly WriteRun[], sync: boolean): Promise<void> {
    const copied = runs.filter((run) => !fits(run));
    if (copied.length === 0) return this.io.write(runs, sync);
    const lease = await DirectIo.ownPool().take(copied.reduce((sum, run) => sum + run.length, 0));
    try {
      let at = 0;
      const aligned = runs.map((run) => {
        if (fits(run)) return run;
        const space = lease.bytes.subarray(at, at + run.length);
        at += run.length;
        return { offset: run.offset, buffers: [gather(run.buffers, space)], length: run.length };
      });
      await this.io.write(aligned, sync);
    } finally {
      lease.release();
    }
  }

  private async readThrough(offset: number, into: Uint8Array): Promise<number> {
    const start = Math.floor(offset / BLOCK_BYTES) * BLOCK_BYTES;
    const end = Math.ceil((offset + into.length) / BLOCK_BYTES) * BLOCK_BYTES;
    const lease = await DirectIo.ownPool().take(end - start);
    try {
      const got = await this.io.read(start, lease.bytes);
      const usable = Math.max(0, Math.min(got - (offset - start), into.length));
      into.set(lease.bytes.subarray(offset - start, offset - start + usable));
      return usable;
    } finally {
      lease.release();
    }
  }

  private static ownPool(): BufferPool {
    return (DirectIo.pool ??= new BufferPool(DIRECT_POOL_BYTES));
  }
}

function isWhole(buffer: Uint8Array): boolean {
  return buffer.length % BLOCK_BYTES === 0 && isAligned(buffer, BLOCK_BYTES);
}

function fits(run: WriteRun): boolean {
  return run.buffers.every(isWhole);
}

function gather(buffers: readonly Uint8Array[], into: Uint8Array): Uint8Array {
  let at = 0;
  for (const buffer of buffers) {
    into.set(buffer, at);
    at += buffer.length;
  }
  return into;
}

/** A run in parts of at most a window. */
function cutRun(run: WriteRun): WriteRun[] {
  assert(run.offset % BLOCK_BYTES === 0 && run.length % BLOCK_BYTES === 0, 'direct writes are whole blocks');
  if (run.length <= WINDOW_BYTES) return [run];
  const parts: WriteRun[] = [];
  let buffers: Uint8Array[] = [];
  let offset = run.offset;
  let length = 0;
  for (let buffer of run.buffers) {
    while (buffer.length > 0) {
      const piece = buffer.subarray(0, WINDOW_BYTES - length);
      buffers.push(piece);
      length += piece.length;
      buffer = buffer.subarray(piece.length);
      if (length < WINDOW_BYTES) continue;
      parts.push({ offset, buffers, length });
      offset += length;
      buffers = [];
      length = 0;
    }
  }
  if (length > 0) parts.push({ offset, buffers, length });
  return parts;
}
