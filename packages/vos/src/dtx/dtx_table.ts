import { DaosError, MURMUR_SEED_DKEY, murmur64BigInt, type Epoch, type UnitOid } from '@daos/common';

import type { Head } from '../layout/head.js';
import { AkeyHead } from '../layout/head.js';
import type { Store } from '../store.js';
import { ActiveDtx, DtxFlag, DtxState, type DtxRecord } from './active_dtx.js';
import type { ActiveRows } from './active_rows.js';
import type { CommittedRows } from './committed_rows.js';
import { dtxIdText, type DtxId } from './dtx_id.js';
import type { DtxHandle } from './handle.js';
import { DtxView, type Intent, type OpenTransactions } from './view.js';

/** Local numbers below this have a meaning of their own. */
const OWNER_FIRST = 2;
const OWNER_MAX = 0xffff_ffff;
/** Transactions that may be open on one target and container. */
const ACTIVE_MAX = 1 << 20;

export interface DtxStatus {
  readonly state: 'inited' | 'prepared' | 'committable' | 'committed';
  readonly epoch: Epoch;
  readonly version: number;
}

/** The transactions of one container on this target: open ones in memory and in rows, committed ones as ids. */
export class DtxTable implements OpenTransactions {
  private readonly owners = new Map<number, ActiveDtx>();
  /** By the clock value of their ids; several with one value are chained. */
  private readonly ids = new Map<bigint, ActiveDtx>();
  private nextOwner = OWNER_FIRST;
  private readonly views = new Map<Intent, DtxView>();

  constructor(
    private readonly store: Store,
    private readonly rows: ActiveRows,
    readonly committed: CommittedRows,
    /** Modifications in transactions at or below this epoch come too late. */
    private readonly modBound: () => Epoch,
  ) {}

  /** Brings back what was open when the container was last in use; what was not prepared is aborted. */
  reindex(): void {
    for (const dtx of this.rows.load()) {
      dtx.isReindexed = true;
      this.add(dtx);
      if (dtx.owner >= this.nextOwner) this.nextOwner = dtx.owner + 1;
      if (!dtx.isPrepared) this.undo(dtx);
    }
  }

  get openCount(): number {
    return this.owners.size;
  }

  /** Open transactions, in no order. */
  open(): Iterable<ActiveDtx> {
    return this.owners.values();
  }

  byOwner(owner: number): ActiveDtx | undefined {
    return this.owners.get(owner);
  }

  find(id: DtxId): ActiveDtx | undefined {
    let dtx = this.ids.get(id.hlc);
    while (dtx && dtx.id.uuid !== id.uuid) dtx = dtx.next;
    return dtx;
  }

  /** What an operation sees of records that are not committed in themselves. */
  view(intent: Intent, handle?: DtxHandle): DtxView {
    if (handle) return new DtxView(this, intent, handle);
    let view = this.views.get(intent);
    if (!view) this.views.set(intent, (view = new DtxView(this, intent)));
    return view;
  }

  /**
   * A modification begins; its minor epoch is the handle's `opSeq` from here on. DER_TX_RESTART when its epoch is
   * too old, DER_TX_ID_REUSED, DER_INPROGRESS or DER_MISC when the id is taken, DER_INPROGRESS when too many are open.
   */
  enter(handle: DtxHandle): void {
    if (handle.epoch <= this.modBound()) {
      throw new DaosError('TX_RESTART', `epoch ${handle.epoch} is older than what was promised not to change`);
    }
    if (handle.owner === 0 && handle.opSeq === 0 && handle.id) this.checkId(handle.id, handle.epoch);
    if (this.owners.size >= ACTIVE_MAX) throw new DaosError('INPROGRESS', `${this.owners.size} transactions are open`);
    handle.opSeq++;
    if (handle.coCommit.length > 0 && handle.opSeq === 1) this.commit(handle.coCommit);
  }

