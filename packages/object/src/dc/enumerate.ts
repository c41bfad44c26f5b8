import { DaosError, type Epoch, type Recx } from '@daos/common';

import {
  OBJ_AKEY_ENUMERATE,
  OBJ_DKEY_ENUMERATE,
  OBJ_KEY2ANCHOR,
  OBJ_RECX_ENUMERATE,
  ObjFlag,
  PAGE_ITEMS_MAX,
  type ObjKeyPage,
} from '../rpc.js';
import type { DcObject } from './object.js';
import { callRetrying, type ObjOptions } from './retry.js';
import { checkAkey, checkDkey } from './validate.js';

/** A page of a listing; `next` undefined at the end. A page may be empty and yet have a next one. */
export interface ObjPage<T> {
  readonly items: readonly T[];
  readonly next: Uint8Array | undefined;
}

export interface ObjListOptions extends ObjOptions {
  readonly anchor?: Uint8Array | undefined;
  readonly limit?: number | undefined;
}

export interface ObjExtent {
  readonly recx: Recx;
  readonly epoch: Epoch;
  readonly recordSize: number;
}

const PAGE_ITEMS_DEFAULT = 512;
/** An anchor of a dkey listing begins with the group in progress. */
const GROUP_BYTES = 2;
const ANCHOR_BYTES_MAX = 120;

function limitOf(options: ObjListOptions): number {
  const limit = options.limit ?? PAGE_ITEMS_DEFAULT;
  if (!Number.isInteger(limit) || limit < 1) throw new DaosError('INVAL', `a page of ${limit} entries`);
  return Math.min(limit, PAGE_ITEMS_MAX);
}

function anchorOf(options: ObjListOptions): Uint8Array | undefined {
  const { anchor } = options;
  if (anchor && anchor.length > ANCHOR_BYTES_MAX) throw new DaosError('INVAL', `anchor of ${anchor.length} bytes`);
  return anchor;
}

function keysOf(page: ObjKeyPage, data: Uint8Array): Uint8Array[] {
  let at = 0;
  const keys = page.lengths.map((length) => data.subarray(at, (at += length)));
  if (at !== data.length) throw new DaosError('PROTO', 'a page of keys has another length than its keys');
  return keys;
}

function groupAnchor(group: number, inner: Uint8Array | undefined): Uint8Array {
  const anchor = Buffer.alloc(GROUP_BYTES + (inner?.length ?? 0));
  anchor.writeUInt16LE(group);
  if (inner) anchor.set(inner, GROUP_BYTES);
  return anchor;
}

/** One page of dkeys: group after group; ordered inside a group as the object's type orders keys. */
export async function dcObjListDkeys(obj: DcObject, options: ObjListOptions = {}): Promise<ObjPage<Uint8Array>> {
  obj.check(false);
  const limit = limitOf(options);
  const outer = anchorOf(options);
  if (outer && outer.length < GROUP_BYTES) throw new DaosError('INVAL', 'not an anchor of a dkey listing');
  const group = outer ? (outer[0] as number) | ((outer[1] as number) << 8) : 0;
  const anchor = outer && outer.length > GROUP_BYTES ? outer.subarray(GROUP_BYTES) : undefined;
  const { output, data } = await callRetrying({
    obj, group, write: false, rpc: OBJ_DKEY_ENUMERATE, flags: 0, apiFlags: 0, options,
    make: (head) => ({ head, epochLo: 0n, limit, anchor }),
  });
  const items = keysOf(output, data);
  if (output.next) return { items, next: groupAnchor(group, output.next) };
  return { items, next: group + 1 < obj.groupCount ? groupAnchor(group + 1, undefined) : undefined };
}

/** One page of the akeys of a dkey. */
export async function dcObjListAkeys(obj: DcObject, dkey: Uint8Array, options: ObjListOptions = {}): Promise<ObjPage<Uint8Array>> {
  obj.check(false);
  checkDkey(obj, dkey);
  const limit = limitOf(options);
  const anchor = anchorOf(options);
  const { output, data } = await callRetrying({
    obj, group: obj.groupOf(dkey), write: false, rpc: OBJ_AKEY_ENUMERATE, flags: 0, apiFlags: 0, options,
    make: (head) => ({ head, epochLo: 0n, limit, anchor, dkey }),
  });
  return { items: keysOf(output, data), next: output.next };
}

/**
 * One page of the visible extents of an array akey, ascending or descending; a single value is the extent {0,1}.
 * DER_INVAL when the extents have different record sizes.
 */
export async function dcObjListRecxs(
  obj: DcObject, dkey: Uint8Array, akey: Uint8Array, options: ObjListOptions & { readonly descending?: boolean | undefined } = {},
): Promise<ObjPage<ObjExtent>> {
  obj.check(false);
  checkDkey(obj, dkey);
  checkAkey(obj, akey);
  const limit = limitOf(options);
  const anchor = anchorOf(options);
  const { output } = await callRetrying({
    obj, group: obj.groupOf(dkey), write: false, rpc: OBJ_RECX_ENUMERATE, apiFlags: 0, options,
    flags: options.descending ? ObjFlag.DESCENDING_ORDER : 0,
    make: (head) => ({ head, epochLo: 0n, limit, anchor, dkey, akey }),
  });
  return { items: extentsOf(output.extents, limit), next: output.next };
}

function extentsOf(flat: readonly bigint[], limit: number): ObjExtent[] {
  if (flat.length % 4 !== 0 || flat.length > limit * 4) throw new DaosError('PROTO', 'a page of extents is malformed');
  const extents: ObjExtent[] = [];
  for (let i = 0; i < flat.length; i += 4) {
    const [idx, nr, epoch, size] = flat.slice(i, i + 4) as [bigint, bigint, bigint, bigint];
    const recordSize = Number(size);
    if (extents[0] && extents[0].recordSize !== recordSize) throw new DaosError('INVAL', 'extents have different record sizes');
    extents.push({ recx: { idx, nr }, epoch, recordSize });
  }
  return extents;
}

/** Anchor from which a listing of dkeys (or, with an akey, of that dkey's akeys) begins at the given key. */
export async function dcObjKeyToAnchor(
  obj: DcObject, dkey: Uint8Array, akey: Uint8Array | undefined, options: ObjOptions = {},
): Promise<Uint8Array> {
  obj.check(false);
  checkDkey(obj, dkey);
  if (akey) checkAkey(obj, akey);
  const group = obj.groupOf(dkey);
  const { output } = await callRetrying({
    obj, group, write: false, rpc: OBJ_KEY2ANCHOR, flags: 0, apiFlags: 0, options,
    make: (head) => ({ head, dkey, akey }),
  });
  return akey ? output.anchor : groupAnchor(group, output.anchor);
}
