import { DaosError } from '@daos/common';

import { EMPTY, viewOf } from '../layout/bytes.js';
import { ANCHOR_SORT_KEY_BYTES_MAX } from '../layout/heads.js';
import { ANCHOR_END, anchorAtIndex, anchorAtKey, anchorAtNo, anchorDecode } from '../ops/anchor.js';
import type { ExtentRef } from '../value/extent/extent_ref.js';

/** Where a level goes on. `isInclusive`: with what stands there, else with what follows. */
export type Place =
  | { readonly kind: 'start' }
  | { readonly kind: 'end' }
  /** Sort key of an object or key, UUID of a container; `no`: of a key too long for an anchor. */
  | { readonly kind: 'key'; readonly sortKey: Uint8Array; readonly no: number; readonly isInclusive: boolean }
  /** Such a key, by its number. */
  | { readonly kind: 'no'; readonly no: number; readonly isInclusive: boolean }
  /** Epoch of a version, or number of a transaction. */
  | { readonly kind: 'index'; readonly index: bigint; readonly isInclusive: boolean }
  | { readonly kind: 'record'; readonly ref: ExtentRef; readonly isInclusive: boolean };

export const PLACE_START: Place = { kind: 'start' };
export const PLACE_END: Place = { kind: 'end' };

/** First byte of an anchor of records; those of `ops/anchor.ts` are smaller. */
const RECORD = 0x20;
/** Kind u8 | lo u64 | hi u64 | epoch u64 | minor u16. */
const RECORD_BYTES = 27;

/** The anchor of a place, with what stands there. */
export function placeEncode(place: Place): Uint8Array {
  switch (place.kind) {
    case 'start':
      return EMPTY;
    case 'end':
      return ANCHOR_END;
    case 'key':
      if (place.sortKey.length > ANCHOR_SORT_KEY_BYTES_MAX) return anchorAtNo(place.no, true);
      return anchorAtKey(place.sortKey, true);
    case 'no':
      return anchorAtNo(place.no, true);
    case 'index':
      return anchorAtIndex(place.index);
    case 'record':
      return recordEncode(place.ref);
  }
}

/** Throws DER_INVAL for anything that is no anchor. */
export function placeDecode(bytes: Uint8Array = EMPTY): Place {
  if (bytes[0] === RECORD) {
    if (bytes.length !== RECORD_BYTES) throw new DaosError('INVAL', 'not an anchor of records');
    const view = viewOf(bytes);
    const ref = { lo: view.getBigUint64(1), hi: view.getBigUint64(9), epoch: view.getBigUint64(17), minor: view.getUint16(25) };
    if (ref.lo > ref.hi) throw new DaosError('INVAL', 'not an anchor of records');
    return { kind: 'record', ref, isInclusive: true };
  }
  const anchor = anchorDecode(bytes);
  switch (anchor.kind) {
    case 'key':
      return { kind: 'key', sortKey: anchor.sortKey, no: 0, isInclusive: anchor.inclusive };
    case 'no':
      return { kind: 'no', no: anchor.no, isInclusive: anchor.inclusive };
    case 'index':
      return { kind: 'index', index: anchor.index, isInclusive: true };
    default:
      return anchor;
  }
}

/** The place behind what stands at a place. */
export function placeAfter(place: Place): Place {
  return place.kind === 'start' || place.kind === 'end' ? place : { ...place, isInclusive: false };
}

function recordEncode({ lo, hi, epoch, minor }: ExtentRef): Uint8Array {
  const bytes = new Uint8Array(RECORD_BYTES);
  const view = viewOf(bytes);
  bytes[0] = RECORD;
  view.setBigUint64(1, lo);
  view.setBigUint64(9, hi);
  view.setBigUint64(17, epoch);
  view.setUint16(25, minor);
  return bytes;
}
