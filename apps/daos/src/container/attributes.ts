import { ContextError } from '@daos/control';
import { UsageError, type VerbContext, type VerbResult } from '@daos/control/cli';

import { getAttributes, listAttributes, parseAttributeNames, parseAttributes } from '../attributes.js';
import { containerTarget, failAs, withContainer } from '../session.js';

function title(name: string): string {
  return `Attributes for container ${name}:`;
}

/** `daos container list-attr`. */
export async function runList(context: VerbContext): Promise<VerbResult> {
  const target = containerTarget(context);
  return withContainer(context, target, 'ro', (container) =>
    listAttributes(context, title(target.name), container).catch(failAs(`failed to list attributes for container ${target.name}`)),
  );
}

/** `daos container get-attr`. */
export async function runGet(context: VerbContext): Promise<VerbResult> {
  const target = containerTarget(context);
  const keys = oneOf(target.rest[0], context.options.attr);
  const names = keys === undefined ? undefined : parseAttributeNames(keys);
  return withContainer(context, target, 'ro', (container) =>
    getAttributes(context, title(target.name), container, names).catch((error: unknown) => {
      throw new ContextError(`failed to get attributes for container ${target.name}`, new ContextError('failed to get container attribute sizes', error));
    }),
  );
}

/** `daos container set-attr`. */
export async function runSet(context: VerbContext): Promise<VerbResult> {
  const target = containerTarget(context);
  const attrs = attributesToSet(target.rest[0], context.options.attr, context.options.value);
  await withContainer(context, target, 'rw', (container) =>
    container.setAttrs(attrs).catch(failAs(`failed to set attributes on container ${target.name}`)),
  );
  context.io.print(`Attributes successfully set on container "${target.name}"\n`);
  return undefined;
}

/** `daos container del-attr`. */
export async function runDelete(context: VerbContext): Promise<VerbResult> {
  const target = containerTarget(context);
  const keys = oneOf(target.rest[0], context.options.attr);
  if (keys === undefined) throw new UsageError('attribute name is required');
  const names = parseAttributeNames(keys);
  await withContainer(context, target, 'rw', (container) =>
    container.delAttrs(names).catch(failAs(`failed to delete attributes on container ${target.name}`)),
  );
  context.io.print(`Attribute(s) ${names.join(',')} successfully deleted on container "${target.name}"\n`);
  return undefined;
}

/** A name may come as an argument or by the deprecated flag, not both. */
function oneOf(argument: string | undefined, flag: unknown): string | undefined {
  if (typeof flag !== 'string') return argument;
  if (argument !== undefined) throw new UsageError('only one of attribute argument and --attr may be used');
  return flag;
}

function attributesToSet(argument: string | undefined, attr: unknown, value: unknown): Record<string, Uint8Array> {
  if (typeof attr === 'string' || typeof value === 'string') {
    if (argument !== undefined) throw new UsageError('only one of attribute argument and --attr may be used');
    if (typeof attr !== 'string' || typeof value !== 'string') throw new UsageError('attribute name and value are required');
    return { [attr]: Buffer.from(value) };
  }
  if (argument === undefined) throw new UsageError('attribute name and value are required');
  return parseAttributes(argument);
}
