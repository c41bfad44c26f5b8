import { Uring, fileWrite } from '@daos/native';

import { DaosError } from '@daos/common';

import type { WriteRun } from './block_io.js';
import { FdIo, openDescriptor, type OpenOptions } from './fd_io.js';

/**
 * Runs of a batch through the page cache that the ring is as fast for as a helper thread: the kernel comes back to this
 * thread after each link of a chain (32 runs: a quarter slower; up to 16: as fast or faster). A drive gets all at once.
 */
const CHAIN_RUNS_MAX = 16;

/** Device access through io_uring: one system call per batch, done by the kernel's workers, no thread of ours. */
export class UringIo extends FdIo {
  private constructor(path: string, fd: number, private readonly ring: Uring, private readonly isDirect: boolean) {
    super(path, fd, isDirect);
  }

  static available(): boolean {
    return Uring.ofThread() !== undefined;
  }

  /** DER_NOTSUPPORTED where the kernel has no io_uring or forbids it. */
  static async open(path: string, options: OpenOptions): Promise<UringIo> {
    const ring = Uring.ofThread();
    if (!ring) {
      throw new DaosError('NOTSUPPORTED', `${path} cannot be opened through io_uring: use the "native" access`, { cause: Uring.whyNot() });
    }
    return new UringIo(path, openDescriptor(path, options), ring, options.direct ?? false);
  }

  override read(offset: number, into: Uint8Array): Promise<number> {
    return this.ring.read(this.fd, offset, into);
  }

  protected override transfer(runs: readonly WriteRun[], sync: boolean): Promise<void> {
    if (this.isDirect) return this.ring.write(this.fd, runs, { sync, inOrder: !isApart(runs) || runs.length === 1 });
    // A chain saves the way back here before the flush starts.
    if (runs.length <= CHAIN_RUNS_MAX) return this.ring.write(this.fd, runs, { sync, inOrder: true });
    return fileWrite(this.fd, runs, sync);
  }
}

/** Whether runs that overtake each other leave the same bytes: ascending, and none over another. */
function isApart(runs: readonly WriteRun[]): boolean {
  for (let i = 1; i < runs.length; i++) {
    const before = runs[i - 1] as WriteRun;
    if ((runs[i] as WriteRun).offset < before.offset + before.length) return false;
  }
  return true;
}
