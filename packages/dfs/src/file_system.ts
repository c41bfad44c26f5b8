import type { Container, DaosObject, ObjectCreateOptions } from '@daos/client';
import { objectClassName, type ObjectId } from '@daos/common';

import { DfsError } from './error.js';
import { OTYPE_DIRECTORY, OTYPE_FILE, type Inode, type Superblock } from './layout.js';
import { OidAllocator } from './oid_allocator.js';

/** What all handles of one mount share. */
export class FileSystem {
  private readonly oids: OidAllocator;

  constructor(
    readonly container: Container,
    readonly superblock: Superblock,
    readonly writable: boolean,
  ) {
    this.oids = new OidAllocator(() => container.allocOids(1));
  }

  /** EPERM on a read-only mount. */
  requireWritable(syscall: string, path: string): void {
    if (!this.writable) throw new DfsError('EPERM', syscall, path, 'the file system is mounted read-only');
  }

  openDirectoryObject(oid: ObjectId): DaosObject {
    return this.container.objOpen(oid, { mode: this.writable ? 'rw' : 'ro' });
  }

  /** Object id of a new child folder or symlink. */
  async newDirectoryOid(parent: Inode, className?: string): Promise<ObjectId> {
    const classId = parent.objectClass || this.superblock.directoryClass;
    return this.container.generateOid(await this.oids.next(), OTYPE_DIRECTORY, classOptions(classId, className));
  }

  /** Object id of a new file. */
  async newFileOid(parent: Inode, className?: string): Promise<ObjectId> {
    const classId = parent.objectClass || this.superblock.fileClass;
    return this.container.generateOid(await this.oids.next(), OTYPE_FILE, classOptions(classId, className));
  }

  /** Chunk size of a file: its own, else the container's default. */
  chunkSizeOf(inode: Inode): number {
    return inode.chunkSize || this.superblock.chunkSize;
  }
}

function classOptions(classId: number, className?: string): ObjectCreateOptions {
  if (className) return { class: className };
  return classId === 0 ? {} : { class: objectClassName(classId) };
}

/** Now, in Unix nanoseconds. */
export function nowNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}

export function effectiveUid(): number {
  return process.geteuid?.() ?? 0;
}

export function effectiveGid(): number {
  return process.getegid?.() ?? 0;
}
