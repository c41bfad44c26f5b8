import type { ArrayObject } from '@daos/client';

import { DfsError, dfsCall } from './error.js';
import type { FileSystem } from './file_system.js';
import { DfsHandle, type EntryPlace } from './handle.js';
import type { Inode } from './layout.js';
import { statOfFile, type DfsStat } from './stat.js';

/** Offsets and lengths are bytes. */
export type Offset = number | bigint;

export type FileAccess = 'r' | 'w' | 'rw';

const OFFSET_MAX = 2n ** 63n - 1n;
/** Length of a punch that means "to the end, and set the size". */
export const PUNCH_TO_END = 2n ** 64n - 1n;

/**
 * An open regular file. Writes are durable and visible to all readers when their promise resolves. A write or read
 * that spans chunks runs as one operation per chunk, in parallel, and is not atomic as a whole.
 */
export class DfsFile extends DfsHandle {
  readonly chunkSize: number;
  private readonly array: ArrayObject;

  constructor(fs: FileSystem, place: EntryPlace, opened: Inode, private readonly access: FileAccess) {
    super(fs, place, opened);
    this.chunkSize = fs.chunkSizeOf(opened);
    this.array = fs.container.arrayOpenWithAttr(opened.oid, { cellSize: 1, chunkSize: this.chunkSize, mode: access === 'r' ? 'ro' : 'rw' });
  }

  /**
   * Reads up to `into.length` bytes from `offset`; returns how many there were. Holes read as zeros; bytes of `into`
   * beyond the end of the file are left as they are. EPERM for a write-only handle.
   */
  async read(into: Uint8Array, offset: Offset): Promise<number> {
    if (this.access === 'w') throw new DfsError('EPERM', 'read', this.path, 'opened for writing only');
    const range = this.range('read', offset, BigInt(into.length));
    if (into.length === 0) return 0;
    const { bytesRead } = await dfsCall('read', this.path, () => this.array.read(range, into));
    return bytesRead;
  }

  /** Writes all bytes at `offset`. EPERM for a read-only handle, ENOSPC when the pool is full. */
  async write(data: Uint8Array, offset: Offset): Promise<void> {
    this.requireWrite('write');
    const range = this.range('write', offset, BigInt(data.length));
    if (data.length > 0) await dfsCall('write', this.path, () => this.array.write(range, data));
  }

  async size(): Promise<bigint> {
    return dfsCall('stat', this.path, () => this.array.getSize());
  }

  /** Sets the size: cuts the file, or extends it with a hole. */
  async truncate(size: Offset): Promise<void> {
    this.requireWrite('truncate');
    const { idx } = this.range('truncate', size, 0n);
    await dfsCall('truncate', this.path, () => this.array.setSize(idx));
  }

  /**
   * Frees `[offset, offset + length)`: a hole inside the file; the tail when it reaches the end. With `PUNCH_TO_END` the
   * size becomes `offset`, also when that is larger than the file.
   */
  async punch(offset: Offset, length: Offset): Promise<void> {
    this.requireWrite('punch');
    const from = BigInt(offset);
    const count = BigInt(length);
    await dfsCall('punch', this.path, async () => {
      if (count === PUNCH_TO_END) return this.array.setSize(from);
      const size = await this.array.getSize();
      if (from >= size || count === 0n) return;
      if (from + count >= size) await this.array.setSize(from);
      else await this.array.punch({ idx: from, nr: count });
    });
  }

  async close(): Promise<void> {
    await this.array.close();
  }

  protected async statOf(inode: Inode): Promise<DfsStat> {
    const { size, maxEpoch } = await this.array.stat();
    return statOfFile(inode, size, maxEpoch, this.chunkSize);
  }

  protected async maxEpoch(): Promise<bigint> {
    return (await this.array.stat()).maxEpoch;
  }

  protected resize(size: bigint): Promise<void> {
    return this.truncate(size);
  }

  private requireWrite(syscall: string): void {
    this.fs.requireWritable(syscall, this.path);
    if (this.access === 'r') throw new DfsError('EPERM', syscall, this.path, 'opened for reading only');
  }

  private range(syscall: string, offset: Offset, length: bigint): { idx: bigint; nr: bigint } {
    const idx = BigInt(offset);
    if (idx < 0n) throw new DfsError('EINVAL', syscall, this.path, `negative offset ${idx}`);
    if (idx + length > OFFSET_MAX) throw new DfsError('EFBIG', syscall, this.path, 'beyond the largest file size');
    return { idx, nr: length };
  }
}
