import { DaosError, type Uuid } from '@daos/common';

import { DeviceRole, ROLES, type RoleBit } from '../device/roles.js';
import { POOL_TABLE, RDB_TABLE, SMD_TARGETS_MAX, decodeBytes, decodePool, type PoolRow } from './rows.js';
import type { SmdDb, SmdTable } from './smd_db.js';
import { checkTarget, keyOfUuid } from './smd_device.js';

export interface SmdBlob {
  readonly target: number;
  readonly role: RoleBit;
  /** Id of the blob on its device. */
  readonly blob: bigint;
  /** Bytes of the blob: the same for all targets of a pool and role. */
  readonly blobBytes: number;
  /** Bytes of the memory file, where it is smaller than the metadata (only then it has to be known at start). */
  readonly scmBytes?: number;
}

export interface SmdPool extends PoolRow {
  readonly uuid: Uuid;
}

/** Pools, or the replicas of their services: the same rows in tables of their own. */
interface Family {
  readonly name: string;
  readonly tables: Readonly<Record<RoleBit, SmdTable>>;
  readonly scmTable: SmdTable;
}
const POOLS: Family = { name: 'pool', tables: POOL_TABLE, scmTable: 'ex_pool' };
const RDBS: Family = { name: 'service of pool', tables: RDB_TABLE, scmTable: 'ex_rdb' };

/**
 * Notes the blob of a pool's target. Rows of the meta role count from `smdPoolMarkReady` on. DER_EXIST for a target that
 * is there, DER_INVAL for a blob of another size than the pool's others, DER_OVERFLOW beyond 64 targets.
 */
export function smdPoolAddTgt(db: SmdDb, pool: Uuid, blob: SmdBlob): void {
  addTarget(db, POOLS, pool, blob);
}

/** Forgets a target; with the last one the row goes. DER_NONEXIST for an unknown pool or target. */
export function smdPoolDelTgt(db: SmdDb, pool: Uuid, target: number, role: RoleBit): void {
  deleteTarget(db, POOLS, pool, target, role);
}

/** DER_NONEXIST for a pool without a row of the role. */
export function smdPoolGetInfo(db: SmdDb, pool: Uuid, role: RoleBit = DeviceRole.DATA): SmdPool {
  const uuid = keyOfUuid(pool);
  return { uuid, ...poolRow(db, POOLS, uuid, role) };
}

/** Id of the blob of a target. DER_NONEXIST for an unknown pool or target. */
export function smdPoolGetBlob(db: SmdDb, pool: Uuid, target: number, role: RoleBit): bigint {
  return blobOf(db, POOLS, pool, target, role);
}

export function smdPoolList(db: SmdDb, role: RoleBit = DeviceRole.DATA): SmdPool[] {
  return [...db.list(POOL_TABLE[role], decodePool)].map(({ key, row }) => ({ uuid: key, ...row }));
}

/** The pool's creation has come to its end. DER_NONEXIST for a pool without meta blobs. */
export function smdPoolMarkReady(db: SmdDb, pool: Uuid): void {
  const uuid = keyOfUuid(pool);
  db.transaction(() => {
    db.put(POOL_TABLE[DeviceRole.META], uuid, { ...poolRow(db, POOLS, uuid, DeviceRole.META), inCreation: false });
  });
}

/** Puts the blobs of `targets` in the place of the old ones, after a device was replaced. DER_NONEXIST, DER_INVAL. */
export function smdPoolReplaceBlobs(db: SmdDb, pool: Uuid, role: RoleBit, blobs: ReadonlyMap<number, bigint>): void {
  const uuid = keyOfUuid(pool);
  db.transaction(() => {
    const row = poolRow(db, POOLS, uuid, role);
    const replaced = [...row.blobs];
    for (const [target, blob] of blobs) replaced[placeOf(POOLS, uuid, row, target)] = blobText(blob);
    db.put(POOL_TABLE[role], uuid, { ...row, blobs: replaced });
  });
}

/** Bytes of the memory file of a pool whose metadata is bigger; undefined when they are the same. */
export function smdPoolGetScmBytes(db: SmdDb, pool: Uuid): number | undefined {
  return db.get('ex_pool', keyOfUuid(pool), decodeBytes)?.bytes;
}

