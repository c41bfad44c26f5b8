import { closeSync, openSync, readSync } from 'node:fs';

/** In the first page of every file of LMDB, little endian. */
const MAGIC = 0xbeefc0de;
const MAGIC_AT = 24;

/** What is at a path where an LMDB file is expected. */
export type LmdbFileState = 'missing' | 'empty' | 'lmdb' | 'other';

/**
 * LMDB maps what it is given and trusts it: a file that is none of its own ends the process. Look before opening one.
 * Throws what the file system throws, but ENOENT.
 */
export function lmdbFileState(path: string): LmdbFileState {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'missing';
    throw error;
  }
  try {
    const head = Buffer.alloc(MAGIC_AT + 4);
    const length = readSync(fd, head, 0, head.length, 0);
    if (length === 0) return 'empty';
    return length === head.length && head.readUInt32LE(MAGIC_AT) === MAGIC ? 'lmdb' : 'other';
  } finally {
    closeSync(fd);
  }
}
