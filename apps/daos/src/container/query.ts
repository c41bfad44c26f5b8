import { ContextError } from '@daos/control';
import type { VerbContext, VerbResult } from '@daos/control/cli';

import { containerTarget, withContainer } from '../session.js';
import { containerJson, formatContainer, readContainer } from './container_info.js';

/** `daos container query`. */
export async function run(context: VerbContext): Promise<VerbResult> {
  const target = containerTarget(context);
  return withContainer(context, target, 'ro', async (container, pool) => {
    const found = await readContainer(container, pool.uuid, context.signal).catch((error: unknown) => {
      throw new ContextError(`failed to query container ${target.name}`, new ContextError('failed to query container', error));
    });
    context.io.print(formatContainer(found));
    return { json: containerJson(found) };
  });
}

/** `daos container stat`: tells whether the container can be opened. */
export async function runStat(context: VerbContext): Promise<VerbResult> {
  await withContainer(context, containerTarget(context), 'ro', () => Promise.resolve());
  return undefined;
}
