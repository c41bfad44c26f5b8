/** Modules of dRPC: who answers. Retired numbers are never used again. */
export const DrpcModule = {
  TEST: 0,
  /** Agent, called by clients. */
  SEC_AGENT: 1,
  /** Engine, called by daos_server; and agent, called by clients. */
  MGMT: 2,
  /** daos_server, called by engines. */
  SRV: 3,
  /** daos_server, called by engines. */
  SEC: 4,
} as const;
export type DrpcModule = (typeof DrpcModule)[keyof typeof DrpcModule];

export const SecAgentMethod = { REQUEST_CREDS: 101 } as const;

export const MgmtMethod = {
  KILL_RANK: 201,
  SET_RANK: 202,
  GET_ATTACH_INFO: 206,
  POOL_CREATE: 207,
  POOL_DESTROY: 208,
  SET_UP: 209,
  BIO_HEALTH_QUERY: 210,
  SMD_LIST_DEVS: 211,
  SMD_LIST_POOLS: 212,
  POOL_GET_ACL: 213,
  POOL_OVERWRITE_ACL: 215,
  POOL_UPDATE_ACL: 216,
  POOL_DELETE_ACL: 217,
  PREP_SHUTDOWN: 218,
  DEV_SET_FAULTY: 220,
  DEV_REPLACE: 221,
  LIST_CONTAINERS: 222,
  POOL_QUERY: 223,
  POOL_SET_PROP: 224,
  PING_RANK: 225,
  POOL_REINT: 226,
  CONT_SET_OWNER: 227,
  POOL_EXCLUDE: 228,
  POOL_EXTEND: 229,
  POOL_EVICT: 230,
  POOL_DRAIN: 231,
  GROUP_UPDATE: 232,
  NOTIFY_EXIT: 233,
  NOTIFY_POOL_CONNECT: 235,
  NOTIFY_POOL_DISCONNECT: 236,
  POOL_GET_PROP: 237,
  SET_LOG_MASKS: 238,
  POOL_UPGRADE: 239,
  POOL_QUERY_TARGETS: 240,
  LED_MANAGE: 241,
  CHK_START: 242,
  CHK_STOP: 243,
  CHK_QUERY: 244,
  CHK_PROP: 245,
  CHK_ACT: 246,
  SETUP_CLIENT_TELEM: 247,
  GROUP_STATUS_GET: 248,
  CHK_SET_POLICY: 249,
  POOL_REBUILD_START: 250,
  POOL_REBUILD_STOP: 251,
  POOL_SELF_HEAL_EVAL: 252,
} as const;

export const SrvMethod = {
  NOTIFY_READY: 301,
  GET_POOL_SVC: 303,
  CLUSTER_EVENT: 304,
  POOL_FIND_BYLABEL: 305,
  CHK_LIST_POOL: 306,
  CHK_REG_POOL: 307,
  CHK_DEREG_POOL: 308,
  CHK_REPORT: 309,
  LIST_POOLS: 310,
  GET_SYS_PROPS: 311,
} as const;

export const SecMethod = { VALIDATE_CREDS: 401 } as const;
