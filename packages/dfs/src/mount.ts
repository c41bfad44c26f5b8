import type { Container, DaosObject, Pool } from '@daos/client';
import { Cond, DaosError, isDaosError, objectClassByName, objectIdParse, type ObjectId, type Uuid } from '@daos/common';

import { DfsDirectory } from './directory.js';
import { Dfs } from './dfs.js';
import { entryFetch, entryInsert } from './entry.js';
import { DfsError, dfsCall } from './error.js';
import { FileSystem, effectiveGid, effectiveUid, nowNs } from './file_system.js';
import {
  CHUNK_SIZE_DEFAULT,
  MODE_BALANCED,
  MODE_RELAXED,
  OTYPE_DIRECTORY,
  ROOT_NAME,
  ROOT_OID,
  SUPERBLOCK_AKEY_LIST,
  SUPERBLOCK_DKEY,
  SUPERBLOCK_OID,
  S_IFDIR,
  decodeSuperblock,
  encodeSuperblock,
  type Superblock,
} from './layout.js';

const HINTS_BYTES_MAX = 127;
const ROOT_MODE = S_IFDIR | 0o755;
/** A container whose creator is still writing the superblock: how long a mount waits for it. */
const MOUNT_RETRIES = 7;

export interface DfsContCreateOptions {
  readonly label?: string;
  /** Default chunk size of files, bytes; 1 MiB when absent. */
  readonly chunkSize?: number;
  /** Default classes by name; automatic when absent. */
  readonly objectClass?: string;
  readonly fileClass?: string;
  readonly directoryClass?: string;
  readonly hints?: string;
  /** `balanced` needs transactions and is refused with ENOTSUP until they exist. */
  readonly mode?: 'relaxed' | 'balanced';
  readonly props?: Readonly<Record<string, string>>;
  readonly attrs?: Readonly<Record<string, Uint8Array>>;
}

/** Creates a POSIX container with an empty file system. EEXIST when the label is taken. A failed creation leaves nothing. */
export async function dfsContCreate(pool: Pool, options: DfsContCreateOptions = {}): Promise<Uuid> {
  const path = options.label ?? '(new container)';
  if (options.mode === 'balanced') throw new DfsError('ENOTSUP', 'dfs_cont_create', path, 'balanced mode needs transactions');
  const superblock = newSuperblock(options, path);
  return dfsCall('dfs_cont_create', path, async () => {
    const uuid = await pool.contCreate({
      type: 'POSIX',
      ...(options.label === undefined ? {} : { label: options.label }),
      ...(options.props === undefined ? {} : { props: options.props }),
      ...(options.attrs === undefined ? {} : { attrs: options.attrs }),
    });
    try {
      await format(pool, uuid, superblock);
    } catch (error) {
      await pool.contDestroy(uuid, { force: true });
      throw error;
    }
    return uuid;
  });
}

/**
 * Mounts the file system of a container. `mode` defaults to how the container is open.
 * EINVAL: not a POSIX container, or a superblock of another kind; EIO: no root; ENOTSUP: balanced mode.
 */
export async function dfsMount(container: Container, options: { mode?: 'ro' | 'rw' } = {}): Promise<Dfs> {
  const label = container.label ?? container.uuid;
  const writable = (options.mode ?? 'rw') === 'rw' && container.writable;
  if (options.mode === 'rw' && !container.writable) throw new DfsError('EPERM', 'dfs_mount', label, 'the container is open read-only');
  return dfsCall('dfs_mount', label, async () => {
    const roots = await readRoots(container, label);
    const superblockObject = container.objOpen(roots.superblock, { mode: writable ? 'rw' : 'ro' });
    const superblock = await readSuperblock(superblockObject);
    if (superblock.mode & MODE_BALANCED) throw new DfsError('ENOTSUP', 'dfs_mount', label, 'balanced mode needs transactions');
    const inode = await entryFetch(superblockObject, ROOT_NAME);
    if (!inode) throw new DfsError('ENOENT', 'dfs_mount', label, 'the root folder has no entry');
    const fs = new FileSystem(container, superblock, writable);
    const root = new DfsDirectory(fs, { folder: superblockObject, name: ROOT_NAME, path: '/' }, inode, undefined);
    return new Dfs(fs, root);
  });
}

