import type { UnitOid } from '@daos/common';

import type { Container } from '../container_state.js';
import type { ObjectHead } from '../layout/head.js';
import { checkKey } from '../layout/sort_key.js';
import type { VosKeyDelete } from '../types.js';

/** Deletes an object whatever its versions say: for administration, and for what is damaged. DER_BUSY. */
export async function deleteObject(container: Container, oid: UnitOid): Promise<void> {
  const object = container.heads.findObject(container.no, oid);
  if (!object) return;
  checkFree(container, object);
  container.detach(object);
  await container.store.umem.durable();
}

/** Deletes a dkey or an akey whatever its versions say. DER_BUSY. */
export async function deleteKey(container: Container, { oid, flavours, dkey, akey }: VosKeyDelete): Promise<void> {
  checkKey('dkey', dkey, flavours.dkey);
  if (akey) checkKey('akey', akey, flavours.akey);
  const { heads } = container;
  const object = heads.findObject(container.no, oid);
  if (!object) return;
  checkFree(container, object);
  const parent = heads.findDkey(object.no, dkey, flavours.dkey);
  const key = parent && akey ? heads.findAkey(parent.no, akey, flavours.akey) : parent;
  if (!key) return;
  container.detach(key);
  await container.store.umem.durable();
}

/** DER_BUSY while the object is being discarded or aggregated. */
function checkFree({ holds }: Container, { no }: ObjectHead): void {
  holds.hold(no, 'discard')();
}
