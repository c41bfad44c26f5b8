import type { EngineModule } from '@daos/engine';
import { POOL_SYSTEM } from '@daos/pool/ds';

import { ContService } from './cont_service.js';
import { serveContainers, type ContServices } from './handlers.js';
import { ContRanks } from './host.js';
import type { ContModuleOptions } from './options.js';
import { startContTarget } from './target.js';

/** The container module, with other than the usual settings. */
export function contModuleWith(options: ContModuleOptions = {}): EngineModule {
  return {
    name: 'cont',
    id: 3,
    version: 9,
    start(xs) {
      if (xs.kind === 'target') {
        startContTarget(xs, options);
        return {};
      }
      const system = xs.tls(POOL_SYSTEM);
      const ranks = new ContRanks(system);
      const services: ContServices = new WeakMap();
      system.extend((pool) => {
        const service = new ContService(pool, ranks);
        services.set(pool, service);
        return service;
      });
      serveContainers(system, services);
      return {};
    },
  };
}

/** Containers: their metadata beside the pool's, their handles on every target. Started after the pool module. */
export const contModule: EngineModule = contModuleWith();
