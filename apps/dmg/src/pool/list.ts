import { ContextError, describeError, formatPoolList, poolInfoJson, poolList } from '@daos/control';
import { VerbFailure, type VerbContext, type VerbResult } from '@daos/control/cli';

import { failAs, withControl } from '../session.js';

/** `dmg pool list` and `dmg system list-pools`. */
export async function run(context: VerbContext): Promise<VerbResult> {
  const noQuery = context.options.query === false || context.options.noQuery === true;
  const verbose = context.options.verbose === true;
  const listing = await withControl(context, (client) => poolList(client, { noQuery })).catch(failAs('list pools failed'));
  const rebuilding = context.options.rebuildOnly === true;
  const pools = rebuilding ? listing.pools.filter((pool) => pool.rebuild !== undefined && pool.rebuild.state !== 'idle') : listing.pools;
  context.io.print(formatPoolList(pools, { verbose, noQuery }));
  const json = { status: 0, pools: pools.length === 0 ? null : pools.map(poolInfoJson) };
  if (listing.failures.length === 0) return { json };
  const texts = listing.failures.map(
    ({ name, error }) => `Query on pool ${JSON.stringify(name)} unsuccessful, error: ${JSON.stringify(describeError(error))}`,
  );
  if (!context.json) context.io.error(`${texts.join('\n')}\n`);
  throw new VerbFailure(new ContextError('list pools failed', new Error(texts.join(', '))), json);
}
