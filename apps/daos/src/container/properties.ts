import type { PropValue } from '@daos/client';
import { CONTAINER_PROPERTIES, DaosError, type Property } from '@daos/common';
import { ContextError, formatTable, parseKeys } from '@daos/control';
import { UsageError, type VerbContext, type VerbResult } from '@daos/control/cli';

import { containerTarget, failAs, withContainer } from '../session.js';
import { SHOWN_PROPERTIES, parsePropertyList } from './property_names.js';

/** `daos container get-prop`. */
export async function runGet(context: VerbContext): Promise<VerbResult> {
  const target = containerTarget(context);
  const list = target.rest[0] ?? context.options.properties;
  const wanted = typeof list === 'string' ? parseKeys(list) : SHOWN_PROPERTIES.map((property) => property.name);
  return withContainer(context, target, 'ro', async (container) => {
    const shown = wanted.map((name) => knownProperty(name, target.name));
    const found = await container.getProps(undefined, { signal: context.signal }).catch(failAs(`failed to fetch properties for container ${target.name}`));
    const byName = new Map(found.map((prop) => [CONTAINER_PROPERTIES.find(prop.name)?.name ?? prop.name, prop]));
    const values = shown
      .sort((a, b) => SHOWN_PROPERTIES.indexOf(a) - SHOWN_PROPERTIES.indexOf(b))
      .flatMap((property) => {
        const prop = byName.get(property.name);
        return prop ? [{ property, ...shownValue(property, prop.value) }] : [];
      });
    const rows = values.map(({ property, text }) => ({ Name: `${property.description} (${property.name})`, Value: text }));
    context.io.print(`Properties for container ${target.name}\n${formatTable(['Name', 'Value'], rows)}`);
    return { json: values.map(({ property, json }) => ({ value: json, name: property.name, description: property.description })) };
  });
}

/** `daos container set-prop`. */
export async function runSet(context: VerbContext): Promise<VerbResult> {
  const target = containerTarget(context);
  const list = target.rest[0] ?? context.options.properties;
  if (typeof list !== 'string') throw new UsageError('property name and value are required');
  const props = parsePropertyList(list, 'set');
  await withContainer(context, target, 'rw', (container) =>
    container.setProps(props, { signal: context.signal }).catch((error: unknown) => {
      throw new ContextError(`failed to set properties on container ${target.name}`, new ContextError('failed to set container properties', error));
    }),
  );
  context.io.print('Properties were successfully set\n');
  return undefined;
}

function knownProperty(name: string, container: string): Property {
  const found = CONTAINER_PROPERTIES.find(name);
  if (found) return found;
  const valid = SHOWN_PROPERTIES.map((property) => property.name).join(',');
  const unknown = new Error(`properties: unknown property ${JSON.stringify(name)} (valid: ${valid})`);
  throw new ContextError(`failed to fetch properties for container ${container}`, unknown);
}

/** The library gives values as texts or as numbers; both are shown alike. */
function shownValue(property: Property, value: PropValue['value']): { text: string; json: unknown } {
  const typed = typeof value === 'string' && typeof property.defaultValue !== 'string' ? parsed(property, value) : value;
  return { text: property.format(typed), json: property.toJson(typed) };
}

function parsed(property: Property, text: string): PropValue['value'] {
  try {
    return property.parse(text);
  } catch (error) {
    if (error instanceof DaosError) return text;
    throw error;
  }
}
