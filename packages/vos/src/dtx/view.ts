import { DaosError, type Epoch } from '@daos/common';

import { EntryStatus, type LogViewer } from '../ilog/log_state.js';
import { DtxFlag, DtxState, type ActiveDtx } from './active_dtx.js';
import { dtxIdEquals, dtxIdText } from './dtx_id.js';
import { DTX_REFRESH_MAX, type DtxHandle } from './handle.js';

/** Why somebody looks at a record. */
export const Intent = {
  READ: 0,
  UPDATE: 1,
  PUNCH: 2,
  /** Aggregation. */
  PURGE: 3,
  DISCARD: 4,
  /** Consistency check: sees everything that was not aborted. */
  CHECK: 5,
  MIGRATION: 6,
} as const;
export type Intent = (typeof Intent)[keyof typeof Intent];

/** What somebody sees of a record that is not committed in itself. */
export const Availability = { HIDDEN: 0, SHOWN: 1, ABORTED: 2, DIRTY: 3, IN_PROGRESS: 4 } as const;
export type Availability = (typeof Availability)[keyof typeof Availability];

/** Mark of a value whose transaction was aborted and which was not removed yet. */
export const OWNER_ABORTED = 1;

export interface OpenTransactions {
  /** Undefined: committed or aborted. */
  byOwner(owner: number): ActiveDtx | undefined;
}

/**
 * What one operation sees of records whose transactions are not committed. One object per operation or kind of
 * operation; it keeps nothing but its parameters.
 */
export class DtxView implements LogViewer {
  constructor(
    private readonly open: OpenTransactions,
    readonly intent: Intent,
    private readonly handle?: DtxHandle,
  ) {}

  /** For logs: open transactions do not hinder a writer, unless a condition depends on them. */
  status(owner: number): EntryStatus {
    switch (this.availability(owner, true)) {
      case Availability.SHOWN:
        return EntryStatus.COMMITTED;
      case Availability.ABORTED:
        return EntryStatus.REMOVED;
      case Availability.IN_PROGRESS:
        return this.isWriter ? EntryStatus.UNCOMMITTED : EntryStatus.IN_PROGRESS;
      default:
        return EntryStatus.UNCOMMITTED;
    }
  }

  raise(owner: number): never {
    const dtx = this.open.byOwner(owner);
    throw new DaosError('INPROGRESS', `transaction ${dtx ? dtxIdText(dtx.id) : owner} is not decided yet`);
  }

  /** For values. Throws DER_INPROGRESS when the reader has to wait. */
  see(record: { readonly owner: number; readonly epoch: Epoch }): boolean {
    if (record.owner === 0) return true;
    const found = this.availability(record.owner, false);
    if (found === Availability.IN_PROGRESS) this.raise(record.owner);
    return found === Availability.SHOWN;
  }

  /** First rule that fits, in DAOS's order. */
  availability(owner: number, isLog: boolean): Availability {
    if (owner === 0) return Availability.SHOWN;
    const { intent, handle } = this;
    const dtx = owner === OWNER_ABORTED ? undefined : this.open.byOwner(owner);
    if (!dtx || dtx.state === DtxState.ABORTED) {
      if (intent === Intent.DISCARD) return Availability.SHOWN;
      return Availability.ABORTED;
    }
    if (intent === Intent.CHECK) return Availability.SHOWN;
    if (intent === Intent.PURGE) return Availability.DIRTY;
    if (intent === Intent.DISCARD) return dtx.state === DtxState.INITED ? Availability.HIDDEN : Availability.SHOWN;
    if (handle && handle.owner === owner) return Availability.SHOWN;
    const { state } = dtx;
    if (state === DtxState.COMMITTABLE || state === DtxState.COMMITTING || dtx.has(DtxFlag.PARTIAL_COMMITTED)) {
      return Availability.SHOWN;
    }
    if (state === DtxState.ABORTING) return Availability.HIDDEN;
    if (dtx.has(DtxFlag.CORRUPTED)) return this.damaged(isLog, 'DATA_LOSS', dtx);
    if (dtx.has(DtxFlag.ORPHAN)) return this.damaged(isLog, 'TX_UNCERTAIN', dtx);
    return this.undecided(dtx, isLog);
  }

  private get isWriter(): boolean {
    return this.intent === Intent.UPDATE || this.intent === Intent.PUNCH;
  }

  private undecided(dtx: ActiveDtx, isLog: boolean): Availability {
    const { intent, handle } = this;
    const isTransaction = handle?.isReal === true;
    const answer = handle && !handle.isLeader ? handle.refreshed.find(({ id }) => dtxIdEquals(id, dtx.id)) : undefined;
    if (answer) {
      if (answer.state === 'committed') return Availability.SHOWN;
      if (answer.state === 'aborted') return Availability.HIDDEN;
      return isTransaction && !handle?.ignoresUncommitted ? Availability.IN_PROGRESS : Availability.HIDDEN;
    }
    if (handle?.ignoresUncommitted) return isTransaction ? this.wait(dtx) : Availability.HIDDEN;
    if (intent === Intent.MIGRATION || handle?.isMigration) return Availability.HIDDEN;
    if (!this.isWriter) {
      if (isTransaction) return this.wait(dtx);
      if (!dtx.isPrepared || dtx.isLeader) return Availability.HIDDEN;
      return this.wait(dtx);
    }
    if (!isLog) return Availability.SHOWN;
    return isTransaction ? this.wait(dtx) : Availability.HIDDEN;
  }

  private damaged(isLog: boolean, error: 'DATA_LOSS' | 'TX_UNCERTAIN', dtx: ActiveDtx): Availability {
    if (this.isWriter && !isLog) return Availability.SHOWN;
    if (this.intent === Intent.MIGRATION || this.handle?.isMigration) return Availability.HIDDEN;
    throw new DaosError(error, `what transaction ${dtxIdText(dtx.id)} wrote cannot be trusted`);
  }

  private wait(dtx: ActiveDtx): Availability {
    const { handle } = this;
    const isKnown = handle?.waitFor.some((id) => dtxIdEquals(id, dtx.id));
    if (handle && !dtx.isLeader && !isKnown && handle.waitFor.length < DTX_REFRESH_MAX) handle.waitFor.push(dtx.id);
    return Availability.IN_PROGRESS;
  }
}
