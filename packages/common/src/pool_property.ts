import { ACL_POOL_DEFAULT, Acl } from './acl.js';
import { POOL_LABEL_NOT_SET } from './label.js';
import {
  choiceProperty,
  labelProperty,
  listProperty,
  numberProperty,
  sizeProperty,
  textProperty,
  U32_MAX,
} from './property.js';
import { PropertyTable } from './property_table.js';

/** Numbers of pool properties. */
export const PoolProp = {
  LABEL: 1,
  ACL: 2,
  SPACE_RB: 3,
  SELF_HEAL: 4,
  RECLAIM: 5,
  OWNER: 6,
  OWNER_GROUP: 7,
  SVC_LIST: 8,
  EC_CELL_SZ: 9,
  DATA_THRESH: 10,
  REDUN_FAC: 11,
  EC_PDA: 12,
  RP_PDA: 13,
  GLOBAL_VERSION: 14,
  UPGRADE_STATUS: 15,
  SCRUB_MODE: 16,
  SCRUB_FREQ: 17,
  SCRUB_THRESH: 18,
  SVC_REDUN_FAC: 19,
  OBJ_VERSION: 20,
  PERF_DOMAIN: 21,
  CHECKPOINT_MODE: 22,
  CHECKPOINT_FREQ: 23,
  CHECKPOINT_THRESH: 24,
  REINT_MODE: 25,
  SVC_OPS_ENABLED: 26,
  SVC_OPS_ENTRY_AGE: 27,
} as const;

/** Name that stands for "nobody" as owner or group. */
export const OWNER_NOBODY = 'NOBODY@';
/** Cell size of erasure code: 4 KiB to 1 MiB in steps of 32 bytes. */
export const EC_CELL = { min: 4096n, max: 1_048_576n, multipleOf: 32n, defaultValue: 131_072n } as const;

