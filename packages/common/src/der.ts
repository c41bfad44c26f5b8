/**
 * DAOS error numbers (DER_*). GURT codes start at 1000, DAOS codes at 2000; on the wire a status is the negative
 * number, 0 is success. Each name carries the text that is shown when no better message is known.
 */
const TABLE = {
  NO_PERM: [1001, 'caller lacks permission, or operation not allowed in this state'],
  NO_HDL: [1002, 'handle does not exist or is stale'],
  INVAL: [1003, 'invalid argument'],
  EXIST: [1004, 'entity already exists (also failed conditional insert)'],
  NONEXIST: [1005, 'entity does not exist (also failed conditional update/fetch/punch)'],
  UNREACH: [1006, 'node unreachable'],
  NOSPACE: [1007, 'out of space on a target'],
  ALREADY: [1008, 'already done'],
  NOMEM: [1009, 'out of memory'],
  NOSYS: [1010, 'not implemented'],
  TIMEDOUT: [1011, 'timed out'],
  BUSY: [1012, 'resource busy (open handles, pending events)'],
  AGAIN: [1013, 'try again'],
  PROTO: [1014, 'incompatible protocol or malformed reply'],
  UNINIT: [1015, 'library/resource not initialised; TX epoch not yet known'],
  TRUNC: [1016, 'supplied buffer too short'],
  OVERFLOW: [1017, 'value does not fit type/buffer'],
  CANCELED: [1018, 'operation cancelled (transport)'],
  OOG: [1019, 'target outside group membership'],
  HG: [1020, 'transport error'],
  UNREG: [1021, 'RPC or version not registered'],
  ADDRSTR_GEN: [1022, 'address string could not be produced'],
  PMIX: [1023, 'PMIx error'],
  IVCB_FORWARD: [1024, 'IV value not local, forward (internal)'],
  MISC: [1025, 'miscellaneous'],
  BADPATH: [1026, 'bad path'],
  NOTDIR: [1027, 'not a directory'],
  CORPC_INCOMPLETE: [1028, 'collective RPC failed'],
  NO_RAS_RANK: [1029, 'nobody subscribed to RAS'],
  NOTATTACH: [1030, 'service group not attached'],
  MISMATCH: [1031, 'version/content mismatch'],
  EXCLUDED: [1032, 'rank was excluded'],
  NOREPLY: [1033, 'handler did not reply'],
  DOS: [1034, 'denial of service protection'],
  BAD_TARGET: [1035, 'RPC sent to the wrong target'],
  GRPVER: [1036, 'group version mismatch'],
  HLC_SYNC: [1037, 'clock offset above the allowed bound'],
  NO_SHMEM: [1038, 'no shared memory left'],
  ADD_METRIC_FAILED: [1039, 'metric could not be added'],
  DURATION_MISMATCH: [1040, 'duration metric end without start'],
  OP_NOT_PERMITTED: [1041, 'operation not valid for metric type'],
  EXCEEDS_PATH_LEN: [1042, 'metric path too long'],
  METRIC_NOT_FOUND: [1043, 'metric not found'],
  SHMEM_PERMS: [1044, 'shared memory permission problem'],
  HG_FATAL: [1045, 'fatal transport error'],
  QUOTA_LIMIT: [1046, 'quota reached'],
  IO: [2001, 'generic I/O error'],
  FREE_MEM: [2002, 'memory free error'],
  ENOENT: [2003, 'entry not found'],
  NOTYPE: [2004, 'unknown object type'],
  NOSCHEMA: [2005, 'unknown object schema'],
  NOLOCAL: [2006, 'object not local'],
  STALE: [2007, 'pool map version is stale'],
  NOTLEADER: [2008, 'contacted replica is not the service leader'],
  TGT_CREATE: [2009, 'target creation error'],
  EP_RO: [2010, 'epoch is read-only'],
  EP_OLD: [2011, 'epoch too old, history recycled'],
  KEY2BIG: [2012, 'key does not fit (buffer or limit)'],
  REC2BIG: [2013, 'record does not fit the buffer or limit'],
  IO_INVAL: [2014, 'buffers and extents do not match'],
  EQ_BUSY: [2015, 'event queue busy'],
  DOMAIN: [2016, 'component domain mismatch'],
  SHUTDOWN: [2017, 'service should shut down'],
  INPROGRESS: [2018, 'operation (or conflicting uncommitted DTX) in progress'],
  NOTAPPLICABLE: [2019, 'not applicable'],
  NOTREPLICA: [2020, 'not a service replica'],
  CSUM: [2021, 'checksum mismatch'],
  DF_INVAL: [2022, 'durable format unsupported'],
  DF_INCOMPT: [2023, 'durable format version incompatible'],
  REC_SIZE: [2024, 'record size error'],
  TX_RESTART: [2025, 'transaction must be restarted'],
  DATA_LOSS: [2026, 'data lost / not recoverable'],
  OP_CANCELED: [2027, 'operation cancelled (non transport), e.g. I/O on a failed TX'],
  TX_BUSY: [2028, 'DTX not committed, outcome not known yet'],
  AGENT_INCOMPAT: [2029, 'agent and library incompatible'],
  NEED_TX: [2030, 'must be redone as a distributed transaction (internal)'],
  RF: [2031, 'failures exceed the redundancy factor'],
  FETCH_AGAIN: [2032, 'EC refetch (internal)'],
  TX_UNCERTAIN: [2033, 'hit a DTX of uncertain status, try another replica'],
  AGENT_COMM: [2034, 'cannot talk to the agent'],
  ID_MISMATCH: [2035, 'identifier mismatch'],
  TGT_RETRY: [2036, 'retry on another target (internal)'],
  NOTSUPPORTED: [2037, 'not supported'],
  CONTROL_INCOMPAT: [2038, 'control-plane components incompatible'],
  NO_SERVICE: [2039, 'no service available'],
  TX_ID_REUSED: [2040, 'TX id may have been reused'],
  UPDATE_AGAIN: [2041, 'redo the update (rebuild racing)'],
  NVME_IO: [2042, 'NVMe I/O error'],
  NO_CERT: [2043, 'certificate not accessible'],
  BAD_CERT: [2044, 'invalid certificate'],
  VOS_PARTIAL_UPDATE: [2045, 'partial overwrite of an extent at the same epoch is refused'],
  CHKPT_BUSY: [2046, 'page read-only during checkpoint'],
  DIV_BY_ZERO: [2047, 'division by zero (pipeline)'],
  OVERLOAD_RETRY: [2048, 'service overloaded, retry later'],
  NOT_RESUME: [2049, 'checker instance cannot be resumed'],
  CONT_NONEXIST: [2050, 'container does not exist'],
  CONT_DESTROYING: [2051, 'container is being destroyed'],
  IGNORE: [2052, 'item should be skipped (internal)'],
} as const satisfies Record<string, readonly [number, string]>;

/** Name of an error without its `DER_` prefix, e.g. `NONEXIST`. */
export type DerName = keyof typeof TABLE;

/** Positive number of every error: `DER.NONEXIST === 1005`. */
export const DER = Object.fromEntries(
  Object.entries(TABLE).map(([name, [code]]) => [name, code]),
) as { readonly [N in DerName]: (typeof TABLE)[N][0] };

const NAME_BY_CODE = new Map<number, DerName>(
  (Object.entries(TABLE) as [DerName, readonly [number, string]][]).map(([name, [code]]) => [code, name]),
);

/** Number reported for a status that no table knows. */
export const DER_UNKNOWN = 501000;

/** Name of a positive error number, or undefined when it is not a DAOS error. */
export function derName(code: number): DerName | undefined {
  return NAME_BY_CODE.get(code);
}

/** One line that describes a DAOS error. */
export function derDescription(name: DerName): string {
  return TABLE[name][1];
}
