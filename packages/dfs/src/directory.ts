import { randomBytes } from 'node:crypto';

import type { DaosObject } from '@daos/client';
import { isDaosError, objectIdEquals, type ObjectId } from '@daos/common';

import {
  entryFetch,
  entryFetchWhole,
  entryFetchWithTarget,
  entryInsert,
  entryRemove,
  entryWriteWhole,
  isMissing,
  type WholeEntry,
} from './entry.js';
import { DfsError, dfsCall } from './error.js';
import { DfsFile, type FileAccess } from './file.js';
import { effectiveGid, effectiveUid, nowNs, type FileSystem } from './file_system.js';
import { DfsHandle, type EntryPlace } from './handle.js';
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, SYMLINK_TARGET_BYTES_MAX, type Inode } from './layout.js';
import { forEachLimit } from './limit.js';
import { nameBytes, pathText, toBytes, type PathLike } from './name.js';
import { statOfDirectory, type DfsStat } from './stat.js';
import { DfsSymlink } from './symlink.js';

const READDIR_PAGE = 512;
const REMOVE_IN_FLIGHT = 16;
const STAT_IN_FLIGHT = 32;
const MODE_FILE_DEFAULT = 0o644;
const MODE_DIRECTORY_DEFAULT = 0o755;
const MODE_SYMLINK = S_IFLNK | 0o777;

export interface OpenOptions {
  /** Default `r`. */
  readonly access?: FileAccess;
  readonly create?: boolean;
  /** With `create`: EEXIST when the name is taken. */
  readonly exclusive?: boolean;
  readonly truncate?: boolean;
  /** Permission bits of a new file. */
  readonly mode?: number;
  /** Object class of a new file, e.g. `S1`. */
  readonly class?: string;
  /** Chunk size of a new file, bytes. */
  readonly chunkSize?: number;
}

export interface MkdirOptions {
  readonly mode?: number;
  /** Object class of the folder's own object; its children do not inherit it. */
  readonly class?: string;
}

/** A name in a folder. `name` is the text; `rawName` the stored bytes, which need not be UTF-8. */
export interface DirectoryEntry {
  readonly name: string;
  readonly rawName: Buffer;
}

export interface DirectoryEntryPlus extends DirectoryEntry {
  readonly inode: Inode;
}

/** An entry as it was read: the inode and, of a symlink, its target. */
export interface FoundEntry {
  readonly inode: Inode;
  readonly target: Buffer | undefined;
}

/** An open folder: the functions that take a name in it. */
export class DfsDirectory extends DfsHandle {
  readonly object: DaosObject;

  constructor(
    fs: FileSystem,
    place: EntryPlace,
    opened: Inode,
    /** The folder it was reached through; undefined for the root. */
    readonly parent: DfsDirectory | undefined,
  ) {
    super(fs, place, opened);
    this.object = fs.openDirectoryObject(opened.oid);
  }

  /** Opens or creates a regular file. A create is one round trip; opening an existing file too. */
  async openFile(name: PathLike, options: OpenOptions = {}): Promise<DfsFile> {
    if (options.create) {
      const made = await this.createFile(name, options);
      if (made) return made;
    }
    const found = await this.find(name, 'open');
    if (!found) throw new DfsError('ENOENT', 'open', this.entryPlace(name, 'open').path);
    return this.openFound(name, found, options);
  }

  /** Creates a file in one round trip; undefined when the name is taken, EEXIST then with `exclusive`. */
  async createFile(name: PathLike, options: OpenOptions = {}): Promise<DfsFile | undefined> {
    const entry = this.entryPlace(name, 'open');
    this.fs.requireWritable('open', entry.path);
    return dfsCall('open', entry.path, async () => {
      const inode = await this.newFileInode(options);
      try {
        await entryInsert(this.object, entry.name, inode);
      } catch (error) {
        if (isDaosError(error, 'EXIST') && !options.exclusive) return undefined;
        throw error;
      }
      return new DfsFile(this.fs, entry, inode, options.access ?? 'r');
    });
  }

  /** Opens a regular file whose entry was just read. EINVAL when it is something else. */
  async openFound(name: PathLike, found: FoundEntry, options: OpenOptions = {}): Promise<DfsFile> {
    const entry = this.entryPlace(name, 'open');
    const access = options.access ?? 'r';
    if (options.truncate || access !== 'r') this.fs.requireWritable('open', entry.path);
    if ((found.inode.mode & S_IFMT) !== S_IFREG) throw new DfsError('EINVAL', 'open', entry.path, 'not a regular file');
    const file = new DfsFile(this.fs, entry, found.inode, access);
    if (options.truncate) await file.truncate(0);
    return file;
  }

