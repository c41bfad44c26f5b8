import type { DaosObject } from '@daos/client';
import { objectIdEquals, type ObjectId } from '@daos/common';

import { entryChange, entryFetch, type InodeChange } from './entry.js';
import { DfsError, dfsCall } from './error.js';
import type { FileSystem } from './file_system.js';
import { nowNs } from './file_system.js';
import { S_IFMT, S_ISVTX, type Inode } from './layout.js';
import type { DfsStat } from './stat.js';
import { XattrStore } from './xattr.js';

/** Where an entry stands: the object of its folder and its name there. */
export interface EntryPlace {
  readonly folder: DaosObject;
  readonly name: Buffer;
  /** For messages. */
  readonly path: string;
}

/** Attributes that `setAttributes` changes. Times in Unix nanoseconds; atime is accepted and not stored. */
export interface AttributeChange {
  readonly mode?: number;
  readonly mtimeNs?: bigint;
  readonly atimeNs?: bigint;
  readonly uid?: number;
  readonly gid?: number;
  /** Files only. */
  readonly size?: bigint;
}

/**
 * An open file, folder or symlink. It goes by its object for data and by (folder, name) for attributes: after a rename
 * or removal by somebody else its attributes answer ENOENT.
 */
export abstract class DfsHandle {
  readonly xattrs: XattrStore;

  constructor(
    protected readonly fs: FileSystem,
    readonly place: EntryPlace,
    protected readonly opened: Inode,
  ) {
    this.xattrs = new XattrStore(fs, place, () => this.touch());
  }

  get oid(): ObjectId {
    return this.opened.oid;
  }
  get path(): string {
    return this.place.path;
  }

  protected abstract statOf(inode: Inode): Promise<DfsStat>;
  /** Highest epoch of the object; 0n for a symlink, which has none. */
  protected abstract maxEpoch(): Promise<bigint>;
  protected abstract resize(size: bigint): Promise<void>;

  /** Attributes now. ENOENT when the name is gone or names another object. */
  async stat(): Promise<DfsStat> {
    return dfsCall('stat', this.path, async () => this.statOf(await this.currentInode('stat')));
  }

  /** Attributes from an inode that was just read: no round trip but the one for size and times of the data. */
  async statFrom(inode: Inode): Promise<DfsStat> {
    return dfsCall('stat', this.path, () => this.statOf(inode));
  }

  /** As `changeAttributes`; returns the attributes after the change. */
  async setAttributes(change: AttributeChange): Promise<DfsStat> {
    await this.changeAttributes(change);
    return dfsCall('setattr', this.path, async () => this.statOf(await this.currentInode('setattr')));
  }

  /**
   * Changes attributes in one conditional update. A mode may not change the type (EINVAL) or carry the sticky bit
   * (ENOTSUP). A size is applied first, so that an mtime given with it holds. ENOENT when the entry is gone.
   */
  async changeAttributes(change: AttributeChange): Promise<void> {
    this.fs.requireWritable('setattr', this.path);
    const mode = this.checkedMode(change.mode);
    await dfsCall('setattr', this.path, async () => {
      if (change.size !== undefined) await this.resize(change.size);
      const fields: InodeChange = {
        ...(mode === undefined ? {} : { mode }),
        ...(change.uid === undefined ? {} : { uid: change.uid }),
        ...(change.gid === undefined ? {} : { gid: change.gid }),
        ...(change.mtimeNs === undefined ? {} : { mtimeNs: change.mtimeNs, objectHlc: await this.maxEpoch() }),
      };
      if (Object.keys(fields).length > 0) await entryChange(this.place.folder, this.place.name, { ...fields, ctimeNs: nowNs() });
    });
  }

  chmod(mode: number): Promise<DfsStat> {
    return this.setAttributes({ mode });
  }

  utimes(mtimeNs: bigint): Promise<DfsStat> {
    return this.setAttributes({ mtimeNs });
  }

  abstract close(): Promise<void>;

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  protected async currentInode(syscall: string): Promise<Inode> {
    const inode = await entryFetch(this.place.folder, this.place.name);
    if (!inode || !objectIdEquals(inode.oid, this.oid)) {
      throw new DfsError('ENOENT', syscall, this.path, inode ? 'the name refers to another object now' : '');
    }
    return inode;
  }

  private checkedMode(mode: number | undefined): number | undefined {
    if (mode === undefined) return undefined;
    const type = mode & S_IFMT;
    if (type !== 0 && type !== (this.opened.mode & S_IFMT)) throw new DfsError('EINVAL', 'chmod', this.path, 'the file type cannot change');
    if (mode & S_ISVTX) throw new DfsError('ENOTSUP', 'chmod', this.path, 'the sticky bit is not supported');
    return (mode & ~S_IFMT) | (this.opened.mode & S_IFMT);
  }

  private touch(): Promise<void> {
    return entryChange(this.place.folder, this.place.name, { ctimeNs: nowNs() });
  }
}
