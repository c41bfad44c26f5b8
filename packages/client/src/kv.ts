import { Cond, DaosError, IodType, isDaosError, objectIdToString, objectTypeIsKv, type Iod, type ObjectId, type Recx } from '@daos/common';
import type { DcCont } from '@daos/container/dc';
import { dcObjFetch, dcObjListDkeys, dcObjOpen, dcObjPunch, dcObjPunchDkey, dcObjUpdate, type DcObject } from '@daos/object/dc';

import { keyBytes, noTx } from './keys.js';
import { eachOf } from './object.js';
import type { Key, KvObject, ListOptions, ListPage, OpOptions, Tx } from './types.js';

/** A value lives below its key (the dkey) in this akey. */
const VALUE_AKEY = Buffer.from('0');
const NO_RECXS: readonly Recx[] = [];
const FETCH_IODS: readonly Iod[] = [{ akey: VALUE_AKEY, type: IodType.SINGLE, size: 0, recxs: NO_RECXS }];

/** A flat key-value object: each key is a dkey that holds one single value. */
export class ClientKv implements KvObject {
  readonly dc: DcObject;

  /** DER_INVAL when the id's type is not a key-value type. */
  constructor(cont: DcCont, readonly oid: ObjectId, mode: 'ro' | 'rw') {
    this.dc = dcObjOpen(cont, oid, { writable: mode === 'rw' });
    if (!objectTypeIsKv(this.dc.type)) {
      throw new DaosError('INVAL', `object ${objectIdToString(oid)} is not a key-value object (type ${this.dc.type})`);
    }
  }

  async put(key: Key, value: Uint8Array, options: OpOptions & { tx?: Tx; flags?: number } = {}): Promise<void> {
    noTx(options.tx);
    const iod: Iod = { akey: VALUE_AKEY, type: IodType.SINGLE, size: value.length, recxs: NO_RECXS };
    await dcObjUpdate(this.dc, keyBytes(key), [iod], [value], options);
  }

  async get(key: Key, options: OpOptions & { tx?: Tx } = {}): Promise<Uint8Array | undefined> {
    const found = await this.find(key, false, options);
    return found?.data;
  }

  async size(key: Key, options: OpOptions & { tx?: Tx } = {}): Promise<number | undefined> {
    const found = await this.find(key, true, options);
    return found?.size;
  }

  async remove(key: Key, options: OpOptions & { tx?: Tx; flags?: number } = {}): Promise<void> {
    noTx(options.tx);
    await dcObjPunchDkey(this.dc, keyBytes(key), options);
  }

  async list(options: ListOptions & { tx?: Tx } = {}): Promise<ListPage<Uint8Array>> {
    noTx(options.tx);
    return dcObjListDkeys(this.dc, options);
  }

  keys(options: OpOptions & { tx?: Tx } = {}): AsyncIterable<Uint8Array> {
    return eachOf((anchor) => this.list({ ...options, anchor }));
  }

  async destroy(options: OpOptions = {}): Promise<void> {
    await dcObjPunch(this.dc, options);
  }

   
  async close(): Promise<void> {
    this.dc.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.dc.isClosed) await this.close();
  }

  /** The condition tells an absent key from an empty value. */
  private async find(key: Key, sizeOnly: boolean, options: OpOptions & { tx?: Tx }): Promise<{ size: number; data: Uint8Array } | undefined> {
    noTx(options.tx);
    const { signal, timeoutMs } = options;
    try {
      const [found] = await dcObjFetch(this.dc, keyBytes(key), FETCH_IODS, [], { signal, timeoutMs, sizeOnly, flags: Cond.DKEY_FETCH });
      return found;
    } catch (error) {
      if (isDaosError(error, 'NONEXIST')) return undefined;
      throw error;
    }
  }
}
