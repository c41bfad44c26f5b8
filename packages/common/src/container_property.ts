import { ACL_CONTAINER_DEFAULT } from './acl.js';
import { CONTAINER_LABEL_NOT_SET } from './label.js';
import { aclTextsFault, EC_CELL, OWNER_NOBODY } from './pool_property.js';
import {
  choiceProperty,
  labelProperty,
  listProperty,
  numberProperty,
  sizeProperty,
  textProperty,
  U32_MAX,
  type Property,
  type PropertyValue,
} from './property.js';
import { PropertyTable } from './property_table.js';

/** Numbers of container properties. */
export const ContProp = {
  LABEL: 0x1001,
  LAYOUT_TYPE: 0x1002,
  LAYOUT_VER: 0x1003,
  CSUM: 0x1004,
  CSUM_CHUNK_SIZE: 0x1005,
  CSUM_SERVER_VERIFY: 0x1006,
  REDUN_FAC: 0x1007,
  REDUN_LVL: 0x1008,
  SNAPSHOT_MAX: 0x1009,
  ACL: 0x100a,
  COMPRESS: 0x100b,
  ENCRYPT: 0x100c,
  OWNER: 0x100d,
  OWNER_GROUP: 0x100e,
  DEDUP: 0x100f,
  DEDUP_THRESHOLD: 0x1010,
  ROOTS: 0x1011,
  STATUS: 0x1012,
  ALLOCED_OID: 0x1013,
  EC_CELL_SZ: 0x1014,
  EC_PDA: 0x1015,
  RP_PDA: 0x1016,
  GLOBAL_VERSION: 0x1017,
  SCRUBBER_DISABLED: 0x1018,
  OBJ_VERSION: 0x1019,
  PERF_DOMAIN: 0x101a,
} as const;

/** Container layouts, numbered as `layout_type` holds them. */
export const ContLayout = {
  UNKNOWN: 0n,
  POSIX: 1n,
  HDF5: 2n,
  PYTHON: 3n,
  SPARK: 4n,
  DATABASE: 5n,
  ROOT: 6n,
  SEISMIC: 7n,
  METEO: 8n,
} as const;

const LAYOUT_NAMES = ['unknown', 'POSIX', 'HDF5', 'PYTHON', 'SPARK', 'DATABASE', 'ROOT', 'SEISMIC', 'METEO'];

/** Number of a layout by name in any case; undefined when there is none. */
export function containerLayoutByName(name: string): bigint | undefined {
  const at = LAYOUT_NAMES.findIndex((known) => known.toLowerCase() === name.toLowerCase());
  return at < 0 ? undefined : BigInt(at);
}

export function containerLayoutName(layout: bigint): string {
  return LAYOUT_NAMES[Number(layout)] ?? 'unknown';
}

/** Health of a container: packed flags, status and the pool map version it was stated for. */
export interface ContStatus {
  readonly healthy: boolean;
  readonly flags: number;
  readonly mapVersion: number;
}

export function contStatusPack(status: ContStatus): bigint {
  return (BigInt(status.flags) << 48n) | ((status.healthy ? 0n : 1n) << 32n) | BigInt(status.mapVersion);
}

export function contStatusUnpack(value: bigint): ContStatus {
  return {
    healthy: ((value >> 32n) & 0xffffn) === 0n,
    flags: Number((value >> 48n) & 0xffffn),
    mapVersion: Number(value & U32_MAX),
  };
}

const C = ContProp;

function statusProperty(): Property {
  const format = (value: PropertyValue): string =>
    typeof value === 'bigint' && !contStatusUnpack(value).healthy ? 'UNCLEAN' : 'HEALTHY';
  const choice = choiceProperty({
    number: C.STATUS,
    name: 'status',
    description: 'Health',
    defaultValue: 0n,
    choices: { healthy: 0n },
  });
  const fault = (value: PropertyValue): string | undefined => (typeof value === 'bigint' ? undefined : 'is not a status');
  return { ...choice, fault, format, toJson: format };
}

function layoutTypeProperty(): Property {
  const format = (value: PropertyValue): string => containerLayoutName(typeof value === 'bigint' ? value : 0n);
  const choices = Object.fromEntries(LAYOUT_NAMES.map((name, i) => [name.toLowerCase(), BigInt(i)]));
  const choice = choiceProperty({
    number: C.LAYOUT_TYPE,
    name: 'layout_type',
    description: `Layout Type (${LAYOUT_NAMES.join(', ')})`,
    defaultValue: ContLayout.UNKNOWN,
    settable: 'never',
    choices,
  });
  return { ...choice, format, toJson: format };
}

function scrubDisabledProperty(): Property {
  const format = (value: PropertyValue): string => (value === 0n ? 'false' : 'true');
  const number = numberProperty({
    number: C.SCRUBBER_DISABLED,
    name: 'scrub_disabled',
    description: 'Scrubber Disabled',
    defaultValue: 0n,
    max: 1n,
    settable: 'never',
  });
  return { ...number, format, toJson: format };
}

/**
 * Properties of containers. Checksums are on by default (crc32 over 32 KiB chunks), where DAOS has them off: here they
 * cost little, and a silent error costs a lot. An undefined default is taken from the pool when a container is created.
 */
