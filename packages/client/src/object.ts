import { IodType, type Epoch, type Iod, type ObjectId, type Recx } from '@daos/common';
import type { DcCont } from '@daos/container/dc';
import {
  dcObjFetch,
  dcObjKeyToAnchor,
  dcObjListAkeys,
  dcObjListDkeys,
  dcObjListRecxs,
  dcObjOpen,
  dcObjPunch,
  dcObjPunchAkeys,
  dcObjPunchDkey,
  dcObjQueryKey,
  dcObjUpdate,
  type DcObject,
} from '@daos/object/dc';

import { keyBytes, noTx } from './keys.js';
import type { DaosObject, FetchedValue, FetchIod, Key, ListOptions, ListPage, OpOptions, Tx, UpdateIod } from './types.js';

const NO_RECXS: readonly Recx[] = [];
const NO_BYTES = new Uint8Array(0);

/** The native object interface over the object service's client half. */
export class ClientObject implements DaosObject {
  readonly dc: DcObject;

  constructor(cont: DcCont, readonly oid: ObjectId, mode: 'ro' | 'rw') {
    this.dc = dcObjOpen(cont, oid, { writable: mode === 'rw' });
  }

  async update(
    tx: Tx | undefined, dkey: Key, iods: readonly UpdateIod[], options?: OpOptions & { flags?: number },
  ): Promise<void> {
    noTx(tx);
    await dcObjUpdate(this.dc, keyBytes(dkey), iods.map(updateIod), iods.map(valueOf), options);
  }

  async fetch(
    tx: Tx | undefined, dkey: Key, iods: readonly FetchIod[], options?: OpOptions & { flags?: number; sizeOnly?: boolean },
  ): Promise<FetchedValue[]> {
    noTx(tx);
    return dcObjFetch(this.dc, keyBytes(dkey), iods.map(fetchIod), iods.map(intoOf), options);
  }

  async punch(tx: Tx | undefined, options?: OpOptions): Promise<void> {
    noTx(tx);
    await dcObjPunch(this.dc, options);
  }

  async punchDkey(tx: Tx | undefined, dkey: Key, options?: OpOptions & { flags?: number }): Promise<void> {
    noTx(tx);
    await dcObjPunchDkey(this.dc, keyBytes(dkey), options);
  }

  async punchAkeys(
    tx: Tx | undefined, dkey: Key, akeys: readonly Key[], options?: OpOptions & { flags?: number },
  ): Promise<void> {
    noTx(tx);
    await dcObjPunchAkeys(this.dc, keyBytes(dkey), akeys.map(keyBytes), options);
  }

  async listDkeys(tx: Tx | undefined, options?: ListOptions): Promise<ListPage<Uint8Array>> {
    noTx(tx);
    return dcObjListDkeys(this.dc, options);
  }

  async listAkeys(tx: Tx | undefined, dkey: Key, options?: ListOptions): Promise<ListPage<Uint8Array>> {
    noTx(tx);
    return dcObjListAkeys(this.dc, keyBytes(dkey), options);
  }

  async listRecxs(
    tx: Tx | undefined, dkey: Key, akey: Key, options?: ListOptions & { descending?: boolean },
  ): Promise<ListPage<{ recx: Recx; epoch: Epoch; recordSize: number }>> {
    noTx(tx);
    return dcObjListRecxs(this.dc, keyBytes(dkey), keyBytes(akey), options);
  }

  dkeys(tx?: Tx, options?: OpOptions): AsyncIterable<Uint8Array> {
    return eachOf((anchor) => this.listDkeys(tx, { ...options, anchor }));
  }

  akeys(dkey: Key, tx?: Tx, options?: OpOptions): AsyncIterable<Uint8Array> {
    return eachOf((anchor) => this.listAkeys(tx, dkey, { ...options, anchor }));
  }

  async queryKey(
    tx: Tx | undefined, flags: number, at: { dkey?: Key; akey?: Key } = {}, options?: OpOptions,
  ): Promise<{ dkey?: Uint8Array; akey?: Uint8Array; recx?: Recx }> {
    noTx(tx);
    const keys = { dkey: optionalKey(at.dkey), akey: optionalKey(at.akey) };
    const { dkey, akey, recx } = await dcObjQueryKey(this.dc, flags, keys, options);
    return { ...(dkey && { dkey }), ...(akey && { akey }), ...(recx && { recx }) };
  }

  async keyToAnchor(dkey: Key, akey?: Key, options?: OpOptions): Promise<Uint8Array> {
    return dcObjKeyToAnchor(this.dc, keyBytes(dkey), optionalKey(akey), options);
  }

  async queryMaxEpoch(tx: Tx | undefined, options?: OpOptions): Promise<Epoch> {
    noTx(tx);
    return (await dcObjQueryKey(this.dc, 0, {}, options)).maxEpoch;
  }

  layout(): ReturnType<DaosObject['layout']> {
    const { version, groupCount, groupSize, shards } = this.dc.layout;
    const groups = Array.from({ length: groupCount }, (_, group) =>
      shards.slice(group * groupSize, (group + 1) * groupSize).map(({ rank, target }) => ({ rank, target })));
    return { version, className: this.dc.objectClass.name, groups };
  }

   
  async close(): Promise<void> {
    this.dc.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.dc.isClosed) await this.close();
  }
}

/** Walks a listing page by page. */
export async function* eachOf<T>(page: (anchor: Uint8Array | undefined) => Promise<ListPage<T>>): AsyncIterable<T> {
  let anchor: Uint8Array | undefined;
  do {
    const { items, next } = await page(anchor);
    yield* items;
    anchor = next;
  } while (anchor);
}

function optionalKey(key: Key | undefined): Uint8Array | undefined {
  return key === undefined ? undefined : keyBytes(key);
}

function updateIod(iod: UpdateIod): Iod {
  const akey = keyBytes(iod.akey);
  const flags = iod.flags ?? 0;
  if (iod.type === 'single') return { akey, type: IodType.SINGLE, size: iod.value?.length ?? 0, recxs: NO_RECXS, flags };
  return { akey, type: IodType.ARRAY, size: iod.value === null ? 0 : (iod.recordSize ?? 1), recxs: iod.recxs, flags };
}

function valueOf(iod: UpdateIod): Uint8Array {
  return iod.value ?? NO_BYTES;
}

function fetchIod(iod: FetchIod): Iod {
  const akey = keyBytes(iod.akey);
  const flags = iod.flags ?? 0;
  if (iod.type === 'single') return { akey, type: IodType.SINGLE, size: 0, recxs: NO_RECXS, flags };
  return { akey, type: IodType.ARRAY, size: iod.recordSize ?? 0, recxs: iod.recxs, flags };
}

function intoOf(iod: FetchIod): Uint8Array | undefined {
  return iod.type === 'array' ? iod.into : undefined;
}
