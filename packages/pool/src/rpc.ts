export {
  PoolConnectFlag,
  PoolQueryBit,
  type PoolContainer,
  type PoolQueryResult,
  type PoolRebuildStatus,
  type PoolTargetInfo,
  type PoolTargetState,
  type PoolTierSpace,
  type PropEntry,
} from './types.js';
