import { DaosError } from './error.js';
import { isLabel } from './label.js';
import { formatBinaryBytes, parseSize } from './size.js';

/**
 * Value of a property: numbers, bits and choices are bigint, texts are string, lists (access control entries, object
 * ids, ranks) are arrays of their texts.
 */
export type PropertyValue = bigint | string | readonly string[];

/** When a user may give a property a value: at any time, only when the entity is created, never. */
export type PropertySettable = 'always' | 'create' | 'never';

/** One property of pools or containers: its number on the wire, its name for users, its rules. */
export interface Property {
  readonly number: number;
  /** Name in the tools; `undefined` for properties that tools never show under one. */
  readonly name: string;
  /** Former names that are still understood. */
  readonly aliases: readonly string[];
  readonly description: string;
  /** Value of an entity that was created without one; undefined: decided by the service at creation. */
  readonly defaultValue: PropertyValue | undefined;
  readonly settable: PropertySettable;
  /** Value of the text a user gave. Throws DER_INVAL in the tools' words. */
  parse(text: string): PropertyValue;
  /** What is wrong with a value, or undefined when it is in the property's domain. */
  fault(value: PropertyValue): string | undefined;
  /** Text for a table. */
  format(value: PropertyValue): string;
  /** Value for JSON output. */
  toJson(value: PropertyValue): number | string | readonly (string | number)[];
}

/** What the tables below state of a property; the rest has defaults. */
export interface PropertySpec {
  readonly number: number;
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly description: string;
  readonly defaultValue?: PropertyValue;
  readonly settable?: PropertySettable;
}

export const U32_MAX = 0xffff_ffffn;
export const U64_MAX = 0xffff_ffff_ffff_ffffn;

/** Largest number that JSON output shows as a number without loss. */
const JSON_NUMBER_MAX = BigInt(Number.MAX_SAFE_INTEGER);

function base(spec: PropertySpec): Pick<Property, 'number' | 'name' | 'aliases' | 'description' | 'defaultValue' | 'settable'> {
  const { number, name, description, aliases = [], defaultValue, settable = 'always' } = spec;
  return { number, name, aliases, description, defaultValue, settable };
}

function jsonNumber(value: PropertyValue): number | string {
  return typeof value === 'bigint' && value <= JSON_NUMBER_MAX ? Number(value) : String(value);
}

function inRange(value: PropertyValue, min: bigint, max: bigint): string | undefined {
  if (typeof value !== 'bigint') return 'is not a number';
  return value < min || value > max ? `is not within ${min}-${max}` : undefined;
}

function parseWhole(name: string, text: string, min: bigint, max: bigint): bigint {
  const value = /^\d{1,20}$/.test(text) ? BigInt(text) : undefined;
  if (value === undefined || value < min || value > max) {
    throw new DaosError('INVAL', `invalid value ${JSON.stringify(text)} for ${name} (valid: ${min}-${max})`);
  }
  return value;
}

/** A whole number within bounds. `jsonText`: JSON shows it as text, as some of the tools' properties do. */
export function numberProperty(
  spec: PropertySpec & { readonly min?: bigint; readonly max?: bigint; readonly suffix?: string; readonly jsonText?: boolean },
): Property {
  const { min = 0n, max = U64_MAX, suffix = '', jsonText = false } = spec;
  return {
    ...base(spec),
    parse: (text) => {
      const digits = suffix !== '' && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text;
      return parseWhole(spec.name, digits, min, max);
    },
    fault: (value) => inRange(value, min, max),
    format: (value) => `${String(value)}${suffix}`,
    toJson: (value) => (jsonText ? String(value) : jsonNumber(value)),
  };
}

