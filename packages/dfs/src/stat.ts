import { hlcToUnixNs } from '@daos/common';

import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, type Inode } from './layout.js';

const LOGICAL_MASK = 0x3ffffn;
/** Size that a folder reports. */
const DIRECTORY_SIZE = 104n;

export class DfsStat {
  constructor(
    readonly mode: number,
    readonly size: bigint,
    /** Preferred I/O size: the chunk size of a file, else 0. */
    readonly blockSize: number,
    readonly uid: number,
    readonly gid: number,
    /** Unix nanoseconds. */
    readonly mtimeNs: bigint,
    readonly ctimeNs: bigint,
  ) {}

  readonly nlink = 1;

  /** atime is not stored: the later of the other two. */
  get atimeNs(): bigint {
    return this.mtimeNs > this.ctimeNs ? this.mtimeNs : this.ctimeNs;
  }
  get blocks(): bigint {
    return this.isFile() ? (this.size + 511n) / 512n : 0n;
  }
  isFile(): boolean {
    return (this.mode & S_IFMT) === S_IFREG;
  }
  isDirectory(): boolean {
    return (this.mode & S_IFMT) === S_IFDIR;
  }
  isSymbolicLink(): boolean {
    return (this.mode & S_IFMT) === S_IFLNK;
  }
}

/** Unix time of an epoch's physical part. */
export function timeOfEpoch(epoch: bigint): bigint {
  return hlcToUnixNs(epoch & ~LOGICAL_MASK);
}

/**
 * Times that stat shows. The object's last change counts for files and folders, unless a user set mtime since: then
 * `objectHlc` in the inode equals the object's highest epoch and the stored mtime is shown.
 */
export function effectiveTimes(inode: Inode, maxEpoch: bigint): { mtimeNs: bigint; ctimeNs: bigint } {
  if (maxEpoch === 0n) return { mtimeNs: inode.mtimeNs, ctimeNs: inode.ctimeNs };
  const changed = timeOfEpoch(maxEpoch);
  return {
    mtimeNs: inode.objectHlc !== 0n && changed === timeOfEpoch(inode.objectHlc) ? inode.mtimeNs : changed,
    ctimeNs: inode.ctimeNs > changed ? inode.ctimeNs : changed,
  };
}

export function statOfFile(inode: Inode, size: bigint, maxEpoch: bigint, chunkSize: number): DfsStat {
  const { mtimeNs, ctimeNs } = effectiveTimes(inode, maxEpoch);
  return new DfsStat(inode.mode, size, chunkSize, inode.uid, inode.gid, mtimeNs, ctimeNs);
}

export function statOfDirectory(inode: Inode, maxEpoch: bigint): DfsStat {
  const { mtimeNs, ctimeNs } = effectiveTimes(inode, maxEpoch);
  return new DfsStat(inode.mode, DIRECTORY_SIZE, 0, inode.uid, inode.gid, mtimeNs, ctimeNs);
}

export function statOfSymlink(inode: Inode): DfsStat {
  return new DfsStat(inode.mode, BigInt(inode.valueLength), 0, inode.uid, inode.gid, inode.mtimeNs, inode.ctimeNs);
}
