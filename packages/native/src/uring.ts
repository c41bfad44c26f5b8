import { addon, type UringHandle } from './addon.js';
import { flattenRuns, type FileRun } from './file_io.js';

/**
 * io_uring for the files of this thread: made at first use, gone with the thread. A batch of writes with its flush is
 * one system call; the kernel's workers do what has to wait. Transfers under way keep the process running.
 */
export class Uring {
  private static opened: Uring | undefined;
  private static reason: Error | undefined;

  private constructor(private readonly handle: UringHandle) {}

  /**
   * This thread's ring; undefined where the kernel has none, forbids it (container policies do), or is older than 5.7:
   * `whyNot` tells which.
   */
  static ofThread(): Uring | undefined {
    if (!Uring.opened && !Uring.reason) {
      try {
        Uring.opened = new Uring(addon().uringOpen());
      } catch (error) {
        Uring.reason = error as Error;
      }
    }
    return Uring.opened;
  }

  /** The system's error when there is no ring. */
  static whyNot(): Error | undefined {
    return Uring.ofThread() ? undefined : Uring.reason;
  }

  /** Fills `into` from `offset`; resolves with the bytes read before the end of the file. */
  read(fd: number, offset: number, into: Uint8Array): Promise<number> {
    return addon().uringRead(this.handle, fd, offset, into);
  }

  /**
   * Writes all runs, then flushes the file's data when `sync` is set. With `inOrder` each run starts after the one
   * before it has ended (runs may overlap), else they run side by side. The buffers must not change before the promise
   * settles. Rejects with the system's error; `syscall` is `pwritev` or `fdatasync`, whatever the kernel calls it.
   */
  async write(fd: number, runs: readonly FileRun[], options: { sync: boolean; inOrder: boolean }): Promise<void> {
    const { offsets, counts, buffers } = flattenRuns(runs);
    await addon().uringWrite(this.handle, fd, offsets, counts, buffers, options.sync, options.inOrder);
  }
}
