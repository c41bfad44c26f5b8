import type { Container } from '@daos/client';
import { objectClassName, objectIdClass, objectIdType } from '@daos/common';
import { LruMap } from '@daos/gurt';

import {
  DfsDirectory,
  type DirectoryEntry,
  type DirectoryEntryPlus,
  type FoundEntry,
  type MkdirOptions,
  type OpenOptions,
} from './directory.js';
import { entryFetchWithTarget } from './entry.js';
import { DfsError, dfsCall } from './error.js';
import type { DfsFile } from './file.js';
import type { FileSystem } from './file_system.js';
import type { AttributeChange } from './handle.js';
import { OTYPE_DIRECTORY, OTYPE_FILE, S_IFDIR, S_IFLNK, S_IFMT, SYMLINK_DEPTH_MAX } from './layout.js';
import { isDotDot, pathComponents, pathText, splitComponents, toBytes, type PathLike } from './name.js';
import type { DfsStat } from './stat.js';
import { DfsSymlink } from './symlink.js';

/** Open folders that a mount keeps, so that a path costs one round trip and not one per component. */
const FOLDERS_CACHED_MAX = 4096;
const SLASH = 0x2f;

/** A folder and a name in it, or the root itself (`name` undefined). */
interface Leaf {
  readonly folder: DfsDirectory;
  readonly name: Buffer | undefined;
  /** The name's entry, when the walk has just read it. */
  readonly found?: FoundEntry;
}

/** What one component of a path leads to. */
type Step = { readonly folder: DfsDirectory; readonly found?: FoundEntry } | { readonly link: Buffer } | { readonly found: FoundEntry | undefined };

/** Defaults of a container's new entries. */
export interface DfsDefaults {
  /** Bytes. */
  readonly chunkSize: number;
  /** Common class that was asked for; undefined when classes are chosen automatically. */
  readonly objectClass: string | undefined;
  readonly directoryClass: string;
  readonly fileClass: string;
}

export interface AccessMask {
  readonly read?: boolean;
  readonly write?: boolean;
  readonly execute?: boolean;
}

/**
 * A mounted file system, by path. Paths are absolute; symlinks in the middle are followed, at the end where POSIX does.
 * Folders are cached for speed: one that another client removed is noticed at the next call that reads its entry.
 */
export class Dfs {
  private readonly folders = new LruMap<string, DfsDirectory>(FOLDERS_CACHED_MAX);

  constructor(
    private readonly fs: FileSystem,
    readonly root: DfsDirectory,
  ) {}

  get container(): Container {
    return this.fs.container;
  }
  get writable(): boolean {
    return this.fs.writable;
  }
  /** Chunk size of files that choose none, bytes. */
  get chunkSize(): number {
    return this.fs.superblock.chunkSize;
  }

  /** What new entries get: class names as they come out in this container, and the chunk size of files. */
  defaults(): DfsDefaults {
    const { chunkSize, objectClass, directoryClass, fileClass } = this.fs.superblock;
    return {
      chunkSize,
      objectClass: objectClass === 0 ? undefined : objectClassName(objectClass),
      directoryClass: this.resolvedClass(OTYPE_DIRECTORY, directoryClass),
      fileClass: this.resolvedClass(OTYPE_FILE, fileClass),
    };
  }

  /** Opens or creates a regular file; a symlink at the end is followed. A create costs one round trip. */
  async open(path: PathLike, options: OpenOptions = {}): Promise<DfsFile> {
    if (options.create) {
      const { folder, name } = await this.leaf(path, 'open');
      const made = await folder.createFile(this.required(name, 'open', path), options);
      if (made) return made;
    }
    const { folder, name, found } = await this.followed(path, 'open', options.create === true);
    const leaf = this.required(name, 'open', path);
    return found ? folder.openFound(leaf, found, options) : folder.openFile(leaf, options);
  }

  /** Stores a whole file in the fewest round trips. */
  async writeFile(path: PathLike, data: Uint8Array, options: OpenOptions = {}): Promise<void> {
    const { folder, name } = await this.leaf(path, 'writeFile');
    await folder.writeFile(this.required(name, 'writeFile', path), data, options);
  }

  /** The whole content of a file. */
  async readFile(path: PathLike): Promise<Buffer> {
    const file = await this.open(path);
    try {
      const content = Buffer.alloc(Number(await file.size()));
      return content.subarray(0, await file.read(content, 0));
    } finally {
      await file.close();
    }
  }