function newSuperblock(options: DfsContCreateOptions, path: string): Superblock {
  const chunkSize = options.chunkSize ?? CHUNK_SIZE_DEFAULT;
  if (!Number.isSafeInteger(chunkSize) || chunkSize <= 0) throw new DfsError('EINVAL', 'dfs_cont_create', path, `chunk size ${chunkSize}`);
  const hints = options.hints ?? '';
  if (Buffer.byteLength(hints) > HINTS_BYTES_MAX || !/^$|^(file|dir|directory):(single|max)(,(file|dir|directory):(single|max))*$/i.test(hints)) {
    throw new DfsError('EINVAL', 'dfs_cont_create', path, `hints "${hints}"; expected e.g. "file:single,dir:max"`);
  }
  const common = classId(options.objectClass);
  return {
    chunkSize,
    objectClass: common,
    directoryClass: classId(options.directoryClass) || common,
    fileClass: classId(options.fileClass) || common,
    mode: MODE_RELAXED,
    hints,
  };
}

function classId(name: string | undefined): number {
  if (name === undefined) return 0;
  const found = objectClassByName(name);
  if (!found) throw new DaosError('INVAL', `unknown object class "${name}"`);
  return found.id;
}

async function format(pool: Pool, uuid: Uuid, superblock: Superblock): Promise<void> {
  const container = await pool.contOpen(uuid, { mode: 'rw' });
  try {
    const rootOid = container.generateOid(ROOT_OID, OTYPE_DIRECTORY);
    const superblockOid = container.generateOid(SUPERBLOCK_OID, OTYPE_DIRECTORY);
    await container.setProps({ roots: [superblockOid, rootOid].map((oid) => `${oid.hi}.${oid.lo}`).join(',') });
    const object = container.objOpen(superblockOid, { mode: 'rw' });
    const iods = encodeSuperblock(superblock).map(({ akey, value }) => ({ akey, type: 'single' as const, value }));
    await object.update(undefined, SUPERBLOCK_DKEY, iods, { flags: Cond.DKEY_INSERT });
    await insertRoot(object, rootOid);
    await object.close();
  } finally {
    await container.close();
  }
}

async function insertRoot(superblockObject: DaosObject, oid: ObjectId): Promise<void> {
  const now = nowNs();
  const inode = { mode: ROOT_MODE, oid, mtimeNs: now, ctimeNs: now, chunkSize: 0, objectClass: 0, uid: effectiveUid(), gid: effectiveGid(), valueLength: 0, objectHlc: 0n };
  try {
    await entryInsert(superblockObject, ROOT_NAME, inode);
  } catch (error) {
    if (!isDaosError(error, 'EXIST')) throw error;
  }
}

async function readRoots(container: Container, label: string): Promise<{ superblock: ObjectId; root: ObjectId }> {
  const props = await container.getProps(['layout_type', 'roots']);
  const text = (name: string) => {
    const value = props.find((prop) => prop.name === name)?.value;
    return typeof value === 'string' ? value : Array.isArray(value) ? value.join(',') : String(value ?? '');
  };
  if (!/posix/i.test(text('layout_type')) && text('layout_type') !== '1') {
    throw new DfsError('EINVAL', 'dfs_mount', label, `not a POSIX container (layout type ${text('layout_type') || 'unknown'})`);
  }
  const [superblock, root] = text('roots').split(',').filter(Boolean).map(objectIdParse);
  if (!superblock || !root || (root.hi === 0n && root.lo === 0n)) {
    throw new DfsError('EIO', 'dfs_mount', label, 'the container has no root object: its creation was interrupted; destroy it and create it again');
  }
  return { superblock, root };
}

async function readSuperblock(object: DaosObject): Promise<Superblock> {
  for (let attempt = 0; ; attempt++) {
    const values = await object.fetch(undefined, SUPERBLOCK_DKEY, SUPERBLOCK_AKEY_LIST.map((akey) => ({ akey, type: 'single' as const })));
    try {
      return decodeSuperblock(values.map((value) => value.data));
    } catch (error) {
      if (!isDaosError(error, 'NONEXIST') || attempt >= MOUNT_RETRIES) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, Math.min(1000, 2 ** attempt)));
  }
}
