import { DaosError } from '@daos/common';

import { EMPTY, getU48, setU48, viewOf } from '../layout/bytes.js';
import { ANCHOR_SORT_KEY_BYTES_MAX } from '../layout/heads.js';
import type { IndexKey } from '../layout/index_key.js';

/** First byte of an anchor. */
const Kind = { AFTER_KEY: 1, AT_KEY: 2, AFTER_NO: 3, AT_NO: 4, INDEX: 5, END: 6 } as const;

/** Where a listing goes on. Given back by clients: every byte is checked. */
export type Anchor =
  | { readonly kind: 'start' }
  | { readonly kind: 'key'; readonly sortKey: Uint8Array; readonly inclusive: boolean }
  /** A key whose sort key is too long for an anchor, by its number. */
  | { readonly kind: 'no'; readonly no: number; readonly inclusive: boolean }
  | { readonly kind: 'index'; readonly index: bigint }
  | { readonly kind: 'end' };

export function anchorAtKey(sortKey: Uint8Array, inclusive: boolean): Uint8Array {
  const anchor = new Uint8Array(1 + sortKey.length);
  anchor[0] = inclusive ? Kind.AT_KEY : Kind.AFTER_KEY;
  anchor.set(sortKey, 1);
  return anchor;
}

export function anchorAtNo(no: number, inclusive: boolean): Uint8Array {
  const anchor = new Uint8Array(7);
  anchor[0] = inclusive ? Kind.AT_NO : Kind.AFTER_NO;
  setU48(viewOf(anchor), 1, no);
  return anchor;
}

export function anchorAtIndex(index: bigint): Uint8Array {
  const anchor = new Uint8Array(9);
  anchor[0] = Kind.INDEX;
  viewOf(anchor).setBigUint64(1, index);
  return anchor;
}

export const ANCHOR_END: Uint8Array = Uint8Array.of(Kind.END);

/** Throws DER_INVAL for anything that this module did not make. */
export function anchorDecode(bytes: Uint8Array = EMPTY): Anchor {
  const view = viewOf(bytes);
  const { length } = bytes;
  if (length === 0) return { kind: 'start' };
  switch (bytes[0]) {
    case Kind.AFTER_KEY:
    case Kind.AT_KEY:
      if (length < 2 || length > 1 + ANCHOR_SORT_KEY_BYTES_MAX) break;
      return { kind: 'key', sortKey: bytes.subarray(1), inclusive: bytes[0] === Kind.AT_KEY };
    case Kind.AFTER_NO:
    case Kind.AT_NO:
      if (length !== 7) break;
      return { kind: 'no', no: getU48(view, 1), inclusive: bytes[0] === Kind.AT_NO };
    case Kind.INDEX:
      if (length !== 9) break;
      return { kind: 'index', index: view.getBigUint64(1) };
    case Kind.END:
      return { kind: 'end' };
    default:
  }
  throw new DaosError('INVAL', 'not a listing anchor');
}

/** Puts a listing's lower end, whose prefix is in `from` already, behind (or at) what the anchor says. */
export function appendAnchorKey(from: IndexKey, sortKey: Uint8Array, inclusive: boolean): void {
  from.raw(sortKey);
  // the next key in order: nothing fits in between
  if (!inclusive) from.u8(0);
}
