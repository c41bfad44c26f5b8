import type { AggregateOptions } from './aggregate/aggregation.js';
import type { SliceOptions } from './aggregate/pacer.js';
import type { VosContainerChange } from './container_changes.js';
import type { DtxStatus } from './dtx/dtx_table.js';
import type { DtxId } from './dtx/dtx_id.js';
import type { DtxHandle, DtxMembership } from './dtx/handle.js';
import type { VosMarkCorruption } from './ops/mark.js';
import type { VosArrayRemove } from './ops/remove.js';
import type { GcStatistics } from './garbage.js';
import type { CheckpointPolicy } from './umem/umem_options.js';
import type { Epoch, EpochRange, Iod, IodType, KeyFlavour, Recx, UnitOid, Uuid } from '@daos/common';
import type { VeaAttributes, VeaStatistics } from '@daos/vea';

export type { AggregateOptions, CheckpointPolicy, GcStatistics, SliceOptions, VosContainerChange };

/** Sizes of a pool's shard on one target, in bytes. */
export interface VosPoolCreateParams {
  /** Folder that is made for the shard: index, data file and superblock live in it. */
  readonly dir: string;
  readonly uuid: Uuid;
  /** Space for the index and values below 4 KiB. */
  readonly scmBytes: number;
  /** Space of the data file for values of 4 KiB and more; 0: everything lives in the index. */
  readonly nvmeBytes: number;
  /** Path of the data file when it is not inside `dir`. */
  readonly dataPath?: string;
  /** Durable format version (`DF_VERSION`); default: the current one. */
  readonly version?: number;
  /** `VosPoolFlag` bits; SMALL, RDB and SYSDB count for good. */
  readonly flags?: number;
}

export interface VosTierSpace {
  readonly totalBytes: number;
  /** Free, for whomever. */
  readonly freeBytes: number;
  /** Of the total only for the system, and only for rebuilds. */
  readonly systemBytes: number;
  readonly rebuildBytes: number;
}

/** Settings of an open pool; none is kept. */
export type VosPoolCtl =
  /** Size in bytes from which on values go to the data file. Without one nothing changes. */
  | { readonly op: 'setDataThreshold'; readonly bytes: number }
  /** Share of the space that only rebuilds may use, 0 to 99 percent. */
  | { readonly op: 'setSpaceRebuild'; readonly percent: number }
  /** Bytes of both tiers that are set aside for the system, beyond its share. */
  | { readonly op: 'setSpaceSystem'; readonly scmBytes: number; readonly nvmeBytes: number };

export interface VosPoolInfo {
  readonly uuid: Uuid;
  readonly scm: VosTierSpace;
  readonly nvme: VosTierSpace;
  readonly containerCount: number;
  /** Undefined: without a data file. */
  readonly vea: { readonly attributes: VeaAttributes; readonly statistics: VeaStatistics } | undefined;
  /** Version of how the shard is stored, and of what the pool can do (`DF_VERSION`). */
  readonly layoutVersion: number;
  readonly formatVersion: number;
  /** `PoolCompat` bits. */
  readonly compat: bigint;
  readonly incompat: bigint;
}

