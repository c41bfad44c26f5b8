import { DaosError, type Epoch, type EpochRange, type UnitOid, type Uuid } from '@daos/common';

import { Aggregation, type AggregateOptions } from './aggregate/aggregation.js';
import { Discard } from './aggregate/discard.js';
import type { SliceOptions } from './aggregate/pacer.js';
import type { Container } from './container_state.js';
import type { DtxStatus } from './dtx/dtx_table.js';
import type { DtxId } from './dtx/dtx_id.js';
import { DtxHandle, type DtxMembership } from './dtx/handle.js';
import { markCorruption, type VosMarkCorruption } from './ops/mark.js';
import { arrayRemove, type VosArrayRemove } from './ops/remove.js';
import { deleteKey, deleteObject } from './ops/delete.js';
import type {
  KeyFlavours,
  VosContainer,
  VosContainerInfo,
  VosFetch,
  VosFetchedIod,
  VosKeyDelete,
  VosListParams,
  VosPage,
  VosPunch,
  VosQuery,
  VosQueryResult,
  VosRecxEntry,
  VosUpdate,
} from './types.js';

/** An open container. Several handles of one container work on the same data. */
export class ContainerHandle implements VosContainer {
  private isOpen = true;

  constructor(
    private readonly state: Container,
    private readonly onClose: () => void,
  ) {}

  get uuid(): Uuid {
    return this.state.uuid;
  }

  query(): VosContainerInfo {
    const { objectCount, hae, dtx, committed } = this.open();
    return { objectCount, hae, dtxActive: dtx.openCount, dtxCommitted: committed.count };
  }

  update(request: VosUpdate, handle?: DtxHandle): Promise<void> {
    try {
      return this.open().updates.run(request, handle);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  fetch(request: VosFetch, handle?: DtxHandle): VosFetchedIod[] | Promise<VosFetchedIod[]> {
    return this.open().fetches.run(request, handle);
  }

  punch(request: VosPunch, handle?: DtxHandle): Promise<void> {
    try {
      return this.open().punches.run(request, handle);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  arrayRemove(request: VosArrayRemove): Promise<void> {
    try {
      return arrayRemove(this.open(), request);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  markCorruption(request: VosMarkCorruption): Promise<void> {
    try {
      return markCorruption(this.open(), request);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  listObjects(epr: EpochRange, limit: number, anchor?: Uint8Array, handle?: DtxHandle): VosPage<UnitOid> {
    return this.open().lists.objects(epr, limit, anchor, handle);
  }

  listDkeys(params: VosListParams, handle?: DtxHandle): VosPage<Uint8Array> {
    return this.open().lists.dkeys(params, handle);
  }

  listAkeys(params: VosListParams & { readonly dkey: Uint8Array }, handle?: DtxHandle): VosPage<Uint8Array> {
    return this.open().lists.akeys(params, handle);
  }

  listRecxs(
    params: VosListParams & { readonly dkey: Uint8Array; readonly akey: Uint8Array; readonly descending?: boolean },
    handle?: DtxHandle,
  ): VosPage<VosRecxEntry> {
    return this.open().lists.recxs(params, handle);
  }

  keyToAnchor(params: { oid: UnitOid; flavours: KeyFlavours; dkey: Uint8Array; akey?: Uint8Array }): Uint8Array {
    return this.open().lists.keyToAnchor(params);
  }

  queryKey(request: VosQuery, handle?: DtxHandle): VosQueryResult {
    return this.open().queries.run(request, handle);
  }

  async dtxCommit(ids: readonly DtxId[], keepsEntry = false): Promise<number> {
    const { dtx, store } = this.open();
    const count = dtx.commit(ids, keepsEntry);
    if (count > 0) await store.umem.durable();
    return count;
  }

  async dtxAbort(id: DtxId, epoch?: Epoch, version?: number): Promise<void> {
    const { dtx, store } = this.open();
    dtx.abort(id, epoch, version);
    await store.umem.durable();
  }

  dtxCheck(id: DtxId, epoch?: Epoch): DtxStatus {
    return this.open().dtx.check(id, epoch);
  }

  dtxMarkCommittable(id: DtxId): void {
    this.open().dtx.markCommittable(id);
  }

  async dtxSetFlags(id: DtxId, flags: number): Promise<void> {
    const { dtx, store } = this.open();
    dtx.setFlags(id, flags);
    await store.umem.durable();
  }

  dtxMembership(id: DtxId): DtxMembership | undefined {
    const { dtx, committed } = this.open();
    const found = dtx.find(id);
    if (found) return found.membership;
    if (committed.has(id)) return undefined;
    throw new DaosError('NONEXIST', `the transaction at ${id.hlc} is not known`);
  }

  async dtxMarkSync(oid: UnitOid, epoch: Epoch): Promise<void> {
    const { heads, store, no } = this.open();
    const object = heads.findObject(no, oid);
    if (!object) throw new DaosError('NONEXIST', 'the object does not exist');
    if (epoch <= object.sync) return;
    object.sync = epoch;
    heads.modified(object);
    await store.umem.durable();
  }

  dtxReindexCommitted(): boolean {
    return this.open().committed.index();
  }

  async dtxAggregate(seconds?: number): Promise<boolean> {
    const { committed, store } = this.open();
    const isMore = committed.aggregate(seconds);
    await store.umem.durable();
    return isMore;
  }

  dtxLocalBegin(epoch: Epoch): DtxHandle {
    this.open();
    return new DtxHandle({ epoch, modificationCount: 0xffff, isLeader: true });
  }

  async dtxLocalEnd(handle: DtxHandle, isCommitted: boolean): Promise<void> {
    const { dtx, store } = this.open();
    dtx.endLocal(handle, isCommitted);
    await store.umem.durable();
  }

  async aggregate(epr: EpochRange, options: AggregateOptions = {}): Promise<boolean> {
    const state = this.open();
    return state.runSliced(() => new Aggregation(state, epr, options).run());
  }

  async discard(epr: EpochRange, oid?: UnitOid, options: SliceOptions = {}): Promise<void> {
    const state = this.open();
    const discard = new Discard(state, epr, options);
    await state.runSliced(() => (oid ? discard.runFor(oid) : discard.run()));
  }

  async objectDelete(oid: UnitOid): Promise<void> {
    await deleteObject(this.open(), oid);
  }

  async keyDelete(where: VosKeyDelete): Promise<void> {
    await deleteKey(this.open(), where);
  }

  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.onClose();
  }

  /** @internal What the handle works on. DER_NO_HDL when it is closed. */
  open(): Container {
    if (!this.isOpen) throw new DaosError('NO_HDL', `container ${this.uuid} is closed`);
    return this.state;
  }
}
