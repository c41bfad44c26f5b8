import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { SmdDb, smdDevList, smdDevReplace } from '@daos/bio';
import { DaosError, isDaosError, type Uuid } from '@daos/common';
import { vosPoolDestroy, vosPoolOpen } from '@daos/vos';

import { SYSTEM_TARGET, type VosPath } from '../path/vos_path.js';
import type { DdbPool } from './ddb_pool.js';
import type { DdbDevice, DdbStore } from './ddb_store.js';
import { notYet } from './not_yet.js';
import { openElsewhere } from './open_elsewhere.js';
import { VosDdbPool } from './vos_ddb_pool.js';

/** Table of devices in an engine's storage folder. */
const SMD_FILE = 'smd.mdb';

/** The shards on this host. */
export class VosDdbStore implements DdbStore {
  async openPool(path: VosPath, { write }: { readonly write: boolean }): Promise<DdbPool> {
    await checkShard(path);
    try {
      return new VosDdbPool(await vosPoolOpen({ dir: path.path, uuid: path.poolUuid, readOnly: !write }));
    } catch (error) {
      if (isDaosError(error, 'NONEXIST')) throw new DaosError('INVAL', `${path.path} holds no pool shard`, { cause: error });
      throw error;
    }
  }

  async removePool(path: VosPath): Promise<void> {
    await checkShard(path);
    await vosPoolDestroy(path.path);
  }

  smdSync(): Promise<void> {
    return Promise.reject(notYet('restore the table of devices'));
  }

  devices(dbPath: string): Promise<DdbDevice[]> {
    return withSmd(dbPath, (db) => smdDevList(db).map(({ uuid, state, targets }) => ({ uuid, state, targets })));
  }

  deviceReplace(dbPath: string, from: Uuid, to: Uuid): Promise<void> {
    return withSmd(dbPath, (db) => smdDevReplace(db, from, to, { offline: true }));
  }

  provisionMemory(): Promise<void> {
    return Promise.reject(notYet('provision memory: this store keeps its metadata on disk'));
  }
}

/** Opens the table of devices in an engine's storage folder, or at a path of its own. DER_INVAL when there is none. */
async function withSmd<T>(dbPath: string, use: (db: SmdDb) => T): Promise<T> {
  const path = existsSync(join(dbPath, SMD_FILE)) ? join(dbPath, SMD_FILE) : dbPath;
  if (!existsSync(path) || !statSync(path).isFile()) throw new DaosError('INVAL', `${dbPath} holds no table of devices (${SMD_FILE})`);
  const pid = await openElsewhere(dirname(path));
  if (pid !== undefined) throw new DaosError('BUSY', `process ${pid} has ${path} open; stop the engine first (dmg system stop)`);
  const db = await SmdDb.open(path);
  try {
    return use(db);
  } finally {
    await db.close();
  }
}

async function checkShard({ path, target }: VosPath): Promise<void> {
  if (target === SYSTEM_TARGET) throw notYet(`open ${path}: a replica of a pool's metadata is no shard`);
  if (!existsSync(path)) throw new DaosError('INVAL', `there is no ${path}`);
  const pid = await openElsewhere(path);
  if (pid !== undefined) {
    throw new DaosError('BUSY', `process ${pid} has ${path} open; stop the engine first (dmg system stop)`);
  }
}