/** The shard of a pool on this target. All calls of one shard come from one thread. */
export interface VosPool {
  readonly uuid: Uuid;
  containerCreate(uuid: Uuid): Promise<void>;
  /** DER_NONEXIST when it was not created. */
  containerOpen(uuid: Uuid): VosContainer;
  /** Returns when the container is gone for readers; its space is reclaimed in the background. */
  containerDestroy(uuid: Uuid): Promise<void>;
  containerList(): Uuid[];
  /** Containers with writes above their highest aggregated epoch: what aggregation has to look at. */
  containersChanged(): VosContainerChange[];
  /** When the index is brought up to the log, from now on. DER_INVAL. */
  setCheckpointPolicy(policy: CheckpointPolicy): void;
  query(): VosPoolInfo;
  /**
   * Turns on what newer durable format versions have. A version that the pool has, or an older one, changes nothing.
   * DER_INVAL for one that this program does not know.
   */
  upgrade(version: number): Promise<void>;
  /** Sets the `PoolCompat` flags. DER_INVAL for one that is none. */
  setCompat(compat: bigint): Promise<void>;
  /** Resolves when all that was acknowledged or enqueued before is durable. */
  flush(): Promise<void>;
  /** What garbage collection has removed since the pool was opened or the numbers were reset. */
  gcStatistics(): GcStatistics;
  gcReset(): void;
  /** Resolves when the space of all that was deleted is free again, and no work goes on in the background. */
  settled(): Promise<void>;
  /** DER_INVAL for an impossible setting. */
  ctl(setting: VosPoolCtl): void;
  /** Gives this handle back; the last one of a shard closes it. */
  close(): Promise<void>;
}

/** Flavours of an object's keys, from its object type. */
export interface KeyFlavours {
  readonly dkey: KeyFlavour;
  readonly akey: KeyFlavour;
  /** Objects without akeys: one value below each dkey. */
  readonly isFlat?: boolean;
}

/** Checksums of one iod as the client computed them: one per single value, one per chunk of each extent. */
export interface IodChecksums {
  /** DAOS hash type (crc16 1, crc32 2, crc64 3, sha1 4, sha256 5, sha512 6, adler32 7). */
  readonly type: number;
  /** Chunk size in bytes (container property, default 32 KiB). */
  readonly chunkBytes: number;
  /** Length of one checksum in bytes. */
  readonly length: number;
  /** All checksums back to back, in extent order, chunk order within an extent. */
  readonly bytes: Uint8Array;
}

export interface VosUpdate {
  readonly oid: UnitOid;
  readonly flavours: KeyFlavours;
  readonly epoch: Epoch;
  /** `Cond` and `VosFlag` bits. */
  readonly flags: number;
  readonly dkey: Uint8Array;
  readonly iods: readonly Iod[];
  /** One per iod: the value, or all extents' records back to back. Ignored where `iod.size` is 0 (punch). */
  readonly values: readonly Uint8Array[];
  readonly checksums?: readonly (IodChecksums | undefined)[];
}

export interface VosFetch {
  readonly oid: UnitOid;
  readonly flavours: KeyFlavours;
  readonly epoch: Epoch;
  readonly flags: number;
  readonly dkey: Uint8Array;
  readonly iods: readonly Iod[];
  /** Only sizes and extents, no data. */
  readonly sizeOnly?: boolean;
  /**
   * When given, data of the data file comes in buffers on loan, which are added here: the caller releases each once,
   * also after an error, when nothing refers to the pieces any more. Without it every read allocates.
   */
  readonly loans?: VosLoan[];
}

/** A buffer on loan. */
export interface VosLoan {
  release(): void;
}

/** A visible piece of an array, or a single value (then `recx` is {0,1}). */
export interface VosPiece {
  /** Visible records of this piece that fall into the request. */
  readonly recx: Recx;
  readonly epoch: Epoch;
  /** The piece's bytes; empty when only sizes were asked for. A view valid until the next turn of the event loop. */
  readonly data: Uint8Array;
  /**
   * Set when checksums are stored: the stored chunks that overlap the piece, whole, clipped to the stored extent,
   * with their checksums, so that the reader can verify them before it hands out a part.
   */
  readonly stored?: {
    readonly recx: Recx;
    readonly data: Uint8Array;
    readonly checksums: IodChecksums;
  };
}

export interface VosFetchedIod {
  readonly type: IodType;
  /** Value length or record size; 0 when nothing is there. */
  readonly size: number;
  /** In request order, ascending within each requested extent. */
  readonly pieces: readonly VosPiece[];
}

export interface VosPunch {
  readonly oid: UnitOid;
  readonly flavours: KeyFlavours;
  readonly epoch: Epoch;
  readonly flags: number;
  /** None: the object. */
  readonly dkey?: Uint8Array;
  /** None: the dkey. */
  readonly akeys?: readonly Uint8Array[];
}

