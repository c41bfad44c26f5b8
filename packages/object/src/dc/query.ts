import { DaosError, QueryFlag, type Epoch, type Recx } from '@daos/common';

import { OBJ_QUERY_KEY } from '../rpc.js';
import { forEachBounded } from './bounded.js';
import type { DcObject } from './object.js';
import { callRetrying, type ObjOptions } from './retry.js';
import { checkAkey, checkDkey } from './validate.js';

export interface ObjQueryKeys {
  readonly dkey?: Uint8Array | undefined;
  readonly akey?: Uint8Array | undefined;
}

/** Nothing found: all fields but `maxEpoch` are absent. */
export interface ObjQueryResult {
  readonly dkey?: Uint8Array | undefined;
  readonly akey?: Uint8Array | undefined;
  readonly recx?: Recx | undefined;
  /** Highest epoch of any modification of the object that the asked groups know; 0 when there is none. */
  readonly maxEpoch: Epoch;
}

/**
 * Largest or smallest integer dkey, akey, or extent. What is not asked for must be given. A query for a dkey asks all
 * groups, and so does one for the highest epoch only (flags 0); others ask the dkey's group.
 * DER_INVAL for flags that do not go together, or a key query of keys that are not integers.
 */
export async function dcObjQueryKey(
  obj: DcObject, flags: number, keys: ObjQueryKeys = {}, options: ObjOptions = {},
): Promise<ObjQueryResult> {
  obj.check(false);
  checkQuery(obj, flags, keys);
  const everywhere = flags === 0 || (flags & QueryFlag.DKEY) !== 0;
  if (!everywhere && keys.dkey) return queryGroup(obj, obj.groupOf(keys.dkey), flags, keys, options);
  const max = (flags & QueryFlag.MAX) !== 0;
  let best: ObjQueryResult = { maxEpoch: 0n };
  await forEachBounded(obj.groupCount, async (group) => {
    const found = await queryGroup(obj, group, flags, keys, options);
    best = better(best, found, max);
  });
  return best;
}

async function queryGroup(
  obj: DcObject, group: number, flags: number, keys: ObjQueryKeys, options: ObjOptions,
): Promise<ObjQueryResult> {
  const { output } = await callRetrying({
    obj, group, write: false, rpc: OBJ_QUERY_KEY, flags: 0, apiFlags: flags, options,
    make: (head) => ({ head, dkey: keys.dkey, akey: keys.akey }),
  });
  if (!output.found) return { maxEpoch: output.maxEpoch };
  const [idx, nr] = output.recx ?? [];
  return {
    dkey: output.dkey,
    akey: output.akey,
    recx: idx === undefined || nr === undefined ? undefined : { idx, nr },
    maxEpoch: output.maxEpoch,
  };
}

function better(a: ObjQueryResult, b: ObjQueryResult, max: boolean): ObjQueryResult {
  const maxEpoch = a.maxEpoch > b.maxEpoch ? a.maxEpoch : b.maxEpoch;
  if (!b.dkey) return { ...a, maxEpoch };
  if (!a.dkey) return { ...b, maxEpoch };
  const winner = integerKey(b.dkey) > integerKey(a.dkey) === max ? b : a;
  return { ...winner, maxEpoch };
}

function integerKey(key: Uint8Array): bigint {
  if (key.length !== 8) throw new DaosError('IO', `a query was answered with an integer key of ${key.length} bytes`);
  return new DataView(key.buffer, key.byteOffset, 8).getBigUint64(0, true);
}

function checkQuery(obj: DcObject, flags: number, keys: ObjQueryKeys): void {
  if (flags === 0) return;
  const { MAX, MIN, DKEY, AKEY, RECX } = QueryFlag;
  const asked = flags & (DKEY | AKEY | RECX);
  const direction = flags & (MAX | MIN);
  if ((flags & ~(MAX | MIN | DKEY | AKEY | RECX)) !== 0) throw new DaosError('INVAL', `unknown query flags ${flags}`);
  if (asked === 0 || (direction !== MAX && direction !== MIN)) {
    throw new DaosError('INVAL', 'a key query needs one of MAX and MIN, and at least one of DKEY, AKEY and RECX');
  }
  if ((flags & DKEY) !== 0 && obj.flavours.dkey !== 'uint64') throw new DaosError('INVAL', 'only integer dkeys can be queried');
  if ((flags & AKEY) !== 0 && obj.flavours.akey !== 'uint64') throw new DaosError('INVAL', 'only integer akeys can be queried');
  if ((flags & DKEY) === 0) checkGiven(obj, keys.dkey, checkDkey, 'dkey');
  if ((flags & AKEY) === 0 && (flags & RECX) !== 0) checkGiven(obj, keys.akey, checkAkey, 'akey');
}

function checkGiven(
  obj: DcObject, key: Uint8Array | undefined, check: (obj: DcObject, key: Uint8Array) => void, what: string,
): void {
  if (!key) throw new DaosError('INVAL', `a query below a ${what} needs that ${what}`);
  check(obj, key);
}
