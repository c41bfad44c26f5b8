import { DaosError, type Uuid } from '@daos/common';
import type { EngineModule, Xstream } from '@daos/engine';

import type { DsContHandle } from './handle.js';

export type { DsContHandle } from './handle.js';

/**
 * The handle on this target: at once when it is known here, after asking the pool's service otherwise.
 * Call it in a target xstream. DER_NO_HDL when the handle was closed, evicted or never existed.
 */
export function dsContHandleLookup(_xs: Xstream, _poolUuid: Uuid, _handle: Uuid): DsContHandle | Promise<DsContHandle> {
  throw new DaosError('NOSYS');
}

export const contModule: EngineModule = {
  name: 'cont',
  id: 3,
  version: 9,
  async start() {
    throw new DaosError('NOSYS');
  },
};
