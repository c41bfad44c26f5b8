import { DaosError, type Epoch, type UnitOid } from '@daos/common';

import type { Container } from '../container_state.js';
import type { Head } from '../layout/head.js';
import { MINOR_MAX } from '../ilog/punch_mark.js';
import { checkKey } from '../layout/sort_key.js';
import { SPACE_PER_UPDATE_BYTES } from '../space.js';
import type { KeyFlavours } from '../types.js';
import { checkWriteEpoch } from './arguments.js';

/** What is known to be lost: akeys when some are given, else a dkey, else the object. */
export interface VosMarkCorruption {
  readonly oid: UnitOid;
  readonly flavours: KeyFlavours;
  /** Of the creation of what does not exist yet. */
  readonly epoch: Epoch;
  readonly dkey?: Uint8Array;
  readonly akeys?: readonly Uint8Array[];
}

/**
 * Marks an object, a dkey or akeys as corrupt: whoever touches them gets DER_DATA_LOSS, what stands beside them is not
 * concerned. What does not exist is made, so that nobody takes its absence for the truth. Marking twice is fine.
 * Resolves when the mark is durable. DER_INVAL for akeys without a dkey or an empty key or list, DER_NO_PERM for akeys
 * of an object that has none, DER_UPDATE_AGAIN while the object is discarded.
 */
export function markCorruption(container: Container, request: VosMarkCorruption): Promise<void> {
  const { oid, flavours, epoch, dkey, akeys } = request;
  checkWriteEpoch(epoch);
  checkKeys(request);
  const { heads, space, umem } = container.store;
  if (container.holds.isDiscarding(heads.findObject(container.no, oid)?.no ?? 0)) {
    throw new DaosError('UPDATE_AGAIN', 'the object is being discarded');
  }
  space.checkPunch(SPACE_PER_UPDATE_BYTES * (2 + (akeys?.length ?? 0)));
  let object = heads.findObject(container.no, oid);
  if (!object) {
    object = heads.newObject(container.no, oid);
    container.objectMade();
  }
  if (epoch > object.maxWrite) object.maxWrite = epoch;
  create(object, epoch);
  const marked: Head[] = [];
  if (!dkey) marked.push(object);
  else {
    const dkeyHead = heads.findDkey(object.no, dkey, flavours.dkey) ?? heads.newDkey(object.no, dkey, flavours.dkey);
    create(dkeyHead, epoch);
    heads.modified(dkeyHead);
    if (!akeys) marked.push(dkeyHead);
    for (const akey of akeys ?? []) {
      const akeyHead = heads.findAkey(dkeyHead.no, akey, flavours.akey) ?? heads.newAkey(dkeyHead.no, akey, flavours.akey);
      create(akeyHead, epoch);
      heads.modified(akeyHead);
      marked.push(akeyHead);
    }
  }
  heads.modified(object);
  for (const head of marked) {
    head.log.markCorrupted();
    heads.modified(head);
  }
  return umem.durable();
}

/** What has no history yet begins with the mark. */
function create(head: Head, epoch: Epoch): void {
  if (head.log.count === 0) head.log.write({ epoch, minor: MINOR_MAX, isPunch: false, owner: 0 });
}

function checkKeys({ flavours, dkey, akeys }: VosMarkCorruption): void {
  if (dkey) checkKey('dkey', dkey, flavours.dkey);
  if (!akeys) return;
  if (!dkey) throw new DaosError('INVAL', 'akeys without their dkey');
  if (akeys.length === 0) throw new DaosError('INVAL', 'an empty list of akeys');
  for (const akey of akeys) checkKey('akey', akey, flavours.akey);
  if (flavours.isFlat) throw new DaosError('NO_PERM', 'an object without akeys: mark its dkeys');
}
