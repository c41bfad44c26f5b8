/**
 * Shapes shared by everything that reads or writes object data: client, object service and VOS.
 * A key (dkey, akey) is a byte string of any content. Record indices and counts are `bigint`: an array akey has
 * 2^63 usable indices.
 */

/** Hybrid logical clock value that orders all operations. 0 means "not chosen yet". */
export type Epoch = bigint;

export const EPOCH_MAX: Epoch = 0xffff_ffff_ffff_ffffn;

/** Epoch range, both ends inclusive. */
export interface EpochRange {
  readonly lo: Epoch;
  readonly hi: Epoch;
}

/** An extent of array records: `nr` records from index `idx`. */
export interface Recx {
  readonly idx: bigint;
  readonly nr: bigint;
}

/** Kind of value below an akey, numbered as in DAOS. */
export const IodType = { NONE: 0, SINGLE: 1, ARRAY: 2 } as const;
export type IodType = (typeof IodType)[keyof typeof IodType];

/**
 * I/O descriptor: what of one akey is read or written.
 * `size` is the length of a single value or the record size of an array, in bytes; 0 in an update punches the value
 * or the extents, 0 in a fetch asks for the size. `recxs` is empty for single values.
 */
export interface Iod {
  readonly akey: Uint8Array;
  readonly type: IodType;
  readonly size: number;
  readonly recxs: readonly Recx[];
  /** Conditions of this akey when `Cond.PER_AKEY` is set. */
  readonly flags?: number;
}

/** Conditional flags of update, fetch and punch (DAOS_COND_*). */
export const Cond = {
  PUNCH: 1 << 0,
  DKEY_INSERT: 1 << 1,
  DKEY_UPDATE: 1 << 2,
  DKEY_FETCH: 1 << 3,
  AKEY_INSERT: 1 << 4,
  AKEY_UPDATE: 1 << 5,
  AKEY_FETCH: 1 << 6,
  PER_AKEY: 1 << 7,
  MASK: 0xff,
} as const;

/** Flags of a key query (DAOS_GET_*). */
export const QueryFlag = { MAX: 1, MIN: 2, DKEY: 4, AKEY: 8, RECX: 16 } as const;

/** How a key orders and compares, by object type. */
export type KeyFlavour = 'hashed' | 'uint64' | 'lexical';
