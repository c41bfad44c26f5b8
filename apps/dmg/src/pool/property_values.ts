import { formatBinaryBytes, isLabel, parseKeyValues, parseSize, quoteText } from '@daos/control';
import { UsageError } from '@daos/control/cli';
import type { PoolProperty } from '@daos/proto/mgmt/pool';

type PropertyValue = NonNullable<PoolProperty['value']>;

/** A pool property as the command line knows it. */
interface PropertyDefinition {
  readonly name: string;
  readonly number: number;
  readonly description: string;
  /** Text to value; throws an `Error` in the words that users of DAOS know. */
  readonly parse: (text: string) => PropertyValue;
  /** Value to the text of a table; the number or string itself when absent. */
  readonly format?: (value: bigint) => string;
  /** JSON shows the text of the table in place of the number. */
  readonly jsonAsText?: boolean;
}

function number(value: bigint): PropertyValue {
  return { $case: 'numval', value };
}

function choice(name: string, values: Readonly<Record<string, bigint>>): Pick<PropertyDefinition, 'parse' | 'format' | 'jsonAsText'> {
  const names = new Map(Object.entries(values).map(([text, value]) => [value, text]));
  return {
    parse: (text) => {
      const value = values[text.toLowerCase()];
      if (value === undefined) {
        throw new Error(`invalid value ${quoteText(text)} for ${name} (valid: ${Object.keys(values).sort().join(',')})`);
      }
      return number(value);
    },
    format: (value) => names.get(value) ?? String(value),
    jsonAsText: true,
  };
}

/** A whole number within bounds; `failure` makes the error's text. */
function whole(min: bigint, max: bigint, failure: (text: string) => string): (text: string) => PropertyValue {
  return (text) => {
    const value = /^\d{1,20}$/.test(text) ? BigInt(text) : undefined;
    if (value === undefined || value < min || value > max) throw new Error(failure(text));
    return number(value);
  };
}

const U32_MAX = 0xffff_ffffn;
const U64_MAX = 0xffff_ffff_ffff_ffffn;
const CELL_BYTES_MIN = 4096n;
const CELL_BYTES_MAX = 1024n * 1024n;
const CELL_BYTES_UNIT = 32n;

function parseCellSize(text: string): PropertyValue {
  const bytes = parseSize(text);
  if (bytes === undefined || bytes < CELL_BYTES_MIN || bytes > CELL_BYTES_MAX || bytes % CELL_BYTES_UNIT !== 0n) {
    throw new Error(`invalid EC Cell size ${quoteText(text)}`);
  }
  return number(bytes);
}

function parseThreshold(text: string): PropertyValue {
  const bytes = parseSize(text);
  if (bytes === undefined) throw new Error(`invalid size ${quoteText(text)}`);
  return number(bytes);
}

function parseLabel(text: string): PropertyValue {
  if (!isLabel(text)) throw new Error(`invalid label ${quoteText(text)}`);
  return { $case: 'strval', value: text };
}

const SELF_HEAL = {
  none: 0n,
  exclude: 1n,
  rebuild: 2n,
  'exclude;rebuild': 3n,
  'rebuild;exclude': 3n,
  delay_rebuild: 4n,
  'delay_rebuild;exclude': 5n,
  'exclude;delay_rebuild': 5n,
};

/** Of two spellings of one policy the one that is shown. */
const SELF_HEAL_TEXT: Readonly<Record<string, string>> = { '0': 'none', '1': 'exclude', '2': 'rebuild', '3': 'exclude;rebuild', '4': 'delay_rebuild', '5': 'exclude;delay_rebuild' };

const PERF_DOMAIN = choice('perf_domain', { root: 255n, group: 200n });

