import { DaosError, uuidFromBytes, uuidToBytes, type Uuid } from '@daos/common';
import { poolHandle, type OpId } from '@daos/pool/ds';
import type { RdbTx } from '@daos/rdb';
import { dsSecContCanDelete } from '@daos/security/ds';
import { canDeleteAnyContainer } from '@daos/security/rpc';

import { contAcl, contLabel, contOwner } from '../cont_props.js';
import type { ContService } from '../cont_service.js';
import { ContKey, PATH_CONTS, PATH_CUUIDS, contPath, labelKey } from '../layout.js';
import { handlesOf } from '../records.js';

export interface DestroyParams {
  readonly poolHandle: Uuid;
  /** UUID, or label. */
  readonly container: Uuid | { readonly label: string };
  /** Evict open handles. */
  readonly force: boolean;
}

/**
 * Destroys a container in two phases: it is marked, then removed from all targets, then its metadata goes. A destroy
 * that failed half way is finished by the next one. DER_NO_HDL, DER_NONEXIST, DER_NO_PERM, DER_BUSY.
 */
export function contDestroy(service: ContService, op: OpId, params: DestroyParams): Promise<void> {
  return service.pool.write(
    op,
    async (tx) => {
      const container = resolve(service, tx, params.container);
      checkPermission(service, tx, container, params.poolHandle);
      if (!service.isDestroying(tx, container)) {
        await mark(service, tx, container, params.force);
      }
      await service.host.destroy(service.ranks(), service.pool.uuid, container);
      removeMetadata(service, tx, container);
      return { result: undefined, data: uuidToBytes(container) };
    },
    (_tx, data) => void uuidFromBytes(data),
  );
}

function resolve(service: ContService, tx: RdbTx, container: DestroyParams['container']): Uuid {
  if (typeof container !== 'string') return service.uuidOfLabel(tx, container.label);
  service.checkExists(tx, container);
  return container;
}

function checkPermission(service: ContService, tx: RdbTx, container: Uuid, handle: Uuid): void {
  const { capas, flags, user } = poolHandle(tx, handle);
  if (canDeleteAnyContainer(capas)) return;
  if (dsSecContCanDelete(contAcl(tx, container), contOwner(tx, container), user, flags)) return;
  throw new DaosError(
    'NO_PERM',
    `${user.user} may not destroy container ${container} through this handle of pool ${service.pool.uuid}`,
  );
}

/** First phase: no handle is open any more, and none can be opened. */
async function mark(service: ContService, tx: RdbTx, container: Uuid, force: boolean): Promise<void> {
  const open = handlesOf(tx, container);
  if (open.length > 0 && !force)
    throw new DaosError('BUSY', `container ${container} has ${open.length} open handles`);
  await service.closeHandles(tx, open);
  service.setDestroying(tx, container);
  await tx.commit();
}

function removeMetadata(service: ContService, tx: RdbTx, container: Uuid): void {
  const path = contPath(container);
  for (const key of [ContKey.SNAPSHOTS, ContKey.USER, ContKey.HANDLES]) tx.destroyKvs(path, key);
  tx.destroyKvs(PATH_CONTS, uuidToBytes(container));
  const label = contLabel(tx, container);
  if (label !== undefined && service.findLabel(tx, label) === container)
    tx.delete(PATH_CUUIDS, labelKey(label));
}
