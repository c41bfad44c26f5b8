import { unlink } from 'node:fs/promises';

import { DaosError } from '@daos/common';

import type { BlockIo } from './block_io.js';
import { ioError } from './io_error.js';
import { openIo } from './open_io.js';
import { BLOCK_BYTES, SUPERBLOCK_BYTES, superblockDecode, superblockEncode } from './superblock.js';
import { WriteQueue } from './write_queue.js';

/** Copying more than this out of the page cache would hold up the thread longer than a hop to another costs. */
const READ_NOW_BYTES_MAX = 1024 * 1024;
/** Smallest space of a data file. */
const CAPACITY_BYTES_MIN = BLOCK_BYTES;

/**
 * The data of one target in a file or block device. Offsets count from the first byte behind the superblock, so block
 * n of the allocator starts at n * 4096. A write starts on a block and owns its last block to the end (the rest is
 * zeroed). Reads see all earlier writes of this object, durable or not.
 */
export class BioFile {
  private readonly queue: WriteQueue;
  private closed = false;

  private constructor(
    private readonly io: BlockIo,
    /** Space for data in bytes, a multiple of 4096. */
    readonly capacityBytes: number,
  ) {
    this.queue = new WriteQueue(io);
  }

  /**
   * Makes a new file with space for `bytes` bytes (rounded down to blocks), sparse, and its superblock durable.
   * DER_EXIST when the path exists as a regular file, DER_INVAL for less than a block.
   */
  static async create(path: string, bytes: number): Promise<BioFile> {
    const io = await openIo(path, { create: true }).catch((error: unknown) => {
      throw ioError(error, `create ${path}`);
    });
    try {
      return await BioFile.createOn(io, bytes);
    } catch (error) {
      await io.close();
      await unlink(path).catch(() => undefined);
      throw error;
    }
  }

  /** Opens a data file. DER_NONEXIST, DER_DF_INCOMPT (unknown format), DER_DF_INVAL (damaged or cut short). */
  static async open(path: string): Promise<BioFile> {
    const io = await openIo(path, { create: false }).catch((error: unknown) => {
      throw ioError(error, `open ${path}`);
    });
    try {
      return await BioFile.openOn(io);
    } catch (error) {
      await io.close();
      throw error;
    }
  }

  /** `create` on a device that is already open. */
  static async createOn(io: BlockIo, bytes: number): Promise<BioFile> {
    const capacityBytes = Math.floor(bytes / BLOCK_BYTES) * BLOCK_BYTES;
    if (!Number.isSafeInteger(capacityBytes) || capacityBytes < CAPACITY_BYTES_MIN) {
      throw new DaosError('INVAL', `a data file of ${bytes} bytes is not possible: ${io.path}`);
    }
    try {
      await io.resize(SUPERBLOCK_BYTES + capacityBytes);
      const superblock = superblockEncode({ capacityBytes });
      await io.write([{ offset: 0, buffers: [superblock], length: superblock.length }], true);
    } catch (error) {
      throw ioError(error, `create ${io.path}`);
    }
    return new BioFile(io, capacityBytes);
  }

  /** `open` on a device that is already open. */
  static async openOn(io: BlockIo): Promise<BioFile> {
    const block = Buffer.alloc(SUPERBLOCK_BYTES);
    try {
      const length = await io.read(0, block);
      const { capacityBytes } = superblockDecode(block.subarray(0, length), io.path);
      const size = await io.size();
      if (size < SUPERBLOCK_BYTES + capacityBytes) {
        throw new DaosError('DF_INVAL', `${io.path} has ${size} bytes, its superblock says ${SUPERBLOCK_BYTES + capacityBytes}`);
      }
      return new BioFile(io, capacityBytes);
    } catch (error) {
      throw ioError(error, `open ${io.path}`);
    }
  }