  async mkdir(path: PathLike, options: MkdirOptions & { recursive?: boolean } = {}): Promise<void> {
    if (options.recursive) return this.mkdirRecursive(path, options);
    const { folder, name } = await this.leaf(path, 'mkdir');
    if (!name) throw new DfsError('EEXIST', 'mkdir', pathText(path));
    const made = await folder.mkdir(name, options);
    this.folders.set(folderKey(folder, name), made);
  }

  async symlink(target: PathLike, path: PathLike): Promise<void> {
    const { folder, name } = await this.leaf(path, 'symlink');
    if (!name) throw new DfsError('EEXIST', 'symlink', pathText(path));
    await folder.symlink(name, target);
  }

  /** EINVAL when the path names no symlink. */
  async readlink(path: PathLike): Promise<string> {
    const handle = await this.lookup(path, { follow: false });
    if (handle instanceof DfsSymlink) return handle.target.toString();
    throw new DfsError('EINVAL', 'readlink', pathText(path), 'not a symlink');
  }

  /** Opens whatever the path names. `follow` (default true): a symlink at the end is followed. Close the handle. */
  async lookup(path: PathLike, options: { follow?: boolean; access?: 'r' | 'w' | 'rw' } = {}): Promise<DfsDirectory | DfsFile | DfsSymlink> {
    const { folder, name, found } =
      options.follow === false ? await this.leaf(path, 'lookup') : await this.followed(path, 'lookup', false);
    if (!name) return folder.duplicate();
    return found ? folder.handleOf(folder.entryPlace(name, 'lookup'), found, options.access ?? 'r') : folder.lookup(name, options.access);
  }

  /** Two round trips for a file in a known folder: its entry, then size and times of its data. */
  async stat(path: PathLike): Promise<DfsStat> {
    return this.statLeaf(await this.followed(path, 'stat', false), path);
  }

  /** As `stat`, of a symlink itself. */
  async lstat(path: PathLike): Promise<DfsStat> {
    return this.statLeaf(await this.leaf(path, 'stat'), path);
  }

  private async statLeaf(leaf: Leaf, path: PathLike): Promise<DfsStat> {
    const { folder, name } = leaf;
    if (!name) return folder.stat();
    const found = leaf.found ?? (await folder.find(name, 'stat'));
    if (!found) throw new DfsError('ENOENT', 'stat', pathText(path));
    const handle = folder.handleOf(folder.entryPlace(name, 'stat'), found, 'r');
    try {
      return await handle.statFrom(found.inode);
    } finally {
      await handle.close();
    }
  }

  async setAttributes(path: PathLike, change: AttributeChange): Promise<DfsStat> {
    return this.withHandle(path, { follow: true, access: 'rw' }, (handle) => handle.setAttributes(change));
  }
  private async changeAttributes(path: PathLike, change: AttributeChange): Promise<void> {
    await this.withHandle(path, { follow: true, access: 'rw' }, (handle) => handle.changeAttributes(change));
  }
  async chmod(path: PathLike, mode: number): Promise<void> {
    await this.changeAttributes(path, { mode });
  }
  /** `-1` keeps an id. `follow` false changes a symlink itself. */
  async chown(path: PathLike, uid: number, gid: number, options: { follow?: boolean } = {}): Promise<void> {
    if (uid === -1 && gid === -1) return;
    const change = { ...(uid === -1 ? {} : { uid }), ...(gid === -1 ? {} : { gid }) };
    await this.withHandle(path, { follow: options.follow !== false, access: 'rw' }, (handle) => handle.changeAttributes(change));
  }
  /** Sets mtime (Unix nanoseconds); it holds until the data change again. */
  async utimes(path: PathLike, mtimeNs: bigint): Promise<void> {
    await this.changeAttributes(path, { mtimeNs });
  }
  async truncate(path: PathLike, size: bigint): Promise<void> {
    await this.changeAttributes(path, { size });
  }

  /** ENOENT when it does not exist, EPERM for writing on a read-only mount, EACCES when permission bits forbid it. */
  async access(path: PathLike, mask: AccessMask = {}): Promise<void> {
    const stat = await this.stat(path);
    if (mask.write) this.fs.requireWritable('access', pathText(path));
    const mine = stat.uid === process.getuid?.() ? 6 : stat.gid === process.getgid?.() ? 3 : 0;
    const bits = (stat.mode >> mine) & 7;
    const wanted = (mask.read ? 4 : 0) | (mask.write ? 2 : 0) | (mask.execute ? 1 : 0);
    if ((bits & wanted) !== wanted) throw new DfsError('EACCES', 'access', pathText(path));
  }

