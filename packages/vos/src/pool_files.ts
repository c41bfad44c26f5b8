import { existsSync } from 'node:fs';
import { mkdir, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { BioFile, type BioDevice } from '@daos/bio';
import { DaosError, isUuid, type Epoch, type Uuid } from '@daos/common';
import { getLogger } from '@daos/gurt';
import { VEA_BLOCKS_MIN, VEA_BLOCK_BYTES, Vea } from '@daos/vea';

import { Garbage } from './garbage.js';
import { Heads } from './layout/heads.js';
import { KeyPeek } from './layout/key_peek.js';
import { PoolHandle, type ShardFiles } from './pool.js';
import { PERSISTENT_FLAGS, VosPoolFlag } from './pool_flags.js';
import { checkUnlocked, lockShard } from './shard_lock.js';
import { IndexSpace, type IndexSpaceOptions } from './space.js';
import { storeClose, type Store } from './store.js';
import {
  DF_VERSION,
  LAYOUT_VERSION,
  checkCompat,
  checkFormatVersion,
  superblockDataPath,
  superblockRead,
  superblockWrite,
  syncFolder,
  type Superblock,
} from './superblock.js';
import { TargetTimestamps } from './ts/pool_timestamps.js';
import type { VosPoolCreateParams } from './types.js';
import { LmdbUmem } from './umem/lmdb_umem.js';
import type { UmemListener } from './umem/umem_event.js';
import type { CheckpointPolicy, UmemOptions } from './umem/umem_options.js';
import { upgradeToLayout2, type UpgradeListener } from './upgrade.js';
import { DataStore } from './value/data_store.js';
import { Extents } from './value/extents.js';
import { SingleValues } from './value/single_values.js';
import { IndexVeaStore } from './value/vea_rows.js';

/** Smallest index that is worth having. */
const SCM_BYTES_MIN = 1024 * 1024;
const SCM_BYTES_MAX = 2 ** 44;

export interface VosPoolOpenParams {
  readonly dir: string;
  readonly uuid: Uuid;
  /** Where the data file is now, when it was moved. */
  readonly dataPath?: string;
  /** The server's clock: fences off transactions of earlier runs. Default: none, as for offline tools. */
  readonly now?: () => Epoch;
  /** Timestamp cache of the target, shared by its pools. Default: one of the pool's own. */
  readonly timestamps?: TargetTimestamps;
  readonly nowSeconds?: () => number;
  /** `none`: the last moments may be lost when the operating system crashes. Default: `full`. */
  readonly durability?: 'full' | 'none';
  /** When the index is brought up to the log. */
  readonly checkpoint?: CheckpointPolicy;
  readonly onEvent?: UmemListener;
  /** `VosPoolFlag` bits. */
  readonly flags?: number;
  /** Nothing is changed: no upgrade of the layout, no removal of what was destroyed. */
  readonly readOnly?: boolean;
  /** Where the data file lies: counts its errors. While it does not serve, what needs the file is DER_NVME_IO. */
  readonly device?: BioDevice;
  /** Opens the data file. Tests put in one that fails. Default: `BioFile.open`. */
  readonly openData?: DataOpener;
}

export type DataOpener = (path: string, device: BioDevice | undefined) => Promise<BioFile>;

/** Layers below a shard that tests put faults into. */
export interface PoolOpenOptions extends UmemOptions {
  /** Opens the data file, before the one of the parameters. */
  readonly openData?: DataOpener;
}

export interface ShardPaths {
  readonly superblock: string;
  /** Names the process that has the shard open. */
  readonly owner: string;
  readonly index: string;
  readonly lock: string;
  readonly logs: readonly [string, string];
  readonly data: string;
}

export function pathsOf(dir: string, dataPath: string | undefined): ShardPaths {
  return {
    superblock: join(dir, 'superblock'),
    owner: join(dir, 'owner'),
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
  const { dir, uuid, scmBytes, nvmeBytes, dataPath, version = DF_VERSION.CURRENT, flags = 0 } = params;
  checkSizes(params);
  checkFormatVersion(version);
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
    if (dataBlocks > 0) await formatFreeSpace(paths, scmBytes, dataBlocks, version);
    await syncFolder(dirname(resolve(dir)));
    await syncFolder(dir);
    const versions = { formatVersion: version, flags: flags & PERSISTENT_FLAGS, compat: 0n, incompat: 0n };
    await superblockWrite(paths.superblock, { ...versions, uuid, scmBytes, nvmeBytes, dataPath: dataPath ? resolve(dataPath) : '' });
  } catch (error) {
    await removeFiles(paths).catch(() => undefined);
    throw error;
  }
}

/**
 * Opens the files of a shard that nobody in this thread has open. DER_NONEXIST, DER_ID_MISMATCH, DER_DF_INCOMPT (unknown
 * version; nothing is changed), DER_DF_INVAL (damaged), DER_BUSY when another process has it open. One of version 1 of
 * the layout is brought to version 2 first. `closed` is called when it is closed.
 */
export async function poolOpenFiles(
  params: VosPoolOpenParams,
  closed: () => Promise<void> = () => Promise.resolve(),
  tuning?: PoolOpenOptions,
  onUpgrade?: UpgradeListener,
): Promise<PoolHandle> {
  const { dir, uuid, readOnly = false } = params;
  const found = await superblockRead(pathsOf(dir, undefined).superblock);
  if (found.uuid !== uuid.toLowerCase()) {
    throw new DaosError('ID_MISMATCH', `${dir} holds a shard of pool ${found.uuid}, not of ${uuid}`);
  }
  const paths = pathsOf(dir, params.dataPath ?? (found.dataPath || undefined));
  const unlock = await lockShard(dir, paths.owner);
  let opened: OpenedStore | undefined;
  try {
    opened = await openStore(paths, found, params, tuning);
    const { store, vea } = opened;
    let superblock = found;
    const rewrite = async (change: Partial<Superblock>): Promise<void> => {
      const changed = { ...superblock, ...change, layoutVersion: LAYOUT_VERSION };
      await superblockWrite(paths.superblock, changed);
      superblock = changed;
    };
    let rewriting: Promise<void> = Promise.resolve();
    /** One change of the superblock after the other: each builds on what the one before has left. */
    const inTurn = (change: () => Promise<void>): Promise<void> => {
      const done = rewriting.then(change);
      rewriting = done.catch(() => undefined);
      return done;
    };
    if (found.layoutVersion < LAYOUT_VERSION && !readOnly) {
      await upgradeToLayout2(store, vea, onUpgrade);
      await rewrite({});
    }
    const checkWritable = (): void => {
      if (readOnly) throw new DaosError('NO_PERM', `${dir} is open to be read`);
    };
    const files: ShardFiles = {
      superblock: () => superblock,
      freeSpace: vea,
      upgrade: async (version) => {
        checkFormatVersion(version);
        checkWritable();
        await inTurn(async () => {
          if (version <= superblock.formatVersion) return;
          if (version >= DF_VERSION.V2_6 && superblock.formatVersion < DF_VERSION.V2_6) {
            // what is under way with the space has to be over
            await store.umem.durable();
            vea?.upgrade();
            await store.umem.durable();
          }
          await rewrite({ formatVersion: version });
        });
      },
      setCompat: async (compat) => {
        checkCompat(compat);
        checkWritable();
        await inTurn(() => rewrite({ compat }));
      },
      closed: async () => {
        await rewriting;
        await unlock().finally(closed);
      },
    };
    return new PoolHandle(store, new Garbage(store), superblock.uuid, files, readOnly);
  } catch (error) {
    if (opened) await closeAfter(error, storeClose(opened.store));
    await closeAfter(error, unlock());
    throw error;
  }
}

/** Removes a shard that nobody has open, and its data file. A missing one is fine. DER_BUSY. */
export async function poolRemoveFiles(dir: string): Promise<void> {
  const { superblock: path, owner } = pathsOf(dir, undefined);
  await checkUnlocked(dir, owner);
  // also what cannot be opened any more can be removed
  const dataPath = await superblockDataPath(path);
  await rm(path, { force: true });
  await removeFiles(pathsOf(dir, dataPath));
  await rm(dir, { recursive: true, force: true });
}

/** Removes the data file alone. */
export async function poolRemoveData(dir: string): Promise<void> {
  const { data } = pathsOf(dir, await superblockDataPath(pathsOf(dir, undefined).superblock));
  const found = await stat(data).catch(() => undefined);
  if (found?.isFile()) await unlink(data);
}

interface OpenedStore {
  readonly store: Store;
  readonly vea: Vea | undefined;
}

async function openStore(
  paths: ShardPaths,
  superblock: Superblock,
  params: VosPoolOpenParams,
  options: PoolOpenOptions = {},
): Promise<OpenedStore> {
  const { scmBytes, nvmeBytes } = superblock;
  const { device } = params;
  const { openData = params.openData ?? openDataFile, ...umemTuning } = options;
  const file = nvmeBytes >= VEA_BLOCK_BYTES ? await openData(paths.data, device) : undefined;
  let umem: LmdbUmem | undefined;
  try {
    const readData = file && ((offset: number, length: number) => file.read(offset, length));
    umem = await LmdbUmem.open(paths, scmBytes, { ...umemOptions(params), ...(readData ? { readData } : {}), ...umemTuning });
    const vea = file && new Vea(new IndexVeaStore(umem), Math.floor(nvmeBytes / VEA_BLOCK_BYTES));
    return { store: storeOf(umem, new DataStore(umem, file, vea, device), superblock, params), vea };
  } catch (error) {
    await umem?.close();
    await file?.close();
    throw error;
  }
}

function openDataFile(path: string, device: BioDevice | undefined): Promise<BioFile> {
  return BioFile.open(path, { device });
}

function storeOf(umem: LmdbUmem, data: DataStore, superblock: Superblock, params: VosPoolOpenParams): Store {
  const { scmBytes } = superblock;
  const now = params.now ?? ((): Epoch => 0n);
  const timestamps = params.timestamps ?? new TargetTimestamps(now);
  return {
    umem,
    heads: new Heads(umem),
    peek: new KeyPeek(umem),
    data,
    singles: new SingleValues(umem, data),
    extents: new Extents(umem, data),
    space: new IndexSpace(umem, data, scmBytes, spaceOptions(superblock, params)),
    now,
    nowSeconds: params.nowSeconds ?? (() => Math.floor(Date.now() / 1000)),
    timestamps: timestamps.forPool(),
  };
}

function spaceOptions({ flags }: Superblock, { readOnly = false }: VosPoolOpenParams): IndexSpaceOptions {
  return { isReadOnly: readOnly, isSmall: (flags & VosPoolFlag.SMALL) !== 0 };
}

function umemOptions({ durability, checkpoint, onEvent }: VosPoolOpenParams): UmemOptions {
  return { ...(durability ? { durability } : {}), ...(checkpoint ? { checkpoint } : {}), ...(onEvent ? { onEvent } : {}) };
}

async function formatFreeSpace(paths: ShardPaths, scmBytes: number, blocks: number, version: number): Promise<void> {
  const umem = await LmdbUmem.open(paths, scmBytes);
  try {
    // one block more: the head of the device, which is none of the file's
    const capacityBytes = (blocks + 1) * VEA_BLOCK_BYTES;
    Vea.format(new IndexVeaStore(umem), { capacityBytes, bitmaps: version >= DF_VERSION.V2_6 });
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
async function removeFiles(paths: ShardPaths): Promise<void> {
  for (const path of [paths.index, paths.lock, paths.owner, ...paths.logs]) await rm(path, { force: true });
  const data = await stat(paths.data).catch(() => undefined);
  if (data?.isFile()) await unlink(paths.data);
}

/** Waits for an end that a failure has brought on: it is the failure that counts, not what comes of it. */
async function closeAfter(failure: unknown, closing: Promise<void>): Promise<void> {
  try {
    await closing;
  } catch (error) {
    getLogger('vos').warn(`closing after "${String(failure)}": ${String(error)}`);
  }
}