  /**
   * Writes the buffers back to back from `offset` (a multiple of 4096). Resolves when they are with the operating
   * system; `flush` makes them durable. The buffers must not change before the promise settles. Writes of one tick
   * (with the flush that follows) travel together. Throws DER_INVAL for a range outside the file, DER_NVME_IO,
   * DER_NOSPACE (file system full), DER_OVERLOAD_RETRY (too much queued).
   */
  write(offset: number, data: readonly Uint8Array[]): Promise<void> {
    let length = 0;
    for (const buffer of data) length += buffer.length;
    const refusal = this.refuse(offset, length) ?? (offset % BLOCK_BYTES === 0 ? undefined : 'not at the start of a block');
    if (refusal !== undefined) return Promise.reject(this.invalid('write', offset, length, refusal));
    return this.queue.write(SUPERBLOCK_BYTES + offset, data);
  }

  /**
   * Resolves when every write called before is durable. Calls that overlap share a flush. After a flush has failed
   * all writes and flushes fail with its error: the device may have dropped any of them.
   */
  flush(): Promise<void> {
    if (this.closed) return Promise.reject(this.invalid('flush', 0, 0, 'the file is closed'));
    return this.queue.flush();
  }

  /**
   * Bytes from `offset`, into `into` when given (its first `length` bytes are then returned as a view).
   * Throws DER_INVAL for a range outside the file, DER_NVME_IO.
   */
  async read(offset: number, length: number, into?: Uint8Array): Promise<Uint8Array> {
    const now = length <= READ_NOW_BYTES_MAX ? this.readNow(offset, length, into) : undefined;
    if (now) return now;
    const target = this.readTarget(offset, length, into) ?? Buffer.allocUnsafeSlow(length);
    const queued = this.queue.peek(SUPERBLOCK_BYTES + offset, target);
    if (queued === 'served') return target;
    if (queued === 'wait') await this.queue.drain();
    let done: number;
    try {
      done = await this.io.read(SUPERBLOCK_BYTES + offset, target);
    } catch (error) {
      throw ioError(error, `read ${length} bytes at ${offset} of ${this.io.path}`);
    }
    if (done < length) throw new DaosError('NVME_IO', `${this.io.path} ends ${length - done} bytes too early for a read at ${offset}`);
    return target;
  }

  /**
   * `read` without waiting: undefined when the bytes would have to come from the device. A read of a few KiB that is
   * cached costs a tenth of the asynchronous one: try this first.
   */
  readNow(offset: number, length: number, into?: Uint8Array): Uint8Array | undefined {
    const target = this.readTarget(offset, length, into) ?? Buffer.allocUnsafe(length);
    switch (this.queue.peek(SUPERBLOCK_BYTES + offset, target)) {
      case 'served':
        return target;
      case 'wait':
        return undefined;
      case 'none':
        return this.io.readNow(SUPERBLOCK_BYTES + offset, target) === length ? target : undefined;
    }
  }

  /** Waits for what is queued, then closes. Does not flush. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.queue.drain();
    await this.io.close();
  }

  /** Checks a read and returns where it goes when the caller gave a place. */
  private readTarget(offset: number, length: number, into: Uint8Array | undefined): Uint8Array | undefined {
    const refusal = this.refuse(offset, length);
    if (refusal !== undefined) throw this.invalid('read', offset, length, refusal);
    if (into && into.length < length) throw new DaosError('TRUNC', `a read of ${length} bytes into ${into.length}`);
    return into?.subarray(0, length);
  }

  private refuse(offset: number, length: number): string | undefined {
    if (this.closed) return 'the file is closed';
    const inside = Number.isInteger(offset) && offset >= 0 && length >= 0 && offset + length <= this.capacityBytes;
    return inside ? undefined : `outside its ${this.capacityBytes} bytes`;
  }

  private invalid(what: string, offset: number, length: number, why: string): DaosError {
    return new DaosError(this.closed ? 'NO_HDL' : 'INVAL', `${what} of ${length} bytes at ${offset} of ${this.io.path}: ${why}`);
  }
}
