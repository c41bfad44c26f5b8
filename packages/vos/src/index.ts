export {
  vosDtxActive,
  vosDtxCommitted,
  vosDtxDiscardInvalid,
  vosFreeRegionAdd,
  vosFreeRegions,
  vosLogClear,
  vosLogCommit,
  vosLogEntries,
  type VosCommittedDtx,
  type VosFreeRegion,
  type VosLogEntry,
  type VosLogPlace,
} from './admin.js';
export { DtxFlag } from './dtx/active_dtx.js';
export type { DtxStatus } from './dtx/dtx_table.js';
export { dtxIdEquals, dtxIdParse, dtxIdText, type DtxId } from './dtx/dtx_id.js';
export { DTX_REFRESH_MAX, DtxHandle, type DtxMembership, type DtxParams, type DtxRefresh } from './dtx/handle.js';
export { VosIterator, vosIterate } from './iterate/iterate.js';
export { vosScrubSource, type ScrubSurroundings } from './iterate/scrub_source.js';
export {
  EpochExpr,
  VosIterAction,
  VosIterFlag,
  VosIterType,
  type VosIterAnchors,
  type VosIterCallback,
  type VosIterCallbacks,
  type VosIterEntry,
  type VosIterParams,
  type VosIterStand,
} from './iterate/types.js';
export { VosFlag } from './ops/flags.js';
export type { VosMarkCorruption } from './ops/mark.js';
export type { VosArrayRemove } from './ops/remove.js';
export { vosPoolDestroy, vosPoolKill, vosPoolOpen } from './open_shards.js';
export { VosPoolFlag } from './pool_flags.js';
export { vosPoolCreate, type DataOpener, type VosPoolOpenParams } from './pool_files.js';
export { DF_VERSION, PoolCompat } from './superblock.js';
export { TargetTimestamps } from './ts/pool_timestamps.js';
export { TimestampTable } from './ts/timestamp_table.js';
export { CHECKPOINT_POLICY } from './umem/umem_options.js';
export {
  SCRUB_DISABLED_VARIABLE,
  SCRUB_METRICS,
  ScrubMode,
  Scrubber,
  scrubLoop,
  type ScrubContainer,
  type ScrubSettings,
  type ScrubSource,
  type ScrubStatistics,
  type ScrubValue,
} from './scrub/index.js';
export type * from './types.js';
export { AggregateFlag } from './aggregate/work.js';