/** What is wrong with a list of access control entries in text form. */
export function aclTextsFault(items: readonly string[]): string | undefined {
  try {
    Acl.of(Acl.parse(items).entries);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const SELF_HEAL_CHOICES = {
  none: 0n,
  exclude: 1n,
  rebuild: 2n,
  'exclude;rebuild': 3n,
  delay_rebuild: 4n,
  'exclude;delay_rebuild': 5n,
};
const P = PoolProp;

/** Properties of pools. */
export const POOL_PROPERTIES = new PropertyTable([
  labelProperty({ number: P.LABEL, name: 'label', description: 'Pool label', defaultValue: POOL_LABEL_NOT_SET }),
  listProperty({
    number: P.ACL,
    name: 'acl',
    description: 'Access Control List',
    defaultValue: ACL_POOL_DEFAULT.format(),
    settable: 'never',
    listFault: aclTextsFault,
  }),
  numberProperty({ number: P.SPACE_RB, name: 'space_rb', description: 'Rebuild space ratio', defaultValue: 0n, max: 100n, suffix: '%' }),
  choiceProperty({
    number: P.SELF_HEAL,
    name: 'self_heal',
    description: 'Self-healing policy',
    defaultValue: 3n,
    choices: SELF_HEAL_CHOICES,
    hidden: { 'rebuild;exclude': 3n, 'delay_rebuild;exclude': 5n },
  }),
  choiceProperty({
    number: P.RECLAIM,
    name: 'reclaim',
    description: 'Reclaim strategy',
    defaultValue: 1n,
    choices: { disabled: 0n, lazy: 1n, time: 4n },
    hidden: { snapshot: 2n, batch: 3n },
  }),
  textProperty({ number: P.OWNER, name: 'owner', description: 'Owner', defaultValue: OWNER_NOBODY, settable: 'never' }),
  textProperty({ number: P.OWNER_GROUP, name: 'group', description: 'Group', defaultValue: OWNER_NOBODY, settable: 'never' }),
  listProperty({
    number: P.SVC_LIST,
    name: 'svc_list',
    description: 'Pool service replica list',
    settable: 'never',
    formatList: (items) => `[${items.join(' ')}]`,
    jsonNumbers: true,
  }),
  sizeProperty({ number: P.EC_CELL_SZ, name: 'ec_cell_sz', description: 'EC cell size', ...EC_CELL }),
  sizeProperty({ number: P.DATA_THRESH, name: 'data_thresh', description: 'Data bdev threshold size', defaultValue: 4096n }),
  numberProperty({ number: P.REDUN_FAC, name: 'rd_fac', description: 'Pool redundancy factor', max: 4n }),
  numberProperty({
    number: P.EC_PDA,
    name: 'ec_pda',
    description: 'Performance domain affinity level of EC',
    defaultValue: 1n,
    min: 1n,
    max: U32_MAX,
  }),
  numberProperty({
    number: P.RP_PDA,
    name: 'rp_pda',
    description: 'Performance domain affinity level of RP',
    defaultValue: U32_MAX,
    min: 1n,
    max: U32_MAX,
  }),
  numberProperty({ number: P.GLOBAL_VERSION, name: 'global_version', description: 'Global Version', defaultValue: 4n, max: U32_MAX, settable: 'never' }),
  choiceProperty({
    number: P.UPGRADE_STATUS,
    name: 'upgrade_status',
    description: 'Upgrade Status',
    defaultValue: 0n,
    settable: 'never',
    choices: { 'not started': 0n, 'in progress': 1n, completed: 2n, failed: 3n },
  }),
  choiceProperty({
    number: P.SCRUB_MODE,
    name: 'scrub',
    description: 'Checksum scrubbing mode',
    defaultValue: 0n,
    choices: { off: 0n, lazy: 1n, timed: 2n },
  }),
  numberProperty({ number: P.SCRUB_FREQ, name: 'scrub_freq', description: 'Checksum scrubbing frequency', defaultValue: 604_800n }),
  numberProperty({ number: P.SCRUB_THRESH, name: 'scrub_thresh', description: 'Checksum scrubbing threshold', defaultValue: 0n }),
  numberProperty({ number: P.SVC_REDUN_FAC, name: 'svc_rf', description: 'Pool service redundancy factor', defaultValue: 2n, max: 4n }),
  numberProperty({ number: P.OBJ_VERSION, name: 'obj_version', description: 'Object Version', defaultValue: 2n, max: U32_MAX, settable: 'never' }),
  choiceProperty({
    number: P.PERF_DOMAIN,
    name: 'perf_domain',
    description: 'Pool performance domain',
    defaultValue: 255n,
    choices: { root: 255n, group: 200n },
  }),
  choiceProperty({
    number: P.CHECKPOINT_MODE,
    name: 'checkpoint',
    description: 'WAL checkpointing behavior',
    defaultValue: 1n,
    choices: { disabled: 0n, timed: 1n, lazy: 2n },
  }),
  numberProperty({
    number: P.CHECKPOINT_FREQ,
    name: 'checkpoint_freq',
    description: 'WAL checkpointing frequency, in seconds',
    defaultValue: 5n,
    min: 1n,
    max: 1_048_576n,
  }),
  numberProperty({
    number: P.CHECKPOINT_THRESH,
    name: 'checkpoint_thresh',
    description: 'WAL checkpoint threshold, in percentage',
    defaultValue: 50n,
    min: 10n,
    max: 75n,
  }),
  choiceProperty({
    number: P.REINT_MODE,
    name: 'reintegration',
    description: 'Reintegration mode',
    defaultValue: 0n,
    choices: { data_sync: 0n, no_data_sync: 1n, incremental: 2n },
  }),
  numberProperty({
    number: P.SVC_OPS_ENABLED,
    name: 'svc_ops_enabled',
    description: 'Metadata duplicate operations detection enabled',
    defaultValue: 1n,
    max: 1n,
  }),
  numberProperty({
    number: P.SVC_OPS_ENTRY_AGE,
    name: 'svc_ops_entry_age',
    description: 'Metadata duplicate operations KVS max entry age, in seconds',
    defaultValue: 300n,
    min: 60n,
    max: 600n,
  }),
]);
