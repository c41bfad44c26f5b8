import { DfsDirectory, DfsError, DfsFile, DfsSymlink, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, isDfsError, type Inode } from '@daos/dfs';

import type { NodeKind, SourceFile, TargetFile, TreeFolder, TreeNode } from './folder.js';

const PERMISSION_BITS = 0o7777;

/** What a container's folder knows of an entry: enough to open it without asking again. */
interface DfsNode extends TreeNode {
  readonly inode: Inode;
}

/** A folder in a POSIX container. */
export class DfsFolder implements TreeFolder {
  constructor(
    private readonly folder: DfsDirectory,
    /** The mount's root belongs to the mount. */
    private readonly borrowed = false,
  ) {}

  get path(): string {
    return this.folder.path;
  }

  async *nodes(): AsyncGenerator<TreeNode> {
    for await (const { rawName, inode } of this.folder.readdirPlus()) yield nodeOf(rawName, inode);
  }

  async node(name: Buffer): Promise<TreeNode | undefined> {
    try {
      const found = await this.folder.lookup(name);
      try {
        const { mode, size } = await found.stat();
        return { name, kind: kindOf(mode), mode: mode & PERMISSION_BITS, size: Number(size) };
      } finally {
        await found.close();
      }
    } catch (error) {
      if (isDfsError(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  async openFolder(node: TreeNode): Promise<TreeFolder> {
    const found = await this.open(node);
    if (found instanceof DfsDirectory) return new DfsFolder(found);
    throw new DfsError('ENOTDIR', 'opendir', found.path);
  }

  async openSource(node: TreeNode): Promise<SourceFile> {
    const found = await this.open(node);
    if (found instanceof DfsFile) return new DfsSource(found);
    throw new DfsError('EISDIR', 'open', found.path);
  }

  async readLink(node: TreeNode): Promise<Buffer> {
    // The listing does not carry targets.
    const found = await this.folder.lookup(node.name);
    if (found instanceof DfsSymlink) return found.target;
    throw new DfsError('EINVAL', 'readlink', found.path);
  }

  storeFile(name: Buffer, data: Uint8Array, mode: number): Promise<void> {
    return this.folder.writeFile(name, data, { mode });
  }

  createFile(name: Buffer, mode: number): Promise<TargetFile> {
    return this.folder.openFile(name, { access: 'w', create: true, truncate: true, mode });
  }

  async makeFolder(name: Buffer, mode: number): Promise<TreeFolder> {
    try {
      return new DfsFolder(await this.folder.mkdir(name, { mode }));
    } catch (error) {
      if (!isDfsError(error, 'EEXIST')) throw error;
      const found = await this.folder.lookup(name, 'rw');
      if (found instanceof DfsDirectory) return new DfsFolder(found);
      throw new DfsError('ENOTDIR', 'mkdir', found.path, 'a file of this name exists', { cause: error });
    }
  }

  async makeLink(name: Buffer, target: Buffer): Promise<void> {
    try {
      await this.folder.symlink(name, target);
    } catch (error) {
      if (!isDfsError(error, 'EEXIST')) throw error;
    }
  }

  async setMode(name: Buffer, mode: number): Promise<void> {
    const found = await this.folder.lookup(name, 'rw');
    try {
      await found.chmod(mode);
    } finally {
      await found.close();
    }
  }

  async close(): Promise<void> {
    if (!this.borrowed) await this.folder.close();
  }

  private open(node: TreeNode): Promise<DfsDirectory | DfsFile | DfsSymlink> {
    if (!isDfsNode(node)) return this.folder.lookup(node.name);
    return Promise.resolve(this.folder.handleOf(this.folder.entryPlace(node.name, 'open'), { inode: node.inode, target: undefined }, 'r'));
  }
}

class DfsSource implements SourceFile {
  constructor(private readonly file: DfsFile) {}

  read(into: Uint8Array, offset: number): Promise<number> {
    return this.file.read(into, offset);
  }

  async size(): Promise<number> {
    return Number(await this.file.size());
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

function nodeOf(name: Buffer, inode: Inode): DfsNode {
  return { name, kind: kindOf(inode.mode), mode: inode.mode & PERMISSION_BITS, size: undefined, inode };
}

function isDfsNode(node: TreeNode): node is DfsNode {
  return 'inode' in node;
}

function kindOf(mode: number): NodeKind {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return 'file';
    case S_IFDIR:
      return 'directory';
    case S_IFLNK:
      return 'symlink';
    default:
      return 'other';
  }
}
