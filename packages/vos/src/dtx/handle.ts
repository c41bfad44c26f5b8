import { DaosError, type Epoch, type UnitOid } from '@daos/common';

import type { DtxId } from './dtx_id.js';

/** Who takes part, as the transaction's leader sends it along: opaque to VOS. */
export interface DtxMembership {
  readonly targetCount: number;
  readonly groupCount: number;
  readonly flags: number;
  readonly bytes: Uint8Array;
}

export const NO_MEMBERSHIP: DtxMembership = { targetCount: 0, groupCount: 0, flags: 0, bytes: new Uint8Array(0) };

/** DTXs that one operation names at the most when it has to wait. */
export const DTX_REFRESH_MAX = 4;

/** What the leader said about a transaction that an earlier try of this operation met. */
export interface DtxRefresh {
  readonly id: DtxId;
  readonly state: 'committed' | 'aborted' | 'active';
}

export interface DtxParams {
  /** None: operations are grouped, but no transaction is kept and nobody else can commit or abort it. */
  readonly id?: DtxId;
  readonly epoch: Epoch;
  /** How far the epoch may be behind another server's clock. Default: not at all. */
  readonly epochBound?: Epoch;
  /** Modifications on this target; the last one prepares the transaction. 0: reads only. */
  readonly modificationCount?: number;
  readonly isLeader?: boolean;
  /** This target is the only one: committed as soon as it is prepared. */
  readonly isSolo?: boolean;
  readonly membership?: DtxMembership;
  /** Version of the pool map. */
  readonly version?: number;
  readonly refreshed?: readonly DtxRefresh[];
  /** Reads of what is not committed see the committed state instead of waiting. */
  readonly ignoresUncommitted?: boolean;
  /** Reads of a migration see the committed state. */
  readonly isMigration?: boolean;
  /** Transactions that are committed together with the first modification. */
  readonly coCommit?: readonly DtxId[];
}

/**
 * One server's side of a transaction, passed to each of its operations. Life: made → its modifications, each with the
 * next minor epoch → prepared with the last one → committed or aborted through the container, perhaps much later and
 * by its id alone.
 */
export class DtxHandle {
  readonly id: DtxId | undefined;
  readonly epoch: Epoch;
  readonly bound: Epoch;
  readonly modificationCount: number;
  readonly isLeader: boolean;
  readonly isSolo: boolean;
  readonly membership: DtxMembership;
  readonly version: number;
  readonly refreshed: readonly DtxRefresh[];
  readonly ignoresUncommitted: boolean;
  readonly isMigration: boolean;
  readonly coCommit: readonly DtxId[];
  /** Modifications so far. */
  opSeq = 0;
  /** Transactions that an operation has to wait for: ask their leaders, then try again with `refreshed`. */
  readonly waitFor: DtxId[] = [];
  /** It must be committed before its result is told: others could build on it unseen. */
  mustCommitNow = false;
  /** It was committed before: the operation is a repetition. */
  wasCommitted = false;
  /** Local number while it is open here; 0: none yet, or committed at once. */
  owner = 0;
  /** The object and key hash of its first modification. */
  oid: UnitOid | undefined;

  /** DER_INVAL for a bound below the epoch or a negative count. */
  constructor(params: DtxParams) {
    const { epoch, epochBound = epoch, modificationCount = 1 } = params;
    if (!Number.isInteger(modificationCount) || modificationCount < 0) {
      throw new DaosError('INVAL', `a transaction of ${modificationCount} modifications`);
    }
    this.id = params.id;
    this.epoch = epoch;
    this.bound = epochBound > epoch ? epochBound : epoch;
    this.modificationCount = modificationCount;
    this.isLeader = params.isLeader ?? true;
    this.isSolo = params.isSolo ?? false;
    this.membership = params.membership ?? NO_MEMBERSHIP;
    this.version = params.version ?? 0;
    this.refreshed = params.refreshed ?? [];
    this.ignoresUncommitted = params.ignoresUncommitted ?? false;
    this.isMigration = params.isMigration ?? false;
    this.coCommit = params.coCommit ?? [];
  }

  /** Others can see, commit or abort it. */
  get isReal(): boolean {
    return this.id !== undefined;
  }

  /** True while it writes its last modification. */
  get isAtLast(): boolean {
    return this.opSeq >= this.modificationCount;
  }
}
