/** Limits of RDB. Sizes in bytes, times in milliseconds. */

/** Longest key of a KVS; a path's keys have the same limit. */
export const RDB_KEY_MAX = 1024;
/** Longest value. */
export const RDB_VALUE_MAX = 16 * 1024 * 1024;
/** Deepest path: keys from the root KVS to the addressed one. */
export const RDB_PATH_MAX = 16;
/** Most operations of one transaction. */
export const RDB_TX_OPS_MAX = 65_536;
/** Most bytes of one encoded log entry. */
export const RDB_ENTRY_MAX = 64 * 1024 * 1024;

/** Size of a database when the environment says nothing (DAOS_MD_CAP, in MiB there). */
export const RDB_CAPACITY_DEFAULT = 1024 * 1024 * 1024;
/** Smallest size that is taken from the environment; smaller ones are ignored. */
export const RDB_CAPACITY_MIN = 128 * 1024 * 1024;
/** A transaction that is not critical needs this much free space. */
export const RDB_SPACE_RESERVED = 4 * 1024 * 1024;
/** Most operations of a critical transaction (one that frees space or must get through a full database). */
export const RDB_CRITICAL_OPS_MAX = 8;

/** The log is cut when this many applied entries are kept (RDB_COMPACT_THRESHOLD). */
export const RDB_COMPACT_THRESHOLD_DEFAULT = 256;
/** Most entries that wait for one group commit; more are refused with DER_BUSY. */
export const RDB_QUEUE_MAX = 65_536;
/** Most entries of one group commit. */
export const RDB_BATCH_MAX = 1024;
/** A sole replica that resigned campaigns again after this time. */
export const RDB_RECAMPAIGN_MS = 1000;

/** Size of new databases: DAOS_MD_CAP (MiB) when it is a number of at least 128, else 1 GiB. */
export function rdbCapacityFromEnv(env: NodeJS.ProcessEnv = process.env): number {
  const mib = Number(env['DAOS_MD_CAP']);
  const bytes = mib * 1024 * 1024;
  return Number.isSafeInteger(bytes) && bytes >= RDB_CAPACITY_MIN ? bytes : RDB_CAPACITY_DEFAULT;
}
