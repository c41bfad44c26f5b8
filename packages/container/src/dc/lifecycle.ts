import { CONTAINER_LABEL_NOT_SET, DaosError, isUuid, uuidGenerate, type Uuid } from '@daos/common';
import type { DcOptions, DcPool } from '@daos/pool/dc';
import { propsToWire } from '@daos/pool/rpc';

import {
  CONT_CLOSE,
  CONT_CREATE,
  CONT_DESTROY,
  CONT_DESTROY_BYLABEL,
  CONT_OPEN,
  CONT_OPEN_BYLABEL,
} from '../rpc.js';
import { ContOpenFlag } from '../types.js';
import type { DcCont, DcContCreateOptions } from './container.js';
import { openedCont } from './opened.js';

const MODES = ContOpenFlag.RO | ContOpenFlag.RW | ContOpenFlag.EX;

/**
 * Creates a container; returns its UUID. DER_EXIST when the label (or UUID) is taken, DER_INVAL for bad properties,
 * DER_NO_PERM when the pool handle may not.
 */
export async function dcContCreate(pool: DcPool, options: DcContCreateOptions = {}): Promise<Uuid> {
  const { uuid = uuidGenerate(), label, props = [] } = options;
  if (label === CONTAINER_LABEL_NOT_SET)
    throw new DaosError('INVAL', `"${label}" stands for a container without a label`);
  const body = { container: uuid, props: propsToWire(props), ...(label === undefined ? {} : { label }) };
  await pool.call(CONT_CREATE, body, options);
  return uuid;
}

/**
 * Opens a container. `flags`: ContOpenFlag, RO when absent. DER_NONEXIST, DER_NO_PERM, DER_BUSY (exclusive use),
 * DER_CONT_DESTROYING, DER_RF (too many failures, unless FORCE), DER_INVAL for a bad combination of flags.
 */
export async function dcContOpen(
  pool: DcPool,
  labelOrUuid: string,
  options: DcOptions & { flags?: number } = {},
): Promise<DcCont> {
  const { flags = ContOpenFlag.RO } = options;
  checkFlags(flags);
  const contHandle = uuidGenerate();
  const sent = flags | ContOpenFlag.NEW_LAYOUT;
  const { body } = isUuid(labelOrUuid)
    ? await pool.call(CONT_OPEN, { container: labelOrUuid.toLowerCase(), contHandle, flags: sent }, options)
    : await pool.call(CONT_OPEN_BYLABEL, { label: labelOrUuid, contHandle, flags: sent }, options);
  return openedCont(pool, contHandle, flags, body);
}

/** Closes a handle; one that the service does not know any more is closed already. */
export async function dcContClose(cont: DcCont, options: DcOptions = {}): Promise<void> {
  await cont.pool.call(CONT_CLOSE, { container: cont.uuid, contHandle: cont.handle }, options);
}

/** Destroys a container and its data. DER_BUSY while handles are open, unless `force`; DER_NONEXIST, DER_NO_PERM. */
export async function dcContDestroy(
  pool: DcPool,
  labelOrUuid: string,
  options: DcOptions & { force?: boolean } = {},
): Promise<void> {
  const { force = false } = options;
  if (isUuid(labelOrUuid))
    await pool.call(CONT_DESTROY, { container: labelOrUuid.toLowerCase(), force }, options);
  else await pool.call(CONT_DESTROY_BYLABEL, { label: labelOrUuid, force }, options);
}

export function dcContList(
  pool: DcPool,
  options: DcOptions = {},
): Promise<{ uuid: Uuid; label: string | undefined }[]> {
  return pool.listContainers(options);
}

function checkFlags(flags: number): void {
  const { RO, RW, EX, EVICT, EVICT_ALL } = ContOpenFlag;
  const mode = flags & MODES;
  const evicts = flags & (EVICT | EVICT_ALL);
  const isOne = mode === RO || mode === RW || mode === EX;
  if (
    isOne &&
    evicts !== (EVICT | EVICT_ALL) &&
    !(mode === EX && evicts === EVICT) &&
    !(mode !== EX && evicts === EVICT_ALL)
  )
    return;
  throw new DaosError(
    'INVAL',
    `open flags 0x${flags.toString(16)}: exactly one of RO, RW, EX; EVICT with RO or RW; EVICT_ALL with EX`,
  );
}