  /** Removes a file, symlink or empty folder; `force` removes a folder with all it holds. EBUSY for the root. */
  async remove(path: PathLike, options: { force?: boolean } = {}): Promise<void> {
    const { folder, name } = await this.leaf(path, 'remove');
    if (!name) throw new DfsError('EBUSY', 'remove', pathText(path));
    const oid = await folder.remove(name, options);
    // Files are never cached: the scan of the cache is for what may have been a folder.
    if (objectIdType(oid) !== OTYPE_FILE) this.forgetBelow(folderKey(folder, name));
  }

  async rename(from: PathLike, to: PathLike, options: { noReplace?: boolean } = {}): Promise<void> {
    const [source, target] = [await this.leaf(from, 'rename'), await this.leaf(to, 'rename')];
    if (!source.name || !target.name) throw new DfsError('EBUSY', 'rename', pathText(source.name ? to : from));
    await source.folder.rename(source.name, target.folder, target.name, options);
    this.forgetBelow(folderKey(source.folder, source.name));
    this.forgetBelow(folderKey(target.folder, target.name));
  }

  async exchange(a: PathLike, b: PathLike): Promise<void> {
    const [first, second] = [await this.leaf(a, 'exchange'), await this.leaf(b, 'exchange')];
    if (!first.name || !second.name) throw new DfsError('EBUSY', 'exchange', pathText(first.name ? b : a));
    await first.folder.exchange(first.name, second.folder, second.name);
    this.forgetBelow(folderKey(first.folder, first.name));
    this.forgetBelow(folderKey(second.folder, second.name));
  }

  async *readdir(path: PathLike): AsyncGenerator<DirectoryEntry> {
    yield* (await this.directory(path, 'readdir')).readdir();
  }

  /** With each entry's inode (type, mode, owner). */
  async *readdirPlus(path: PathLike): AsyncGenerator<DirectoryEntryPlus> {
    yield* (await this.directory(path, 'readdir')).readdirPlus();
  }

  async setxattr(path: PathLike, name: string, value: Uint8Array, options: { create?: boolean; replace?: boolean } = {}): Promise<void> {
    await this.withHandle(path, { follow: true, access: 'rw' }, (handle) => handle.xattrs.set(name, value, options));
  }
  async getxattr(path: PathLike, name: string): Promise<Buffer> {
    return this.withHandle(path, { follow: true }, (handle) => handle.xattrs.get(name));
  }
  async removexattr(path: PathLike, name: string): Promise<void> {
    await this.withHandle(path, { follow: true, access: 'rw' }, (handle) => handle.xattrs.remove(name));
  }
  async listxattr(path: PathLike): Promise<string[]> {
    return this.withHandle(path, { follow: true }, (handle) => handle.xattrs.list());
  }

  /** Closes the mount's handles. The container stays open: it belongs to the caller. */
  async umount(): Promise<void> {
    for (const folder of this.folders.values()) await folder.close();
    this.folders.clear();
    await this.root.close();
    await this.root.place.folder.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.umount();
  }

  /** An open folder by path; symlinks are followed. Cached: do not close it. ENOTDIR when it is something else. */
  async directory(path: PathLike, syscall = 'opendir'): Promise<DfsDirectory> {
    const { folder, name } = await this.followed(path, syscall, false);
    return name ? this.childFolder(folder, name, syscall, pathText(path)) : folder;
  }

  private resolvedClass(type: number, classId: number): string {
    const create = classId === 0 ? {} : { class: objectClassName(classId) };
    return objectIdClass(this.fs.container.generateOid({ hi: 0n, lo: 0n }, type, create)).name;
  }

  private async mkdirRecursive(path: PathLike, options: MkdirOptions): Promise<void> {
    let folder = this.root;
    for (const part of pathComponents(path, 'mkdir')) {
      await folder.mkdir(part, options).then(
        (made) => this.folders.set(folderKey(folder, part), made),
        (error: unknown) => {
          if (!(error instanceof DfsError && error.code === 'EEXIST')) throw error;
        },
      );
      folder = await this.childFolder(folder, part, 'mkdir', pathText(path));
    }
  }

