import { DfsError } from './error.js';
import type { FileSystem } from './file_system.js';
import { DfsHandle, type EntryPlace } from './handle.js';
import type { Inode } from './layout.js';
import { statOfSymlink, type DfsStat } from './stat.js';

export class DfsSymlink extends DfsHandle {
  constructor(
    fs: FileSystem,
    place: EntryPlace,
    opened: Inode,
    /** The stored target, bytes without NUL. */
    readonly target: Buffer,
  ) {
    super(fs, place, opened);
  }

  async close(): Promise<void> {
    // A symlink has no object to close.
  }

  protected async statOf(inode: Inode): Promise<DfsStat> {
    return statOfSymlink(inode);
  }

  protected async maxEpoch(): Promise<bigint> {
    return 0n;
  }

  protected async resize(): Promise<void> {
    throw new DfsError('EIO', 'setattr', this.path, 'only files have a size that can be set');
  }
}
