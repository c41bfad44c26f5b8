import { objectClassByName } from '@daos/common';
import { parseSize } from '@daos/control';

import { parsePropertyList } from './property_names.js';

const TYPES = ['unknown', 'POSIX', 'HDF5', 'PYTHON', 'SPARK', 'DATABASE', 'ROOT', 'SEISMIC', 'METEO'] as const;
export type ContainerType = (typeof TYPES)[number];
const MODES = ['relaxed', 'balanced'] as const;

export function containerType(text: string): ContainerType {
  const found = TYPES.find((type) => type.toLowerCase() === text.toLowerCase());
  if (found === undefined) throw new Error(`unknown container layout ${JSON.stringify(text)}`);
  return found;
}

export function objectClass(text: string): string {
  const name = text.toUpperCase();
  if (!objectClassByName(name)) throw new Error(`unknown object class ${JSON.stringify(text)}`);
  return name;
}

export function chunkSize(text: string): number {
  const bytes = parseSize(text);
  if (bytes === undefined || bytes > BigInt(Number.MAX_SAFE_INTEGER)) throw new Error(`invalid chunk-size ${JSON.stringify(text)}`);
  return Number(bytes);
}

export function consistencyMode(text: string): 'relaxed' | 'balanced' {
  const found = MODES.find((mode) => mode === text.toLowerCase());
  if (found === undefined) throw new Error(`unknown consistency mode ${JSON.stringify(text)} (valid: ${MODES.join(', ')})`);
  return found;
}

export function createProperties(text: string): Record<string, string> {
  return parsePropertyList(text, 'create');
}