  /** Owner for what the handle writes now. A modification that is committed at once needs none. */
  ownerFor(handle: DtxHandle, oid: UnitOid, dkey: Uint8Array | undefined): number {
    if (handle.owner !== 0) return handle.owner;
    if (handle.isSolo && handle.isReal && handle.modificationCount === 1) return 0;
    const owner = this.takeOwner();
    const id = handle.id ?? { uuid: '', hlc: BigInt(owner) };
    const hash = dkey ? murmur64BigInt(dkey, MURMUR_SEED_DKEY) : 0n;
    const { epoch, version, membership, isLeader } = handle;
    const dtx = new ActiveDtx(id, owner, epoch, oid, hash, version, membership, isLeader);
    handle.owner = owner;
    this.add(dtx);
    this.rows.changed(dtx);
    return owner;
  }

  /** Something the handle's transaction has written. */
  record(owner: number, record: DtxRecord): void {
    const dtx = this.owners.get(owner);
    if (!dtx) throw new Error(`transaction ${owner} is not open`);
    dtx.records.push(record);
    this.rows.changed(dtx);
  }

  /** A modification was applied; the last one prepares the transaction, or commits it when it is alone. */
  finish(handle: DtxHandle): void {
    if (!handle.isAtLast || !handle.id) return;
    if (handle.owner === 0) {
      if (handle.isSolo) this.committed.add(handle.id, handle.epoch);
      return;
    }
    const dtx = this.owners.get(handle.owner);
    if (!dtx) throw new Error(`transaction ${dtxIdText(handle.id)} vanished`);
    dtx.state = DtxState.PREPARED;
    this.rows.changed(dtx);
    if (handle.isSolo) this.decide(dtx, false);
  }

  /** Commits or, after an error, takes back what a handle without an id has written. */
  endLocal(handle: DtxHandle, isCommitted: boolean): void {
    const dtx = this.owners.get(handle.owner);
    if (!dtx) return;
    this.store.umem.touch();
    if (isCommitted) for (const record of dtx.records) this.settle(dtx, record);
    else for (const record of dtx.records.toReversed()) this.takeBack(dtx, record);
    this.drop(dtx);
    handle.owner = 0;
  }

  /** After a failed modification: nothing of the transaction stays. Prepared ones are left alone. */
  cleanup(handle: DtxHandle): void {
    const dtx = this.owners.get(handle.owner);
    if (!dtx || dtx.isPrepared) return;
    this.undo(dtx);
    handle.owner = 0;
  }

  /**
   * Commits; what is unknown, aborted or committed already is passed over. The result is how many were committed now.
   * `keepsEntry`: the entry stays, for participants that have not heard of it.
   */
  commit(ids: readonly DtxId[], keepsEntry = false): number {
    let count = 0;
    for (const id of ids) {
      const dtx = this.find(id);
      if (!dtx || dtx.state === DtxState.ABORTED || dtx.has(DtxFlag.PARTIAL_COMMITTED)) {
        if (dtx && !keepsEntry && dtx.has(DtxFlag.PARTIAL_COMMITTED)) this.drop(dtx);
        continue;
      }
      // an index that takes no more modifications says so before anything in memory has changed
      this.store.umem.touch();
      this.decide(dtx, keepsEntry);
      count++;
    }
    return count;
  }

  /**
   * Aborts. DER_NO_PERM when it is committed; DER_NONEXIST when it is unknown, of another epoch, or of a newer
   * version of the pool map.
   */
  abort(id: DtxId, epoch: Epoch | undefined, version = Infinity): void {
    const dtx = this.find(id);
    if (!dtx) {
      if (this.committed.has(id)) throw new DaosError('NO_PERM', `transaction ${dtxIdText(id)} is committed`);
      throw new DaosError('NONEXIST', `transaction ${dtxIdText(id)} is not open`);
    }
    if (dtx.has(DtxFlag.PARTIAL_COMMITTED)) throw new DaosError('NO_PERM', `transaction ${dtxIdText(id)} is committed`);
    if ((epoch !== undefined && epoch !== dtx.epoch) || version < dtx.version) {
      throw new DaosError('NONEXIST', `transaction ${dtxIdText(id)} is open at epoch ${dtx.epoch}, version ${dtx.version}`);
    }
    this.store.umem.touch();
    this.undo(dtx);
  }

