import { UsageError, type VerbContext, type VerbResult } from '@daos/control/cli';
import { ContextError } from '@daos/control';

import { getAttributes, listAttributes, parseAttributeNames, parseAttributes } from '../attributes.js';
import { failAs, withPool } from '../session.js';

function title(id: string | undefined): string {
  return `Attributes for pool ${id ?? ''}:`;
}

/** `daos pool list-attr`. */
export async function runList(context: VerbContext): Promise<VerbResult> {
  const id = context.args[0];
  return withPool(context, id, { mode: 'ro' }, (pool) =>
    listAttributes(context, title(id), pool).catch(failAs(`failed to list attributes for pool ${id ?? ''}`)),
  );
}

/** `daos pool get-attr`. */
export async function runGet(context: VerbContext): Promise<VerbResult> {
  const [id, keys] = context.args;
  const names = keys === undefined ? undefined : parseAttributeNames(keys);
  return withPool(context, id, { mode: 'ro' }, (pool) =>
    getAttributes(context, title(id), pool, names).catch((error: unknown) => {
      throw new ContextError(`failed to get attributes for pool ${id ?? ''}`, new ContextError('failed to get pool attribute sizes', error));
    }),
  );
}

/** `daos pool set-attr`. */
export async function runSet(context: VerbContext): Promise<VerbResult> {
  const [id, pairs] = context.args;
  if (pairs === undefined) throw new UsageError('the required argument `key:val[,key:val...]` was not provided');
  const attrs = parseAttributes(pairs);
  await withPool(context, id, { mode: 'rw' }, (pool) => pool.setAttrs(attrs).catch(failAs(`failed to set attributes on pool ${id ?? ''}`)));
  context.io.print(`Attributes successfully set on pool "${id ?? ''}"\n`);
  return undefined;
}

/** `daos pool del-attr`. */
export async function runDelete(context: VerbContext): Promise<VerbResult> {
  const [id, keys] = context.args;
  if (keys === undefined) throw new UsageError('the required argument `key[,key...]` was not provided');
  const names = parseAttributeNames(keys);
  await withPool(context, id, { mode: 'rw' }, (pool) => pool.delAttrs(names).catch(failAs(`failed to delete attributes on pool ${id ?? ''}`)));
  context.io.print(`Attribute(s) ${names.join(',')} successfully deleted on pool "${id ?? ''}"\n`);
  return undefined;
}
