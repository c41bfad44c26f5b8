import type { DaosObject, FetchIod, UpdateIod } from '@daos/client';
import { Cond, DaosError, isDaosError } from '@daos/common';

import {
  AKEY_INODE,
  AKEY_SYMLINK,
  INODE_BYTES,
  InodeOffset,
  S_IFLNK,
  S_IFMT,
  XATTR_PREFIX,
  decodeInode,
  encodeInode,
  splitTime,
  type Inode,
} from './layout.js';

/** Entries of one folder: each is a dkey of the folder's object, named by the child. One call is one round trip. */

const INODE_RECX = { idx: 0n, nr: BigInt(INODE_BYTES) };
const INODE_IOD: FetchIod = { akey: AKEY_INODE, type: 'array', recordSize: 1, recxs: [INODE_RECX] };

/** The inode of an entry, undefined when there is none. */
export async function entryFetch(folder: DaosObject, name: Buffer): Promise<Inode | undefined> {
  const [value] = await folder.fetch(undefined, name, [INODE_IOD]);
  return value === undefined || value.present.length === 0 ? undefined : decodeInode(value.data);
}

/** The inode and, in the same round trip, a symlink's target. */
export async function entryFetchWithTarget(folder: DaosObject, name: Buffer): Promise<{ inode: Inode; target: Buffer | undefined } | undefined> {
  const [value, link] = await folder.fetch(undefined, name, [INODE_IOD, { akey: AKEY_SYMLINK, type: 'single' }]);
  if (value === undefined || value.present.length === 0) return undefined;
  const inode = decodeInode(value.data);
  if ((inode.mode & S_IFMT) !== S_IFLNK) return { inode, target: undefined };
  if (link === undefined || link.size === 0 || link.size !== inode.valueLength) {
    throw new DaosError('IO', 'the stored symlink target does not have the length that its inode says');
  }
  return { inode, target: Buffer.from(link.data) };
}

/** Creates an entry. Exactly one of several concurrent callers succeeds; the others get DER_EXIST. */
export async function entryInsert(folder: DaosObject, name: Buffer, inode: Inode, target?: Buffer): Promise<void> {
  const iods: UpdateIod[] = [{ akey: AKEY_INODE, type: 'array', recordSize: 1, recxs: [INODE_RECX], value: encodeInode(inode) }];
  if (target) iods.push({ akey: AKEY_SYMLINK, type: 'single', value: target });
  await folder.update(undefined, name, iods, { flags: Cond.DKEY_INSERT });
}

/** Removes an entry with its xattrs. DER_NONEXIST when somebody else was faster. */
export async function entryRemove(folder: DaosObject, name: Buffer): Promise<void> {
  await folder.punchDkey(undefined, name, { flags: Cond.PUNCH });
}

/** Fields of an inode that can change in place. */
export interface InodeChange {
  readonly mode?: number;
  readonly mtimeNs?: bigint;
  readonly ctimeNs?: bigint;
  readonly chunkSize?: number;
  readonly objectClass?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly objectHlc?: bigint;
}

/** Writes the changed fields of an entry's inode in one conditional update. DER_NONEXIST when the entry is gone. */
export async function entryChange(folder: DaosObject, name: Buffer, change: InodeChange): Promise<void> {
  const fields = changedFields(change);
  if (fields.length === 0) return;
  const iod: UpdateIod = {
    akey: AKEY_INODE,
    type: 'array',
    recordSize: 1,
    recxs: fields.map(({ offset, bytes }) => ({ idx: BigInt(offset), nr: BigInt(bytes.length) })),
    value: Buffer.concat(fields.map(({ bytes }) => bytes)),
  };
  await folder.update(undefined, name, [iod], { flags: Cond.DKEY_UPDATE });
}

