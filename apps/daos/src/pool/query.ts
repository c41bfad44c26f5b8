import { formatPoolQuery, poolInfoJson } from '@daos/control';
import type { VerbContext, VerbResult } from '@daos/control/cli';

import { failAs, withPool } from '../session.js';
import { poolInfoOf } from './pool_info.js';

/** `daos pool query`. */
export async function run(context: VerbContext): Promise<VerbResult> {
  const { healthOnly, showEnabled } = context.options;
  const id = context.args[0];
  const found = await withPool(context, id, { mode: 'ro' }, (pool) =>
    pool.query({ signal: context.signal }).catch(failAs(`failed to query pool ${id ?? ''}`)),
  );
  const info = poolInfoOf(found, { healthOnly: healthOnly === true, showEnabled: showEnabled === true });
  context.io.print(formatPoolQuery(info));
  return { json: poolInfoJson(info) };
}
