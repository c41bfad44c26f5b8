import type { Pool } from '@daos/client';
import { ContextError, describeError, formatTable, indentText } from '@daos/control';
import type { VerbContext, VerbResult } from '@daos/control/cli';

import { failAs, withPool } from '../session.js';

/** `daos container list` and `daos pool list-containers`. */
export async function run(context: VerbContext): Promise<VerbResult> {
  const id = context.args[0];
  const verbose = context.options.verbose === true;
  return withPool(context, id, { mode: 'ro' }, async (pool) => {
    const found = await pool.contList({ signal: context.signal }).catch(failAs(`failed to list containers in pool ${id ?? ''}`));
    if (found.length === 0) {
      context.io.print('No containers.\n');
      return { json: [] };
    }
    const rows = found.map(({ uuid, label }) => ({ Label: label ?? '', UUID: uuid as string }));
    if (!verbose) {
      context.io.print(`Containers in pool ${id ?? ''}:\n${indentText(formatTable(['Label', 'UUID'], rows))}`);
      return { json: found.map(({ uuid, label }) => ({ uuid, label: label ?? '' })) };
    }
    const layouts = await Promise.all(found.map(({ uuid, label }) => layoutOf(context, pool, uuid, label ?? uuid)));
    const full = rows.map((row, index) => ({ ...row, Layout: layouts[index] ?? 'unknown' }));
    context.io.print(`Containers in pool ${id ?? ''}:\n${indentText(formatTable(['Label', 'UUID', 'Layout'], full))}`);
    return { json: found.map(({ uuid, label }, index) => ({ uuid, label: label ?? '', container_type: layouts[index] ?? 'unknown' })) };
  });
}

/** The container's layout; a container that this user may not query is shown without. */
async function layoutOf(context: VerbContext, pool: Pool, uuid: string, name: string): Promise<string> {
  try {
    const container = await pool.contOpen(uuid, { mode: 'ro', signal: context.signal });
    try {
      return (await container.query({ signal: context.signal })).layoutType;
    } finally {
      await container.close();
    }
  } catch (error) {
    context.io.error(`failed to query container ${name}: ${describeError(new ContextError('failed to query container', error))}`);
    return 'unknown';
  }
}
