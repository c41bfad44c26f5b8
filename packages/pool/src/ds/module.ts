import type { EngineModule } from '@daos/engine';
import type { DataOpener } from '@daos/vos';

import { startChildren } from './child.js';
import { EngineDevices } from './devices/engine_devices.js';
import { startTargetDevice } from './devices/target_device.js';
import { servePools } from './handlers.js';
import { POOL_SYSTEM, PoolSystem } from './system.js';

/** How the pool module works, where that is not the usual. For tests. */
export interface PoolModuleOptions {
  readonly openData?: DataOpener;
}

/** The pool module, with other than the usual settings. */
export function poolModuleWith({ openData }: PoolModuleOptions = {}): EngineModule {
  return {
    name: 'pool',
    id: 2,
    version: 7,
    start(xs) {
      if (xs.kind === 'target') {
        const children = startChildren(xs, openData);
        const device = startTargetDevice(xs, children);
        return { cleanup: () => children.stopAll(), fini: () => device.stop() };
      }
      const devices = new EngineDevices(xs);
      const system = new PoolSystem(xs);
      xs.provide(POOL_SYSTEM, system);
      servePools(system);
      return {
        setup: async () => {
          await devices.open();
          await system.setup();
          await devices.applyState();
        },
        cleanup: () => system.cleanup(),
        fini: () => devices.close(),
      };
    },
  };
}

/** Pools: their storage on this engine's targets, and the services whose replicas are here. */
export const poolModule: EngineModule = poolModuleWith();
