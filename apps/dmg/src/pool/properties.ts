import { formatTable, parseKeys, poolGetProp, poolSetProp } from '@daos/control';
import type { VerbContext, VerbResult } from '@daos/control/cli';

import { failAs, poolArgument, withControl } from '../session.js';
import { gettableNumbers, parseSettableProperties, showProperties } from './property_values.js';

/** `dmg pool get-prop`. */
export async function runGet(context: VerbContext): Promise<VerbResult> {
  const id = poolArgument(context);
  const keys = context.args[1] === undefined ? undefined : parseKeys(context.args[1]);
  const numbers = gettableNumbers(keys);
  const found = await withControl(context, (client) => poolGetProp(client, id, numbers)).catch(failAs('pool get-prop failed'));
  const shown = showProperties(found);
  const rows = shown.map((property) => ({ Name: `${property.description} (${property.name})`, Value: property.text }));
  context.io.print(`Pool ${id} properties:\n${formatTable(['Name', 'Value'], rows)}`);
  return { json: shown.map(({ name, description, json }) => ({ name, description, value: json })) };
}

/** `dmg pool set-prop`. */
export async function runSet(context: VerbContext): Promise<VerbResult> {
  const id = poolArgument(context);
  const properties = parseSettableProperties(context.args[1] ?? '', true);
  await withControl(context, (client) => poolSetProp(client, id, properties)).catch(failAs('pool set-prop failed: pool set-prop failed'));
  context.io.print('pool set-prop succeeded\n');
  return undefined;
}