function changedFields(change: InodeChange): { offset: number; bytes: Buffer }[] {
  const fields: { offset: number; bytes: Buffer }[] = [];
  const add32 = (offset: number, value: number | undefined) => {
    if (value === undefined) return;
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    fields.push({ offset, bytes });
  };
  const add64 = (offset: number, value: bigint | undefined) => {
    if (value === undefined) return;
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
    fields.push({ offset, bytes });
  };
  const mtime = change.mtimeNs === undefined ? undefined : splitTime(change.mtimeNs);
  const ctime = change.ctimeNs === undefined ? undefined : splitTime(change.ctimeNs);
  add32(InodeOffset.MODE, change.mode);
  add64(InodeOffset.MTIME, mtime?.sec);
  add64(InodeOffset.CTIME, ctime?.sec);
  add64(InodeOffset.CHUNK, change.chunkSize === undefined ? undefined : BigInt(change.chunkSize));
  add32(InodeOffset.CLASS, change.objectClass);
  add64(InodeOffset.MTIME_NSEC, mtime?.nsec);
  add64(InodeOffset.CTIME_NSEC, ctime?.nsec);
  add32(InodeOffset.UID, change.uid);
  add32(InodeOffset.GID, change.gid);
  add64(InodeOffset.HLC, change.objectHlc);
  return fields;
}

/** True for the error of a condition that found nothing. */
export function isMissing(error: unknown): boolean {
  return isDaosError(error, 'NONEXIST', 'ENOENT');
}

/** All that an entry holds: what a rename carries along. */
export interface WholeEntry {
  readonly inode: Inode;
  readonly target: Buffer | undefined;
  /** Akeys (with prefix) and values of the extended attributes. */
  readonly xattrs: readonly { readonly akey: Buffer; readonly value: Buffer }[];
}

/** Everything below an entry, undefined when there is none. */
export async function entryFetchWhole(folder: DaosObject, name: Buffer): Promise<WholeEntry | undefined> {
  const entry = await entryFetchWithTarget(folder, name);
  if (!entry) return undefined;
  const akeys = await xattrAkeys(folder, name);
  if (akeys.length === 0) return { ...entry, xattrs: [] };
  const values = await folder.fetch(undefined, name, akeys.map((akey) => ({ akey, type: 'single' as const })));
  return { ...entry, xattrs: akeys.map((akey, i) => ({ akey, value: Buffer.from(values[i]?.data ?? []) })) };
}

/** Writes a whole entry in one update: a new name (`insert`), or in place of what the name holds (`replace`). */
export async function entryWriteWhole(folder: DaosObject, name: Buffer, entry: WholeEntry, how: 'insert' | 'replace'): Promise<void> {
  const iods: UpdateIod[] = [
    { akey: AKEY_INODE, type: 'array', recordSize: 1, recxs: [INODE_RECX], value: encodeInode(entry.inode) },
    ...(entry.target ? [{ akey: AKEY_SYMLINK, type: 'single' as const, value: entry.target }] : []),
    ...entry.xattrs.map(({ akey, value }) => ({ akey, type: 'single' as const, value })),
  ];
  await folder.update(undefined, name, iods, { flags: how === 'insert' ? Cond.DKEY_INSERT : Cond.DKEY_UPDATE });
  if (how === 'replace') await punchStaleAkeys(folder, name, new Set(iods.map((iod) => Buffer.from(iod.akey).toString('latin1'))));
}

async function punchStaleAkeys(folder: DaosObject, name: Buffer, kept: ReadonlySet<string>): Promise<void> {
  const stale: Buffer[] = [];
  for await (const akey of folder.akeys(name)) {
    const bytes = Buffer.from(akey);
    if (!kept.has(bytes.toString('latin1'))) stale.push(bytes);
  }
  if (stale.length > 0) await folder.punchAkeys(undefined, name, stale);
}

async function xattrAkeys(folder: DaosObject, name: Buffer): Promise<Buffer[]> {
  const akeys: Buffer[] = [];
  for await (const akey of folder.akeys(name)) {
    const bytes = Buffer.from(akey);
    if (bytes.subarray(0, XATTR_PREFIX.length).equals(XATTR_PREFIX)) akeys.push(bytes);
  }
  return akeys;
}
