import { ComponentStatus, ContProp, DaosError, uuidToBytes, type Uuid } from '@daos/common';
import { poolHandle, type OpId, type PoolHandleRecord } from '@daos/pool/ds';
import type { RdbTx } from '@daos/rdb';
import { dsSecContCapabilities } from '@daos/security/ds';
import { canOpenContainer } from '@daos/security/rpc';

import { ContOpenFlag, type ContChecksum, type ContInfo } from '../../types.js';
import { contAcl, contChecksum, contNumber, contOwner } from '../cont_props.js';
import type { ContService } from '../cont_service.js';
import { ContKey, PATH_CONT_HANDLES, contHandlesPath } from '../layout.js';
import { findHandle, handleEncode, handlesOf, type StoredHandle } from '../records.js';

export interface OpenParams {
  readonly poolHandle: Uuid;
  /** UUID, or label. */
  readonly container: Uuid | { readonly label: string };
  readonly handle: Uuid;
  readonly flags: number;
}

export interface Opened {
  readonly info: ContInfo;
  readonly capas: number;
  readonly checksum: ContChecksum | undefined;
  readonly redundancyFactor: number;
  readonly redundancyLevel: number;
  readonly objectVersion: number;
}

const { RO, EX, FORCE, RO_MDSTATS, EVICT, EVICT_ALL, NEW_LAYOUT } = ContOpenFlag;
const RO_WITHOUT_TIMES = RO | RO_MDSTATS;

/**
 * Opens a container: the handle is known to every target before the caller gets it. DER_NO_HDL, DER_NONEXIST,
 * DER_CONT_DESTROYING, DER_NO_PERM, DER_BUSY, DER_RF, DER_INVAL, DER_EXIST.
 */
export function contOpen(service: ContService, op: OpId, params: OpenParams): Promise<Opened> {
  return service.pool.write(
    op,
    async (tx) => {
      const container = resolve(service, tx, params.container);
      return { result: await open(service, tx, container, params), data: uuidToBytes(container) };
    },
    (tx) => {
      const record = findHandle(tx, params.handle);
      if (!record) throw new DaosError('NO_HDL', `container handle ${params.handle} was closed since`);
      return describe(service, tx, record.container, record.capas);
    },
  );
}

function resolve(service: ContService, tx: RdbTx, container: OpenParams['container']): Uuid {
  if (typeof container !== 'string') return service.uuidOfLabel(tx, container.label);
  service.checkExists(tx, container);
  return container;
}

async function open(service: ContService, tx: RdbTx, container: Uuid, params: OpenParams): Promise<Opened> {
  const { handle, flags } = params;
  const pool = poolHandle(tx, params.poolHandle);
  const known = findHandle(tx, handle);
  if (known) {
    if (known.flags === flags && known.container === container)
      return describe(service, tx, container, known.capas);
    throw new DaosError('EXIST', `container handle ${handle} is open otherwise`);
  }
  if (service.isDestroying(tx, container))
    throw new DaosError('CONT_DESTROYING', `container ${container} is being destroyed`);
  const capas = capabilities(tx, container, pool, flags);
  const evicted = victims(tx, container, pool, flags);
  const others = service.counter(tx, container, ContKey.NHANDLES) - evicted.length;
  checkExclusive(tx, container, evicted, others, flags);
  if (!(flags & FORCE)) checkRedundancy(service, tx, container);
  await service.closeHandles(tx, evicted, new Set([container]));
  const checksum = contChecksum(tx, container);
  await service.host.grant(service.ranks(), { pool: service.pool.uuid, container, handle, capas, checksum });
  tx.update(
    PATH_CONT_HANDLES,
    uuidToBytes(handle),
    handleEncode({ poolHandle: params.poolHandle, container, hce: 0n, flags, capas }),
  );
  tx.update(contHandlesPath(container), uuidToBytes(handle), Buffer.of(1));
  service.setCounter(tx, container, ContKey.NHANDLES, others + 1);
  return describe(service, tx, container, capas, {
    handleCount: others + 1,
    ...openTime(service, tx, container, flags),
  });
}

