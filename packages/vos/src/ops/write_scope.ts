import { DaosError, isDaosError, type Epoch, type UnitOid } from '@daos/common';

import type { DtxRecord } from '../dtx/active_dtx.js';
import type { DtxTable } from '../dtx/dtx_table.js';
import type { DtxHandle } from '../dtx/handle.js';
import type { DtxView, Intent } from '../dtx/view.js';
import { LogAction } from '../ilog/incarnation_log.js';
import { MINOR_MAX, MINOR_REPLAY } from '../ilog/punch_mark.js';
import type { Head } from '../layout/head.js';
import type { Heads } from '../layout/heads.js';
import type { DtxId } from '../dtx/dtx_id.js';
import type { Store } from '../store.js';
import type { TimestampSet } from '../ts/timestamp_set.js';
import type { TsLevel } from '../ts/ts_level.js';

/** What a modification needs to know of its container. */
export interface WriteTarget {
  readonly no: number;
  readonly dtx: DtxTable;
  readonly heads: Heads;
  readonly store: Pick<Store, 'umem'>;
  timestampSet(id: DtxId): TimestampSet;
}

/** Stands for a transaction that has no number yet: no entry is its own. */
const NO_OWNER_YET = -1;

/**
 * How one modification stands to transactions: what it sees, under which number it writes, and what it leaves for
 * others to find out. Without a handle it is committed as it is made, and asks and tells nobody.
 */
export class WriteScope {
  view: DtxView;
  epoch: Epoch = 0n;
  bound: Epoch = 0n;
  minor = MINOR_MAX;
  owner = 0;
  handle: DtxHandle | undefined;
  private set: TimestampSet | undefined;

  constructor(
    private readonly target: WriteTarget,
    private readonly intent: Intent,
  ) {
    this.view = target.dtx.view(intent);
  }

  /** Begins a modification. What `DtxTable.enter` throws. */
  begin(epoch: Epoch, handle: DtxHandle | undefined, isReplay = false): void {
    this.handle = handle;
    this.set = undefined;
    this.owner = 0;
    if (!handle) {
      this.view = this.target.dtx.view(this.intent);
      this.epoch = epoch;
      this.bound = epoch;
      this.minor = isReplay ? MINOR_REPLAY : MINOR_MAX;
      return;
    }
    if (epoch !== handle.epoch) throw new DaosError('INVAL', `epoch ${epoch} in a transaction of epoch ${handle.epoch}`);
    this.target.dtx.enter(handle);
    this.view = this.target.dtx.view(this.intent, handle);
    this.epoch = handle.epoch;
    this.bound = handle.bound;
    this.minor = isReplay ? MINOR_REPLAY : handle.opSeq;
    if (handle.id) this.set = this.target.timestampSet(handle.id);
  }

  /** Whose entries in logs are the modification's own; 0: it has no transaction. */
  get identity(): number {
    return this.handle ? this.handle.owner || NO_OWNER_YET : 0;
  }

  /** Takes over a modification that another object has begun. */
  take(other: WriteScope): void {
    this.view = other.view;
    this.epoch = other.epoch;
    this.bound = other.bound;
    this.minor = other.minor;
    this.handle = other.handle;
    this.set = other.set;
    other.set = undefined;
    other.handle = undefined;
  }

  /** Begins the checks anew. */
  resume(): void {
    const { handle, set } = this;
    set?.end();
    this.set = undefined;
    if (handle?.id) this.set = this.target.timestampSet(handle.id);
  }

  /** An entity on the path, from the container down; the result is its place for `created`. */
  touch(level: TsLevel, head: { readonly no: number } | undefined, hash: number): number {
    return this.set ? this.set.add(level, head?.no, hash) : 0;
  }

  /** The modification depends on whether entities of this level exist. */
  reads(level: TsLevel): void {
    this.set?.markRead(level);
  }

  /** DER_TX_RESTART when the write would change what another transaction has read. */
  checkConflict(writeLevel: TsLevel, bound = this.bound): void {
    const { set } = this;
    if (!set) return;
    if (set.checkWrite(writeLevel, this.epoch)) throw new DaosError('TX_RESTART', `epoch ${this.epoch} is older than a read of this`);
    if (bound !== this.bound && set.checkUncertainty(this.epoch, bound)) {
      throw new DaosError('TX_RESTART', `epoch ${this.epoch} is older than a write to this`);
    }
  }

  created(place: number, head: { readonly no: number }): void {
    this.set?.markCreated(place, head.no);
  }

  /**
   * From here on the modification is made: fixes the number to write under. Throws what an index that takes no more
   * modifications has to say, before anything in memory has changed.
   */
  apply(oid: UnitOid, dkey: Uint8Array | undefined): void {
    this.target.store.umem.touch();
    if (this.handle) this.owner = this.target.dtx.ownerFor(this.handle, oid, dkey);
  }

  /** Logs an update of what does not exist, or a punch, in a head. True when that changed the log. */
  log(head: Head, isPunch: boolean): boolean {
    const { epoch, minor, owner } = this;
    const action = head.log.write({ epoch, minor, isPunch, owner, lo: epoch });
    if (action === LogAction.NONE) return false;
    if (owner !== 0 && action === LogAction.INSERT) this.record({ kind: 'log', place: head, epoch, minor, lo: 0n, hi: 0n });
    this.target.heads.modified(head);
    return true;
  }

  record(record: DtxRecord): void {
    if (this.owner !== 0) this.target.dtx.record(this.owner, record);
  }

  /** It is made. */
  succeed(): void {
    const { set, handle } = this;
    if (set) {
      set.updateReads(this.epoch);
      set.updateWrites(this.epoch);
      set.upgrade();
      set.end();
      this.set = undefined;
    }
    if (handle) this.target.dtx.finish(handle);
  }

  /** It is not made: what the caller has to be told. Nothing of its transaction stays. */
  fail(error: unknown): unknown {
    const { set, handle } = this;
    if (!handle) return error;
    let answer = error;
    if (set) {
      const isAnswer = isDaosError(error, 'NONEXIST', 'EXIST');
      if ((isAnswer || isDaosError(error, 'INPROGRESS')) && set.checkUncertainty(this.epoch, this.bound)) {
        answer = new DaosError('TX_RESTART', `a write up to epoch ${this.bound} may be older than ${this.epoch}`, { cause: error });
      } else if (isAnswer) set.updateReads(this.epoch);
      set.end();
      this.set = undefined;
    }
    this.target.dtx.cleanup(handle);
    return answer;
  }
}
