import { DaosError } from '@daos/common';
import { DAOS_VERSION } from '@daos/control';

/** System properties are attributes with this prefix; users cannot touch them as attributes. */
const PREFIX = 'prop.';
const INTERNAL_PREFIX = 'mgmt.';
const KEY_LENGTH_MAX = 511;
const SELF_HEAL_FLAGS = ['exclude', 'pool_exclude', 'pool_rebuild'];

interface Property {
  readonly initial: string;
  /** Text of the complaint, or undefined. Absent: the property is read-only. */
  readonly check?: (value: string) => string | undefined;
}

const PROPERTIES: Readonly<Record<string, Property | undefined>> = {
  daos_version: { initial: DAOS_VERSION },
  daos_system: { initial: '' },
  pool_scrub_mode: {
    initial: 'off',
    check: (value) => (['off', 'lazy', 'timed'].includes(value) ? undefined : 'use off, lazy or timed'),
  },
  pool_scrub_thresh: {
    initial: '0',
    check: (value) => (/^\d+$/.test(value) ? undefined : 'use a whole number'),
  },
  self_heal: { initial: SELF_HEAL_FLAGS.join(';'), check: checkSelfHeal },
};

function checkSelfHeal(value: string): string | undefined {
  const flags = value.split(';');
  const inOrder = SELF_HEAL_FLAGS.filter((flag) => flags.includes(flag)).join(';');
  return value === 'none' || value === inOrder
    ? undefined
    : `use none, or of ${SELF_HEAL_FLAGS.join(';')} those that are wanted, in that order`;
}

/** Value of a property; its default when it was never set. */
export function readProperty(attributes: ReadonlyMap<string, string>, key: string): string {
  return attributes.get(PREFIX + key) ?? PROPERTIES[key]?.initial ?? '';
}

/** Values of the properties, all when none are named. DER_INVAL for an unknown one. */
export function readProperties(
  attributes: ReadonlyMap<string, string>,
  keys: readonly string[],
  systemName: string,
): Record<string, string> {
  const wanted = keys.length > 0 ? keys : Object.keys(PROPERTIES);
  const values: Record<string, string> = {};
  for (const key of wanted) {
    if (!PROPERTIES[key]) throw new DaosError('INVAL', `unknown system property "${key}"`);
    values[key] = key === 'daos_system' ? systemName : readProperty(attributes, key);
  }
  return values;
}

/** Attributes that hold the given property values. DER_INVAL for an unknown or read-only property or a bad value. */
export function propertyAttributes(properties: Readonly<Record<string, string>>): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const [key, value] of Object.entries(properties)) {
    const property = PROPERTIES[key];
    if (!property) throw new DaosError('INVAL', `unknown system property "${key}"`);
    if (!property.check) throw new DaosError('INVAL', `system property "${key}" is read-only`);
    const complaint = property.check(value);
    if (complaint) {
      throw new DaosError('INVAL', `system property "${key}": invalid value "${value}": ${complaint}`);
    }
    attributes[PREFIX + key] = value;
  }
  return attributes;
}

/** DER_INVAL for attribute keys that users may not set. */
export function checkAttributeKeys(keys: readonly string[]): void {
  for (const key of keys) {
    if (key === '' || key.length > KEY_LENGTH_MAX) {
      throw new DaosError('INVAL', `a system attribute key has 1 to ${KEY_LENGTH_MAX} characters`);
    }
    if (key.startsWith(PREFIX) || key.startsWith(INTERNAL_PREFIX)) {
      throw new DaosError('INVAL', `system attribute "${key}" is reserved`);
    }
  }
}

/** User attributes, all when none are named. An unknown key is an error. */
export function readAttributes(
  attributes: ReadonlyMap<string, string>,
  keys: readonly string[],
): Record<string, string> {
  const users = [...attributes].filter(([key]) =>
    !key.startsWith(PREFIX) && !key.startsWith(INTERNAL_PREFIX)
  );
  if (keys.length === 0) return Object.fromEntries(users);
  const known = new Map(users);
  return Object.fromEntries(
    keys.map((key) => {
      const value = known.get(key);
      if (value === undefined) throw new Error(`unable to find system attribute with key "${key}"`);
      return [key, value];
    }),
  );
}
