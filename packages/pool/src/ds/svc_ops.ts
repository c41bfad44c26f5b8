import { DaosError, hlcToMs, uuidToBytes, type Epoch, type Uuid } from '@daos/common';
import type { RdbTx } from '@daos/rdb';

import { decodeU32, encodeU32 } from './codec.js';
import { PATH_ROOT, PATH_SVC_OPS, PoolKey } from './layout.js';

/** Names one operation of one client over all its resends. */
export interface OpId {
  readonly clientId: Uuid;
  readonly clientTime: Epoch;
}

/** What an operation gave the first time. */
export interface OpRecord {
  /** 0 or a negative DER number. */
  readonly status: number;
  /** Up to 60 bytes by which a success can be told again. */
  readonly data: Uint8Array;
}

export const OP_DATA_MAX = 60;
/** Records kept per second of age before old ones go early. */
export const OPS_PER_SECOND_MAX = 4096;

/**
 * Records of finished operations, so that one that is sent again (its reply was lost, or the leader changed) is
 * answered and not done again. Key: client time, then client id, so that key order is time order.
 */
export function opLookup(tx: RdbTx, op: OpId): OpRecord | undefined {
  const value = tx.lookup(PATH_SVC_OPS, opKey(op));
  if (!value) return undefined;
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return { status: bytes.readInt32LE(0), data: bytes.subarray(5, 5 + bytes.readUInt8(4)) };
}

/** Adds a record to the transaction; drops the oldest one when it is too old or there are too many. */
export function opSave(tx: RdbTx, op: OpId, record: OpRecord, now: Epoch): void {
  if (number(tx, PoolKey.SVC_OPS_ENABLED) === 0) return;
  if (record.data.length > OP_DATA_MAX)
    throw new DaosError('OVERFLOW', 'result of an operation is too long to be kept');
  const value = Buffer.alloc(5 + OP_DATA_MAX);
  value.writeInt32LE(record.status, 0);
  value.writeUInt8(record.data.length, 4);
  value.set(record.data, 5);
  tx.update(PATH_SVC_OPS, opKey(op), value);
  const count = number(tx, PoolKey.SVC_OPS_NUM);
  const dropped = dropOldest(tx, count, now) ? 1 : 0;
  tx.update(PATH_ROOT, PoolKey.SVC_OPS_NUM, encodeU32(count + 1 - dropped));
}

function dropOldest(tx: RdbTx, count: number, now: Epoch): boolean {
  const oldest = tx.fetchFirst(PATH_SVC_OPS);
  if (!oldest) return false;
  const time = Buffer.from(oldest.key.buffer, oldest.key.byteOffset, oldest.key.byteLength).readBigUInt64BE();
  const ageMs = now > time ? hlcToMs(now - time) : 0;
  if (ageMs <= number(tx, PoolKey.SVC_OPS_AGE) * 1000 && count < number(tx, PoolKey.SVC_OPS_MAX))
    return false;
  tx.delete(PATH_SVC_OPS, oldest.key, 'ordinary');
  return true;
}

function opKey({ clientId, clientTime }: OpId): Uint8Array {
  const key = Buffer.alloc(24);
  key.writeBigUInt64BE(clientTime);
  key.set(uuidToBytes(clientId), 8);
  return key;
}

function number(tx: RdbTx, key: Uint8Array): number {
  const value = tx.lookup(PATH_ROOT, key);
  return value ? decodeU32(value) : 0;
}
