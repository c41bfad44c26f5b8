import { messageCodec, f, type MessageOf } from '@daos/cart';
import { DaosError, uuidFromBytes, uuidToBytes, type Epoch, type Uuid } from '@daos/common';
import type { RdbTx } from '@daos/rdb';

import { PATH_CONT_HANDLES, contHandlesPath } from './layout.js';

const handleFields = { poolHandle: f.uuid, container: f.uuid, hce: f.u64, flags: f.u32, capas: f.u32 };
const handleCodec = messageCodec(handleFields);

/** A container handle as the service keeps it. */
export type ContHandleRecord = MessageOf<typeof handleFields>;

export interface StoredHandle {
  readonly uuid: Uuid;
  readonly record: ContHandleRecord;
}

export function handleEncode(record: ContHandleRecord): Uint8Array {
  return handleCodec.encode(record);
}

/** Undefined when the handle is unknown. */
export function findHandle(tx: RdbTx, handle: Uuid): ContHandleRecord | undefined {
  const bytes = tx.lookup(PATH_CONT_HANDLES, uuidToBytes(handle));
  return bytes && handleCodec.decode(bytes);
}

/** DER_NO_HDL when the handle is unknown, or not of this container. */
export function contHandle(tx: RdbTx, container: Uuid, handle: Uuid): ContHandleRecord {
  const record = findHandle(tx, handle);
  if (record?.container === container) return record;
  throw new DaosError('NO_HDL', `container handle ${handle} is not known: it was closed or evicted`);
}

/** Handles of one container. */
export function handlesOf(tx: RdbTx, container: Uuid): StoredHandle[] {
  return [...tx.iterate(contHandlesPath(container))].flatMap(({ key }) => {
    const uuid = uuidFromBytes(key);
    const record = findHandle(tx, uuid);
    return record ? [{ uuid, record }] : [];
  });
}

/** Handles of the pool's containers that satisfy a condition. */
export function selectHandles(tx: RdbTx, chosen: (record: ContHandleRecord) => boolean): StoredHandle[] {
  const all = [...tx.iterate(PATH_CONT_HANDLES)].map(({ key, value }) => ({
    uuid: uuidFromBytes(key),
    record: handleCodec.decode(value),
  }));
  return all.filter(({ record }) => chosen(record));
}

/** When a container was last opened and last changed, HLC values. */
export interface MdTimes {
  readonly open: Epoch;
  readonly modify: Epoch;
}

export function mdTimesEncode({ open, modify }: MdTimes): Uint8Array {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64LE(open);
  bytes.writeBigUInt64LE(modify, 8);
  return bytes;
}

export function mdTimesDecode(bytes: Uint8Array): MdTimes {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { open: buffer.readBigUInt64LE(), modify: buffer.readBigUInt64LE(8) };
}
