import { resolve } from 'node:path';

import { DaosError, type Uuid } from '@daos/common';
import { assert, getLogger } from '@daos/gurt';

import type { PoolHandle } from './pool.js';
import { poolOpenFiles, poolRemoveData, poolRemoveFiles, type PoolOpenOptions, type VosPoolOpenParams } from './pool_files.js';
import { EXCLUSIVE_FLAGS, VosPoolFlag } from './pool_flags.js';
import type { VosPool } from './types.js';
import { CHECKPOINT_POLICY } from './umem/umem_options.js';
import type { UpgradeListener } from './upgrade.js';

/** A shard that this thread has open, or opens, or closes. */
interface OpenShard {
  readonly uuid: Uuid;
  readonly pool: Promise<PoolHandle>;
  readonly isExclusive: boolean;
  readonly isReadOnly: boolean;
  references: number;
  /** Killed: nobody opens it any more, and the last handle takes its data along. */
  isDying: boolean;
}

/** By folder. A second set of files of one shard would write the same log. */
const shards = new Map<string, OpenShard>();

/**
 * Opens a shard: what was acknowledged is there. A shard that is open in this thread is shared, with the options of its
 * first opener. DER_NONEXIST, DER_ID_MISMATCH, DER_DF_INCOMPT (unknown version; nothing is changed), DER_DF_INVAL
 * (damaged); DER_BUSY when it is, or is asked to be, somebody's alone, when it is being killed, or when another process
 * has it open; DER_NOTSUPPORTED for SKIP_UUID_CHECK.
 */
export function vosPoolOpen(params: VosPoolOpenParams): Promise<VosPool> {
  return poolOpen(params);
}

/** As `vosPoolOpen`, with checkpoints as wanted. */
export async function poolOpen(params: VosPoolOpenParams, tuning?: PoolOpenOptions, onUpgrade?: UpgradeListener): Promise<PoolHandle> {
  const { dir, uuid, flags = 0, readOnly = false } = params;
  if (flags & VosPoolFlag.SKIP_UUID_CHECK) throw new DaosError('NOTSUPPORTED', `${dir} cannot be opened under any UUID`);
  const folder = resolve(dir);
  const isExclusive = (flags & EXCLUSIVE_FLAGS) !== 0;
  let shard = shards.get(folder);
  if (shard) checkShareable(shard, dir, uuid, isExclusive, readOnly, flags);
  else {
    const policy = flags & VosPoolFlag.EXTERNAL_CHKPT ? { checkpoint: { ...CHECKPOINT_POLICY, mode: 'disabled' as const } } : {};
    const pool = poolOpenFiles({ ...policy, ...params }, () => closed(folder), tuning, onUpgrade);
    shard = { uuid: uuid.toLowerCase(), pool, isExclusive, isReadOnly: readOnly, references: 0, isDying: false };
    shards.set(folder, shard);
  }
  const own = shard;
  own.references++;
  try {
    const pool = await own.pool;
    return pool.share(() => release(own, pool));
  } catch (error) {
    // what could not be opened is not there for the next one, either
    if (shards.get(folder) === own) shards.delete(folder);
    throw error;
  }
}

/**
 * Takes a pool's data: the data file is removed at once, or when the last handle is closed. DER_BUSY while there are
 * some; from then on nobody can open it.
 */
export async function vosPoolKill(dir: string): Promise<void> {
  const shard = shards.get(resolve(dir));
  if (!shard) return poolRemoveData(dir);
  shard.isDying = true;
  getLogger('vos').warn('pool defer destroy', { pool: shard.uuid, dir, handles: shard.references });
  throw new DaosError('BUSY', `${dir} is open; its data goes with the last of its ${shard.references} handles`);
}

/** Removes a shard and its data file. A missing one is fine. DER_BUSY while somebody has it open. */
export async function vosPoolDestroy(dir: string): Promise<void> {
  if (shards.has(resolve(dir))) throw new DaosError('BUSY', `${dir} is open`);
  await poolRemoveFiles(dir);
}

function checkShareable(shard: OpenShard, dir: string, uuid: Uuid, isExclusive: boolean, readOnly: boolean, flags: number): void {
  if (shard.isDying) throw new DaosError('BUSY', `${dir} is being destroyed`);
  if (shard.references === 0) throw new DaosError('BUSY', `${dir} is being closed`);
  if (shard.uuid !== uuid.toLowerCase()) throw new DaosError('ID_MISMATCH', `${dir} holds a shard of pool ${shard.uuid}, not of ${uuid}`);
  const isQuery = (flags & VosPoolFlag.FOR_CHECK_QUERY) !== 0;
  if (!isQuery && (isExclusive || shard.isExclusive)) throw new DaosError('BUSY', `${dir} is open`);
  if (shard.isReadOnly && !readOnly) throw new DaosError('BUSY', `${dir} is open to be read`);
}

async function release(shard: OpenShard, pool: PoolHandle): Promise<void> {
  assert(shard.references > 0, 'a handle counts once');
  if (--shard.references === 0) await pool.close();
}

async function closed(folder: string): Promise<void> {
  const shard = shards.get(folder);
  shards.delete(folder);
  if (shard?.isDying) await poolRemoveData(folder);
}
