import {
  CONTAINER_LABEL_NOT_SET,
  ContProp,
  DaosError,
  uuidToBytes,
  type PropertyEntry,
  type Uuid,
} from '@daos/common';
import { encodeU64, encodeUuid, poolHandle, type OpId } from '@daos/pool/ds';
import type { RdbTx } from '@daos/rdb';
import { canCreateContainer } from '@daos/security/rpc';

import { contLabel, contPropsCreate, contPropsStore } from '../cont_props.js';
import type { ContService } from '../cont_service.js';
import { ContKey, PATH_CONTS, PATH_CUUIDS, contPath, labelKey } from '../layout.js';

export interface CreateParams {
  readonly poolHandle: Uuid;
  readonly container: Uuid;
  /** Wins over a label among the properties. */
  readonly label?: string | undefined;
  readonly props: readonly PropertyEntry[];
}

/** Creates a container. DER_NO_HDL, DER_NO_PERM, DER_INVAL, DER_EXIST. */
export function contCreate(service: ContService, op: OpId, params: CreateParams): Promise<void> {
  return service.pool.write(
    op,
    async (tx) => {
      create(service, tx, params);
      return { result: undefined };
    },
    () => undefined,
  );
}

function create(service: ContService, tx: RdbTx, params: CreateParams): void {
  const { capas, user } = poolHandle(tx, params.poolHandle);
  if (!canCreateContainer(capas))
    throw new DaosError(
      'NO_PERM',
      `${user.user} may not create containers through this handle of pool ${service.pool.uuid}`,
    );
  const given = withLabel(params);
  const props = contPropsCreate(tx, given, user, service.pool.mapVersion);
  const label = labelOf(given);
  checkFree(service, tx, params.container, label);
  const path = contPath(params.container);
  tx.createKvs(PATH_CONTS, uuidToBytes(params.container));
  contPropsStore(tx, params.container, props);
  tx.update(path, ContKey.GHCE, encodeU64(0n));
  service.setTimes(tx, params.container, { open: 0n, modify: service.pool.host.hlc.get() });
  service.setCounter(tx, params.container, ContKey.NHANDLES, 0);
  service.setCounter(tx, params.container, ContKey.NSNAPSHOTS, 0);
  tx.createKvs(path, ContKey.SNAPSHOTS, 'integer');
  tx.createKvs(path, ContKey.USER);
  tx.createKvs(path, ContKey.HANDLES);
  if (label !== undefined) tx.update(PATH_CUUIDS, labelKey(label), encodeUuid(params.container));
}

function withLabel({ label, props }: CreateParams): readonly PropertyEntry[] {
  if (label === undefined) return props;
  return [
    ...props.filter(({ number }) => number !== ContProp.LABEL),
    { number: ContProp.LABEL, value: label },
  ];
}

function labelOf(props: readonly PropertyEntry[]): string | undefined {
  const label = props.find(({ number }) => number === ContProp.LABEL)?.value;
  if (label === CONTAINER_LABEL_NOT_SET)
    throw new DaosError('INVAL', `"${label}" stands for a container without a label`);
  return label === undefined ? undefined : String(label);
}

/** What "exists already" means depends on which of the two names is taken. */
function checkFree(service: ContService, tx: RdbTx, container: Uuid, label: string | undefined): void {
  const owner = label === undefined ? undefined : service.findLabel(tx, label);
  if (!tx.exists(contPath(container))) {
    if (owner) throw new DaosError('EXIST', `pool ${service.pool.uuid} has a container "${label}" already`);
    return;
  }
  if (label === undefined || contLabel(tx, container) === label)
    throw new DaosError('EXIST', `container ${container} exists already`);
  throw new DaosError('INVAL', `container ${container} exists under another label than "${label}"`);
}
