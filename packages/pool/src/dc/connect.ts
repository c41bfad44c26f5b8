import { DaosError, PoolConnectFlag, PoolMap, uuidGenerate } from '@daos/common';

import { POOL_CONNECT, POOL_LAYOUT_VERSION } from '../rpc.js';
import { LeaderSearch } from './leader_search.js';
import type { DcPool } from './pool.js';
import { PoolHandle } from './pool_handle.js';
import { dcRsvcCall, type ServicePeer } from './service_call.js';
import type { DcOptions, DcSystem } from './system.js';

export interface DcPoolConnectOptions extends DcOptions {
  /** Default `ro`. */
  readonly mode?: 'ro' | 'rw' | 'ex' | undefined;
}

const FLAGS = { ro: PoolConnectFlag.RO, rw: PoolConnectFlag.RW, ex: PoolConnectFlag.EX } as const;

/**
 * Opens a pool by label or UUID. DER_NONEXIST for an unknown pool, DER_NO_PERM when its ACL refuses the caller,
 * DER_BUSY when an exclusive handle is in the way or the pool is being destroyed.
 */
export async function dcPoolConnect(
  system: DcSystem,
  labelOrUuid: string,
  options: DcPoolConnectOptions = {},
): Promise<DcPool> {
  if (labelOrUuid === '') throw new DaosError('INVAL', 'a pool is named by its label or UUID');
  const [found, credential] = await Promise.all([system.findPool(labelOrUuid, options), system.credential()]);
  const flags = FLAGS[options.mode ?? 'ro'];
  const handle = uuidGenerate();
  const peer: ServicePeer = {
    cart: system.cart,
    hlc: system.hlc,
    pool: found.uuid,
    search: new LeaderSearch(found.serviceRanks),
    findRanks: async () => (await system.findPool(found.uuid)).serviceRanks,
  };
  const body = { flags, credential, bits: 0, layoutVersion: POOL_LAYOUT_VERSION };
  const answer = await dcRsvcCall(peer, POOL_CONNECT, handle, body, options);
  const { capas, info } = answer.body;
  const map = PoolMap.decode(answer.data, answer.mapVersion);
  return new PoolHandle({ system, peer, label: info.label ?? found.label, handle, flags, capas, map });
}
