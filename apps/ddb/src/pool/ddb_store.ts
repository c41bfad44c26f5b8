import type { Uuid } from '@daos/common';

import type { VosPath } from '../path/vos_path.js';
import type { DdbPool } from './ddb_pool.js';

export interface DdbDevice {
  readonly uuid: Uuid;
  readonly state: string;
  readonly targets: readonly number[];
}

/** What the commands ask of this host outside of an open shard. Calls that it cannot do yet throw DER_NOSYS. */
export interface DdbStore {
  /** DER_INVAL when there is no shard, DER_BUSY while another process has it open. */
  openPool(path: VosPath, mode: { readonly write: boolean }): Promise<DdbPool>;
  removePool(path: VosPath): Promise<void>;
  smdSync(nvmeConf: string, dbPath: string): Promise<void>;
  devices(dbPath: string): Promise<DdbDevice[]>;
  deviceReplace(dbPath: string, oldDevice: Uuid, newDevice: Uuid): Promise<void>;
  /** Prepares the memory file system of a host with metadata on SSD; `sizeGib` undefined: as large as its shards. */
  provisionMemory(dbPath: string, mount: string, sizeGib: number | undefined): Promise<void>;
}
