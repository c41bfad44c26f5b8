import { uuidGenerate, type Epoch, type Iod } from '@daos/common';

import { DtxHandle, VosFlag, type DtxId, type DtxParams, type VosContainer } from '../../src/index.js';
import { HASHED, array, bytes, single, unitOid } from '../fixture.js';

export const D = bytes('dkey');
export const A = bytes('akey');

/** A transaction of this target as its leader sees it. */
export function begin(epoch: Epoch, params: Partial<DtxParams> = {}): DtxHandle {
  return new DtxHandle({ id: { uuid: uuidGenerate(), hlc: epoch }, epoch, ...params });
}

export function idOf(handle: DtxHandle): DtxId {
  if (!handle.id) throw new Error('a local transaction has no id');
  return handle.id;
}

/** One object of a container, in and out of transactions. */
export class TxObject {
  constructor(
    readonly container: VosContainer,
    readonly oid = unitOid(1),
    readonly flavours = HASHED,
  ) {}

  /** A single value as text. */
  put(epoch: Epoch, value: string, handle?: DtxHandle, at: { d?: Uint8Array; a?: Uint8Array; flags?: number } = {}): Promise<void> {
    return this.update(epoch, [single(at.a ?? A, value.length)], [bytes(value)], handle, at);
  }

  extent(epoch: Epoch, idx: number, text: string, handle?: DtxHandle, at: { d?: Uint8Array; a?: Uint8Array; flags?: number } = {}): Promise<void> {
    return this.update(epoch, [array(at.a ?? A, 1, [idx, text.length])], [bytes(text)], handle, at);
  }

  update(epoch: Epoch, iods: Iod[], values: Uint8Array[], handle?: DtxHandle, at: { d?: Uint8Array; flags?: number } = {}): Promise<void> {
    const { oid, flavours } = this;
    return this.container.update({ oid, flavours, epoch, flags: at.flags ?? 0, dkey: at.d ?? D, iods, values }, handle);
  }

  punch(epoch: Epoch, level: 'object' | 'dkey' | 'akey', handle?: DtxHandle, at: { d?: Uint8Array; a?: Uint8Array; flags?: number } = {}): Promise<void> {
    const { oid, flavours } = this;
    const dkey = level === 'object' ? {} : { dkey: at.d ?? D };
    const akeys = level === 'akey' ? { akeys: [at.a ?? A] } : {};
    return this.container.punch({ oid, flavours, epoch, flags: at.flags ?? 0, ...dkey, ...akeys }, handle);
  }

  /** The single value as text; '' when there is none. */
  async get(epoch: Epoch, handle?: DtxHandle, at: { d?: Uint8Array; a?: Uint8Array; flags?: number } = {}): Promise<string> {
    const { oid, flavours } = this;
    const iods = [single(at.a ?? A, 0)];
    const request = { oid, flavours, epoch, flags: at.flags ?? 0, dkey: at.d ?? D, iods };
    const [iod] = await this.container.fetch(request, handle);
    return Buffer.from(iod?.pieces[0]?.data ?? []).toString();
  }

  /** Records of one byte as text, '.' where nothing is. */
  async getExtent(epoch: Epoch, idx: number, nr: number, handle?: DtxHandle): Promise<string> {
    const { oid, flavours } = this;
    const [iod] = await this.container.fetch({ oid, flavours, epoch, flags: 0, dkey: D, iods: [array(A, 1, [idx, nr])] }, handle);
    const text = Buffer.alloc(nr, '.');
    for (const { recx, data } of iod?.pieces ?? []) text.set(data, Number(recx.idx) - idx);
    return text.toString();
  }

  /** Looks at keys without reading values. */
  async look(epoch: Epoch, level: 'object' | 'dkey' | 'akey', handle: DtxHandle, mode: 'exists' | 'timestamp'): Promise<void> {
    const { oid, flavours } = this;
    const flags = mode === 'exists' ? VosFlag.FETCH_CHECK_EXISTENCE : VosFlag.FETCH_SET_TS_ONLY;
    const dkey = level === 'object' ? new Uint8Array(0) : D;
    const iods = level === 'akey' ? [single(A, 0)] : [];
    await this.container.fetch({ oid, flavours, epoch, flags, dkey, iods }, handle);
  }

  dkeys(epoch: Epoch, handle?: DtxHandle): string[] {
    const { oid, flavours } = this;
    const page = this.container.listDkeys({ oid, flavours, epr: { lo: 0n, hi: epoch }, limit: 100 }, handle);
    return page.items.map((key) => Buffer.from(key).toString());
  }
}
