import type { Epoch, EpochRange, Recx, UnitOid, Uuid } from '@daos/common';

import type { DtxState } from '../dtx/active_dtx.js';
import type { DtxId } from '../dtx/dtx_id.js';
import type { DtxMembership } from '../dtx/handle.js';
import type { IodChecksums, KeyFlavours, VosContainer, VosPool } from '../types.js';

/** What is iterated over. Numbers as in DAOS. */
export const VosIterType = { COUUID: 1, OBJ: 2, DKEY: 3, AKEY: 4, SINGLE: 5, RECX: 6, DTX: 7 } as const;
export type VosIterType = (typeof VosIterType)[keyof typeof VosIterType];

/** Which epochs of the range count, and in which order versions of single values come. */
export const EpochExpr = {
  /** Up to `hi`, newest first. */
  LE: 0,
  /** From `lo` on, oldest first. */
  GE: 1,
  /** From `lo` to `hi`, oldest first. */
  RE: 2,
  /** From `lo` to `hi`, newest first. */
  RR: 3,
  /** Exactly `lo`, which must be `hi`. */
  EQ: 4,
} as const;
export type EpochExpr = (typeof EpochExpr)[keyof typeof EpochExpr];

/** Bits as in DAOS. */
export const VosIterFlag = {
  RECX_VISIBLE: 1,
  /** With what it covers: all pieces, sorted. */
  RECX_COVERED: 3,
  RECX_SKIP_HOLES: 4,
  RECX_REVERSE: 8,
  FOR_PURGE: 16,
  FOR_MIGRATION: 32,
  /** Objects and keys that are punched, too. */
  PUNCHED: 64,
  FOR_DISCARD: 128,
  /** What open transactions have written, too. */
  UNCOMMITTED: 256,
  FOR_AGG: 512,
  FOR_CHECK: 1024,
} as const;

/** What a callback has done or wants; bits as in DAOS. None: go on. */
export const VosIterAction = {
  /** The callback has deleted the entry. */
  DELETE: 1,
  /** Do not go below the entry. From the filter: pass it over. */
  SKIP: 2,
  /** Begin this level anew. */
  RESTART: 4,
  /** Leave this level, go on at the one above. */
  ABORT: 8,
  /** The callback let others run: what was read ahead is read again. Callbacks that return a promise always do. */
  YIELD: 16,
  /** Leave all levels. */
  EXIT: 32,
} as const;

export interface VosIterParams {
  /** For COUUID. */
  readonly pool?: VosPool;
  /** For all other types. */
  readonly container?: VosContainer;
  /** Path to what is iterated over: as deep as the type asks for. */
  readonly oid?: UnitOid;
  readonly flavours?: KeyFlavours;
  readonly dkey?: Uint8Array;
  readonly akey?: Uint8Array;
  readonly epr: EpochRange;
  readonly expr?: EpochExpr;
  /** `VosIterFlag` bits. */
  readonly flags?: number;
}

interface PunchState {
  /** Newest punch in force here, of this level or above; 0: none. */
  readonly punchEpoch: Epoch;
  readonly objectPunchEpoch: Epoch;
}

export interface VosContainerEntry {
  readonly type: typeof VosIterType.COUUID;
  readonly uuid: Uuid;
}

export interface VosObjectEntry extends PunchState {
  readonly type: typeof VosIterType.OBJ;
  readonly oid: UnitOid;
  /** Start of the incarnation that is seen; 0: punched, or not committed. */
  readonly epoch: Epoch;
  /** Highest epoch of any modification. */
  readonly lastUpdate: Epoch;
  readonly isCorrupted: boolean;
  readonly childType: typeof VosIterType.DKEY;
}

export interface VosKeyEntry extends PunchState {
  readonly type: typeof VosIterType.DKEY | typeof VosIterType.AKEY;
  readonly key: Uint8Array;
  readonly epoch: Epoch;
  /** Highest epoch of any value of an akey; of dkeys it is not kept: 0. */
  readonly lastUpdate: Epoch;
  readonly isCorrupted: boolean;
  /** Undefined: an akey that never had a value. */
  readonly childType: VosIterType | undefined;
}

export interface VosValueEntry extends PunchState {
  readonly type: typeof VosIterType.SINGLE | typeof VosIterType.RECX;
  readonly epoch: Epoch;
  readonly minor: number;
  /** Record size, or length of the single value; 0: a hole. */
  readonly recordSize: number;
  /** The piece that this entry is; {0, 1} for a single value. */
  readonly recx: Recx;
  /** The extent as it was written. */
  readonly originalRecx: Recx;
  /** Checksums of the whole extent or value. */
  readonly checksums: IodChecksums | undefined;
  /** `ExtentFlag` bits: VISIBLE, COVERED, REMOVE, PARTIAL, LAST. 0: not looked at (unsorted). */
  readonly visibility: number;
  readonly isCorrupted: boolean;
  /** Where the bytes are. */
  readonly media: 'scm' | 'nvme';
  /** Of the transaction that wrote it, when it is not committed in itself. */
  readonly dtxState: DtxState | undefined;
  /**
   * Bytes of the extent as it was written, or of the value: `length` from byte `from` on; default: all of `recx`. A view
   * that is valid until the next turn of the event loop.
   */
  read(from?: number, length?: number): Uint8Array | Promise<Uint8Array>;
}

export interface VosDtxEntry {
  readonly type: typeof VosIterType.DTX;
  readonly id: DtxId;
  readonly epoch: Epoch;
  readonly oid: UnitOid;
  readonly dkeyHash: bigint;
  readonly state: DtxState;
  /** `DtxFlag` bits. */
  readonly flags: number;
  readonly membership: DtxMembership;
  /** Version of the pool map. */
  readonly version: number;
  readonly recordCount: number;
}

export type VosIterEntry = VosContainerEntry | VosObjectEntry | VosKeyEntry | VosValueEntry | VosDtxEntry;

/** Where each level stands; filled while iterating, to go on later. Empty or missing: at the beginning. */
export interface VosIterAnchors {
  container?: Uint8Array;
  object?: Uint8Array;
  dkey?: Uint8Array;
  akey?: Uint8Array;
  single?: Uint8Array;
  recx?: Uint8Array;
  dtx?: Uint8Array;
}

/** Administrative work on the entry that a callback was given. */
export interface VosIterStand {
  /**
   * Removes what the entry stands for, now, with everything below it. DER_NOSYS for pieces of a sorted iteration.
   */
  delete(): void;
  /** Marks a stored value as damaged: fetches answer DER_CSUM. DER_INVAL for anything else. */
  markCorrupt(): void;
  /** False when the entry was removed since it was read. */
  validate(): boolean;
  /** From here an iteration begins with this entry, or with the next one when it is gone. */
  anchor(): Uint8Array;
}

/** Answers `VosIterAction` bits; nothing: 0. */
export type VosIterCallback = (entry: VosIterEntry, stand: VosIterStand) => number | void | Promise<number | void>;

export interface VosIterCallbacks {
  /** Called first, for objects and keys only. */
  readonly filter?: VosIterCallback;
  /** Before what is below the entry. */
  readonly pre?: VosIterCallback;
  /** After what is below the entry. */
  readonly post?: VosIterCallback;
}
