import { closeSync, constants, fstatSync, ftruncateSync, openSync } from 'node:fs';

import { fileAllocate, fileReadNow, fileSize } from '@daos/native';

import { Allocation } from './allocation.js';
import type { BlockIo, WriteRun } from './block_io.js';

export interface OpenOptions {
  /** Makes a new regular file: EEXIST when it is there. Else the file or device must exist. */
  readonly create: boolean;
  /**
   * Past the page cache (O_DIRECT; EINVAL where the file system cannot): places, lengths and addresses of all
   * transfers must be multiples of 4096 then. `DirectIo` sees to that.
   */
  readonly direct?: boolean;
}

/** Opens a file or device as a descriptor. Throws the system's error. */
export function openDescriptor(path: string, options: OpenOptions): number {
  const create = options.create ? constants.O_CREAT | constants.O_EXCL : 0;
  const direct = options.direct ? constants.O_DIRECT : 0;
  return openSync(path, constants.O_RDWR | create | direct, 0o600);
}

/** What all accesses through a descriptor of the addon share; how bytes travel is the subclass's. */
export abstract class FdIo implements BlockIo {
  /** Regular files only, made at the first write. */
  private allocation: Allocation | undefined;

  protected constructor(
    readonly path: string,
    protected readonly fd: number,
    private readonly direct: boolean,
  ) {}

  protected abstract transfer(runs: readonly WriteRun[], sync: boolean): Promise<void>;
  abstract read(offset: number, into: Uint8Array): Promise<number>;

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
    return prepared ? prepared.then(() => this.transfer(runs, sync)) : this.transfer(runs, sync);
  }

  readNow(offset: number, into: Uint8Array): number {
    // without a page cache every read waits for the device
    return this.direct ? -1 : fileReadNow(this.fd, offset, into);
  }

  async close(): Promise<void> {
    closeSync(this.fd);
  }

  private newAllocation(): Allocation {
    const stat = fstatSync(this.fd);
    return new Allocation(stat.isFile() ? stat.size : 0, (offset, length) => fileAllocate(this.fd, offset, length));
  }
}
