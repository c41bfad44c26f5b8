import { DaosError, PoolConnectFlag, uuidFromBytes, uuidToBytes, type Uuid } from '@daos/common';
import type { RdbTx } from '@daos/rdb';
import { dsSecPoolCapabilities } from '@daos/security/ds';
import type { AuthSys } from '@daos/security/rpc';

import { encodeU32 } from '../codec.js';
import { PATH_HANDLES, PATH_ROOT, PoolKey } from '../layout.js';
import { POOL_LAYOUT_VERSION } from '../../rpc.js';
import type { PoolService, Written } from '../pool_service.js';
import { poolAcl, poolOwner } from './acl.js';
import type { OpId } from '../svc_ops.js';
import { handleDecode, handleEncode, type PoolHandleRecord } from '../user.js';

export interface ConnectParams {
  readonly handle: Uuid;
  readonly flags: number;
  readonly user: AuthSys;
  readonly layoutVersion: number;
}

const FLAGS: readonly number[] = Object.values(PoolConnectFlag);

/** The handle's record. DER_NO_HDL when it is unknown. */
export function poolHandle(tx: RdbTx, handle: Uuid): PoolHandleRecord {
  const bytes = tx.lookup(PATH_HANDLES, uuidToBytes(handle));
  if (!bytes)
    throw new DaosError('NO_HDL', `pool handle ${handle} is not known: it was disconnected or evicted`);
  return handleDecode(bytes);
}

export function poolHandles(tx: RdbTx): { uuid: Uuid; record: PoolHandleRecord }[] {
  return [...tx.iterate(PATH_HANDLES)].map(({ key, value }) => ({
    uuid: uuidFromBytes(key),
    record: handleDecode(value),
  }));
}

/** Opens a handle; returns its capabilities (PoolCapa bits). The rules stand in DAOS's order. */
export async function poolConnect(service: PoolService, op: OpId, params: ConnectParams): Promise<number> {
  if (!FLAGS.includes(params.flags))
    throw new DaosError('INVAL', `connect flags 0x${params.flags.toString(16)}: exactly one of RO, RW, EX`);
  return service.write(
    op,
    async (tx) => connect(service, tx, params),
    (tx) => poolHandle(tx, params.handle).capas,
  );
}

function connect(
  service: PoolService,
  tx: RdbTx,
  { handle, flags, user, layoutVersion }: ConnectParams,
): Written<number> {
  if (service.number(tx, PoolKey.CONNECTABLE) === 0)
    throw new DaosError('BUSY', `pool ${service.uuid} is being destroyed`);
  const known = tx.lookup(PATH_HANDLES, uuidToBytes(handle));
  if (known) {
    const record = handleDecode(known);
    if (record.flags === flags) return { result: record.capas };
    throw new DaosError('EXIST', `pool handle ${handle} is open with other flags`);
  }
  checkLayout(service, tx, layoutVersion);
  const capas = dsSecPoolCapabilities(poolAcl(tx), poolOwner(tx), user, flags);
  if (capas === 0) {
    throw new DaosError(
      'NO_PERM',
      `${user.user} may not connect to pool ${service.uuid} (its access control list grants too little)`,
    );
  }
  const others = service.number(tx, PoolKey.NHANDLES);
  checkExclusive(service, tx, flags, others);
  tx.update(PATH_HANDLES, uuidToBytes(handle), handleEncode({ flags, capas, user }));
  tx.update(PATH_ROOT, PoolKey.NHANDLES, encodeU32(others + 1));
  return { result: capas };
}

/** An exclusive handle is the only one: there can be one among the others only when there is one other. */
function checkExclusive(service: PoolService, tx: RdbTx, flags: number, others: number): void {
  if (flags === PoolConnectFlag.EX && others > 0)
    throw new DaosError('BUSY', `pool ${service.uuid} has ${others} other handles`);
  const other = others === 1 ? tx.fetchFirst(PATH_HANDLES) : undefined;
  if (other && handleDecode(other.value).flags === PoolConnectFlag.EX)
    throw new DaosError('BUSY', `pool ${service.uuid} is open exclusively`);
}

function checkLayout(service: PoolService, tx: RdbTx, clientVersion: number): void {
  const version = service.number(tx, PoolKey.GLOBAL_VERSION);
  if (clientVersion - version < 2 && version <= clientVersion) return;
  throw new DaosError(
    'NOTSUPPORTED',
    `pool ${service.uuid} has layout ${version}, the client works with ${clientVersion}` +
      ` (this server with ${POOL_LAYOUT_VERSION})`,
  );
}

/** Closes a handle and what was opened through it. An unknown one is no error. */
export function poolDisconnect(service: PoolService, op: OpId, handle: Uuid): Promise<void> {
  return service.write(
    op,
    async (tx) => {
      if (tx.lookup(PATH_HANDLES, uuidToBytes(handle))) await removeHandles(service, tx, [handle]);
      return { result: undefined };
    },
    () => undefined,
  );
}

export interface EvictParams {
  /** Handles to close; all when neither handles nor a machine are given. Unknown ones are passed over. */
  readonly handles: readonly Uuid[];
  readonly machine?: string | undefined;
  /** On the way to a destroy: nobody may connect afterwards. */
  readonly destroy: boolean;
  /** Destroy although handles are open. */
  readonly force: boolean;
  /** Destroy although containers exist. */
  readonly recursive: boolean;
}

/** Closes handles; returns how many. With `destroy`: DER_BUSY while handles or containers are in the way. */
export function poolEvict(service: PoolService, op: OpId, params: EvictParams): Promise<number> {
  return service.write(
    op,
    async (tx) => {
      const victims = choose(tx, params);
      if (params.destroy) checkDestroy(service, tx, params);
      await removeHandles(service, tx, victims);
      if (params.destroy) tx.update(PATH_ROOT, PoolKey.CONNECTABLE, encodeU32(0));
      return { result: victims.length, data: encodeU32(victims.length) };
    },
    (_tx, data) => Buffer.from(data).readUInt32LE(),
  );
}

function choose(tx: RdbTx, { handles, machine }: EvictParams): Uuid[] {
  if (handles.length > 0)
    return [...new Set(handles)].filter((uuid) => tx.lookup(PATH_HANDLES, uuidToBytes(uuid)));
  return poolHandles(tx)
    .filter(({ record }) => machine === undefined || record.user.machineName === machine)
    .map(({ uuid }) => uuid);
}

function checkDestroy(service: PoolService, tx: RdbTx, { force, recursive }: EvictParams): void {
  const open = service.number(tx, PoolKey.NHANDLES);
  if (open > 0 && !force) throw new DaosError('BUSY', `pool ${service.uuid} has ${open} open handles`);
  const containers = service.listContainers(tx).length;
  if (containers > 0 && !recursive && !force)
    throw new DaosError('BUSY', `pool ${service.uuid} holds ${containers} containers`);
}

async function removeHandles(service: PoolService, tx: RdbTx, victims: readonly Uuid[]): Promise<void> {
  if (victims.length === 0) return;
  await service.closePoolHandles(tx, new Set(victims));
  for (const uuid of victims) tx.delete(PATH_HANDLES, uuidToBytes(uuid));
  tx.update(PATH_ROOT, PoolKey.NHANDLES, encodeU32(service.number(tx, PoolKey.NHANDLES) - victims.length));
}
