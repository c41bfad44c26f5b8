/** How a shard is made or opened. Bits as in DAOS. */
export const VosPoolFlag = {
  /** A tiny pool; nobody shares it. */
  SMALL: 1,
  /** The only handle of the shard. */
  EXCL: 2,
  SKIP_UUID_CHECK: 4,
  /** Another part of the server flushes freed blocks. */
  EXTERNAL_FLUSH: 8,
  /** A replica of a pool's metadata. */
  RDB: 16,
  /** The server's own tables: no transactions. */
  SYSDB: 32,
  /** A look at a pool that somebody may have for himself. */
  FOR_CHECK_QUERY: 64,
  /** Only its flags are wanted. */
  FOR_FEATURE_FLAG: 128,
  FOR_RECREATE: 256,
  /** Another part of the server asks for checkpoints. */
  EXTERNAL_CHKPT: 512,
} as const;

/** Those that a shard keeps. */
export const PERSISTENT_FLAGS = VosPoolFlag.SMALL | VosPoolFlag.RDB | VosPoolFlag.SYSDB;
/** Those with which no second handle is possible. */
export const EXCLUSIVE_FLAGS = VosPoolFlag.SMALL | VosPoolFlag.EXCL;