/** As `smdPoolAddTgt`, for the replica of a pool service. */
export function smdRdbAddTgt(db: SmdDb, pool: Uuid, blob: SmdBlob): void {
  addTarget(db, RDBS, pool, blob);
}

/** As `smdPoolDelTgt`, for the replica of a pool service. */
export function smdRdbDelTgt(db: SmdDb, pool: Uuid, target: number, role: RoleBit): void {
  deleteTarget(db, RDBS, pool, target, role);
}

/** As `smdPoolGetBlob`, for the replica of a pool service. */
export function smdRdbGetBlob(db: SmdDb, pool: Uuid, target: number, role: RoleBit): bigint {
  return blobOf(db, RDBS, pool, target, role);
}

export function smdRdbList(db: SmdDb, role: RoleBit = DeviceRole.DATA): SmdPool[] {
  return [...db.list(RDB_TABLE[role], decodePool)].map(({ key, row }) => ({ uuid: key, ...row }));
}

function addTarget(db: SmdDb, family: Family, pool: Uuid, { target, role, blob, blobBytes, scmBytes }: SmdBlob): void {
  const uuid = keyOfUuid(pool);
  checkTarget(target);
  db.transaction(() => {
    const table = family.tables[role];
    const row = db.get(table, uuid, decodePool) ?? newRow(family, role, blobBytes);
    const name = `${family.name} ${uuid}`;
    if (row.blobBytes !== blobBytes) {
      throw new DaosError('INVAL', `a blob of ${blobBytes} bytes for ${name}, whose others have ${row.blobBytes}`);
    }
    if (row.targets.includes(target)) throw new DaosError('EXIST', `${name} has a blob of target ${target} for role ${role}`);
    if (row.targets.length >= SMD_TARGETS_MAX) throw new DaosError('OVERFLOW', `${name} has ${SMD_TARGETS_MAX} targets, the most it can have`);
    db.put(table, uuid, { ...row, targets: [...row.targets, target], blobs: [...row.blobs, blobText(blob)] });
    if (scmBytes !== undefined) db.put(family.scmTable, uuid, { bytes: scmBytes });
  });
}

function newRow(family: Family, role: RoleBit, blobBytes: number): PoolRow {
  if (!Number.isSafeInteger(blobBytes) || blobBytes <= 0) throw new DaosError('INVAL', `a blob of ${blobBytes} bytes`);
  return { blobBytes, inCreation: family === POOLS && role === DeviceRole.META, targets: [], blobs: [] };
}

function deleteTarget(db: SmdDb, family: Family, pool: Uuid, target: number, role: RoleBit): void {
  const uuid = keyOfUuid(pool);
  db.transaction(() => {
    const row = poolRow(db, family, uuid, role);
    const place = placeOf(family, uuid, row, target);
    const keep = <T>(list: readonly T[]): T[] => list.filter((_, i) => i !== place);
    if (row.targets.length > 1) {
      db.put(family.tables[role], uuid, { ...row, targets: keep(row.targets), blobs: keep(row.blobs) });
      return;
    }
    db.remove(family.tables[role], uuid);
    const isGone = ROLES.every((other) => other === role || !db.get(family.tables[other], uuid, decodePool));
    if (isGone) db.remove(family.scmTable, uuid);
  });
}

function blobOf(db: SmdDb, family: Family, pool: Uuid, target: number, role: RoleBit): bigint {
  const uuid = keyOfUuid(pool);
  const row = poolRow(db, family, uuid, role);
  return BigInt(row.blobs[placeOf(family, uuid, row, target)] as string);
}

function poolRow(db: SmdDb, family: Family, uuid: string, role: RoleBit): PoolRow {
  const row = db.get(family.tables[role], uuid, decodePool);
  if (!row) throw new DaosError('NONEXIST', `${family.name} ${uuid} has no blobs for role ${role}`);
  return row;
}

function placeOf(family: Family, uuid: string, row: PoolRow, target: number): number {
  const place = row.targets.indexOf(target);
  if (place < 0) throw new DaosError('NONEXIST', `${family.name} ${uuid} has no blob of target ${target}`);
  return place;
}

function blobText(blob: bigint): string {
  if (blob < 0n || blob >= 1n << 64n) throw new DaosError('INVAL', `${blob} is no blob id`);
  return String(blob);
}
