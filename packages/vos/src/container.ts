import { DaosError, type EpochRange, type UnitOid, type Uuid } from '@daos/common';

import { Fetch } from './ops/fetch.js';
import { List } from './ops/list.js';
import { Punch } from './ops/punch.js';
import { Query } from './ops/query.js';
import { Update } from './ops/update.js';
import type { Store } from './store.js';
import type {
  KeyFlavours,
  VosContainer,
  VosFetch,
  VosFetchedIod,
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
  private readonly updates: Update;
  private readonly fetches: Fetch;
  private readonly punches: Punch;
  private readonly lists: List;
  private readonly queries: Query;

  constructor(
    store: Store,
    readonly uuid: Uuid,
    readonly no: number,
    private readonly onClose: () => void,
  ) {
    this.updates = new Update(store, this);
    this.fetches = new Fetch(store, no);
    this.punches = new Punch(store, no);
    this.lists = new List(store, no);
    this.queries = new Query(store, no);
  }

  checkOpen(): void {
    if (!this.isOpen) throw new DaosError('NO_HDL', `container ${this.uuid} is closed`);
  }

  update(request: VosUpdate): Promise<void> {
    try {
      this.checkOpen();
      return this.updates.run(request);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  fetch(request: VosFetch): VosFetchedIod[] | Promise<VosFetchedIod[]> {
    this.checkOpen();
    return this.fetches.run(request);
  }

  punch(request: VosPunch): Promise<void> {
    try {
      this.checkOpen();
      return this.punches.run(request);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  listObjects(epr: EpochRange, limit: number, anchor?: Uint8Array): VosPage<UnitOid> {
    this.checkOpen();
    return this.lists.objects(epr, limit, anchor);
  }

  listDkeys(params: VosListParams): VosPage<Uint8Array> {
    this.checkOpen();
    return this.lists.dkeys(params);
  }

  listAkeys(params: VosListParams & { readonly dkey: Uint8Array }): VosPage<Uint8Array> {
    this.checkOpen();
    return this.lists.akeys(params);
  }

  listRecxs(
    params: VosListParams & { readonly dkey: Uint8Array; readonly akey: Uint8Array; readonly descending?: boolean },
  ): VosPage<VosRecxEntry> {
    this.checkOpen();
    return this.lists.recxs(params);
  }

  keyToAnchor(params: { oid: UnitOid; flavours: KeyFlavours; dkey: Uint8Array; akey?: Uint8Array }): Uint8Array {
    this.checkOpen();
    return this.lists.keyToAnchor(params);
  }

  queryKey(request: VosQuery): VosQueryResult {
    this.checkOpen();
    return this.queries.run(request);
  }

  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.onClose();
  }
}