  private async withHandle<T>(
    path: PathLike,
    options: { follow: boolean; access?: 'r' | 'rw' },
    use: (handle: DfsDirectory | DfsFile | DfsSymlink) => Promise<T>,
  ): Promise<T> {
    if (options.access === 'rw') this.fs.requireWritable('setattr', pathText(path));
    const handle = await this.lookup(path, options);
    try {
      return await use(handle);
    } finally {
      await handle.close();
    }
  }

  private required(name: Buffer | undefined, syscall: string, path: PathLike): Buffer {
    if (!name) throw new DfsError('EISDIR', syscall, pathText(path));
    return name;
  }

  private leaf(path: PathLike, syscall: string): Promise<Leaf> {
    return this.walk(pathComponents(path, syscall), syscall, pathText(path), false, false);
  }

  /** As `leaf`, with symlinks at the end followed. `mayBeMissing`: the name need not exist. */
  private followed(path: PathLike, syscall: string, mayBeMissing: boolean): Promise<Leaf> {
    return this.walk(pathComponents(path, syscall), syscall, pathText(path), true, mayBeMissing);
  }

  /** Walks components from the root. Folders on the way come from the cache or cost one fetch each. */
  private async walk(components: Buffer[], syscall: string, path: string, followLeaf: boolean, mayBeMissing: boolean): Promise<Leaf> {
    let pending = components;
    let folder = this.root;
    for (let depth = 0; ; ) {
      const part = pending[0];
      if (!part) return { folder, name: undefined };
      const isLeaf = pending.length === 1;
      if (isDotDot(part)) {
        folder = folder.parent ?? this.root;
        pending = pending.slice(1);
        continue;
      }
      if (isLeaf && !followLeaf) return { folder, name: part };
      const step = await this.enter(folder, part, syscall, path, isLeaf, mayBeMissing);
      if ('link' in step) {
        if (++depth > SYMLINK_DEPTH_MAX) throw new DfsError('ELOOP', syscall, path);
        if (step.link[0] === SLASH) folder = this.root;
        pending = [...splitComponents(step.link), ...pending.slice(1)];
      } else if (isLeaf || !('folder' in step)) {
        return { folder, name: part, ...(step.found ? { found: step.found } : {}) };
      } else {
        folder = step.folder;
        pending = pending.slice(1);
      }
    }
  }

  /** Follows one component. Only a leaf may be a file, or, with `mayBeMissing`, nothing. */
  private async enter(folder: DfsDirectory, part: Buffer, syscall: string, path: string, isLeaf: boolean, mayBeMissing: boolean): Promise<Step> {
    const key = folderKey(folder, part);
    const cached = this.folders.get(key);
    if (cached) return { folder: cached };
    const entry = folder.entryPlace(part, syscall);
    const found = await dfsCall(syscall, path, () => entryFetchWithTarget(folder.object, entry.name));
    if (!found) {
      if (isLeaf && mayBeMissing) return { found: undefined };
      throw new DfsError('ENOENT', syscall, path);
    }
    const type = found.inode.mode & S_IFMT;
    if (type === S_IFLNK) return { link: toBytes(found.target ?? '') };
    if (type !== S_IFDIR) {
      if (isLeaf) return { found };
      throw new DfsError('ENOENT', syscall, path, `${entry.path} is not a folder`);
    }
    const opened = new DfsDirectory(this.fs, entry, found.inode, folder);
    this.folders.set(key, opened);
    return { folder: opened, found };
  }

  private async childFolder(folder: DfsDirectory, name: Buffer, syscall: string, path: string): Promise<DfsDirectory> {
    const step = await this.enter(folder, name, syscall, path, true, false);
    if ('folder' in step) return step.folder;
    throw new DfsError('ENOTDIR', syscall, path);
  }

  private forgetBelow(key: string): void {
    for (const cached of [...this.folders.keys()]) {
      if (cached === key || cached.startsWith(`${key}/`)) this.folders.delete(cached);
    }
  }
}

/** Cache key of a folder's child: its path as bytes, so that names of any encoding stay apart. */
function folderKey(folder: DfsDirectory, name: Buffer): string {
  const parts: string[] = [name.toString('latin1')];
  for (let at: DfsDirectory | undefined = folder; at?.parent; at = at.parent) parts.push(at.place.name.toString('latin1'));
  return `/${parts.reverse().join('/')}`;
}
