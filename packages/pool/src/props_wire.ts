import { DaosError, PROPERTIES_MAX } from '@daos/common';

import type { WireProp } from './service_rpc.js';
import type { PropEntry } from './types.js';

export function propsToWire(props: readonly PropEntry[]): WireProp[] {
  return props.map(({ number, value }) => {
    if (typeof value === 'bigint') return { number, num: value };
    return typeof value === 'string' ? { number, str: value } : { number, list: value };
  });
}

/** DER_INVAL for more than 128 properties, for one without a value and for one given twice. */
export function propsFromWire(props: readonly WireProp[]): PropEntry[] {
  if (props.length > PROPERTIES_MAX)
    throw new DaosError('INVAL', `at most ${PROPERTIES_MAX} properties in one call, got ${props.length}`);
  const seen = new Set<number>();
  return props.map(({ number, num, str, list }) => {
    const value = num ?? str ?? list;
    if (value === undefined) throw new DaosError('INVAL', `property ${number} has no value`);
    if (seen.has(number)) throw new DaosError('INVAL', `property ${number} is given twice`);
    seen.add(number);
    return { number, value };
  });
}
