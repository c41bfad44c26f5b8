import type { EngineModule } from '@daos/engine';

import { startChildren } from './child.js';
import { servePools } from './handlers.js';
import { POOL_SYSTEM, PoolSystem } from './system.js';

/** Pools: their storage on this engine's targets, and the services whose replicas are here. */
export const poolModule: EngineModule = {
  name: 'pool',
  id: 2,
  version: 7,
  start(xs) {
    if (xs.kind === 'target') {
      const children = startChildren(xs);
      return { cleanup: () => children.stopAll() };
    }
    const system = new PoolSystem(xs);
    xs.provide(POOL_SYSTEM, system);
    servePools(system);
    return { setup: () => system.setup(), cleanup: () => system.cleanup() };
  },
};
