export {
  ConfigError,
  loadConfig,
  parseConfig,
  type ConfigErrorKind,
  type ConfigProblem,
  type ConfigSchema,
} from './config_file.js';
export { Fault, findFault, isFault, quoteText, type FaultFields } from './fault.js';
export * as clientFaults from './client_faults.js';
export { ContextError, describeError, formatStatus, jsonStatus, resolutionOf, rootCause, statusText } from './error_text.js';
export {
  NotLeaderError,
  NotReplicaError,
  PoolNotFoundError,
  RpcStatusError,
  Sentinel,
  annotateError,
  decodeWireError,
  type AnnotatedError,
} from './wire_error.js';
export { HostList, HostListError } from './host_list.js';
export { RankSet, RankSetError, formatRanges } from './rank_set.js';
export { formatBinaryBytes, formatBytes, parseSize } from './size.js';
export { formatBanner, formatEntity, formatTable, indentText, type EntityAttribute } from './text_table.js';
export { KeyValueError, parseKeyValues, parseKeys } from './key_value.js';
export { isLabel, isLabelOrUuid } from './label.js';
export {
  MEMBER_STATES,
  MEMBER_STATE_MASK_ALL,
  memberStateBit,
  memberStateByName,
  parseMemberStates,
  type MemberState,
} from './member_state.js';
export { DAOS_VERSION, versionedSystemName } from './version.js';
export {
  CONTROL_PORT_DEFAULT,
  SYSTEM_NAME_DEFAULT,
  controlConfigFailure,
  defaultControlConfig,
  loadControlConfig,
  resolveHosts,
  type ControlConfig,
} from './control_config.js';
export { CallTimeoutError, type CallOptions, type Component, type RpcTransport, type TransportConfig } from './rpc/transport.js';
export { GrpcTransport } from './rpc/grpc_transport.js';
export { MsUnreachableError, invokeMs, isUnavailable, isUninitialized, type MsContext, type MsRequest } from './rpc/ms_request.js';
export { HostErrors, invokeHosts, type HostResults } from './rpc/host_request.js';
export { SYSTEM_TIMING, backoffMs, formatDuration, type Timing } from './rpc/timing.js';
export { ControlLog, type ControlLogLevel, type ControlLogMask, type ControlLogOptions } from './control_log.js';
export { ControlClient, type ControlClientOptions, type ControlOptions } from './api/control_client.js';
export {
  getAttachInfo,
  leaderQuery,
  systemQuery,
  systemStart,
  systemStop,
  type LeaderInfo,
  type MemberSelection,
} from './api/system.js';
export { storageFormat, storageScan, type StorageFormatOptions, type StorageScanOptions } from './api/storage.js';
export {
  poolCreate,
  poolDestroy,
  poolEvict,
  poolGetProp,
  poolList,
  poolQuery,
  poolQueryTargets,
  poolSetProp,
  type PoolCreateParams,
  type PoolListing,
} from './api/pool.js';
export { poolDeleteAcl, poolGetAcl, poolOverwriteAcl, poolUpdateAcl } from './api/pool_acl.js';
export { tierBytesOfShare } from './api/pool_size.js';
export {
  POOL_QUERY_BITS,
  formatPoolQuery,
  poolInfoJson,
  tierImbalance,
  type PoolInfo,
  type PoolQueryPart,
  type PoolRebuild,
  type PoolTier,
} from './pool_info.js';
export { formatPoolList, poolName, type PoolListStyle } from './pool_list.js';
