import type { PropertyEntry } from '@daos/common';
import { PoolProp } from '@daos/common';

import { encodeU32 } from '../codec.js';
import { PATH_ROOT, PATH_USER, PoolKey } from '../layout.js';
import { poolPropsGet, poolPropsSet } from '../pool_props.js';
import type { PoolService } from '../pool_service.js';
import { TARGET_PROP_NUMBERS } from '../target_props.js';
import { OPS_PER_SECOND_MAX, type OpId } from '../svc_ops.js';
import { attrsDel, attrsSet, type Attr } from './attr_ops.js';

/** All properties when no numbers are listed. */
export function poolGetProps(service: PoolService, numbers: readonly number[]): Promise<PropertyEntry[]> {
  return service.read((tx) => poolPropsGet(tx, service.serviceRanks(), numbers));
}

export async function poolSetProps(
  service: PoolService,
  op: OpId,
  props: readonly PropertyEntry[],
): Promise<void> {
  await service.write(
    op,
    async (tx) => {
      poolPropsSet(tx, props);
      const age = props.find(({ number }) => number === PoolProp.SVC_OPS_ENTRY_AGE);
      if (age) tx.update(PATH_ROOT, PoolKey.SVC_OPS_MAX, encodeU32(OPS_PER_SECOND_MAX * Number(age.value)));
      return { result: undefined };
    },
    () => undefined,
  );
  if (props.some(({ number }) => TARGET_PROP_NUMBERS.includes(number))) service.announce();
}

export function poolSetAttrs(service: PoolService, op: OpId, attrs: readonly Attr[]): Promise<void> {
  return service.write(
    op,
    async (tx) => {
      attrsSet(tx, PATH_USER, attrs);
      return { result: undefined };
    },
    () => undefined,
  );
}

export function poolDelAttrs(service: PoolService, op: OpId, names: readonly string[]): Promise<void> {
  return service.write(
    op,
    async (tx) => {
      attrsDel(tx, PATH_USER, names);
      return { result: undefined };
    },
    () => undefined,
  );
}
