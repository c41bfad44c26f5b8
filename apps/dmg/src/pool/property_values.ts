import { DaosError, POOL_PROPERTIES, PoolProp, type Property, type PropertyValue } from '@daos/common';
import { parseKeyValues, quoteText } from '@daos/control';
import { UsageError } from '@daos/control/cli';
import type { PoolProperty } from '@daos/proto/mgmt/pool';

type WireValue = PoolProperty['value'];

/** Shown by other verbs, or to nobody. */
const HIDDEN = new Set<number>([PoolProp.ACL, PoolProp.OWNER, PoolProp.OWNER_GROUP, PoolProp.OBJ_VERSION]);
const SHOWN = POOL_PROPERTIES.properties.filter((property) => !HIDDEN.has(property.number)).sort((a, b) => (a.name < b.name ? -1 : 1));
const NAMES = SHOWN.map((property) => property.name).join(',');
/** May only be given when a pool is created. */
const CREATE_ONLY = new Set<number>([PoolProp.PERF_DOMAIN, PoolProp.EC_PDA, PoolProp.RP_PDA]);

/** How dmg words a bad value; scripts match on it. */
const COMPLAINTS = new Map<number, (text: string) => string>([
  [PoolProp.REDUN_FAC, (text) => `invalid redun fac value ${text} (valid values: 0-4)`],
  [PoolProp.SPACE_RB, (text) => `invalid space_rb value ${text} (valid values: 0-100)`],
  [PoolProp.EC_CELL_SZ, (text) => `invalid EC Cell size ${quoteText(text)}`],
  [PoolProp.EC_PDA, (text) => `invalid ec_pda value ${quoteText(text)}`],
  [PoolProp.RP_PDA, (text) => `invalid rp_pda value ${quoteText(text)}`],
  [PoolProp.CHECKPOINT_FREQ, (text) => `invalid Checkpointing Frequency value ${text}`],
  [PoolProp.CHECKPOINT_THRESH, (text) => `invalid Checkpointing Threshold value ${text}`],
  [PoolProp.SCRUB_FREQ, (text) => `invalid Scrubbing Frequency value ${text}`],
  [PoolProp.SCRUB_THRESH, (text) => `invalid Scrubbing Threshold value ${text}`],
  [
    PoolProp.SELF_HEAL,
    (text) =>
      `invalid value ${quoteText(text)} for self_heal (valid: delay_rebuild,delay_rebuild;exclude,exclude,` +
      'exclude;delay_rebuild,exclude;rebuild,none,rebuild,rebuild;exclude)',
  ],
  [PoolProp.SVC_LIST, () => 'cannot set pool service replica list'],
]);

/**
 * Parses `key:val[,key:val...]` of pool properties. Throws `UsageError` for an unknown name or a malformed list, and
 * an `Error` for a bad value. `existing`: for a pool that exists, some properties can no longer be chosen.
 */
export function parseSettableProperties(text: string, existing = false): PoolProperty[] {
  return [...parseList(text)].map(([name, value]) => {
    const property = SHOWN.find((candidate) => candidate.name === name);
    if (!property) throw new UsageError(`"${name}" is not a settable property (valid: ${NAMES})`);
    const parsed = parseValue(property, value);
    if (existing && CREATE_ONLY.has(property.number)) throw new Error(`can't set ${name} on existing pool.`);
    return { number: property.number, value: toWire(parsed) };
  });
}

function parseList(text: string): Map<string, string> {
  try {
    return parseKeyValues(text);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function parseValue(property: Property, text: string): PropertyValue {
  try {
    return property.parse(text);
  } catch (error) {
    if (!(error instanceof DaosError)) throw error;
    throw new Error(COMPLAINTS.get(property.number)?.(text) ?? error.detail.replace(/^invalid choice/, 'invalid value'), { cause: error });
  }
}

function toWire(value: PropertyValue): WireValue {
  if (typeof value === 'bigint') return { $case: 'numval', value };
  return { $case: 'strval', value: typeof value === 'string' ? value : value.join(',') };
}

export function labelProperty(label: string): PoolProperty {
  return { number: PoolProp.LABEL, value: { $case: 'strval', value: label } };
}

/** Numbers of the named properties; of all when `names` is undefined. Throws `UsageError` for an unknown name. */
export function gettableNumbers(names: readonly string[] | undefined): number[] {
  if (names === undefined) return SHOWN.map((property) => property.number);
  return names.map((name) => {
    const property = SHOWN.find((candidate) => candidate.name === name);
    if (!property) throw new UsageError(`"${name}" is not a gettable property (valid: ${NAMES})`);
    return property.number;
  });
}

export interface ShownProperty {
  readonly name: string;
  readonly description: string;
  readonly text: string;
  readonly json: unknown;
}

/** Properties as shown, by name. Those that this tool does not know are left out. */
export function showProperties(found: readonly PoolProperty[]): ShownProperty[] {
  const byNumber = new Map(found.map((property) => [property.number, property.value]));
  return SHOWN.filter((property) => byNumber.has(property.number)).map((property) => {
    const { name, description } = property;
    const value = fromWire(property, byNumber.get(property.number));
    if (value === undefined) return { name, description, text: 'not set', json: null };
    return { name, description, text: property.format(value), json: property.toJson(value) };
  });
}

function fromWire(property: Property, value: WireValue): PropertyValue | undefined {
  if (value === undefined) return undefined;
  if (property.number === PoolProp.SVC_LIST) return rankList(value);
  return value.$case === 'byteval' ? value.value.toString('hex') : value.value;
}

/** Ranks of the service replicas, however the server sends them: as text, as one number or as 32-bit numbers. */
function rankList(value: NonNullable<WireValue>): string[] {
  if (value.$case === 'numval') return [String(value.value)];
  if (value.$case === 'strval') return value.value.split(/\D+/).filter((part) => part !== '');
  const ranks: string[] = [];
  for (let at = 0; at + 4 <= value.value.length; at += 4) ranks.push(String(value.value.readUInt32LE(at)));
  return ranks;
}