/** A size in bytes, shown with binary units. */
export function sizeProperty(
  spec: PropertySpec & { readonly min?: bigint; readonly max?: bigint; readonly multipleOf?: bigint; readonly zeroAllowed?: boolean },
): Property {
  const { min = 0n, max = U64_MAX, multipleOf = 1n, zeroAllowed = false } = spec;
  const fault = (value: PropertyValue): string | undefined => {
    if (zeroAllowed && value === 0n) return undefined;
    const outside = inRange(value, min, max);
    if (outside !== undefined) return outside;
    return typeof value === 'bigint' && value % multipleOf !== 0n ? `is not a multiple of ${multipleOf}` : undefined;
  };
  return {
    ...base(spec),
    parse: (text) => {
      const bytes = parseSize(text);
      if (bytes === undefined || fault(bytes) !== undefined) throw new DaosError('INVAL', `invalid ${spec.name} ${text}`);
      return bytes;
    },
    fault,
    format: (value) => (typeof value === 'bigint' ? formatBinaryBytes(value) : String(value)),
    toJson: jsonNumber,
  };
}

/** One of a few named values. `shown`: what tables print, when it is not the name. */
export function choiceProperty(
  spec: PropertySpec & {
    readonly choices: Readonly<Record<string, bigint>>;
    readonly shown?: Readonly<Record<string, string>>;
    /** Names that are understood but not offered. */
    readonly hidden?: Readonly<Record<string, bigint>>;
  },
): Property {
  const { choices, hidden = {}, shown = {} } = spec;
  const names = new Map([...Object.entries(hidden), ...Object.entries(choices)].map(([name, value]) => [value, name]));
  const format = (value: PropertyValue): string => {
    const name = typeof value === 'bigint' ? names.get(value) : undefined;
    return name === undefined ? String(value) : (shown[name] ?? name);
  };
  return {
    ...base(spec),
    parse: (text) => {
      const key = text.toLowerCase();
      const value = Object.hasOwn(choices, key) ? choices[key] : Object.hasOwn(hidden, key) ? hidden[key] : undefined;
      if (value !== undefined) return value;
      const valid = Object.keys(choices).sort().join(',');
      throw new DaosError('INVAL', `invalid choice ${JSON.stringify(text)} for ${spec.name} (valid: ${valid})`);
    },
    fault: (value) => (typeof value === 'bigint' && names.has(value) ? undefined : 'is not one of the choices'),
    format,
    toJson: format,
  };
}

/** Text of 1 to 255 characters, or another rule. */
export function textProperty(spec: PropertySpec & { readonly isValid?: (text: string) => boolean }): Property {
  const isValid = spec.isValid ?? ((text: string) => text.length >= 1 && text.length <= 255);
  return {
    ...base(spec),
    parse: (text) => {
      if (!isValid(text)) throw new DaosError('INVAL', `invalid ${spec.name} ${JSON.stringify(text)}`);
      return text;
    },
    fault: (value) => (typeof value === 'string' && isValid(value) ? undefined : 'is not a valid text'),
    format: String,
    toJson: String,
  };
}

export function labelProperty(spec: PropertySpec): Property {
  return textProperty({ ...spec, isValid: isLabel });
}

/** A list of texts. `fault` checks the list as a whole. */
export function listProperty(
  spec: PropertySpec & {
    readonly listFault?: (items: readonly string[]) => string | undefined;
    readonly formatList?: (items: readonly string[]) => string;
    readonly jsonNumbers?: boolean;
  },
): Property {
  const { listFault, formatList = (items) => items.join(', '), jsonNumbers = false } = spec;
  const isList = (value: PropertyValue): value is readonly string[] => Array.isArray(value);
  return {
    ...base(spec),
    parse: (text) => {
      throw new DaosError('INVAL', `${spec.name} cannot be set to ${JSON.stringify(text)}`);
    },
    fault: (value) => (isList(value) ? listFault?.(value) : 'is not a list'),
    format: (value) => (isList(value) ? formatList(value) : String(value)),
    toJson: (value) => (isList(value) ? (jsonNumbers ? value.map(Number) : value) : String(value)),
  };
}
