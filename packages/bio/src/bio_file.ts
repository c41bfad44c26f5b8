import { unlink } from 'node:fs/promises';

import { DaosError } from '@daos/common';

import type { BlockIo } from './block_io.js';
import { BufferPool, type BufferLease } from './buffer_pool.js';
import type { BioDevice } from './device/device.js';
import { ioError } from './io_error.js';
import { isBlockDevice, openIo, type Access } from './open_io.js';
import { BLOCK_BYTES, SUPERBLOCK_BYTES, superblockDecode, superblockEncode } from './superblock.js';
import { WriteQueue } from './write_queue.js';

/** Copying more than this out of the page cache would hold up the thread longer than a hop to another costs. */
const READ_NOW_BYTES_MAX = 1024 * 1024;
/** Smallest space of a data file. */
const CAPACITY_BYTES_MIN = BLOCK_BYTES;

export interface BioFileOptions {
  /** The device that the file lies on: it counts what fails, and what is asked while it does not serve fails. */
  readonly device?: BioDevice | undefined;
  /** Where leased buffers come from. Default: the thread's pool. */
  readonly pool?: BufferPool | undefined;
}

export interface BioFileOpenOptions extends BioFileOptions {
  /** How bytes travel. Default: the fastest that this system has. */
  readonly access?: Access | undefined;
  /** Past the page cache. Default: block devices only. */
  readonly direct?: boolean | undefined;
}

/** Bytes to be read, and where they go. */
export interface ReadRange {
  readonly offset: number;
  readonly into: Uint8Array;
}

/**
 * The data of one target in a file or block device. Offsets count from the first byte behind the superblock, so block
 * n of the allocator starts at n * 4096. A write starts on a block and owns its last block to the end (the rest is
 * zeroed). Reads see all earlier writes of this object, durable or not.
 */
export class BioFile {
  private readonly queue: WriteQueue;
  private readonly device: BioDevice | undefined;
  private readonly pool: BufferPool;
  private closed = false;

  private constructor(
    private readonly io: BlockIo,
    /** Space for data in bytes, a multiple of 4096. */
    readonly capacityBytes: number,
    options: BioFileOptions,
  ) {
    this.device = options.device;
    this.pool = options.pool ?? BufferPool.ofThread();
    this.queue = new WriteQueue(io, options.device);
  }

  /**
   * Makes a new file with space for `bytes` bytes (rounded down to blocks), sparse, and its superblock durable.
   * A block device is taken over, whatever it holds. DER_EXIST when the path exists as a regular file, DER_INVAL for less
   * than a block, DER_NOSPACE for more than a device has.
   */
  static async create(path: string, bytes: number, options: BioFileOpenOptions = {}): Promise<BioFile> {
    const io = await openIo(path, { create: true, access: options.access, direct: options.direct }).catch((error: unknown) => {
      throw ioError(error, `create ${path}`);
    });
    try {
      return await BioFile.createOn(io, bytes, options);
    } catch (error) {
      await io.close();
      // a device stays where it is
      if (!isBlockDevice(path)) await unlink(path).catch(() => undefined);
      throw error;
    }
  }

  /** Opens a data file. DER_NONEXIST, DER_DF_INCOMPT (unknown format), DER_DF_INVAL (damaged or cut short). */
  static async open(path: string, options: BioFileOpenOptions = {}): Promise<BioFile> {
    const io = await openIo(path, { create: false, access: options.access, direct: options.direct }).catch((error: unknown) => {
      throw ioError(error, `open ${path}`);
    });
    try {
      return await BioFile.openOn(io, options);
    } catch (error) {
      await io.close();
      throw error;
    }
  }

  /** `create` on a device that is already open. */
  static async createOn(io: BlockIo, bytes: number, options: BioFileOptions = {}): Promise<BioFile> {
    const capacityBytes = Math.floor(bytes / BLOCK_BYTES) * BLOCK_BYTES;
    if (!Number.isSafeInteger(capacityBytes) || capacityBytes < CAPACITY_BYTES_MIN) {
      throw new DaosError('INVAL', `a data file of ${bytes} bytes is not possible: ${io.path}`);
    }
    refuseFor(options.device, `create ${io.path}`);
    try {
      await io.resize(SUPERBLOCK_BYTES + capacityBytes);
      const size = await io.size();
      if (size < SUPERBLOCK_BYTES + capacityBytes) {
        throw new DaosError('NOSPACE', `${io.path} has ${size} bytes, not ${SUPERBLOCK_BYTES + capacityBytes}`);
      }
      const superblock = superblockEncode({ capacityBytes });
      await io.write([{ offset: 0, buffers: [superblock], length: superblock.length }], true);
    } catch (error) {
      throw counted(options.device, 'write', ioError(error, `create ${io.path}`));
    }
    return new BioFile(io, capacityBytes, options);
  }

