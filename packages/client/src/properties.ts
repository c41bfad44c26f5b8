import { CONTAINER_PROPERTIES, ContProp, DaosError, type Property } from '@daos/common';
import type { PropEntry } from '@daos/pool/rpc';

import type { PropValue } from './types.js';

/** The library's own name of the root objects of a container; tools call them `root_oids`. */
const ROOTS_NAME = 'roots';

/** DER_INVAL for a name that no container property has. */
export function containerProperty(name: string): Property {
  const property = name === ROOTS_NAME ? CONTAINER_PROPERTIES.findNumber(ContProp.ROOTS) : CONTAINER_PROPERTIES.find(name);
  if (!property) throw new DaosError('INVAL', `"${name}" is not a container property`);
  return property;
}

/**
 * Entries of properties given as text. Lists (`roots`) are separated by commas. Whether a property may be set is for
 * the service to say.
 */
export function propEntries(props: Readonly<Record<string, string>>): PropEntry[] {
  return Object.entries(props).map(([name, text]) => {
    const property = containerProperty(name);
    if (property.number === ContProp.ROOTS) return { number: property.number, value: text.split(',').filter(Boolean) };
    return { number: property.number, value: property.parse(text) };
  });
}

/** Values under the names they were asked by, or their own names. */
export function propValues(entries: readonly PropEntry[], names: readonly string[] | undefined): PropValue[] {
  if (!names) {
    return entries.map(({ number, value }) => ({ name: CONTAINER_PROPERTIES.findNumber(number)?.name ?? String(number), value }));
  }
  return names.flatMap((name) => {
    const { number } = containerProperty(name);
    const entry = entries.find((candidate) => candidate.number === number);
    return entry ? [{ name, value: entry.value }] : [];
  });
}
