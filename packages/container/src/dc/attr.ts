import type { DcOptions } from '@daos/pool/dc';

import { CONT_ATTR_DEL, CONT_ATTR_GET, CONT_ATTR_LIST, CONT_ATTR_SET } from '../rpc.js';
import type { DcCont } from './container.js';

/** Sets attributes, overwriting. DER_INVAL for an empty or over-long name or an empty value, DER_NO_PERM without write access. */
export async function dcContSetAttrs(
  cont: DcCont,
  attrs: Readonly<Record<string, Uint8Array>>,
  options: DcOptions = {},
): Promise<void> {
  const list = Object.entries(attrs).map(([name, value]) => ({ name, value }));
  await cont.pool.call(CONT_ATTR_SET, { ...opened(cont), attrs: list }, options);
}

/** One per name; undefined where the name does not exist. DER_NONEXIST when none of them exists. */
export async function dcContGetAttrs(
  cont: DcCont,
  names: readonly string[],
  options: DcOptions = {},
): Promise<(Uint8Array | undefined)[]> {
  return [...(await cont.pool.call(CONT_ATTR_GET, { ...opened(cont), names }, options)).body.values];
}

export async function dcContListAttrs(cont: DcCont, options: DcOptions = {}): Promise<string[]> {
  return [...(await cont.pool.call(CONT_ATTR_LIST, opened(cont), options)).body.names];
}

/** Absent names are passed over; DER_NONEXIST when none of them exists. */
export async function dcContDelAttrs(
  cont: DcCont,
  names: readonly string[],
  options: DcOptions = {},
): Promise<void> {
  await cont.pool.call(CONT_ATTR_DEL, { ...opened(cont), names }, options);
}

/** Names an open container in a request. */
export function opened(cont: DcCont): { container: string; contHandle: string } {
  return { container: cont.uuid, contHandle: cont.handle };
}
