import { ContextError } from '@daos/control';
import type { VerbContext, VerbResult } from '@daos/control/cli';

import { containerTarget, withPool } from '../session.js';

/** `daos container destroy`. */
export async function run(context: VerbContext): Promise<VerbResult> {
  const target = containerTarget(context);
  await withPool(context, target.pool, { mode: 'rw', naming: 'quoted' }, (pool) =>
    pool.contDestroy(target.container, { force: context.options.force === true, signal: context.signal }).catch((error: unknown) => {
      const inner = new ContextError(`failed to destroy container ${JSON.stringify(target.container)}`, error);
      throw new ContextError(`failed to destroy container ${target.name}`, inner);
    }),
  );
  context.io.print(`Successfully destroyed container ${target.name}\n`);
  return undefined;
}
