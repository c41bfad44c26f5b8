import type { Epoch, IodChecksums, UnitOid, Uuid } from '@daos/common';
import type { DtxId } from '@daos/vos';

/** A place in a shard. Each level is there only with those above it. */
export interface ObjectPlace {
  readonly container: Uuid;
  readonly oid: UnitOid;
}
export interface DkeyPlace extends ObjectPlace {
  readonly dkey: Uint8Array;
}
export interface AkeyPlace extends DkeyPlace {
  readonly akey: Uint8Array;
}
export interface ExtentPlace extends AkeyPlace {
  /** First and last record index. */
  readonly lo: bigint;
  readonly hi: bigint;
}

/** What has an incarnation log. */
export type LogPlace = ObjectPlace & { readonly dkey?: Uint8Array; readonly akey?: Uint8Array };

/** What `rm` removes: all below the deepest level that is given. */
export type RemovePlace = { readonly container: Uuid } & Partial<ExtentPlace>;

export type ValueKind = 'none' | 'single' | 'array';

/** A visible value. */
export type DdbValue =
  | { readonly kind: 'single'; readonly size: number; readonly epoch: Epoch }
  | { readonly kind: 'array'; readonly lo: bigint; readonly hi: bigint; readonly recordSize: number; readonly epoch: Epoch };

export interface DdbSuperblock {
  readonly uuid: Uuid;
  /** Undefined where the store does not say. */
  readonly formatVersion: number | undefined;
  readonly containerCount: number;
  readonly compatFlags: bigint;
  readonly incompatFlags: bigint;
  readonly scmBytes: number;
  readonly nvmeBytes: number;
  readonly blockBytes: number;
}

/** Checksums of a visible value, or of the stored piece of an array that shows through. */
export interface DdbChecksums {
  readonly value: DdbValue;
  readonly checksums: IodChecksums;
}

export interface DdbLogEntry {
  readonly epoch: Epoch;
  /** 0: committed. */
  readonly owner: number;
  readonly status: 'committed' | 'uncommitted' | 'aborted';
  readonly isPunch: boolean;
}

export interface DdbActiveDtx {
  readonly id: DtxId;
  readonly epoch: Epoch;
  readonly oid: UnitOid;
  readonly groupCount: number;
  readonly version: number;
  readonly recordCount: number;
  readonly flags: number;
  readonly mbsFlags: number;
}

export interface DdbCommittedDtx {
  readonly id: DtxId;
  readonly epoch: Epoch;
  /** Seconds since 1970. */
  readonly commitTime: number;
}

/** A run of free blocks. */
export interface DdbFreeRegion {
  readonly offset: number;
  readonly blocks: number;
}

export interface DdbFeatures {
  readonly compat: bigint;
  readonly incompat: bigint;
}

/**
 * What the commands ask of an open shard. Listings are of what exists now, and lazy, so that an index into a long
 * one costs as much as its place. Calls that the store cannot do yet throw DER_NOSYS.
 */
export interface DdbPool {
  readonly uuid: Uuid;
  superblock(): DdbSuperblock;

  containers(): Iterable<Uuid>;
  objects(container: Uuid): Iterable<UnitOid>;
  dkeys(place: ObjectPlace): Iterable<Uint8Array>;
  akeys(place: DkeyPlace): Iterable<Uint8Array>;
  values(place: AkeyPlace): Iterable<DdbValue>;
  /** What an akey holds; `none` also when it does not exist. */
  valueKind(place: AkeyPlace): ValueKind;

  /** The bytes of a single value, or of an extent with zeros where nothing is, in pieces. DER_NONEXIST. */
  read(place: AkeyPlace | ExtentPlace): AsyncIterable<Uint8Array>;
  /** Writes a single value, or the records of an extent, now. The container must exist. */
  write(place: AkeyPlace | ExtentPlace, data: Uint8Array): Promise<void>;
  /** Checksums of what is visible at `epoch`, as they were written. */
  checksums(place: AkeyPlace | ExtentPlace, epoch: Epoch): Promise<DdbChecksums[]>;
  remove(place: RemovePlace): Promise<void>;

  logEntries(place: LogPlace): Iterable<DdbLogEntry>;
  logCommit(place: LogPlace): Promise<void>;
  logClear(place: LogPlace): Promise<void>;

  dtxActive(container: Uuid): Iterable<DdbActiveDtx>;
  dtxCommitted(container: Uuid): Iterable<DdbCommittedDtx>;
  /** The result is how many were removed. */
  dtxCommittedClear(container: Uuid): Promise<number>;
  /** Removes those committed not later than `untilTime` (seconds; undefined: all); the result is how many. */
  dtxAggregate(container: Uuid, untilTime: number | undefined): Promise<number>;
  /** False when there is no such active transaction. */
  dtxCommit(container: Uuid, id: DtxId): Promise<boolean>;
  dtxAbort(container: Uuid, id: DtxId): Promise<boolean>;
  /** Drops links to records that are not there; the result is how many. */
  dtxDiscardInvalid(container: Uuid, id: DtxId): Promise<number>;

  freeRegions(): Iterable<DdbFreeRegion>;
  freeRegionAdd(region: DdbFreeRegion): Promise<void>;

  features(): DdbFeatures;
  setFeatures(features: DdbFeatures): Promise<void>;

  close(): Promise<void>;
}
