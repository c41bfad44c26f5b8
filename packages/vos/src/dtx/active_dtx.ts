import type { Epoch, UnitOid } from '@daos/common';

import type { DtxId } from './dtx_id.js';
import type { DtxMembership } from './handle.js';

/** How far a transaction is. Numbers as in DAOS. */
export const DtxState = {
  INITED: 0,
  PREPARED: 1,
  COMMITTED: 2,
  CORRUPTED: 3,
  COMMITTABLE: 4,
  ABORTED: 5,
  ABORTING: 6,
  COMMITTING: 7,
  PREPARING: 8,
} as const;
export type DtxState = (typeof DtxState)[keyof typeof DtxState];

/** Flags of an entry. Numbers as in DAOS. */
export const DtxFlag = {
  LEADER: 1,
  INVALID: 2,
  BLOCK: 4,
  CORRUPTED: 8,
  ORPHAN: 16,
  PARTIAL_COMMITTED: 32,
  EPOCH_SORTED: 64,
} as const;

/** A head, or where it stands in the index: `Heads.current` finds the one that counts. */
export interface HeadPlace {
  readonly indexKey: Uint8Array;
}

/** An entry of a log, or a value, that a transaction has written. */
export interface DtxRecord {
  readonly kind: 'log' | 'single' | 'extent';
  /** The head whose log or values it is in. */
  readonly place: HeadPlace;
  readonly epoch: Epoch;
  readonly minor: number;
  /** First and last index of an extent; 0 otherwise. */
  readonly lo: bigint;
  readonly hi: bigint;
}

/** A transaction that is neither committed nor aborted on this target. */
export class ActiveDtx {
  state: DtxState = DtxState.INITED;
  flags: number;
  records: DtxRecord[] = [];
  /** Its row in the index has to be written. */
  isDirty = false;
  /** Another transaction with the same clock value. */
  next: ActiveDtx | undefined;
  /** Read back after a restart: not known whether its leader still has it. */
  isReindexed = false;

  constructor(
    readonly id: DtxId,
    /** Local number, in logs and values. */
    readonly owner: number,
    readonly epoch: Epoch,
    readonly oid: UnitOid,
    /** 0: the object as a whole. */
    readonly dkeyHash: bigint,
    readonly version: number,
    readonly membership: DtxMembership,
    isLeader: boolean,
  ) {
    this.flags = isLeader ? DtxFlag.LEADER : 0;
  }

  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }

  get isLeader(): boolean {
    return this.has(DtxFlag.LEADER);
  }

  get isPrepared(): boolean {
    return this.state !== DtxState.INITED && this.state !== DtxState.PREPARING;
  }
}
