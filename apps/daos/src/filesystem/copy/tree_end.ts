import { lstat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import type { Container, Daos, Pool } from '@daos/client';
import { isDaosError, isUuid } from '@daos/common';
import { dfsContCreate, dfsMount, type Dfs } from '@daos/dfs';

import { parseDaosUri, type DaosUri } from '../../daos_uri.js';
import { connectPool } from '../../session.js';
import { CopyError, daosErrorOf, reasonText } from './copy_error.js';
import { DfsFolder } from './dfs_folder.js';
import type { TreeFolder } from './folder.js';
import { LocalFolder } from './local_folder.js';

/** One end of a copy: a tree and a place in it. */
export interface TreeEnd {
  readonly uri: DaosUri | undefined;
  /** Absolute path in the tree. */
  readonly path: string;
  /** Identity of the tree: ends with the same one are the same file system. */
  readonly tree: string;
  /** The folder at a path in the tree. */
  folder(path: string): Promise<TreeFolder>;
  /** UUID of the container that was made for the copy. */
  readonly createdContainer: string | undefined;
  close(): Promise<void>;
}

/** A path on this host. */
export function localEnd(text: string): TreeEnd {
  return {
    uri: undefined,
    path: resolve(text),
    tree: 'local',
    folder: async (path) => {
      const found = await lstat(path);
      if (!found.isDirectory() && !found.isSymbolicLink()) throw Object.assign(new Error('not a folder'), { code: 'ENOTDIR' });
      return LocalFolder.at(path);
    },
    createdContainer: undefined,
    close: () => Promise.resolve(),
  };
}

/** Failure to open an end, told in two lines as DAOS does. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError';
  constructor(
    readonly what: string,
    cause: unknown,
  ) {
    super(`${what}: ${reasonText(daosErrorOf(cause))}`, { cause });
  }
}

/** A place in a container. As a target, a container that is missing is made when it is named by a label. */
export async function daosEnd(daos: Daos, text: string, role: 'source' | 'destination', signal: AbortSignal): Promise<TreeEnd> {
  const uri = parseDaosUri(text);
  if (uri.container === '') throw new CopyError('No container in', text, Object.assign(new Error('container missing'), { code: 'EINVAL' }));
  const mode = role === 'source' ? 'ro' : 'rw';
  const pool = await step(`failed to connect to ${role} pool`, () => connectPool(daos, uri.pool, mode, signal));
  let container: Container | undefined;
  try {
    const opened = await step(`failed to open ${role} container`, () => openContainer(pool, uri.container, role, signal));
    container = opened.container;
    const open = container;
    const mount = await step(`dfs_mount on ${role} failed`, () => dfsMount(open, { mode }));
    return new ContainerEnd(uri, pool, open, mount, opened.created);
  } catch (error) {
    await container?.close();
    await pool.close();
    throw error;
  }
}

async function openContainer(pool: Pool, id: string, role: 'source' | 'destination', signal: AbortSignal): Promise<{ container: Container; created: string | undefined }> {
  const mode = role === 'source' ? 'ro' : 'rw';
  try {
    return { container: await pool.contOpen(id, { mode, signal }), created: undefined };
  } catch (error) {
    if (role === 'source' || isUuid(id) || !isDaosError(error, 'NONEXIST')) throw error;
    const created = await dfsContCreate(pool, { label: id });
    return { container: await pool.contOpen(created, { mode, signal }), created };
  }
}

async function step<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new ConnectError(what, error);
  }
}

class ContainerEnd implements TreeEnd {
  constructor(
    readonly uri: DaosUri,
    private readonly pool: Pool,
    private readonly container: Container,
    private readonly mount: Dfs,
    readonly createdContainer: string | undefined,
  ) {}

  get path(): string {
    return this.uri.path;
  }

  get tree(): string {
    return `${this.pool.uuid}/${this.container.uuid}`;
  }

  async folder(path: string): Promise<TreeFolder> {
    return new DfsFolder(await this.mount.directory(path), true);
  }

  async close(): Promise<void> {
    await this.mount.umount();
    await this.container.close();
    await this.pool.close();
  }
}

/** Folder and name that a path consists of; the root has no name. */
export function splitPath(path: string): { readonly folder: string; readonly name: string } {
  return { folder: dirname(path), name: path === '/' ? '' : basename(path) };
}
