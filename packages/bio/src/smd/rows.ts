import type { RoleBit } from '../device/roles.js';
import type { SmdTable } from './smd_db.js';

/** Targets that one device, or one pool row, can have. */
export const SMD_TARGETS_MAX = 64;
/** Id of the system target, whose blobs hold the replicas of the pool services. */
export const SYS_TARGET_ID = 1024;

export type SmdDeviceState = 'NORMAL' | 'FAULTY';

export interface DeviceRow {
  readonly state: SmdDeviceState;
  readonly targets: readonly number[];
}

export interface PoolRow {
  readonly blobBytes: number;
  /** The pool is being made: its row does not count yet (meta role only). */
  readonly inCreation: boolean;
  readonly targets: readonly number[];
  /** Of the target at the same place of `targets`. Text of a u64. */
  readonly blobs: readonly string[];
}

export const TARGET_TABLE: Readonly<Record<RoleBit, SmdTable>> = { 1: 'target', 2: 'meta_target', 4: 'wal_target' };
export const POOL_TABLE: Readonly<Record<RoleBit, SmdTable>> = { 1: 'pool', 2: 'meta_pool', 4: 'wal_pool' };
export const RDB_TABLE: Readonly<Record<RoleBit, SmdTable>> = { 1: 'rdb_data', 2: 'rdb_meta', 4: 'rdb_wal' };

export function decodeDevice(row: unknown): DeviceRow {
  const { state, targets } = objectOf(row);
  if (state !== 'NORMAL' && state !== 'FAULTY') throw new Error('its state');
  return { state, targets: numbersOf(targets) };
}

export function decodePool(row: unknown): PoolRow {
  const { blobBytes, inCreation, targets, blobs } = objectOf(row);
  const ids = numbersOf(targets);
  if (!isCount(blobBytes) || typeof inCreation !== 'boolean') throw new Error('its size or flag');
  if (!Array.isArray(blobs) || blobs.length !== ids.length || !blobs.every(isBlobText)) throw new Error('its blobs');
  return { blobBytes, inCreation, targets: ids, blobs };
}

export function decodeBinding(row: unknown): { device: string } {
  const { device } = objectOf(row);
  if (typeof device !== 'string') throw new Error('its device');
  return { device };
}

export function decodeBytes(row: unknown): { bytes: number } {
  const { bytes } = objectOf(row);
  if (!isCount(bytes)) throw new Error('its size');
  return { bytes };
}

export function decodeController(row: unknown): { model: string; serial: string } {
  const { model, serial } = objectOf(row);
  if (typeof model !== 'string' || typeof serial !== 'string') throw new Error('its model or serial number');
  return { model, serial };
}

function objectOf(row: unknown): Record<string, unknown> {
  if (typeof row !== 'object' || row === null) throw new Error('its form');
  return row as Record<string, unknown>;
}

function numbersOf(list: unknown): number[] {
  if (!Array.isArray(list) || list.length > SMD_TARGETS_MAX || !list.every(isCount)) throw new Error('its targets');
  return list;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isBlobText(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9]{1,20}$/.test(value);
}
