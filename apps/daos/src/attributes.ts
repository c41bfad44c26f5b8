import { KeyValueError, formatTable, parseKeyValues, parseKeys } from '@daos/control';
import { UsageError, type VerbContext, type VerbResult } from '@daos/control/cli';

/** User attributes of a pool or a container, as both handles offer them. */
export interface AttributeStore {
  setAttrs(attrs: Readonly<Record<string, Uint8Array>>): Promise<void>;
  getAttrs(names: readonly string[]): Promise<Uint8Array[]>;
  listAttrs(): Promise<string[]>;
  delAttrs(names: readonly string[]): Promise<void>;
}

/** Parses `key:val[,key:val...]` of attributes. Throws `UsageError`. */
export function parseAttributes(text: string): Record<string, Uint8Array> {
  try {
    return Object.fromEntries([...parseKeyValues(text)].map(([key, value]) => [key, Buffer.from(value)]));
  } catch (error) {
    throw error instanceof KeyValueError ? new UsageError(error.message) : error;
  }
}

export function parseAttributeNames(text: string): string[] {
  try {
    return parseKeys(text);
  } catch (error) {
    throw error instanceof KeyValueError ? new UsageError(error.message) : error;
  }
}

/** Lists names, or names and values, below the title. */
export async function listAttributes(context: VerbContext, title: string, store: AttributeStore): Promise<VerbResult> {
  const names = (await store.listAttrs()).sort();
  if (names.length === 0) {
    context.io.print(`${title}\n  No attributes found.\n`);
    return { json: context.options.verbose === true ? {} : [] };
  }
  if (context.options.verbose !== true) {
    context.io.print(`${title}\n${formatTable(['Name'], names.map((name) => ({ Name: name })))}`);
    return { json: names };
  }
  return showAttributes(context, title, names, await store.getAttrs(names));
}

/** Shows the named attributes, or all of them. */
export async function getAttributes(context: VerbContext, title: string, store: AttributeStore, wanted: readonly string[] | undefined): Promise<VerbResult> {
  const names = wanted ?? (await store.listAttrs()).sort();
  if (names.length === 0) {
    context.io.print(`${title}\n  No attributes found.\n`);
    return { json: {} };
  }
  const values = await store.getAttrs(names);
  const result = showAttributes(context, title, names, values);
  return wanted?.length === 1 ? { json: { name: names[0], value: values[0] } } : result;
}

function showAttributes(context: VerbContext, title: string, names: readonly string[], values: readonly Uint8Array[]): VerbResult {
  const texts = values.map((value) => Buffer.from(value).toString());
  context.io.print(`${title}\n${formatTable(['Name', 'Value'], names.map((name, index) => ({ Name: name, Value: texts[index] ?? '' })))}`);
  return { json: Object.fromEntries(names.map((name, index) => [name, values[index]])) };
}