const PROPERTIES: readonly PropertyDefinition[] = [
  {
    name: 'checkpoint',
    number: 22,
    description: 'WAL checkpointing behavior',
    ...choice('checkpoint', { disabled: 0n, timed: 1n, lazy: 2n }),
  },
  {
    name: 'checkpoint_freq',
    number: 23,
    description: 'WAL checkpointing frequency, in seconds',
    parse: whole(1n, 1_048_576n, (text) => `invalid Checkpointing Frequency value ${text}`),
  },
  {
    name: 'checkpoint_thresh',
    number: 24,
    description: 'WAL checkpoint threshold, in percentage',
    parse: whole(10n, 75n, (text) => `invalid Checkpointing Threshold value ${text}`),
  },
  { name: 'data_thresh', number: 10, description: 'Data bdev threshold size', parse: parseThreshold, format: formatBinaryBytes },
  { name: 'ec_cell_sz', number: 9, description: 'EC cell size', parse: parseCellSize, format: formatBinaryBytes },
  {
    name: 'ec_pda',
    number: 12,
    description: 'Performance domain affinity level of EC',
    parse: whole(1n, U32_MAX, (text) => `invalid ec_pda value ${quoteText(text)}`),
  },
  {
    name: 'global_version',
    number: 14,
    description: 'Global Version',
    parse: whole(0n, U32_MAX, (text) => `invalid global_version value ${quoteText(text)}`),
  },
  { name: 'label', number: 1, description: 'Pool label', parse: parseLabel },
  { name: 'perf_domain', number: 21, description: 'Pool performance domain', ...PERF_DOMAIN },
  {
    name: 'rd_fac',
    number: 11,
    description: 'Pool redundancy factor',
    parse: whole(0n, 4n, (text) => `invalid redun fac value ${text} (valid values: 0-4)`),
  },
  { name: 'reclaim', number: 5, description: 'Reclaim strategy', ...choice('reclaim', { disabled: 0n, lazy: 1n, time: 4n }) },
  {
    name: 'reintegration',
    number: 25,
    description: 'Reintegration mode',
    ...choice('reintegration', { data_sync: 0n, no_data_sync: 1n, incremental: 2n }),
  },
  {
    name: 'rp_pda',
    number: 13,
    description: 'Performance domain affinity level of RP',
    parse: whole(1n, U32_MAX, (text) => `invalid rp_pda value ${quoteText(text)}`),
  },
  { name: 'scrub', number: 16, description: 'Checksum scrubbing mode', ...choice('scrub', { off: 0n, lazy: 1n, timed: 2n }) },
  {
    name: 'scrub_freq',
    number: 17,
    description: 'Checksum scrubbing frequency',
    parse: whole(0n, U64_MAX, (text) => `invalid Scrubbing Frequency value ${text}`),
  },
  {
    name: 'scrub_thresh',
    number: 18,
    description: 'Checksum scrubbing threshold',
    parse: whole(0n, U64_MAX, (text) => `invalid Scrubbing Threshold value ${text}`),
  },
  {
    name: 'self_heal',
    number: 4,
    description: 'Self-healing policy',
    ...choice('self_heal', SELF_HEAL),
    format: (value) => SELF_HEAL_TEXT[String(value)] ?? String(value),
  },
  {
    name: 'space_rb',
    number: 3,
    description: 'Rebuild space ratio',
    parse: (text) => whole(0n, 100n, () => `invalid space_rb value ${text} (valid values: 0-100)`)(text.replace(/%$/, '')),
    format: (value) => `${value}%`,
  },
  {
    name: 'svc_list',
    number: 8,
    description: 'Pool service replica list',
    parse: () => {
      throw new Error('cannot set pool service replica list');
    },
  },
  {
    name: 'svc_ops_enabled',
    number: 26,
    description: 'Metadata duplicate operations detection enabled',
    parse: whole(0n, 1n, (text) => `invalid svc_ops_enabled value ${text} (valid values: 0-1)`),
  },
  {
    name: 'svc_ops_entry_age',
    number: 27,
    description: 'Metadata duplicate operations KVS max entry age, in seconds',
    parse: whole(60n, 600n, (text) => `invalid svc_ops_entry_age value ${text} (valid values: 60-600)`),
  },
  {
    name: 'svc_rf',
    number: 19,
    description: 'Pool service redundancy factor',
    parse: whole(0n, 4n, (text) => `invalid svc_rf value ${text} (valid values: 0-4)`),
  },
  {
    name: 'upgrade_status',
    number: 15,
    description: 'Upgrade Status',
    ...choice('upgrade_status', { 'not started': 0n, 'in progress': 1n, completed: 2n, failed: 3n }),
  },
];

const NAMES = PROPERTIES.map((property) => property.name).join(',');
/** Names that may only be given when a pool is created. */
const CREATE_ONLY = new Set(['perf_domain', 'ec_pda', 'rp_pda']);

/**
 * Parses `key:val[,key:val...]` of pool properties. Throws `UsageError` for an unknown name or a malformed list, and
 * an `Error` for a bad value. `existing`: for a pool that exists, some properties can no longer be chosen.
 */
export function parseSettableProperties(text: string, existing = false): PoolProperty[] {
  return [...parseList(text)].map(([name, value]) => {
    const property = PROPERTIES.find((candidate) => candidate.name === name);
    if (!property) throw new UsageError(`"${name}" is not a settable property (valid: ${NAMES})`);
    const parsed = property.parse(value);
    if (existing && CREATE_ONLY.has(name)) throw new Error(`can't set ${name} on existing pool.`);
    return { number: property.number, value: parsed };
  });
}

function parseList(text: string): Map<string, string> {
  try {
    return parseKeyValues(text);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

export function labelProperty(label: string): PoolProperty {
  return { number: 1, value: { $case: 'strval', value: label } };
}

/** Numbers of the named properties; of all when `names` is undefined. Throws `UsageError` for an unknown name. */
export function gettableNumbers(names: readonly string[] | undefined): number[] {
  if (names === undefined) return PROPERTIES.map((property) => property.number);
  return names.map((name) => {
    const property = PROPERTIES.find((candidate) => candidate.name === name);
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
  return PROPERTIES.filter((definition) => byNumber.has(definition.number)).map((definition) => {
    const { name, description } = definition;
    return { name, description, ...shownValue(definition, byNumber.get(definition.number)) };
  });
}

function shownValue(definition: PropertyDefinition, value: PoolProperty['value']): { text: string; json: unknown } {
  if (value === undefined) return { text: 'not set', json: null };
  if (definition.name === 'svc_list') return rankList(value);
  if (value.$case === 'strval') return { text: value.value, json: value.value };
  if (value.$case === 'byteval') return { text: value.value.toString('hex'), json: value.value };
  const text = definition.format?.(value.value) ?? String(value.value);
  return { text, json: definition.jsonAsText ? text : value.value };
}

/** Ranks of the service replicas, however the server sends them: as text or as 32-bit numbers. */
function rankList(value: PropertyValue): { text: string; json: unknown } {
  let ranks: number[] = [];
  if (value.$case === 'strval') ranks = value.value.split(/[^\d]+/).filter((part) => part !== '').map(Number);
  else if (value.$case === 'numval') ranks = [Number(value.value)];
  else for (let at = 0; at + 4 <= value.value.length; at += 4) ranks.push(value.value.readUInt32LE(at));
  return { text: `[${ranks.join(' ')}]`, json: ranks };
}
