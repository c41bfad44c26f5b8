import { existsSync } from 'node:fs';

import { DaosError, isDaosError } from '@daos/common';
import { vosPoolDestroy, vosPoolOpen } from '@daos/vos';

import { SYSTEM_TARGET, type VosPath } from '../path/vos_path.js';
import type { DdbPool } from './ddb_pool.js';
import type { DdbDevice, DdbStore } from './ddb_store.js';
import { notYet } from './not_yet.js';
import { openElsewhere } from './open_elsewhere.js';
import { VosDdbPool } from './vos_ddb_pool.js';

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

  devices(): Promise<DdbDevice[]> {
    return Promise.reject(notYet('list devices'));
  }

  deviceReplace(): Promise<void> {
    return Promise.reject(notYet('replace a device'));
  }

  provisionMemory(): Promise<void> {
    return Promise.reject(notYet('provision memory: this store keeps its metadata on disk'));
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
