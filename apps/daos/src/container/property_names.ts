import { CONTAINER_PROPERTIES, DaosError, type Property } from '@daos/common';
import { KeyValueError, parseKeyValues } from '@daos/control';
import { UsageError } from '@daos/control/cli';

/** Container properties in the order of output. */
export const SHOWN_PROPERTIES: readonly Property[] = [...CONTAINER_PROPERTIES.properties].sort((a, b) => (a.name < b.name ? -1 : 1));

/** Parses and checks `key:val[,key:val...]` for creation or change. Throws `UsageError` or an `Error` for a bad value. */
export function parsePropertyList(text: string, when: 'create' | 'set'): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [given, value] of parseList(text)) {
    const property = CONTAINER_PROPERTIES.find(given);
    const names = CONTAINER_PROPERTIES.settableNames(when);
    if (!property || !names.includes(given)) {
      throw new UsageError(`"${given}" is not a settable property (valid: ${names.join(',')})`);
    }
    checkValue(property, value);
    found[property.name] = value;
  }
  return found;
}

function checkValue(property: Property, text: string): void {
  try {
    property.parse(text);
  } catch (error) {
    if (!(error instanceof DaosError)) throw error;
    throw new Error(error.detail.startsWith('invalid choice') ? `properties: ${error.detail}` : error.detail, { cause: error });
  }
}

function parseList(text: string): Map<string, string> {
  try {
    return parseKeyValues(text);
  } catch (error) {
    throw error instanceof KeyValueError ? new UsageError(error.message) : error;
  }
}
