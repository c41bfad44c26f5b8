import { closeSync, constants, fstatSync, ftruncateSync, openSync } from 'node:fs';

import { fileAllocate, fileRead, fileReadNow, fileSize, fileWrite } from '@daos/native';

import { Allocation } from './allocation.js';
import type { BlockIo, WriteRun } from './block_io.js';

/** Device access through the addon: one hop to a helper thread per batch, and cached reads without any. */
export class NativeIo implements BlockIo {
  /** Regular files only, made at the first write. */
  private allocation: Allocation | undefined;

  private constructor(
    readonly path: string,
    private readonly fd: number,
  ) {}

  /** Opens an existing file or device, or makes a new file (`create`: EEXIST when it is there). */
  static async open(path: string, options: { create: boolean }): Promise<NativeIo> {
    const flags = options.create ? constants.O_RDWR | constants.O_CREAT | constants.O_EXCL : constants.O_RDWR;
    return new NativeIo(path, openSync(path, flags, 0o600));
  }

  async size(): Promise<number> {
    return fileSize(this.fd);
  }

  async resize(bytes: number): Promise<void> {
    if (!fstatSync(this.fd).isFile()) return;
    ftruncateSync(this.fd, bytes);
    this.allocation = undefined;
  }

  write(runs: readonly WriteRun[], sync: boolean): Promise<void> {
    const prepared = (this.allocation ??= this.newAllocation()).prepare(runs);
    return prepared ? prepared.then(() => fileWrite(this.fd, runs, sync)) : fileWrite(this.fd, runs, sync);
  }

  read(offset: number, into: Uint8Array): Promise<number> {
    return fileRead(this.fd, offset, into);
  }

  readNow(offset: number, into: Uint8Array): number {
    return fileReadNow(this.fd, offset, into);
  }

  async close(): Promise<void> {
    closeSync(this.fd);
  }

  private newAllocation(): Allocation {
    const stat = fstatSync(this.fd);
    return new Allocation(stat.isFile() ? stat.size : 0, (offset, length) => fileAllocate(this.fd, offset, length));
  }
}
