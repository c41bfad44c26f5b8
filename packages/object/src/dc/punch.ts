import { OBJ_PUNCH, OBJ_PUNCH_AKEYS, OBJ_PUNCH_DKEYS } from '../rpc.js';
import { DaosError } from '@daos/common';
import { forEachBounded } from './bounded.js';
import type { ObjIoOptions } from './io.js';
import type { DcObject } from './object.js';
import { callRetrying, type ObjOptions } from './retry.js';
import { checkAkey, checkDkey, checkPunchFlags } from './validate.js';

/**
 * Punches the whole object: all that was written before is gone. Every group is punched for itself, so while it runs,
 * and after a failure, some groups may be punched and others not; punching again finishes it.
 */
export async function dcObjPunch(obj: DcObject, options: ObjOptions = {}): Promise<void> {
  obj.check(true);
  await forEachBounded(obj.groupCount, (group) => callRetrying({
    obj, group, write: true, rpc: OBJ_PUNCH, flags: 0, apiFlags: 0, options, make: (head) => ({ head }),
  }));
}

/** Punches one dkey with all below it. DER_NONEXIST with `Cond.PUNCH` when it is not there. */
export async function dcObjPunchDkey(obj: DcObject, dkey: Uint8Array, options: ObjIoOptions = {}): Promise<void> {
  const apiFlags = options.flags ?? 0;
  obj.check(true);
  checkPunchFlags(apiFlags);
  checkDkey(obj, dkey);
  await callRetrying({
    obj, group: obj.groupOf(dkey), write: true, rpc: OBJ_PUNCH_DKEYS, flags: 0, apiFlags, options,
    make: (head) => ({ head, dkey }),
  });
}

/** Punches akeys of one dkey, atomically. DER_NONEXIST with `Cond.PUNCH` when one of them is not there. */
export async function dcObjPunchAkeys(
  obj: DcObject, dkey: Uint8Array, akeys: readonly Uint8Array[], options: ObjIoOptions = {},
): Promise<void> {
  const apiFlags = options.flags ?? 0;
  obj.check(true);
  checkPunchFlags(apiFlags);
  checkDkey(obj, dkey);
  if (akeys.length === 0) throw new DaosError('INVAL', 'no akey was given');
  for (const akey of akeys) checkAkey(obj, akey);
  await callRetrying({
    obj, group: obj.groupOf(dkey), write: true, rpc: OBJ_PUNCH_AKEYS, flags: 0, apiFlags, options,
    make: (head) => ({ head, dkey, akeys }),
  });
}
