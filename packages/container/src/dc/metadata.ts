import { DaosError, type Epoch } from '@daos/common';
import type { DcOptions } from '@daos/pool/dc';
import { propsFromWire, propsToWire, type PropEntry } from '@daos/pool/rpc';

import {
  CONT_ACL_DELETE,
  CONT_ACL_UPDATE,
  CONT_OID_ALLOC,
  CONT_PROP_SET,
  CONT_QUERY,
  CONT_SNAP_CREATE,
  CONT_SNAP_DESTROY,
  CONT_SNAP_LIST,
} from '../rpc.js';
import type { ContInfo } from '../types.js';
import { opened } from './attr.js';
import type { DcCont } from './container.js';

/** Counters and times of the container as they are now. */
export async function dcContQuery(cont: DcCont, options: DcOptions = {}): Promise<ContInfo> {
  const { info } = (await cont.pool.call(CONT_QUERY, opened(cont), options)).body;
  return { ...info, label: info.label };
}

/** Properties by number, all when none are listed. DER_NO_PERM when the handle may not read one of them. */
export async function dcContGetProps(
  cont: DcCont,
  numbers: readonly number[] = [],
  options: DcOptions = {},
): Promise<PropEntry[]> {
  return propsFromWire(
    (await cont.pool.call(CONT_QUERY, { ...opened(cont), props: numbers }, options)).body.props,
  );
}

/** All or nothing. DER_INVAL, DER_NO_PERM, DER_EXIST for a label that is taken. */
export async function dcContSetProps(
  cont: DcCont,
  props: readonly PropEntry[],
  options: DcOptions = {},
): Promise<void> {
  await cont.pool.call(CONT_PROP_SET, { ...opened(cont), props: propsToWire(props) }, options);
}

/** Merges entries (string form) into the ACL. DER_INVAL, DER_NO_PERM. */
export async function dcContUpdateAcl(
  cont: DcCont,
  entries: readonly string[],
  options: DcOptions = {},
): Promise<void> {
  await cont.pool.call(CONT_ACL_UPDATE, { ...opened(cont), entries }, options);
}

/** Removes the entry of a principal (`OWNER@`, `u:name@`, ...). DER_NONEXIST when it has none. */
export async function dcContDeleteAcl(
  cont: DcCont,
  principal: string,
  options: DcOptions = {},
): Promise<void> {
  await cont.pool.call(CONT_ACL_DELETE, { ...opened(cont), principal }, options);
}

/** First of `count` consecutive object ids (`lo` values), never given to anyone else. */
export async function dcContAllocOids(cont: DcCont, count: number, options: DcOptions = {}): Promise<bigint> {
  if (!Number.isSafeInteger(count) || count < 1)
    throw new DaosError('INVAL', `cannot allocate ${count} object ids`);
  return (await cont.pool.call(CONT_OID_ALLOC, { ...opened(cont), count: BigInt(count) }, options)).body
    .first;
}

/** Keeps the present state readable; returns its epoch. DER_NO_PERM without write access. */
export async function dcContCreateSnapshot(cont: DcCont, options: DcOptions = {}): Promise<Epoch> {
  return (await cont.pool.call(CONT_SNAP_CREATE, opened(cont), options)).body.epoch;
}

/** Epochs of all snapshots, ascending. */
export async function dcContListSnapshots(cont: DcCont, options: DcOptions = {}): Promise<Epoch[]> {
  return [...(await cont.pool.call(CONT_SNAP_LIST, opened(cont), options)).body.epochs];
}

/** DER_NONEXIST when there is no snapshot at this epoch. */
export async function dcContDestroySnapshot(
  cont: DcCont,
  epoch: Epoch,
  options: DcOptions = {},
): Promise<void> {
  await cont.pool.call(CONT_SNAP_DESTROY, { ...opened(cont), epoch }, options);
}