/** A page of a listing. `next` undefined: the end was reached. Anchors are opaque, at most 104 bytes. */
export interface VosPage<T> {
  readonly items: readonly T[];
  readonly next: Uint8Array | undefined;
}

export interface VosListParams {
  readonly oid: UnitOid;
  readonly flavours: KeyFlavours;
  readonly epr: EpochRange;
  readonly anchor?: Uint8Array;
  readonly limit: number;
}

export interface VosRecxEntry {
  readonly recx: Recx;
  readonly epoch: Epoch;
  readonly recordSize: number;
}

export interface VosQuery {
  readonly oid: UnitOid;
  readonly flavours: KeyFlavours;
  readonly epoch: Epoch;
  /** `QueryFlag` bits; 0: only `maxWrite`. */
  readonly flags: number;
  readonly dkey?: Uint8Array;
  readonly akey?: Uint8Array;
}

export interface VosQueryResult {
  readonly dkey?: Uint8Array;
  readonly akey?: Uint8Array;
  readonly recx?: Recx;
  /** Highest epoch of any modification of the object; 0 when there is none. */
  readonly maxWrite: Epoch;
}

export interface VosKeyDelete {
  readonly oid: UnitOid;
  readonly flavours: KeyFlavours;
  readonly dkey: Uint8Array;
  /** None: the dkey. */
  readonly akey?: Uint8Array;
}

export interface VosContainerInfo {
  /** Objects that were made and not removed, punched ones included. */
  readonly objectCount: number;
  /** Highest aggregated epoch. */
  readonly hae: Epoch;
  /** Transactions that are not decided, and those remembered as committed. */
  readonly dtxActive: number;
  readonly dtxCommitted: number;
}

/**
 * A container's objects on one target.
 * Modifications are applied in call order, become visible to later calls at once, and their promise resolves when they
 * are durable: all that arrive in one turn of the event loop share one log record and one flush. An update with values
 * for the data file (4 KiB and more) is applied later, when its data is durable; it is visible at the latest when its
 * promise resolves. A refused modification (condition, space, argument) leaves no trace.
 *
 * With a `DtxHandle` an operation is part of a transaction: it may fail with DER_TX_RESTART (begin anew with a later
 * epoch) or DER_INPROGRESS (`waitFor` of the handle names the transactions to ask about), a failed modification takes
 * all earlier ones of its handle back, and what it wrote counts for others when the transaction is committed.
 */
export interface VosObjects {
  readonly uuid: Uuid;
  update(request: VosUpdate, handle?: DtxHandle): Promise<void>;
  /** Synchronous when no data has to be read from the data file. */
  fetch(request: VosFetch, handle?: DtxHandle): VosFetchedIod[] | Promise<VosFetchedIod[]>;
  punch(request: VosPunch, handle?: DtxHandle): Promise<void>;
  listObjects(epr: EpochRange, limit: number, anchor?: Uint8Array, handle?: DtxHandle): VosPage<UnitOid>;
  listDkeys(params: VosListParams, handle?: DtxHandle): VosPage<Uint8Array>;
  listAkeys(params: VosListParams & { readonly dkey: Uint8Array }, handle?: DtxHandle): VosPage<Uint8Array>;
  /** Visible extents of an array akey (or the single value as extent {0,1}), ascending unless `descending`. */
  listRecxs(
    params: VosListParams & { readonly dkey: Uint8Array; readonly akey: Uint8Array; readonly descending?: boolean },
    handle?: DtxHandle,
  ): VosPage<VosRecxEntry>;
  /** Anchor from which a listing resumes at the given key (or after where it would stand). */
  keyToAnchor(params: { oid: UnitOid; flavours: KeyFlavours; dkey: Uint8Array; akey?: Uint8Array }): Uint8Array;
  /** DER_NONEXIST when nothing qualifies; DER_INVAL for a bad combination of flags. */
  queryKey(request: VosQuery, handle?: DtxHandle): VosQueryResult;
  close(): void;
}

