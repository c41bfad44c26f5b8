import { existsSync } from 'node:fs';
import { mkdir, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { BioFile } from '@daos/bio';
import { DaosError, isUuid, type Epoch, type Uuid } from '@daos/common';
import { VEA_BLOCKS_MIN, VEA_BLOCK_BYTES, Vea } from '@daos/vea';

import { Garbage } from './garbage.js';
import { Heads } from './layout/heads.js';
import { KeyPeek } from './layout/key_peek.js';
import { PoolHandle } from './pool.js';
import { IndexSpace } from './space.js';
import type { Store } from './store.js';
import { superblockRead, superblockWrite, syncFolder, type Superblock } from './superblock.js';
import { TimestampTable } from './ts/timestamp_table.js';
import type { VosPool, VosPoolCreateParams } from './types.js';
import { LmdbUmem } from './umem/lmdb_umem.js';
import type { UmemListener } from './umem/umem_event.js';
import type { CheckpointPolicy, UmemOptions } from './umem/umem_options.js';
import { DataStore } from './value/data_store.js';
import { Extents } from './value/extents.js';
import { SingleValues } from './value/single_values.js';
import { IndexVeaStore } from './value/vea_rows.js';

/** Smallest index that is worth having. */
const SCM_BYTES_MIN = 1024 * 1024;
const SCM_BYTES_MAX = 2 ** 44;

/** Shards that this thread has open: a second handle would write the same log. */
const openFolders = new Set<string>();

export interface VosPoolOpenParams {
  readonly dir: string;
  readonly uuid: Uuid;
  /** Where the data file is now, when it was moved. */
  readonly dataPath?: string;
  /** The server's clock: fences off transactions of earlier runs. Default: none, as for offline tools. */
  readonly now?: () => Epoch;
  /** Timestamp cache of the target, shared by its pools. Default: one of the pool's own, when it is needed. */
  readonly timestamps?: TimestampTable;
  readonly nowSeconds?: () => number;
  /** `none`: the last moments may be lost when the operating system crashes. Default: `full`. */
  readonly durability?: 'full' | 'none';
  /** When the index is brought up to the log. */
  readonly checkpoint?: CheckpointPolicy;
  readonly onEvent?: UmemListener;
}

interface Paths {
  readonly superblock: string;
  readonly index: string;
  readonly lock: string;
  readonly logs: readonly [string, string];
  readonly data: string;
}

function pathsOf(dir: string, dataPath: string | undefined): Paths {
  return {
    superblock: join(dir, 'superblock'),
    index: join(dir, 'index.mdb'),
    lock: join(dir, 'index.mdb-lock'),
    logs: [join(dir, 'log.0'), join(dir, 'log.1')],
    data: dataPath ?? join(dir, 'data'),
  };
}

/**
 * Makes a pool's shard; it is durable when the promise resolves. DER_EXIST when the folder holds one,
 * DER_INVAL for impossible sizes. What an interrupted creation left is replaced.
 */
export async function vosPoolCreate(params: VosPoolCreateParams): Promise<void> {
  const { dir, uuid, scmBytes, nvmeBytes, dataPath } = params;
  checkSizes(params);
  const paths = pathsOf(dir, dataPath);
  await mkdir(dir, { recursive: true });
  if (existsSync(paths.superblock)) throw new DaosError('EXIST', `${dir} holds a pool shard`);
  await removeFiles(paths);
  try {
    const dataBlocks = Math.floor(nvmeBytes / VEA_BLOCK_BYTES);
    if (dataBlocks > 0) {
      const file = await BioFile.create(paths.data, dataBlocks * VEA_BLOCK_BYTES);
      await file.close();
    }
    await LmdbUmem.create(paths, scmBytes);
    if (dataBlocks > 0) await formatFreeSpace(paths, scmBytes, dataBlocks);
    await syncFolder(dirname(resolve(dir)));
    await syncFolder(dir);
    await superblockWrite(paths.superblock, { uuid, scmBytes, nvmeBytes, dataPath: dataPath ? resolve(dataPath) : '' });
  } catch (error) {
    await removeFiles(paths).catch(() => undefined);
    throw error;
  }
}

/**
 * Opens a shard: what was acknowledged is there. DER_NONEXIST, DER_ID_MISMATCH, DER_DF_INCOMPT (unknown
 * version; nothing is changed), DER_DF_INVAL (damaged), DER_BUSY when this thread has it open.
 */
export function vosPoolOpen(params: VosPoolOpenParams): Promise<VosPool> {
  return poolOpen(params);
}

/** As `vosPoolOpen`, with checkpoints as wanted. */
export async function poolOpen(params: VosPoolOpenParams, tuning?: UmemOptions): Promise<PoolHandle> {
  const { dir, uuid } = params;
  const superblock = await superblockRead(pathsOf(dir, undefined).superblock);
  if (superblock.uuid !== uuid.toLowerCase()) {
    throw new DaosError('ID_MISMATCH', `${dir} holds a shard of pool ${superblock.uuid}, not of ${uuid}`);
  }
  const folder = resolve(dir);
  if (openFolders.has(folder)) throw new DaosError('BUSY', `${dir} is open`);
  openFolders.add(folder);
  try {
    const paths = pathsOf(dir, params.dataPath ?? (superblock.dataPath || undefined));
    const store = await openStore(paths, superblock, params, tuning);
    return new PoolHandle(store, new Garbage(store), superblock.uuid, () => openFolders.delete(folder));
  } catch (error) {
    openFolders.delete(folder);
    throw error;
  }
}

/** Removes a shard and its data file. A missing one is fine. DER_BUSY when this thread has it open. */
export async function vosPoolDestroy(dir: string): Promise<void> {
  const folder = resolve(dir);
  if (openFolders.has(folder)) throw new DaosError('BUSY', `${dir} is open`);
  const { superblock: path } = pathsOf(dir, undefined);
  // also what cannot be opened any more can be removed
  const superblock = await superblockRead(path).catch(() => undefined);
  await rm(path, { force: true });
  await removeFiles(pathsOf(dir, superblock?.dataPath || undefined));
  await rm(dir, { recursive: true, force: true });
}

async function openStore(
  paths: Paths,
  { scmBytes, nvmeBytes }: Superblock,
  params: VosPoolOpenParams,
  options: UmemOptions = {},
): Promise<Store> {
  const file = nvmeBytes >= VEA_BLOCK_BYTES ? await BioFile.open(paths.data) : undefined;
  let umem: LmdbUmem | undefined;
  try {
    const readData = file && ((offset: number, length: number) => file.read(offset, length));
    umem = await LmdbUmem.open(paths, scmBytes, { ...umemOptions(params), ...(readData ? { readData } : {}), ...options });
    const vea = file && new Vea(new IndexVeaStore(umem), Math.floor(nvmeBytes / VEA_BLOCK_BYTES));
    return storeOf(umem, new DataStore(umem, file, vea), scmBytes, params);
  } catch (error) {
    await umem?.close();
    await file?.close();
    throw error;
  }
}

function storeOf(umem: LmdbUmem, data: DataStore, scmBytes: number, params: VosPoolOpenParams): Store {
  const now = params.now ?? ((): Epoch => 0n);
  let { timestamps } = params;
  return {
    umem,
    heads: new Heads(umem),
    peek: new KeyPeek(umem),
    data,
    singles: new SingleValues(umem, data),
    extents: new Extents(umem, data),
    space: new IndexSpace(umem, scmBytes),
    now,
    nowSeconds: params.nowSeconds ?? (() => Math.floor(Date.now() / 1000)),
    timestamps: () => (timestamps ??= new TimestampTable({ start: now() })),
  };
}

function umemOptions({ durability, checkpoint, onEvent }: VosPoolOpenParams): UmemOptions {
  return { ...(durability ? { durability } : {}), ...(checkpoint ? { checkpoint } : {}), ...(onEvent ? { onEvent } : {}) };
}

async function formatFreeSpace(paths: Paths, scmBytes: number, blocks: number): Promise<void> {
  const umem = await LmdbUmem.open(paths, scmBytes);
  try {
    Vea.format(new IndexVeaStore(umem), blocks);
    await umem.durable();
  } finally {
    await umem.close();
  }
}

function checkSizes({ uuid, scmBytes, nvmeBytes }: VosPoolCreateParams): void {
  if (!isUuid(uuid)) throw new DaosError('INVAL', `"${uuid}" is not a UUID`);
  if (!Number.isSafeInteger(scmBytes) || scmBytes < SCM_BYTES_MIN || scmBytes > SCM_BYTES_MAX) {
    throw new DaosError('INVAL', `an index of ${scmBytes} bytes; at least ${SCM_BYTES_MIN}`);
  }
  if (!Number.isSafeInteger(nvmeBytes) || nvmeBytes < 0 || (nvmeBytes > 0 && nvmeBytes < VEA_BLOCKS_MIN * VEA_BLOCK_BYTES)) {
    throw new DaosError('INVAL', `a data file of ${nvmeBytes} bytes; none, or at least ${VEA_BLOCKS_MIN * VEA_BLOCK_BYTES}`);
  }
}

/** Removes what belongs to a shard. Block devices stay. */
async function removeFiles(paths: Paths): Promise<void> {
  for (const path of [paths.index, paths.lock, ...paths.logs]) await rm(path, { force: true });
  const data = await stat(paths.data).catch(() => undefined);
  if (data?.isFile()) await unlink(paths.data);
}
