import {
  ACL_POOL_DEFAULT,
  Acl,
  DaosError,
  POOL_PROPERTIES,
  PoolProp,
  poolMapBuild,
  principalIsValid,
  uuidGenerate,
  type PoolMap,
  type PropertyEntry,
} from '@daos/common';
import type { RdbTx } from '@daos/rdb';

import { encodeU32, encodeUuid } from './codec.js';
import { PATH_ROOT, POOL_GLOBAL_VERSION, PoolKey } from './layout.js';
import { poolPropsCreate } from './pool_props.js';
import { OPS_PER_SECOND_MAX } from './svc_ops.js';

/** What a new pool's metadata is made of. */
export interface PoolBootstrap {
  readonly label: string | undefined;
  readonly ranks: readonly number[];
  readonly targetsPerRank: number;
  readonly props: readonly PropertyEntry[];
  /** Principals. */
  readonly owner: string;
  readonly group: string;
  /** The default ACL when absent. */
  readonly acl: readonly string[] | undefined;
  /** Compressed fault-domain tree; empty: all ranks on one node. */
  readonly faultDomains: readonly number[];
}

/** Databases below this size keep no records of operations. */
const SVC_OPS_CAPACITY_MIN = 1024 * 1024 * 1024;

/** Queues the first metadata of a pool. DER_INVAL for bad parameters. */
export function poolBootstrap(tx: RdbTx, params: PoolBootstrap, capacityBytes: number): void {
  const map = poolMapBuild({
    ranks: params.ranks,
    targetsPerRank: params.targetsPerRank,
    ...(params.faultDomains.length > 0 ? { faultDomains: params.faultDomains } : {}),
  });
  tx.createRoot();
  tx.update(PATH_ROOT, PoolKey.MAP_VERSION, encodeU32(map.version));
  tx.update(PATH_ROOT, PoolKey.MAP_BUFFER, map.encode());
  storeProps(tx, params, map);
  tx.update(PATH_ROOT, PoolKey.GLOBAL_VERSION, encodeU32(POOL_GLOBAL_VERSION));
  tx.update(PATH_ROOT, PoolKey.CONNECTABLE, encodeU32(1));
  tx.update(PATH_ROOT, PoolKey.NHANDLES, encodeU32(0));
  tx.createKvs(PATH_ROOT, PoolKey.HANDLES);
  tx.createKvs(PATH_ROOT, PoolKey.USER);
  tx.update(PATH_ROOT, PoolKey.SRV_HANDLE, encodeUuid(uuidGenerate()));
  tx.update(PATH_ROOT, PoolKey.SRV_CONT_HANDLE, encodeUuid(uuidGenerate()));
  bootstrapOps(tx, params.props, capacityBytes);
}

function storeProps(tx: RdbTx, { label, owner, group, acl, props }: PoolBootstrap, map: PoolMap): void {
  if (label === POOL_PROPERTIES.findNumber(PoolProp.LABEL)?.defaultValue) {
    throw new DaosError('INVAL', `"${label}" stands for a pool without a label`);
  }
  for (const principal of [owner, group]) {
    if (!principalIsValid(principal))
      throw new DaosError('INVAL', `"${principal}" is not a principal (name@)`);
  }
  const own: PropertyEntry[] = [
    { number: PoolProp.OWNER, value: owner },
    { number: PoolProp.OWNER_GROUP, value: group },
    ...(label === undefined ? [] : [{ number: PoolProp.LABEL, value: label }]),
  ];
  const numbers = new Set(own.map(({ number }) => number));
  poolPropsCreate(tx, [...props.filter(({ number }) => !numbers.has(number)), ...own], map);
  const given = acl ?? props.find(({ number }) => number === PoolProp.ACL)?.value;
  const entries = Array.isArray(given) ? Acl.parse(given as readonly string[]) : ACL_POOL_DEFAULT;
  tx.update(PATH_ROOT, PoolKey.ACL, entries.encode());
}

/** Records of operations: see svc_ops. */
function bootstrapOps(tx: RdbTx, props: readonly PropertyEntry[], capacityBytes: number): void {
  const given = (number: number): number => {
    const value =
      props.find((prop) => prop.number === number)?.value ?? POOL_PROPERTIES.findNumber(number)?.defaultValue;
    return Number(value);
  };
  const age = given(PoolProp.SVC_OPS_ENTRY_AGE);
  const enabled = given(PoolProp.SVC_OPS_ENABLED) !== 0 && capacityBytes >= SVC_OPS_CAPACITY_MIN;
  tx.createKvs(PATH_ROOT, PoolKey.SVC_OPS, 'lexical');
  tx.update(PATH_ROOT, PoolKey.SVC_OPS_ENABLED, encodeU32(enabled ? 1 : 0));
  tx.update(PATH_ROOT, PoolKey.SVC_OPS_NUM, encodeU32(0));
  tx.update(PATH_ROOT, PoolKey.SVC_OPS_MAX, encodeU32(OPS_PER_SECOND_MAX * age));
}
