import { DaosError, uuidFromBytes, uuidToBytes } from '@daos/common';

import { viewOf } from '../layout/bytes.js';
import { INDEX_KEY_BYTES_MAX } from '../layout/index_key.js';
import { ActiveDtx, type DtxRecord, type DtxState } from './active_dtx.js';

/**
 * Row of an open transaction, big endian: magic u32 | format u8 | state u8 | flags u16 | uuid (16) | hlc u64 | epoch
 * u64 | oid hi u64, lo u64, shard u32, layout u16 | dkey hash u64 | owner u32 | pool map version u32 | membership:
 * flags u32, targets u32, groups u32, length u32, bytes | records u32, each: kind u8 | key length u16 | key | epoch
 * u64 | minor u16 | extents: lo u64, hi u64.
 */
const MAGIC = 0x14130a2b;
const FORMAT = 1;
const FIXED_BYTES = 96;
const KINDS = ['log', 'single', 'extent'] as const;
const STATE_MAX = 8;
const RECORD_BYTES_MIN = 13;

export function activeEncode(dtx: ActiveDtx): Uint8Array {
  const { membership, records } = dtx;
  let length = FIXED_BYTES + membership.bytes.length + 4;
  for (const record of records) length += recordBytes(record);
  const bytes = new Uint8Array(length);
  const view = viewOf(bytes);
  view.setUint32(0, MAGIC);
  view.setUint8(4, FORMAT);
  view.setUint8(5, dtx.state);
  view.setUint16(6, dtx.flags);
  bytes.set(dtx.id.uuid === '' ? new Uint8Array(16) : uuidToBytes(dtx.id.uuid), 8);
  view.setBigUint64(24, dtx.id.hlc);
  view.setBigUint64(32, dtx.epoch);
  view.setBigUint64(40, dtx.oid.oid.hi);
  view.setBigUint64(48, dtx.oid.oid.lo);
  view.setUint32(56, dtx.oid.shard);
  view.setUint16(60, dtx.oid.layoutVersion);
  view.setBigUint64(64, dtx.dkeyHash);
  view.setUint32(72, dtx.owner);
  view.setUint32(76, dtx.version);
  view.setUint32(80, membership.flags);
  view.setUint32(84, membership.targetCount);
  view.setUint32(88, membership.groupCount);
  view.setUint32(92, membership.bytes.length);
  bytes.set(membership.bytes, FIXED_BYTES);
  let at = FIXED_BYTES + membership.bytes.length;
  view.setUint32(at, records.length);
  at += 4;
  for (const record of records) at = encodeRecord(record, bytes, view, at);
  return bytes;
}

/** DER_DF_INCOMPT for a format that this program does not know, DER_IO for anything that is not such a row. */
export function activeDecode(bytes: Uint8Array): ActiveDtx {
  const view = viewOf(bytes);
  if (bytes.length < FIXED_BYTES + 4 || view.getUint32(0) !== MAGIC) throw damaged('no such row');
  if (view.getUint8(4) !== FORMAT) throw new DaosError('DF_INCOMPT', `format ${view.getUint8(4)} of an open transaction`);
  const uuid = uuidFromBytes(bytes.slice(8, 24));
  const hlc = view.getBigUint64(24);
  const owner = view.getUint32(72);
  const state = view.getUint8(5);
  if (owner < 2 || state > STATE_MAX) throw damaged(`owner ${owner}, state ${state}`);
  const memberBytes = view.getUint32(92);
  let at = FIXED_BYTES + memberBytes;
  if (at + 4 > bytes.length) throw damaged(`a membership of ${memberBytes} bytes`);
  const membership = {
    flags: view.getUint32(80),
    targetCount: view.getUint32(84),
    groupCount: view.getUint32(88),
    bytes: bytes.slice(FIXED_BYTES, at),
  };
  const oid = {
    oid: { hi: view.getBigUint64(40), lo: view.getBigUint64(48) },
    shard: view.getUint32(56),
    layoutVersion: view.getUint16(60),
  };
  const isLocal = bytes.subarray(8, 24).every((byte) => byte === 0);
  const id = { uuid: isLocal ? '' : uuid, hlc };
  const dtx = new ActiveDtx(id, owner, view.getBigUint64(32), oid, view.getBigUint64(64), view.getUint32(76), membership, false);
  dtx.flags = view.getUint16(6);
  dtx.state = state as DtxState;
  const count = view.getUint32(at);
  at += 4;
  if (count * RECORD_BYTES_MIN > bytes.length - at) throw damaged(`${count} records in ${bytes.length} bytes`);
  for (let i = 0; i < count; i++) at = decodeRecord(dtx, bytes, view, at);
  if (at !== bytes.length) throw damaged('bytes behind the last record');
  return dtx;
}

function recordBytes({ kind, place }: DtxRecord): number {
  return RECORD_BYTES_MIN + place.indexKey.length + (kind === 'extent' ? 16 : 0);
}

function encodeRecord({ kind, place, epoch, minor, lo, hi }: DtxRecord, bytes: Uint8Array, view: DataView, start: number): number {
  const { indexKey } = place;
  view.setUint8(start, KINDS.indexOf(kind));
  view.setUint16(start + 1, indexKey.length);
  bytes.set(indexKey, start + 3);
  let at = start + 3 + indexKey.length;
  view.setBigUint64(at, epoch);
  view.setUint16(at + 8, minor);
  at += 10;
  if (kind !== 'extent') return at;
  view.setBigUint64(at, lo);
  view.setBigUint64(at + 8, hi);
  return at + 16;
}

function decodeRecord(dtx: ActiveDtx, bytes: Uint8Array, view: DataView, start: number): number {
  if (start + RECORD_BYTES_MIN > bytes.length) throw damaged('a record is cut');
  const kind = KINDS[view.getUint8(start)];
  const keyBytes = view.getUint16(start + 1);
  const isExtent = kind === 'extent';
  const end = start + RECORD_BYTES_MIN + keyBytes + (isExtent ? 16 : 0);
  if (kind === undefined || keyBytes === 0 || keyBytes > INDEX_KEY_BYTES_MAX || end > bytes.length) throw damaged('a record is none');
  const indexKey = bytes.slice(start + 3, start + 3 + keyBytes);
  const at = start + 3 + keyBytes;
  const lo = isExtent ? view.getBigUint64(at + 10) : 0n;
  const hi = isExtent ? view.getBigUint64(at + 18) : 0n;
  dtx.records.push({ kind, place: { indexKey }, epoch: view.getBigUint64(at), minor: view.getUint16(at + 8), lo, hi });
  return end;
}

function damaged(what: string): DaosError {
  return new DaosError('IO', `row of an open transaction is damaged: ${what}`);
}