  /**
   * How far a transaction is. DER_NONEXIST when it is unknown; DER_INPROGRESS when that is not certain yet, or the
   * entry was read back after a restart and not confirmed for `resyncVersion`; DER_TX_UNCERTAIN, DER_DATA_LOSS;
   * DER_MISMATCH or DER_TX_RESTART when the epoch asked for is newer or older than its own.
   */
  check(id: DtxId, epoch?: Epoch): DtxStatus {
    const dtx = this.find(id);
    if (!dtx) {
      const committedAt = this.committed.epochOf(id);
      if (committedAt !== undefined) return { state: 'committed', epoch: committedAt, version: 0 };
      if (!this.committed.isIndexed) throw new DaosError('INPROGRESS', 'committed transactions are still being read');
      throw new DaosError('NONEXIST', `transaction ${dtxIdText(id)} is not known`);
    }
    if (dtx.has(DtxFlag.PARTIAL_COMMITTED)) return { state: 'committed', epoch: dtx.epoch, version: dtx.version };
    if (dtx.has(DtxFlag.CORRUPTED)) throw new DaosError('DATA_LOSS', `transaction ${dtxIdText(id)} is corrupt`);
    if (dtx.has(DtxFlag.ORPHAN)) throw new DaosError('TX_UNCERTAIN', `transaction ${dtxIdText(id)} has lost its leader`);
    if (epoch !== undefined && epoch !== dtx.epoch) {
      const der = epoch > dtx.epoch ? 'MISMATCH' : 'TX_RESTART';
      throw new DaosError(der, `transaction ${dtxIdText(id)} has epoch ${dtx.epoch}, not ${epoch}`);
    }
    const state = dtx.state === DtxState.COMMITTABLE ? 'committable' : dtx.isPrepared ? 'prepared' : 'inited';
    return { state, epoch: dtx.epoch, version: dtx.version };
  }

  /** Its leader knows that all are prepared: readers see it before it is committed. DER_NONEXIST. */
  markCommittable(id: DtxId): void {
    const dtx = this.find(id);
    if (!dtx) throw new DaosError('NONEXIST', `transaction ${dtxIdText(id)} is not open`);
    if (dtx.state === DtxState.PREPARED) dtx.state = DtxState.COMMITTABLE;
  }

  /** Marks an entry corrupted or orphaned: exactly one (DER_INVAL). DER_NONEXIST, DER_NO_PERM when it is decided. */
  setFlags(id: DtxId, flags: number): void {
    if (flags !== DtxFlag.CORRUPTED && flags !== DtxFlag.ORPHAN) {
      throw new DaosError('INVAL', `flags ${flags} of a transaction: either corrupted or orphan`);
    }
    const dtx = this.find(id);
    if (!dtx) {
      if (this.committed.has(id)) throw new DaosError('NO_PERM', `transaction ${dtxIdText(id)} is committed`);
      throw new DaosError('NONEXIST', `transaction ${dtxIdText(id)} is not open`);
    }
    dtx.flags |= flags;
    this.rows.changed(dtx);
  }

  /** Drops what an entry names but does not exist, or is not its own. The result is how many records that were. */
  discardInvalid(id: DtxId): number {
    const dtx = this.find(id);
    if (!dtx) throw new DaosError('NONEXIST', `transaction ${dtxIdText(id)} is not open`);
    const valid = dtx.records.filter((record) => this.isValid(dtx, record));
    const dropped = dtx.records.length - valid.length;
    dtx.records = valid;
    if (dropped > 0) this.rows.changed(dtx);
    return dropped;
  }

