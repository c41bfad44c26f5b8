import { closeSync, constants, fstatSync, ftruncateSync, openSync } from 'node:fs';

import { fileRead, fileReadNow, fileSize, fileWrite } from '@daos/native';

import type { BlockIo, WriteRun } from './block_io.js';

/** Device access through the addon: one hop to a helper thread per batch, and cached reads without any. */
export class NativeIo implements BlockIo {
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
    if (fstatSync(this.fd).isFile()) ftruncateSync(this.fd, bytes);
  }

  write(runs: readonly WriteRun[], sync: boolean): Promise<void> {
    return fileWrite(this.fd, runs, sync);
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
}