  /** The entry of a name, with a symlink's target; undefined when there is none. One round trip. */
  async find(name: PathLike, syscall: string): Promise<FoundEntry | undefined> {
    const entry = this.entryPlace(name, syscall);
    return dfsCall(syscall, entry.path, () => entryFetchWithTarget(this.object, entry.name));
  }

  /**
   * Stores a whole file: data and entry travel at once, so a small file costs one round-trip time. An existing file
   * keeps its identity and is overwritten (EEXIST with `exclusive`).
   */
  async writeFile(name: PathLike, data: Uint8Array, options: OpenOptions = {}): Promise<void> {
    const entry = this.entryPlace(name, 'writeFile');
    this.fs.requireWritable('writeFile', entry.path);
    await dfsCall('writeFile', entry.path, async () => {
      const inode = await this.newFileInode(options);
      const file = new DfsFile(this.fs, entry, inode, 'w');
      const [inserted, written] = await Promise.allSettled([entryInsert(this.object, entry.name, inode), file.write(data, 0)]);
      if (inserted.status === 'fulfilled' && written.status === 'fulfilled') return file.close();
      await this.dropUnnamed(inode.oid);
      await file.close();
      if (inserted.status === 'fulfilled') {
        await entryRemove(this.object, entry.name);
        throw (written as PromiseRejectedResult).reason;
      }
      if (!isDaosError(inserted.reason, 'EXIST') || options.exclusive) throw inserted.reason;
      await this.overwrite(name, data);
    });
  }

  /** EEXIST when the name is taken, whatever it names. */
  async mkdir(name: PathLike, options: MkdirOptions = {}): Promise<DfsDirectory> {
    const entry = this.entryPlace(name, 'mkdir');
    this.fs.requireWritable('mkdir', entry.path);
    return dfsCall('mkdir', entry.path, async () => {
      const inode: Inode = {
        ...newInode(S_IFDIR | permissions(options.mode ?? MODE_DIRECTORY_DEFAULT)),
        oid: await this.fs.newDirectoryOid(this.opened, options.class),
        chunkSize: this.opened.chunkSize,
        objectClass: this.opened.objectClass,
      };
      await entryInsert(this.object, entry.name, inode);
      return new DfsDirectory(this.fs, entry, inode, this);
    });
  }

  /** EINVAL for an empty or too long target, EEXIST when the name is taken. */
  async symlink(name: PathLike, target: PathLike): Promise<void> {
    const entry = this.entryPlace(name, 'symlink');
    this.fs.requireWritable('symlink', entry.path);
    const bytes = toBytes(target);
    if (bytes.length === 0 || bytes.length > SYMLINK_TARGET_BYTES_MAX || bytes.includes(0)) {
      throw new DfsError('EINVAL', 'symlink', entry.path, `a target has 1 to ${SYMLINK_TARGET_BYTES_MAX} bytes without NUL`);
    }
    await dfsCall('symlink', entry.path, async () => {
      const inode = { ...newInode(MODE_SYMLINK), oid: await this.fs.newDirectoryOid(this.opened), valueLength: bytes.length };
      await entryInsert(this.object, entry.name, inode, bytes);
    });
  }

  /** Opens whatever the name names; does not follow a symlink. */
  async lookup(name: PathLike, access: FileAccess = 'r'): Promise<DfsDirectory | DfsFile | DfsSymlink> {
    const found = await this.find(name, 'lookup');
    if (!found) throw new DfsError('ENOENT', 'lookup', this.entryPlace(name, 'lookup').path);
    return this.handleOf(this.entryPlace(name, 'lookup'), found, access);
  }

  /** A second handle of this folder, to be closed on its own. */
  duplicate(): DfsDirectory {
    return new DfsDirectory(this.fs, this.place, this.opened, this.parent);
  }

  /**
   * Removes an entry and its object. ENOTEMPTY for a folder with entries, unless `force`, which removes them too.
   * Returns the id of the removed object.
   */
  async remove(name: PathLike, options: { force?: boolean } = {}): Promise<ObjectId> {
    const entry = this.entryPlace(name, 'remove');
    this.fs.requireWritable('remove', entry.path);
    return dfsCall('remove', entry.path, async () => {
      const inode = await entryFetch(this.object, entry.name);
      if (!inode) throw new DfsError('ENOENT', 'remove', entry.path);
      if (isDirectory(inode)) await this.emptyFolder(entry, inode, options.force === true);
      await this.punchData(inode);
      await entryRemove(this.object, entry.name);
      return inode.oid;
    });
  }

