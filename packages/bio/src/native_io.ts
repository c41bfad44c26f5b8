import { fileRead, fileWrite } from '@daos/native';

import type { WriteRun } from './block_io.js';
import { FdIo, openDescriptor, type OpenOptions } from './fd_io.js';

/** Device access through the addon: one hop to a helper thread per batch, and cached reads without any. */
export class NativeIo extends FdIo {
  static async open(path: string, options: OpenOptions): Promise<NativeIo> {
    return new NativeIo(path, openDescriptor(path, options), options.direct ?? false);
  }

  override read(offset: number, into: Uint8Array): Promise<number> {
    return fileRead(this.fd, offset, into);
  }

  protected override transfer(runs: readonly WriteRun[], sync: boolean): Promise<void> {
    return fileWrite(this.fd, runs, sync);
  }
}