  /** `open` on a device that is already open. */
  static async openOn(io: BlockIo, options: BioFileOptions = {}): Promise<BioFile> {
    const block = Buffer.alloc(SUPERBLOCK_BYTES);
    refuseFor(options.device, `open ${io.path}`);
    try {
      const length = await io.read(0, block);
      const { capacityBytes } = superblockDecode(block.subarray(0, length), io.path);
      const size = await io.size();
      if (size < SUPERBLOCK_BYTES + capacityBytes) {
        throw new DaosError('DF_INVAL', `${io.path} has ${size} bytes, its superblock says ${SUPERBLOCK_BYTES + capacityBytes}`);
      }
      return new BioFile(io, capacityBytes, options);
    } catch (error) {
      throw counted(options.device, 'read', ioError(error, `open ${io.path}`));
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
    const broken = this.device?.refusal(`write to ${this.io.path}`);
    if (broken) return Promise.reject(broken);
    return this.queue.write(SUPERBLOCK_BYTES + offset, data);
  }

  /**
   * Resolves when every write called before is durable. Calls that overlap share a flush. After a flush has failed
   * all writes and flushes fail with its error: the device may have dropped any of them.
   */
  flush(): Promise<void> {
    if (this.closed) return Promise.reject(this.invalid('flush', 0, 0, 'the file is closed'));
    const broken = this.device?.refusal(`flush of ${this.io.path}`);
    if (broken) return Promise.reject(broken);
    return this.queue.flush();
  }

  /**
   * Bytes from `offset`, into `into` when given (its first `length` bytes are then returned as a view). Without `into`
   * a buffer is allocated, which the collector has to take back: on hot paths give one, or lease it (`readLease`).
   * Throws DER_INVAL for a range outside the file, DER_NVME_IO.
   */
  async read(offset: number, length: number, into?: Uint8Array): Promise<Uint8Array> {
    const now = length <= READ_NOW_BYTES_MAX ? this.readNow(offset, length, into) : undefined;
    if (now) return now;
    const target = this.readTarget(offset, length, into) ?? Buffer.allocUnsafeSlow(length);
    await this.readAll([{ offset, into: target }]);
    return target;
  }

  /**
   * `read` without waiting: undefined when the bytes would have to come from the device. A read of a few KiB that is
   * cached costs a tenth of the asynchronous one: try this first.
   */
  readNow(offset: number, length: number, into?: Uint8Array): Uint8Array | undefined {
    const target = this.readTarget(offset, length, into) ?? Buffer.allocUnsafe(length);
    return this.fillNow(offset, target) ? target : undefined;
  }

  /**
   * `read` into a buffer of the pool. The caller owns the lease and releases it once, when nothing refers to its bytes
   * any more. Waits while the pool is exhausted. Throws also DER_NOMEM (more than the pool can hold).
   */
  async readLease(offset: number, length: number): Promise<BufferLease> {
    this.checkRead(offset, length);
    const lease = await this.pool.take(length);
    try {
      if (length > READ_NOW_BYTES_MAX || !this.fillNow(offset, lease.bytes)) await this.readAll([{ offset, into: lease.bytes }]);
    } catch (error) {
      lease.release();
      throw error;
    }
    return lease;
  }

  /** `readLease` without waiting, neither for the device nor for a buffer: undefined then. */
  readLeaseNow(offset: number, length: number): BufferLease | undefined {
    this.checkRead(offset, length);
    const lease = this.pool.tryTake(length);
    if (!lease) return undefined;
    try {
      if (this.fillNow(offset, lease.bytes)) return lease;
    } catch (error) {
      lease.release();
      throw error;
    }
    lease.release();
    return undefined;
  }

  /**
   * Reads several ranges side by side; each buffer is filled. What fails is counted once, however many ranges fail.
   * Throws as `read`.
   */
  async readMany(ranges: readonly ReadRange[]): Promise<void> {
    for (const { offset, into } of ranges) this.checkRead(offset, into.length);
    const rest = ranges.filter(({ offset, into }) => into.length > READ_NOW_BYTES_MAX || !this.fillNow(offset, into));
    if (rest.length > 0) await this.readAll(rest);
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
    this.checkRead(offset, length);
    if (into && into.length < length) throw new DaosError('TRUNC', `a read of ${length} bytes into ${into.length}`);
    return into?.subarray(0, length);
  }

  private checkRead(offset: number, length: number): void {
    const refusal = this.refuse(offset, length);
    if (refusal !== undefined) throw this.invalid('read', offset, length, refusal);
    if (this.device) refuseFor(this.device, `read of ${this.io.path}`);
  }

  /** Whether all bytes could be had at once. */
  private fillNow(offset: number, into: Uint8Array): boolean {
    switch (this.queue.peek(SUPERBLOCK_BYTES + offset, into)) {
      case 'served':
        return true;
      case 'wait':
        return false;
      case 'none':
        try {
          return this.io.readNow(SUPERBLOCK_BYTES + offset, into) === into.length;
        } catch (error) {
          throw counted(this.device, 'read', this.readError(error, offset, into.length));
        }
    }
  }

  private async readAll(ranges: readonly ReadRange[]): Promise<void> {
    const token = this.device?.ioStarted();
    const results = await Promise.allSettled(ranges.map((range) => this.readOne(range)));
    if (token !== undefined) this.device?.ioEnded(token);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw counted(this.device, 'read', failed.reason as DaosError);
  }

  private async readOne({ offset, into }: ReadRange): Promise<void> {
    const queued = this.queue.peek(SUPERBLOCK_BYTES + offset, into);
    if (queued === 'served') return;
    if (queued === 'wait') await this.queue.drain();
    let done: number;
    try {
      done = await this.io.read(SUPERBLOCK_BYTES + offset, into);
    } catch (error) {
      throw this.readError(error, offset, into.length);
    }
    if (done < into.length) {
      throw new DaosError('NVME_IO', `${this.io.path} ends ${into.length - done} bytes too early for a read at ${offset}`);
    }
  }

  private readError(error: unknown, offset: number, length: number): DaosError {
    return ioError(error, `read ${length} bytes at ${offset} of ${this.io.path}`);
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

function refuseFor(device: BioDevice | undefined, what: string): void {
  const refusal = device?.refusal(what);
  if (refusal) throw refusal;
}

/** The error, counted by the device when it is one of the media. */
function counted(device: BioDevice | undefined, kind: 'read' | 'write', error: DaosError): DaosError {
  if (error.der === 'NVME_IO') device?.mediaError(kind, error.detail);
  return error;
}