  /**
   * Renames to `newName` in `to`; a replaced entry's object is removed. Renaming to itself does nothing. EINVAL for a
   * folder below itself, EISDIR / ENOTDIR for a mixed replacement, ENOTEMPTY for a folder with entries, EEXIST with
   * `noReplace`. A crash leaves the old name, the new one, or both, never none.
   */
  async rename(name: PathLike, to: DfsDirectory, newName: PathLike, options: { noReplace?: boolean } = {}): Promise<void> {
    const from = this.entryPlace(name, 'rename');
    const target = to.entryPlace(newName, 'rename');
    this.fs.requireWritable('rename', from.path);
    await dfsCall('rename', from.path, async () => {
      const moved = await entryFetchWhole(this.object, from.name);
      if (!moved) throw new DfsError('ENOENT', 'rename', from.path);
      if (objectIdEquals(this.oid, to.oid) && from.name.equals(target.name)) return;
      if (isDirectory(moved.inode)) to.refuseBelow(moved.inode.oid, from.path);
      const renamed: WholeEntry = { ...moved, inode: { ...moved.inode, ctimeNs: nowNs() } };
      const replaced = await to.placeEntry(target, renamed, options.noReplace === true);
      await entryRemove(this.object, from.name);
      if (replaced && !objectIdEquals(replaced.oid, moved.inode.oid)) await this.punchData(replaced);
    });
  }

  /** Swaps what two names name, with their attributes. EINVAL when one of them does not exist. */
  async exchange(name: PathLike, other: DfsDirectory, otherName: PathLike): Promise<void> {
    const a = this.entryPlace(name, 'exchange');
    const b = other.entryPlace(otherName, 'exchange');
    this.fs.requireWritable('exchange', a.path);
    await dfsCall('exchange', a.path, async () => {
      const [first, second] = await Promise.all([entryFetchWhole(this.object, a.name), entryFetchWhole(other.object, b.name)]);
      if (!first || !second) throw new DfsError('EINVAL', 'exchange', first ? b.path : a.path, 'no such entry');
      if (objectIdEquals(first.inode.oid, second.inode.oid)) return;
      if (isDirectory(first.inode)) other.refuseBelow(first.inode.oid, a.path);
      if (isDirectory(second.inode)) this.refuseBelow(second.inode.oid, b.path);
      await this.swap(a, first, other, b, second);
    });
  }

  /** Names in the folder, in the store's order. Entries that come or go meanwhile may or may not appear. */
  async *readdir(): AsyncGenerator<DirectoryEntry> {
    let anchor: Uint8Array | undefined;
    do {
      const page = await dfsCall('readdir', this.path, () => this.object.listDkeys(undefined, { limit: READDIR_PAGE, ...(anchor ? { anchor } : {}) }));
      for (const key of page.items) {
        const rawName = Buffer.from(key);
        yield { name: rawName.toString(), rawName };
      }
      anchor = page.next;
    } while (anchor);
  }

  /** As `readdir`, with the inode of each entry; entries removed meanwhile are left out. */
  async *readdirPlus(): AsyncGenerator<DirectoryEntryPlus> {
    let batch: DirectoryEntry[] = [];
    for await (const entry of this.readdir()) {
      batch.push(entry);
      if (batch.length < STAT_IN_FLIGHT) continue;
      yield* this.withInodes(batch);
      batch = [];
    }
    yield* this.withInodes(batch);
  }

  async close(): Promise<void> {
    await this.object.close();
  }

  /** Where a name of this folder stands. Throws EINVAL or ENOTSUP for a bad name. */
  entryPlace(name: PathLike, syscall: string): EntryPlace {
    const bytes = nameBytes(name, syscall);
    return { folder: this.object, name: bytes, path: `${this.path === '/' ? '' : this.path}/${pathText(name)}` };
  }

  /** Handle of an entry that was just read. */
  handleOf(entry: EntryPlace, { inode, target }: FoundEntry, access: FileAccess): DfsDirectory | DfsFile | DfsSymlink {
    switch (inode.mode & S_IFMT) {
      case S_IFDIR:
        return new DfsDirectory(this.fs, entry, inode, this);
      case S_IFREG:
        return new DfsFile(this.fs, entry, inode, access);
      case S_IFLNK:
        return new DfsSymlink(this.fs, entry, inode, target ?? Buffer.alloc(0));
      default:
        throw new DfsError('EINVAL', 'lookup', entry.path, `mode 0${inode.mode.toString(8)} is of no known file type`);
    }
  }

  protected async statOf(inode: Inode): Promise<DfsStat> {
    return statOfDirectory(inode, await this.maxEpoch());
  }

  protected maxEpoch(): Promise<bigint> {
    return this.object.queryMaxEpoch(undefined);
  }

  protected async resize(): Promise<void> {
    throw new DfsError('EIO', 'setattr', this.path, 'only files have a size that can be set');
  }

