import {
  ComponentType,
  DaosError,
  POOL_PROPERTIES,
  PoolProp,
  type PoolMap,
  type PropertyEntry,
  type PropertyValue,
} from '@daos/common';
import { rdbStringKey, type RdbTx } from '@daos/rdb';

import { decodeText, decodeU32, decodeU64, encodeText, encodeU32, encodeU64 } from './codec.js';
import { PATH_ROOT, PoolKey } from './layout.js';
import { poolAcl } from './ops/acl.js';

type Width = 'u32' | 'u64' | 'text';

/** Where a property is stored in the root KVS, and how. */
const STORED: readonly (readonly [number: number, key: Uint8Array, width: Width])[] = [
  [PoolProp.LABEL, PoolKey.LABEL, 'text'],
  [PoolProp.SPACE_RB, rdbStringKey('space_rb'), 'u64'],
  [PoolProp.SELF_HEAL, rdbStringKey('self_heal'), 'u64'],
  [PoolProp.RECLAIM, rdbStringKey('reclaim'), 'u64'],
  [PoolProp.OWNER, PoolKey.OWNER, 'text'],
  [PoolProp.OWNER_GROUP, PoolKey.OWNER_GROUP, 'text'],
  [PoolProp.EC_CELL_SZ, rdbStringKey('ec_cell_sz'), 'u64'],
  [PoolProp.DATA_THRESH, rdbStringKey('data_thresh'), 'u64'],
  [PoolProp.REDUN_FAC, rdbStringKey('redun_fac'), 'u64'],
  [PoolProp.EC_PDA, rdbStringKey('ec_pda'), 'u32'],
  [PoolProp.RP_PDA, rdbStringKey('rp_pda'), 'u32'],
  [PoolProp.GLOBAL_VERSION, PoolKey.GLOBAL_VERSION, 'u32'],
  [PoolProp.UPGRADE_STATUS, rdbStringKey('upgrade_status'), 'u32'],
  [PoolProp.SCRUB_MODE, rdbStringKey('scrub_mode'), 'u64'],
  [PoolProp.SCRUB_FREQ, rdbStringKey('scrub_freq'), 'u64'],
  [PoolProp.SCRUB_THRESH, rdbStringKey('scrub_thresh'), 'u64'],
  [PoolProp.SVC_REDUN_FAC, rdbStringKey('svc_redun_fac'), 'u64'],
  [PoolProp.OBJ_VERSION, rdbStringKey('obj_version'), 'u32'],
  [PoolProp.PERF_DOMAIN, rdbStringKey('perf_domain'), 'u32'],
  [PoolProp.CHECKPOINT_MODE, rdbStringKey('checkpoint_mode'), 'u32'],
  [PoolProp.CHECKPOINT_FREQ, rdbStringKey('checkpoint_freq'), 'u32'],
  [PoolProp.CHECKPOINT_THRESH, rdbStringKey('checkpoint_thresh'), 'u32'],
  [PoolProp.REINT_MODE, rdbStringKey('reint_mode'), 'u32'],
  [PoolProp.SVC_OPS_ENABLED, PoolKey.SVC_OPS_ENABLED, 'u32'],
  [PoolProp.SVC_OPS_ENTRY_AGE, PoolKey.SVC_OPS_AGE, 'u32'],
];

/** Properties of a new pool that are stored by others than the table above. */
const ELSEWHERE: readonly number[] = [PoolProp.ACL, PoolProp.SVC_LIST];
/** Fixed once the pool is made. */
const FIXED: readonly number[] = [
  PoolProp.REDUN_FAC,
  PoolProp.EC_PDA,
  PoolProp.RP_PDA,
  PoolProp.PERF_DOMAIN,
  PoolProp.SVC_OPS_ENABLED,
];
const REDUN_FAC_DEFAULT = 3;

/** Undefined where the pool has no label. */
export function poolLabel(tx: RdbTx): string | undefined {
  const value = tx.lookup(PATH_ROOT, PoolKey.LABEL);
  const label = value && decodeText(value);
  return label === undefined || label === POOL_PROPERTIES.findNumber(PoolProp.LABEL)?.defaultValue
    ? undefined
    : label;
}