function capabilities(tx: RdbTx, container: Uuid, pool: PoolHandleRecord, flags: number): number {
  const asked = flags & ~NEW_LAYOUT;
  const capas = dsSecContCapabilities(contAcl(tx, container), contOwner(tx, container), pool.user, asked);
  if (!canOpenContainer(capas, asked)) {
    throw new DaosError(
      'NO_PERM',
      `${pool.user.user} may not open container ${container} this way (flags 0x${asked.toString(16)})`,
    );
  }
  return capas;
}

/** Handles that the open asks to close first: the same user's, or everyone's. */
function victims(tx: RdbTx, container: Uuid, pool: PoolHandleRecord, flags: number): StoredHandle[] {
  if (!(flags & (EVICT | EVICT_ALL))) return [];
  const open = handlesOf(tx, container);
  return flags & EVICT_ALL
    ? open
    : open.filter(({ record }) => poolHandle(tx, record.poolHandle).user.user === pool.user.user);
}

/** An exclusive handle is the only one: there can be one among the others only when there is one other. */
function checkExclusive(
  tx: RdbTx,
  container: Uuid,
  evicted: readonly StoredHandle[],
  others: number,
  flags: number,
): void {
  if (flags & EX && others > 0)
    throw new DaosError('BUSY', `container ${container} has ${others} other handles`);
  if (others !== 1) return;
  const gone = new Set(evicted.map(({ uuid }) => uuid));
  const other = handlesOf(tx, container).find(({ uuid }) => !gone.has(uuid));
  if (other && other.record.flags & EX)
    throw new DaosError('BUSY', `container ${container} is open exclusively`);
}

/** More failed domains than the container can lose: its data may be incomplete. */
function checkRedundancy(service: ContService, tx: RdbTx, container: Uuid): void {
  const { map } = service.pool;
  const factor = Number(contNumber(tx, container, ContProp.REDUN_FAC));
  const level = map.faultLevel(Number(contNumber(tx, container, ContProp.REDUN_LVL)));
  const isFailed = ({ status }: { readonly status: number }): boolean =>
    (status & ComponentStatus.DOWN) !== 0;
  const failed = map.domainsOf(level).filter((domain) => map.targetsOf(domain).some(isFailed)).length;
  if (failed > factor)
    throw new DaosError(
      'RF',
      `${failed} failed domains exceed the redundancy factor ${factor} of container ${container}`,
    );
}

/** An open for reading only may ask to leave the time of the last open alone. */
function openTime(service: ContService, tx: RdbTx, container: Uuid, flags: number): Partial<ContInfo> {
  if ((flags & RO_WITHOUT_TIMES) === RO_WITHOUT_TIMES) return {};
  const times = { ...service.times(tx, container), open: service.pool.host.hlc.get() };
  service.setTimes(tx, container, times);
  return { openTime: times.open };
}

function describe(
  service: ContService,
  tx: RdbTx,
  container: Uuid,
  capas: number,
  changes: Partial<ContInfo> = {},
): Opened {
  const number = (of: number): number => Number(contNumber(tx, container, of));
  return {
    info: service.info(tx, container, changes),
    capas,
    checksum: contChecksum(tx, container),
    redundancyFactor: number(ContProp.REDUN_FAC),
    redundancyLevel: number(ContProp.REDUN_LVL),
    objectVersion: number(ContProp.OBJ_VERSION),
  };
}

/** Closes a handle. One that is not known is closed already. */
export function contClose(service: ContService, op: OpId, container: Uuid, handle: Uuid): Promise<void> {
  return service.pool.write(
    op,
    async (tx) => {
      const record = findHandle(tx, handle);
      if (record?.container !== container) return { result: undefined };
      await service.closeHandles(tx, [{ uuid: handle, record }]);
      if ((record.flags & RO_WITHOUT_TIMES) !== RO_WITHOUT_TIMES) service.touch(tx, container);
      return { result: undefined };
    },
    () => undefined,
  );
}
