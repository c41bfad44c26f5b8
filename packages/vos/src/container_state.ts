import { DaosError, EPOCH_MAX, type Epoch, type Uuid } from '@daos/common';

import { Exclusion } from './aggregate/exclusion.js';
import { ActiveRows } from './dtx/active_rows.js';
import { CommittedRows } from './dtx/committed_rows.js';
import type { DtxId } from './dtx/dtx_id.js';
import { DtxTable } from './dtx/dtx_table.js';
import type { Garbage } from './garbage.js';
import type { ContainerRow, ContainerRows } from './layout/container_rows.js';
import { ObjectHead, type Head } from './layout/head.js';
import type { Heads } from './layout/heads.js';
import { ObjectHolds } from './object_holds.js';
import { Fetch } from './ops/fetch.js';
import { List } from './ops/list.js';
import { Punch } from './ops/punch.js';
import { Query } from './ops/query.js';
import { Update } from './ops/update.js';
import type { WriteScope } from './ops/write_scope.js';
import type { Store } from './store.js';
import type { TimestampSet } from './ts/timestamp_set.js';

/** A container in use: what all its handles share. Made by the first open, gone with the last close. */
export class Container {
  readonly no: number;
  readonly heads: Heads;
  readonly committed: CommittedRows;
  readonly dtx: DtxTable;
  readonly holds = new ObjectHolds();
  readonly exclusion = new Exclusion();
  readonly updates: Update;
  readonly fetches: Fetch;
  readonly punches: Punch;
  readonly lists: List;
  readonly queries: Query;
  openCount = 0;
  /** Highest epoch of a write, as far as it matters to aggregation. */
  lastWrite: Epoch;
  private readonly active: ActiveRows;
  /** Modifications in transactions at or below this epoch are refused. */
  private modBound: Epoch;
  /** Never goes back. */
  private lastStable: Epoch = 0n;
  private isDirty = false;
  private isClosing = false;
  private readonly sliced = new Set<Promise<unknown>>();

  constructor(
    readonly store: Store,
    readonly uuid: Uuid,
    private readonly rows: ContainerRows,
    private row: ContainerRow,
    private readonly garbage: Garbage,
    lastWrite: Epoch = 0n,
  ) {
    this.lastWrite = lastWrite;
    this.no = row.no;
    this.heads = store.heads;
    this.active = new ActiveRows(store.umem, row.no);
    this.committed = new CommittedRows(store.umem, row.no, store.nowSeconds);
    this.modBound = store.now();
    this.dtx = new DtxTable(store, this.active, this.committed, () => this.modBound);
    this.updates = new Update(this);
    this.fetches = new Fetch(this);
    this.punches = new Punch(this);
    this.lists = new List(this);
    this.queries = new Query(this);
    this.dtx.reindex();
  }

  get hae(): Epoch {
    return this.row.hae;
  }

  /** Highest aggregated epoch: never goes back, except when `isForced`. */
  setHae(epoch: Epoch): void {
    if (epoch <= this.row.hae) return;
    this.change({ hae: epoch });
  }

  get objectCount(): number {
    return this.row.objectCount;
  }

  get globalStable(): Epoch {
    return this.row.globalStable;
  }

  timestampSet(id: DtxId): TimestampSet {
    return this.store.timestamps.begin(id);
  }

  /** Something was written at this epoch. */
  wrote(epoch: Epoch): void {
    if (epoch > this.lastWrite) this.lastWrite = epoch;
  }

  checkOpen(): void {
    if (this.openCount === 0 || this.isClosing) throw new DaosError('NO_HDL', `container ${this.uuid} is closed`);
  }

  /** Runs work that goes on in slices, each of which begins with `checkOpen`. */
  async runSliced<T>(run: () => Promise<T>): Promise<T> {
    const running = run();
    this.sliced.add(running);
    try {
      return await running;
    } finally {
      this.sliced.delete(running);
    }
  }

  /** Ends the work that goes on in slices; its callers get DER_NO_HDL. */
  async stop(): Promise<void> {
    this.isClosing = true;
    await Promise.allSettled(this.sliced);
  }

  /** DER_UPDATE_AGAIN while the object is being discarded, DER_TX_RESTART when it was synchronized at a later epoch. */
  checkWritable(object: ObjectHead | undefined, { epoch, handle }: WriteScope): void {
    if (!object) return;
    if (this.holds.isDiscarding(object.no)) throw new DaosError('UPDATE_AGAIN', 'the object is being discarded');
    if (handle && epoch <= object.sync) throw new DaosError('TX_RESTART', `the object was synchronized at epoch ${object.sync}`);
  }

  /** An object came into being; others could build on it before its transaction is committed. */
  objectMade(scope?: WriteScope): void {
    this.change({ objectCount: this.row.objectCount + 1 });
    if (scope?.handle) scope.handle.mustCommitNow = true;
  }

  /** Takes an object, dkey or akey out at once, with everything below it. */
  detach(head: Head): void {
    this.garbage.detach(head);
    if (head instanceof ObjectHead) this.objectGone();
  }

  objectGone(): void {
    this.change({ objectCount: Math.max(0, this.row.objectCount - 1) });
  }

  /** What is promised not to change any more: transactions at or below come too late from here on. */
  stableEpoch(gap: Epoch): Epoch {
    const now = this.store.now();
    let stable = now > gap ? now - gap : 0n;
    for (const { epoch } of this.dtx.open()) if (epoch - 1n < stable) stable = epoch - 1n;
    if (stable > this.lastStable) this.lastStable = stable;
    this.raiseModBound(this.lastStable);
    return this.lastStable;
  }

  /** DER_NO_PERM when it is above what is stable here, or below what was set before. */
  setGlobalStable(epoch: Epoch): void {
    if (epoch > this.lastStable || epoch < this.row.globalStable) {
      throw new DaosError('NO_PERM', `a stable epoch of ${epoch}: here it is ${this.lastStable}, before it was ${this.row.globalStable}`);
    }
    this.change({ globalStable: epoch });
  }

  raiseModBound(epoch: Epoch): void {
    if (epoch > this.modBound && epoch < EPOCH_MAX) this.modBound = epoch;
  }

  /** Called when a batch ends, after the heads were written. */
  writeBack(): void {
    this.active.writeBack();
    this.committed.writeBack();
    if (!this.isDirty) return;
    this.isDirty = false;
    this.rows.put(this.uuid, this.row);
  }

  private change(change: Partial<ContainerRow>): void {
    this.row = { ...this.row, ...change };
    if (this.isDirty) return;
    this.isDirty = true;
    this.store.umem.touch();
  }
}