  private async *withInodes(batch: readonly DirectoryEntry[]): AsyncGenerator<DirectoryEntryPlus> {
    const inodes = await dfsCall('readdir', this.path, () => Promise.all(batch.map((entry) => entryFetch(this.object, entry.rawName))));
    for (const [i, entry] of batch.entries()) {
      const inode = inodes[i];
      if (inode) yield { ...entry, inode };
    }
  }

  private async newFileInode(options: OpenOptions): Promise<Inode> {
    return {
      ...newInode(S_IFREG | permissions(options.mode ?? MODE_FILE_DEFAULT)),
      oid: await this.fs.newFileOid(this.opened, options.class),
      chunkSize: options.chunkSize ?? this.opened.chunkSize,
    };
  }

  private async overwrite(name: PathLike, data: Uint8Array): Promise<void> {
    const file = await this.openFile(name, { access: 'w' });
    try {
      await file.truncate(0);
      await file.write(data, 0);
    } finally {
      await file.close();
    }
  }

  /** Puts an entry at a name, in place of what is there. Returns the replaced inode. */
  private async placeEntry(entry: EntryPlace, whole: WholeEntry, noReplace: boolean): Promise<Inode | undefined> {
    const existing = await entryFetch(this.object, entry.name);
    if (!existing) {
      await entryWriteWhole(this.object, entry.name, whole, 'insert');
      return undefined;
    }
    if (noReplace) throw new DfsError('EEXIST', 'rename', entry.path);
    await this.checkReplaceable(entry, existing, whole.inode);
    await entryWriteWhole(this.object, entry.name, whole, 'replace');
    return existing;
  }

  private async checkReplaceable(entry: EntryPlace, existing: Inode, moved: Inode): Promise<void> {
    if (isDirectory(existing) && !isDirectory(moved)) throw new DfsError('EISDIR', 'rename', entry.path);
    if (!isDirectory(existing) && isDirectory(moved)) throw new DfsError('ENOTDIR', 'rename', entry.path);
    if (isDirectory(existing)) await this.emptyFolder(entry, existing, false);
  }

  private async swap(a: EntryPlace, first: WholeEntry, other: DfsDirectory, b: EntryPlace, second: WholeEntry): Promise<void> {
    const now = nowNs();
    const kept = Buffer.from(`.exchange-${randomBytes(8).toString('hex')}`);
    await entryWriteWhole(this.object, kept, first, 'insert');
    await entryWriteWhole(this.object, a.name, { ...second, inode: { ...second.inode, ctimeNs: now } }, 'replace');
    await entryWriteWhole(other.object, b.name, { ...first, inode: { ...first.inode, ctimeNs: now } }, 'replace');
    await entryRemove(this.object, kept);
  }

  /** EINVAL when this folder is, or lies below, the folder with the given id. */
  private refuseBelow(oid: ObjectId, path: string): void {
    if (objectIdEquals(this.oid, oid)) throw new DfsError('EINVAL', 'rename', path, 'a folder cannot move below itself');
    this.parent?.refuseBelow(oid, path);
  }

  private async emptyFolder(entry: EntryPlace, inode: Inode, force: boolean): Promise<void> {
    const folder = new DfsDirectory(this.fs, entry, inode, this);
    try {
      if (!force) {
        for await (const _ of folder.readdir()) throw new DfsError('ENOTEMPTY', 'remove', entry.path);
        return;
      }
      await forEachLimit(folder.readdir(), REMOVE_IN_FLIGHT, async ({ rawName }) => {
        await folder.remove(rawName, { force: true }).catch((error: unknown) => {
          if (!(error instanceof DfsError && error.code === 'ENOENT')) throw error;
        });
      });
    } finally {
      await folder.close();
    }
  }

  /** Punches an entry's object. A symlink has none. */
  private async punchData(inode: Inode): Promise<void> {
    if ((inode.mode & S_IFMT) !== S_IFLNK) await this.dropUnnamed(inode.oid);
  }

  private async dropUnnamed(oid: ObjectId): Promise<void> {
    const object = this.fs.openDirectoryObject(oid);
    try {
      await object.punch(undefined);
    } catch (error) {
      if (!isMissing(error)) throw error;
    } finally {
      await object.close();
    }
  }
}

function newInode(mode: number): Inode {
  const now = nowNs();
  return {
    mode,
    oid: { hi: 0n, lo: 0n },
    mtimeNs: now,
    ctimeNs: now,
    chunkSize: 0,
    objectClass: 0,
    uid: effectiveUid(),
    gid: effectiveGid(),
    valueLength: 0,
    objectHlc: 0n,
  };
}

function isDirectory(inode: Inode): boolean {
  return (inode.mode & S_IFMT) === S_IFDIR;
}

function permissions(mode: number): number {
  return mode & 0o7777;
}
