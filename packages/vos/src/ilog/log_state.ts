import type { Epoch } from '@daos/common';

import { PunchMark } from './punch_mark.js';

/** How far the transaction is that wrote an entry, as the one who reads has to take it. */
export const EntryStatus = {
  /** Counts: committed, or the reader's own. */
  COMMITTED: 0,
  /** Does not count, but may later. */
  UNCOMMITTED: 1,
  /** Aborted: as if it were not there. */
  REMOVED: 2,
  /** The reader has to wait for the transaction: `LogViewer.raise` tells for which. */
  IN_PROGRESS: 3,
} as const;
export type EntryStatus = (typeof EntryStatus)[keyof typeof EntryStatus];

/** Asked about entries whose transaction is not committed in the log itself. */
export interface LogViewer {
  status(owner: number, epoch: Epoch): EntryStatus;
  /** Throws DER_INPROGRESS for an entry that `status` said to be in progress. */
  raise(owner: number): never;
}

/** Above the top level: exists always, nothing is punched. */
export class LogState {
  /** Start of the incarnation that is seen; 0: nothing exists. */
  create: Epoch = 0n;
  /** Newest punch that counts, of this level or of one above. */
  readonly punch = new PunchMark();
  /** Newest punch at all, those of open transactions included. */
  readonly anyPunch = new PunchMark();
  /** The next punch behind the range that was read; 0: none. */
  nextPunch: Epoch = 0n;
  /** A creation behind the range, but within the reader's uncertainty; 0: none. */
  uncertainCreate: Epoch = 0n;
  /** Newest entry of an open transaction that could bring this level into being; 0: none. */
  uncommitted: Epoch = 0n;
  isEmpty = true;

  /** Begins below `parent`, whose punches are in force here, too. */
  reset(parent: LogState | undefined): this {
    this.create = 0n;
    if (parent) {
      this.punch.assign(parent.punch);
      this.anyPunch.assign(parent.anyPunch);
    } else {
      this.punch.reset();
      this.anyPunch.reset();
    }
    this.nextPunch = 0n;
    this.uncertainCreate = 0n;
    this.uncommitted = 0n;
    this.isEmpty = true;
    return this;
  }

  /** True when it is there for whoever writes: created, and not punched since by anybody. */
  get exists(): boolean {
    const { create, anyPunch } = this;
    return create !== 0n && (create > anyPunch.epoch || (this.wasCreatedAfterPunch && create === anyPunch.epoch));
  }

  /** Whether it exists depends on a transaction that is not decided: one that brings it, or one that punches it. */
  get isUndecided(): boolean {
    return this.uncommitted !== 0n || (this.create !== 0n && !this.exists && this.create > this.punch.epoch);
  }

  /** The entry at `create` is an update that followed a punch of the same epoch. */
  wasCreatedAfterPunch = false;

  assign(other: LogState): this {
    this.create = other.create;
    this.punch.assign(other.punch);
    this.anyPunch.assign(other.anyPunch);
    this.nextPunch = other.nextPunch;
    this.uncertainCreate = other.uncertainCreate;
    this.uncommitted = other.uncommitted;
    this.isEmpty = other.isEmpty;
    this.wasCreatedAfterPunch = other.wasCreatedAfterPunch;
    return this;
  }
}
