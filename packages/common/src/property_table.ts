import { DaosError } from './error.js';
import type { Property, PropertyValue } from './property.js';

/** Most properties of one call. */
export const PROPERTIES_MAX = 128;

/** A property by number with its value, as it travels and is stored. */
export interface PropertyEntry {
  readonly number: number;
  readonly value: PropertyValue;
}

/** All properties of pools or of containers. */
export class PropertyTable {
  private readonly byName = new Map<string, Property>();
  private readonly byNumber = new Map<number, Property>();

  constructor(readonly properties: readonly Property[]) {
    for (const property of properties) {
      this.byNumber.set(property.number, property);
      for (const name of [property.name, ...property.aliases]) this.byName.set(name, property);
    }
  }

  /** By name, or a former name. */
  find(name: string): Property | undefined {
    return this.byName.get(name);
  }

  findNumber(number: number): Property | undefined {
    return this.byNumber.get(number);
  }

  /** Names, sorted, that a user may set; `create` = while creating. Former names are included. */
  settableNames(when: 'create' | 'set'): string[] {
    const ok = (property: Property): boolean =>
      property.settable === 'always' || (property.settable === 'create' && when === 'create');
    return [...this.byName].filter(([, property]) => ok(property)).map(([name]) => name).sort();
  }

  /** Value a user gave by name. Throws DER_INVAL for an unknown or unsettable property or a bad value. */
  parse(name: string, text: string, when: 'create' | 'set'): PropertyEntry {
    const property = this.byName.get(name);
    const valid = this.settableNames(when);
    if (!property || !valid.includes(name)) {
      const list = valid.join(',');
      throw new DaosError('INVAL', `${JSON.stringify(name)} is not a settable property (valid: ${list})`);
    }
    return { number: property.number, value: property.parse(text) };
  }

  /**
   * Checks entries that came from outside: known numbers, no duplicates, values in their domains.
   * Throws DER_INVAL that names the first one at fault.
   */
  validate(entries: readonly PropertyEntry[]): void {
    if (entries.length > PROPERTIES_MAX) throw new DaosError('INVAL', `more than ${PROPERTIES_MAX} properties`);
    const seen = new Set<number>();
    for (const { number, value } of entries) {
      const property = this.byNumber.get(number);
      if (!property) throw new DaosError('INVAL', `unknown property number ${number}`);
      if (seen.has(number)) throw new DaosError('INVAL', `property ${property.name} is given twice`);
      seen.add(number);
      const fault = property.fault(value);
      if (fault !== undefined) throw new DaosError('INVAL', `property ${property.name} ${fault}`);
    }
  }

  /** Default of every property that has one. */
  defaults(): PropertyEntry[] {
    return this.properties.flatMap(({ number, defaultValue }) =>
      defaultValue === undefined ? [] : [{ number, value: defaultValue }],
    );
  }
}

/** Two lists in one; entries of the second win. */
export function propertiesMerge(old: readonly PropertyEntry[], added: readonly PropertyEntry[]): PropertyEntry[] {
  const merged = new Map(old.map((entry) => [entry.number, entry]));
  for (const entry of added) merged.set(entry.number, entry);
  return [...merged.values()];
}
