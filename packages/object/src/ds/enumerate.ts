import type { RpcReply } from '@daos/cart';
import { DaosError, type EpochRange } from '@daos/common';
import type { VosListParams, VosPage } from '@daos/vos';

import { ObjFlag, PAGE_BYTES_MAX, PAGE_ITEMS_MAX, type ObjEnumerateIn, type ObjKeyPage } from '../rpc.js';
import { answerOf, checkKey, type Admitted, type ObjTarget } from './target.js';

/** VOS is asked for so many keys at once: long keys must not fill the memory before the page's limit is noticed. */
const BATCH = 256;

function rangeOf(input: ObjEnumerateIn, admitted: Admitted): EpochRange {
  return { lo: input.epochLo, hi: admitted.epoch };
}

function limitOf(input: ObjEnumerateIn): number {
  if (input.limit === 0) throw new DaosError('INVAL', 'a listing of no entries');
  return Math.min(input.limit, PAGE_ITEMS_MAX);
}

function listParams(input: ObjEnumerateIn, admitted: Admitted): Omit<VosListParams, 'anchor' | 'limit'> {
  return { oid: admitted.unit, flavours: admitted.flavours, epr: rangeOf(input, admitted) };
}

/** Collects a page of keys that stays below the page's limits; `anchorAt` gives the anchor of a key not included. */
function keyPage(
  input: ObjEnumerateIn,
  admitted: Admitted,
  list: (params: VosListParams) => VosPage<Uint8Array>,
  anchorAt: (key: Uint8Array) => Uint8Array,
): RpcReply<ObjKeyPage> {
  const limit = limitOf(input);
  const keys: Uint8Array[] = [];
  const lengths: number[] = [];
  let bytes = 0;
  let next = input.anchor;
  do {
    const anchor = next;
    const page = list({
      ...listParams(input, admitted), limit: Math.min(BATCH, limit - keys.length), ...(anchor && { anchor }),
    });
    for (const key of page.items) {
      if (keys.length > 0 && bytes + key.length > PAGE_BYTES_MAX) {
        return { output: { ...answerOf(admitted), lengths, next: anchorAt(key) }, data: keys };
      }
      keys.push(key);
      lengths.push(key.length);
      bytes += key.length;
    }
    next = page.next;
    if (page.items.length === 0) break;
  } while (next && keys.length < limit);
  return { output: { ...answerOf(admitted), lengths, next }, data: keys };
}

export function serveDkeys(target: ObjTarget, input: ObjEnumerateIn): RpcReply<ObjKeyPage> | Promise<RpcReply<ObjKeyPage>> {
  return target.admit(input.head, false, (admitted) => {
    const { container } = admitted.handle;
    return keyPage(input, admitted, (params) => container.listDkeys(params), (dkey) =>
      container.keyToAnchor({ oid: admitted.unit, flavours: admitted.flavours, dkey }));
  });
}

export function serveAkeys(
  target: ObjTarget, input: ObjEnumerateIn & { readonly dkey: Uint8Array },
): RpcReply<ObjKeyPage> | Promise<RpcReply<ObjKeyPage>> {
  return target.admit(input.head, false, (admitted) => {
    const { container } = admitted.handle;
    const { dkey } = input;
    checkKey(dkey, admitted.flavours.dkey, 'dkey');
    return keyPage(input, admitted, (params) => container.listAkeys({ ...params, dkey }), (akey) =>
      container.keyToAnchor({ oid: admitted.unit, flavours: admitted.flavours, dkey, akey }));
  });
}

interface RecxPage {
  readonly mapVersion: number;
  readonly epoch: bigint;
  readonly extents: readonly bigint[];
  readonly next?: Uint8Array | undefined;
}

export function serveRecxs(
  target: ObjTarget, input: ObjEnumerateIn & { readonly dkey: Uint8Array; readonly akey: Uint8Array },
): RpcReply<RecxPage> | Promise<RpcReply<RecxPage>> {
  return target.admit(input.head, false, (admitted) => {
    checkKey(input.dkey, admitted.flavours.dkey, 'dkey');
    checkKey(input.akey, admitted.flavours.akey, 'akey');
    const page = admitted.handle.container.listRecxs({
      ...listParams(input, admitted),
      limit: limitOf(input),
      ...(input.anchor && { anchor: input.anchor }),
      dkey: input.dkey,
      akey: input.akey,
      descending: (input.head.flags & ObjFlag.DESCENDING_ORDER) !== 0,
    });
    const extents: bigint[] = [];
    for (const { recx, epoch, recordSize } of page.items) extents.push(recx.idx, recx.nr, epoch, BigInt(recordSize));
    return { output: { ...answerOf(admitted), extents, next: page.next } };
  });
}

interface OidPage {
  readonly mapVersion: number;
  readonly epoch: bigint;
  readonly oids: readonly { readonly hi: bigint; readonly lo: bigint }[];
  readonly next?: Uint8Array | undefined;
}

export function serveOids(target: ObjTarget, input: ObjEnumerateIn): RpcReply<OidPage> | Promise<RpcReply<OidPage>> {
  return target.admit(input.head, false, (admitted) => {
    const page = admitted.handle.container.listObjects(rangeOf(input, admitted), limitOf(input), input.anchor);
    return { output: { ...answerOf(admitted), oids: page.items.map((unit) => unit.oid), next: page.next } };
  });
}
