import { DaosError, IodType, type EpochRange, type Recx, type UnitOid } from '@daos/common';

import type { Container } from '../container_state.js';
import type { KeyFlavours } from '../types.js';
import { SPACE_PER_UPDATE_BYTES } from '../space.js';
import { INDEX_MAX } from '../value/extents.js';
import { checkReadEpoch } from './arguments.js';

export interface VosArrayRemove {
  readonly oid: UnitOid;
  readonly flavours: KeyFlavours;
  readonly epr: EpochRange;
  readonly dkey: Uint8Array;
  readonly akey: Uint8Array;
  readonly recx: Recx;
}

/**
 * Undoes all versions of an extent in a range of epochs: unlike after a punch, older data shows again. What is not
 * there is fine. Resolves when it is durable.
 */
export function arrayRemove(container: Container, { oid, flavours, epr, dkey, akey, recx }: VosArrayRemove): Promise<void> {
  const { heads, extents, space, umem } = container.store;
  checkReadEpoch(epr.hi);
  if (epr.lo > epr.hi) throw new DaosError('INVAL', `epoch range ${epr.lo}..${epr.hi}`);
  const hi = recx.idx + recx.nr - 1n;
  if (recx.idx < 0n || recx.nr <= 0n || hi > INDEX_MAX) throw new DaosError('INVAL', `an extent of ${recx.nr} records at ${recx.idx}`);
  space.checkPunch(SPACE_PER_UPDATE_BYTES);
  const object = heads.findObject(container.no, oid);
  const dkeyHead = object && heads.findDkey(object.no, dkey, flavours.dkey);
  const head = dkeyHead && heads.findAkey(dkeyHead.no, akey, flavours.akey);
  if (!object || !head || head.kind !== IodType.ARRAY) return umem.durable();
  if (container.holds.isDiscarding(object.no)) throw new DaosError('UPDATE_AGAIN', 'the object is being discarded');
  // an index that takes no more modifications says so before anything in memory has changed
  umem.touch();
  const removals = extents.removeAll(head, recx.idx, hi, epr);
  if (removals.length > 0) heads.modified(head);
  return umem.durable();
}
