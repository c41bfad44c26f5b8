import { dsContHandleLookup } from '@daos/container/ds';
import type { EngineModule } from '@daos/engine';

export interface ProbeArgs {
  readonly pool: string;
  readonly handle: string;
}

/** Looks handles up as the object service does. */
export const probeModule: EngineModule = {
  name: 'probe',
  id: 40,
  version: 1,
  start(xs) {
    if (xs.kind !== 'target') return {};
    xs.operation('probe.lookup', async ({ pool, handle }: ProbeArgs) => {
      const found = dsContHandleLookup(xs, pool, handle);
      const wasCached = !(found instanceof Promise);
      const { containerUuid, canRead, canWrite, poolMapVersion, checksum } = await found;
      return { wasCached, containerUuid, canRead, canWrite, poolMapVersion, checksum };
    });
    return {};
  },
};