export const CONTAINER_PROPERTIES = new PropertyTable([
  labelProperty({ number: C.LABEL, name: 'label', description: 'Label', defaultValue: CONTAINER_LABEL_NOT_SET }),
  layoutTypeProperty(),
  numberProperty({ number: C.LAYOUT_VER, name: 'layout_version', description: 'Layout Version', defaultValue: 1n, max: 0xffffn, settable: 'never' }),
  choiceProperty({
    number: C.CSUM,
    name: 'cksum',
    description: 'Checksum',
    defaultValue: 2n,
    settable: 'create',
    choices: { off: 0n, crc16: 1n, crc32: 2n, crc64: 3n, sha1: 4n, sha256: 5n, sha512: 6n, adler32: 7n },
  }),
  sizeProperty({
    number: C.CSUM_CHUNK_SIZE,
    name: 'cksum_size',
    description: 'Checksum Chunk Size',
    defaultValue: 32_768n,
    min: 1n,
    max: U32_MAX,
    settable: 'create',
  }),
  choiceProperty({
    number: C.CSUM_SERVER_VERIFY,
    name: 'srv_cksum',
    description: 'Server Checksumming',
    defaultValue: 0n,
    settable: 'create',
    choices: { off: 0n, on: 1n },
  }),
  choiceProperty({
    number: C.REDUN_FAC,
    name: 'rd_fac',
    aliases: ['rf'],
    description: 'Redundancy Factor (0-4)',
    settable: 'create',
    choices: { '0': 0n, '1': 1n, '2': 2n, '3': 3n, '4': 4n },
  }),
  choiceProperty({
    number: C.REDUN_LVL,
    name: 'rd_lvl',
    aliases: ['rf_lvl'],
    description: 'Redundancy Level (rank=1, node=2)',
    defaultValue: 2n,
    settable: 'create',
    choices: { '1': 1n, rank: 1n, '2': 2n, node: 2n },
    hidden: { fault: 3n },
  }),
  numberProperty({ number: C.SNAPSHOT_MAX, name: 'max_snapshot', description: 'Max Snapshot', defaultValue: 0n, settable: 'never' }),
  listProperty({
    number: C.ACL,
    name: 'acl',
    description: 'Access Control List',
    defaultValue: ACL_CONTAINER_DEFAULT.format(),
    settable: 'never',
    listFault: aclTextsFault,
  }),
  choiceProperty({
    number: C.COMPRESS,
    name: 'compression',
    description: 'Compression',
    defaultValue: 0n,
    settable: 'create',
    choices: { off: 0n, lz4: 1n, deflate: 2n, deflate1: 3n, deflate2: 4n, deflate3: 5n, deflate4: 6n },
  }),
  choiceProperty({
    number: C.ENCRYPT,
    name: 'encryption',
    description: 'Encryption',
    defaultValue: 0n,
    settable: 'create',
    choices: {
      off: 0n,
      'aes-xts128': 1n,
      'aes-xts256': 2n,
      'aes-cbc128': 3n,
      'aes-cbc192': 4n,
      'aes-cbc256': 5n,
      'aes-gcm128': 6n,
      'aes-gcm256': 7n,
    },
  }),
  textProperty({ number: C.OWNER, name: 'owner', description: 'Owner', defaultValue: OWNER_NOBODY, settable: 'never' }),
  textProperty({ number: C.OWNER_GROUP, name: 'group', description: 'Group', defaultValue: OWNER_NOBODY, settable: 'never' }),
  choiceProperty({
    number: C.DEDUP,
    name: 'dedup',
    description: 'Deduplication',
    defaultValue: 0n,
    settable: 'create',
    choices: { off: 0n, memcmp: 1n, hash: 2n },
  }),
  sizeProperty({
    number: C.DEDUP_THRESHOLD,
    name: 'dedup_threshold',
    description: 'Dedupe Threshold',
    defaultValue: 4096n,
    min: 4096n,
    max: U32_MAX,
    settable: 'create',
  }),
  listProperty({ number: C.ROOTS, name: 'root_oids', description: 'Root OIDs', settable: 'never' }),
  statusProperty(),
  numberProperty({ number: C.ALLOCED_OID, name: 'alloc_oid', description: 'Highest Allocated OID', defaultValue: 0n, settable: 'never' }),
  sizeProperty({
    number: C.EC_CELL_SZ,
    name: 'ec_cell_sz',
    description: 'EC Cell Size',
    ...EC_CELL,
    defaultValue: 0n,
    zeroAllowed: true,
    settable: 'create',
  }),
  numberProperty({
    number: C.EC_PDA,
    name: 'ec_pda',
    description: 'Performance domain affinity level of EC',
    defaultValue: 0n,
    max: U32_MAX,
    settable: 'create',
    jsonText: true,
  }),
  numberProperty({
    number: C.RP_PDA,
    name: 'rp_pda',
    description: 'Performance domain affinity level of RP',
    defaultValue: 0n,
    max: U32_MAX,
    settable: 'create',
    jsonText: true,
  }),
  numberProperty({ number: C.GLOBAL_VERSION, name: 'global_version', description: 'Global Version', max: U32_MAX, settable: 'never', jsonText: true }),
  scrubDisabledProperty(),
  numberProperty({ number: C.OBJ_VERSION, name: 'obj_version', description: 'Object Version', defaultValue: 2n, max: U32_MAX, settable: 'never', jsonText: true }),
  choiceProperty({
    number: C.PERF_DOMAIN,
    name: 'perf_domain',
    description: 'Performance domain level',
    settable: 'create',
    choices: { root: 255n, group: 200n },
    hidden: { inherit: 0n },
    shown: { root: 'root (255)', group: 'group (200)' },
  }),
]);