  private checkId(id: DtxId, epoch: Epoch): void {
    const old = this.find(id);
    if (!old) return;
    const what = `transaction ${dtxIdText(id)} is open at epoch ${old.epoch}`;
    if (old.state === DtxState.ABORTING || old.epoch > epoch) throw new DaosError('INPROGRESS', what);
    if (old.epoch < epoch) throw new DaosError('TX_ID_REUSED', what);
    throw new DaosError('MISC', what);
  }

  private decide(dtx: ActiveDtx, keepsEntry: boolean): void {
    for (const record of dtx.records) this.settle(dtx, record);
    this.committed.add(dtx.id, dtx.epoch);
    if (keepsEntry) {
      dtx.flags |= DtxFlag.PARTIAL_COMMITTED;
      dtx.records = [];
      this.rows.changed(dtx);
    } else this.drop(dtx);
  }

  private undo(dtx: ActiveDtx): void {
    for (const record of dtx.records.toReversed()) this.takeBack(dtx, record);
    dtx.state = DtxState.ABORTED;
    this.drop(dtx);
  }

  /** What the transaction wrote counts for everybody. What was discarded meanwhile is not there any more. */
  private settle(dtx: ActiveDtx, record: DtxRecord): void {
    const { heads, singles, extents } = this.store;
    const head = heads.current(record.place);
    if (!head) return;
    if (record.kind === 'log') {
      if (!head.log.hasEntry(record.epoch, dtx.owner)) return;
      head.log.persist(record.epoch, dtx.owner);
    } else if (record.kind === 'single') singles.setOwner(akeyOf(head), record.epoch, dtx.owner, 0);
    else extents.setOwner(akeyOf(head), record, 0);
    heads.modified(head);
  }

  private takeBack(dtx: ActiveDtx, record: DtxRecord): void {
    const { heads, singles, extents } = this.store;
    const head = heads.current(record.place);
    if (!head) return;
    if (record.kind === 'log') {
      if (!head.log.hasEntry(record.epoch, dtx.owner)) return;
      head.log.abort(record.epoch, dtx.owner);
    } else if (record.kind === 'single') singles.removeOwned(akeyOf(head), record.epoch, dtx.owner);
    else extents.delete(akeyOf(head), record);
    heads.modified(head);
  }

  private isValid(dtx: ActiveDtx, { kind, place, epoch }: DtxRecord): boolean {
    const head = this.store.heads.current(place);
    if (!head) return false;
    return kind === 'log' ? head.log.hasEntry(epoch, dtx.owner) : head instanceof AkeyHead;
  }

  private takeOwner(): number {
    while (this.owners.has(this.nextOwner)) this.step();
    const owner = this.nextOwner;
    this.step();
    return owner;
  }

  private step(): void {
    this.nextOwner = this.nextOwner === OWNER_MAX ? OWNER_FIRST : this.nextOwner + 1;
  }

  private add(dtx: ActiveDtx): void {
    this.owners.set(dtx.owner, dtx);
    if (dtx.id.uuid === '') return;
    dtx.next = this.ids.get(dtx.id.hlc);
    this.ids.set(dtx.id.hlc, dtx);
  }

  private drop(dtx: ActiveDtx): void {
    this.rows.remove(dtx);
    this.owners.delete(dtx.owner);
    const { hlc } = dtx.id;
    const first = this.ids.get(hlc);
    if (first === dtx) {
      if (dtx.next) this.ids.set(hlc, dtx.next);
      else this.ids.delete(hlc);
      return;
    }
    for (let other = first; other; other = other.next) if (other.next === dtx) other.next = dtx.next;
  }
}

function akeyOf(head: Head): AkeyHead {
  if (!(head instanceof AkeyHead)) throw new DaosError('IO', 'a transaction names a value outside of an akey');
  return head;
}
