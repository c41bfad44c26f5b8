/** Flags of VOS operations (VOS_OF_*), bits as in DAOS. The first eight are `Cond`. */
export const VosFlag = {
  /** May use the space that is set aside for the system. */
  CRIT: 1 << 8,
  REMOVE: 1 << 9,
  FETCH_SIZE_ONLY: 1 << 10,
  FETCH_RECX_LIST: 1 << 11,
  /** Only notes the read for the transaction. */
  FETCH_SET_TS_ONLY: 1 << 12,
  FETCH_CHECK_EXISTENCE: 1 << 13,
  /** A punch that is repeated by a rebuild: it may come after younger writes. */
  REPLAY_PUNCH: 1 << 15,
  /** Written by a rebuild: leaves the part of the space that is kept for it out of account. */
  REBUILD: 1 << 20,
  FETCH_CSUM: 1 << 21,
} as const;
