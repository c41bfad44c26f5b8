import { closeSync, constants, fchmodSync, openSync, writeSync, type Stats } from 'node:fs';
import { chmod, lstat, mkdir, open, opendir, readlink, symlink, type FileHandle } from 'node:fs/promises';

import type { NodeKind, SourceFile, TargetFile, TreeFolder, TreeNode } from './folder.js';

const SLASH = Buffer.from('/');
const PERMISSION_BITS = 0o7777;
const WRITE_BIT = 0o200;
/** A symlink where a file is to be made is an error, not a detour. */
const CREATE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW;
/** Bits that the process leaves out of what it creates; asked once, because asking sets it. */
let umask: number | undefined;

/** A folder on this host. */
export class LocalFolder implements TreeFolder {
  constructor(private readonly bytes: Buffer) {}

  static at(path: string): LocalFolder {
    return new LocalFolder(Buffer.from(path));
  }

  get path(): string {
    return this.bytes.toString();
  }

  async *nodes(): AsyncGenerator<TreeNode> {
    // Node's types do not know that names can be bytes here.
    const folder = await opendir(this.bytes as unknown as string, { encoding: 'buffer' as BufferEncoding });
    for await (const entry of folder) {
      const found = await this.node(entry.name as unknown as Buffer);
      if (found) yield found;
    }
  }

  async node(name: Buffer): Promise<TreeNode | undefined> {
    try {
      const found = await lstat(this.child(name));
      return { name, kind: kindOf(found), mode: found.mode & PERMISSION_BITS, size: found.size };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async openFolder(node: TreeNode): Promise<TreeFolder> {
    return Promise.resolve(new LocalFolder(this.child(node.name)));
  }

  async openSource(node: TreeNode): Promise<SourceFile> {
    return new LocalFile(await open(this.child(node.name), constants.O_RDONLY | constants.O_NOFOLLOW));
  }

  readLink(node: TreeNode): Promise<Buffer> {
    return readlink(this.child(node.name), { encoding: 'buffer' });
  }

  /**
   * Small files are written synchronously: five short system calls cost less than five trips through the thread pool,
   * and nothing waits for the disk, because nothing is flushed.
   */
  storeFile(name: Buffer, data: Uint8Array, mode: number): Promise<void> {
    return Promise.resolve().then(() => {
      const path = this.child(name);
      const { fd, isNew } = openTargetSync(path, mode);
      try {
        for (let done = 0; done < data.length; ) done += writeSync(fd, data, done, data.length - done);
        if (!isNew || needsChmod(mode)) fchmodSync(fd, mode);
      } finally {
        closeSync(fd);
      }
    });
  }

  async createFile(name: Buffer, mode: number): Promise<TargetFile> {
    const file = await open(this.child(name), CREATE_FLAGS | constants.O_TRUNC, mode | WRITE_BIT);
    // What the umask took away, the write permission that was only for now, or an existing file's old mode.
    await file.chmod(mode);
    return new LocalFile(file);
  }

  async makeFolder(name: Buffer, mode: number): Promise<TreeFolder> {
    const path = this.child(name);
    try {
      await mkdir(path, { mode });
      if (needsChmod(mode)) await chmod(path, mode);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const found = await this.node(name);
      if (found?.kind !== 'directory') throw notFolder(path);
    }
    return new LocalFolder(path);
  }

  async makeLink(name: Buffer, target: Buffer): Promise<void> {
    try {
      await symlink(target, this.child(name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }

  setMode(name: Buffer, mode: number): Promise<void> {
    return chmod(this.child(name), mode);
  }

  async close(): Promise<void> {
    // A local folder is only a path.
  }

  private child(name: Buffer): Buffer {
    return this.bytes.equals(SLASH) ? Buffer.concat([SLASH, name]) : Buffer.concat([this.bytes, SLASH, name]);
  }
}

class LocalFile implements SourceFile, TargetFile {
  constructor(private readonly file: FileHandle) {}

  async read(into: Uint8Array, offset: number): Promise<number> {
    let done = 0;
    while (done < into.length) {
      const { bytesRead } = await this.file.read(into, done, into.length - done, offset + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  }

  async write(data: Uint8Array, offset: number): Promise<void> {
    let done = 0;
    while (done < data.length) {
      const { bytesWritten } = await this.file.write(data, done, data.length - done, offset + done);
      done += bytesWritten;
    }
  }

  async size(): Promise<number> {
    return (await this.file.stat()).size;
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

function kindOf(found: Stats): NodeKind {
  if (found.isFile()) return 'file';
  if (found.isDirectory()) return 'directory';
  return found.isSymbolicLink() ? 'symlink' : 'other';
}

/** Opens a file for writing; a new one has its mode already, but for the umask. */
function openTargetSync(path: Buffer, mode: number): { fd: number; isNew: boolean } {
  try {
    return { fd: openSync(path, CREATE_FLAGS | constants.O_EXCL, mode), isNew: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return { fd: openSync(path, CREATE_FLAGS | constants.O_TRUNC, mode), isNew: false };
  }
}

function needsChmod(mode: number): boolean {
  umask ??= process.umask();
  return (mode & umask) !== 0 || (mode & 0o7000) !== 0;
}

function notFolder(path: Buffer): Error {
  return Object.assign(new Error(`ENOTDIR: ${path.toString()} is not a folder`), { code: 'ENOTDIR', path: path.toString() });
}