/** A container's objects, and what is done with the container as a whole. */
export interface VosContainer extends VosObjects {
  query(): VosContainerInfo;
  /** Undoes all versions of an extent in a range of epochs; older data shows again. */
  arrayRemove(request: VosArrayRemove): Promise<void>;
  /** Marks an object, a dkey or akeys as lost: DER_DATA_LOSS for whoever touches them. See `ops/mark.ts`. */
  markCorruption(request: VosMarkCorruption): Promise<void>;

  /**
   * Commits transactions; resolves with how many were committed now. Unknown and decided ones are passed over.
   * `keepsEntry`: the entry stays, readable, until it is committed once more.
   */
  dtxCommit(ids: readonly DtxId[], keepsEntry?: boolean): Promise<number>;
  /** DER_NO_PERM when it is committed; DER_NONEXIST when it is not open, or not of this epoch and map version. */
  dtxAbort(id: DtxId, epoch?: Epoch, version?: number): Promise<void>;
  /** How far a transaction is; for repeated requests and for servers that ask. See `DtxTable.check` for its errors. */
  dtxCheck(id: DtxId, epoch?: Epoch): DtxStatus;
  /** All participants have prepared: readers see it from now on. */
  dtxMarkCommittable(id: DtxId): void;
  /** Marks an open transaction as corrupted or orphan (`DtxFlag`). */
  dtxSetFlags(id: DtxId, flags: number): Promise<void>;
  /** Participants of an open transaction; undefined when it is committed. DER_NONEXIST. */
  dtxMembership(id: DtxId): DtxMembership | undefined;
  /** Transactions at or below this epoch may not modify the object any more. */
  dtxMarkSync(oid: UnitOid, epoch: Epoch): Promise<void>;
  /** Reads some more of the committed transactions of earlier runs. True when all are known. */
  dtxReindexCommitted(): boolean;
  /** Forgets committed transactions that are older than this wall-clock time. True when there may be more. */
  dtxAggregate(seconds?: number): Promise<boolean>;
  /** Several modifications that become visible and durable together, without an id. End it with `dtxLocalEnd`. */
  dtxLocalBegin(epoch: Epoch): DtxHandle;
  dtxLocalEnd(handle: DtxHandle, isCommitted: boolean): Promise<void>;

  /**
   * Removes versions of an epoch range (`lo` < `hi` < EPOCH_MAX) that are not seen at its end, merges what is left, and
   * returns their space: reads at `hi` and later see the same before and after. Goes on beside all other operations, in
   * slices that hold the thread for some milliseconds at most. Raises the container's highest aggregated epoch and
   * returns true, or false when something was left: in use by an open transaction, or without space to merge into. DER_BUSY beside another aggregation or a
   * discard of these epochs; DER_CSUM when data to be merged was damaged (all else is done); DER_DATA_LOSS for what was
   * marked as corrupt; DER_OP_CANCELED when it was stopped.
   */
  aggregate(epr: EpochRange, options?: AggregateOptions): Promise<boolean>;
  /**
   * Removes everything that was written in an epoch range, of one object or of all, as if it had not been; what
   * transactions are writing at this moment stays. Writers to an object get DER_UPDATE_AGAIN meanwhile. DER_BUSY beside
   * another discard or an aggregation of these epochs; DER_OP_CANCELED when it was stopped.
   */
  discard(epr: EpochRange, oid?: UnitOid, options?: SliceOptions): Promise<void>;
  /** Deletes an object with all its versions, whatever its state. A missing one is fine. DER_BUSY while it is discarded or aggregated. */
  objectDelete(oid: UnitOid): Promise<void>;
  /** Deletes a dkey, or an akey of it, with all versions. A missing one is fine. DER_BUSY as `objectDelete`. */
  keyDelete(where: VosKeyDelete): Promise<void>;
}