/** Properties by number, all of them when none are listed. DER_INVAL for an unknown number. */
export function poolPropsGet(
  tx: RdbTx,
  serviceRanks: readonly number[],
  numbers: readonly number[],
): PropertyEntry[] {
  const wanted = numbers.length > 0 ? numbers : POOL_PROPERTIES.properties.map(({ number }) => number);
  return wanted.map((number) => ({ number, value: poolPropGet(tx, serviceRanks, number) }));
}

function poolPropGet(tx: RdbTx, serviceRanks: readonly number[], number: number): PropertyValue {
  if (number === PoolProp.ACL) return poolAcl(tx).format();
  if (number === PoolProp.SVC_LIST) return serviceRanks.map(String);
  const stored = STORED.find(([of]) => of === number);
  const property = POOL_PROPERTIES.findNumber(number);
  if (!stored || !property) throw new DaosError('INVAL', `there is no pool property ${number}`);
  const bytes = tx.lookup(PATH_ROOT, stored[1]);
  if (bytes) return decode(bytes, stored[2]);
  if (property.defaultValue !== undefined) return property.defaultValue;
  throw new DaosError('DF_INVAL', `the pool lacks its property ${property.name}`);
}

/** Queues the change of properties. DER_INVAL for bad ones, DER_NO_PERM for those fixed at creation; `svc_list` is passed over. */
export function poolPropsSet(tx: RdbTx, props: readonly PropertyEntry[]): void {
  POOL_PROPERTIES.validate(props);
  for (const { number } of props) {
    const property = POOL_PROPERTIES.findNumber(number);
    if (FIXED.includes(number))
      throw new DaosError('NO_PERM', `pool property ${property?.name} is fixed when the pool is created`);
    if (property?.settable !== 'always' && number !== PoolProp.SVC_LIST) {
      throw new DaosError('INVAL', `pool property ${property?.name} cannot be set`);
    }
  }
  for (const prop of props) store(tx, prop);
}

/** Queues all properties of a new pool: defaults overlaid by the given ones. DER_INVAL for bad ones. */
export function poolPropsCreate(tx: RdbTx, given: readonly PropertyEntry[], map: PoolMap): void {
  POOL_PROPERTIES.validate(given);
  const props = new Map<number, PropertyValue>(
    POOL_PROPERTIES.defaults().map(({ number, value }) => [number, value]),
  );
  const domains = map.domainsOf(map.faultLevel(ComponentType.NODE)).length;
  props.set(PoolProp.REDUN_FAC, BigInt(Math.min(REDUN_FAC_DEFAULT, domains - 1)));
  for (const { number, value } of given) {
    if (number === PoolProp.REDUN_FAC && typeof value === 'bigint' && value > BigInt(domains - 1)) {
      throw new DaosError(
        'INVAL',
        `redundancy factor ${value} needs ${value + 1n} fault domains, the pool has ${domains}`,
      );
    }
    props.set(number, value);
  }
  for (const [number, value] of props) store(tx, { number, value });
}

function store(tx: RdbTx, { number, value }: PropertyEntry): void {
  const stored = STORED.find(([of]) => of === number);
  if (stored) tx.update(PATH_ROOT, stored[1], encode(value, stored[2]));
  else if (!ELSEWHERE.includes(number)) throw new DaosError('INVAL', `there is no pool property ${number}`);
}

function encode(value: PropertyValue, width: Width): Uint8Array {
  if (width === 'text') return encodeText(String(value));
  if (typeof value !== 'bigint') throw new DaosError('INVAL', 'a number is expected');
  return width === 'u32' ? encodeU32(Number(value)) : encodeU64(value);
}

function decode(bytes: Uint8Array, width: Width): PropertyValue {
  if (width === 'text') return decodeText(bytes);
  return width === 'u32' ? BigInt(decodeU32(bytes)) : decodeU64(bytes);
}
