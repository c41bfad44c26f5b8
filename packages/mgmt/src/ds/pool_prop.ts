import { DaosError } from '@daos/common';
import type { PropEntry } from '@daos/pool/rpc';
import type { PoolProperty } from '@daos/proto/mgmt/pool';

/** Properties as the control plane sends them. Throws DER_INVAL for one without a value. */
export function propsFromWire(properties: readonly PoolProperty[]): PropEntry[] {
  return properties.map(({ number, value }) => {
    if (!value) throw new DaosError('INVAL', `pool property ${number} has no value`);
    if (value.$case === 'byteval') {
      throw new DaosError('INVAL', `pool property ${number} cannot be set as bytes`);
    }
    return { number, value: value.value };
  });
}

/** Properties for the control plane. ACLs have calls of their own and are left out. */
export function propsToWire(props: readonly PropEntry[]): PoolProperty[] {
  const properties: PoolProperty[] = [];
  for (const { number, value } of props) {
    if (typeof value === 'bigint') properties.push({ number, value: { $case: 'numval', value } });
    else if (typeof value === 'string') properties.push({ number, value: { $case: 'strval', value } });
  }
  return properties;
}
