export type {
  PoolAcl,
  PoolEvictParams,
  PoolSvcCreateParams,
  PoolSvcTarget,
  PoolTgtCreateParams,
} from './api.js';
export { POOL_CHILDREN, dsPoolChildLookup, type DsPoolChild } from './child.js';
export {
  decodeText,
  decodeU32,
  decodeU64,
  decodeUuid,
  encodeText,
  encodeU32,
  encodeU64,
  encodeUuid,
} from './codec.js';
export { LocalCaller } from './local_caller.js';
export { poolModule, poolModuleWith, type PoolModuleOptions } from './module.js';
export { attrsDel, attrsGet, attrsList, attrsSet, type Attr } from './ops/attr_ops.js';
export { poolConnect, poolDisconnect, poolEvict, poolHandle } from './ops/handles.js';
export { poolPropsGet } from './pool_props.js';
export {
  PoolService,
  type PoolServiceExtension,
  type PoolServiceExtensionFactory,
  type PoolServiceHost,
  type Written,
} from './pool_service.js';
export {
  checkPoolHandle,
  checkServer,
  servePoolRpc,
  type ServiceContext,
  type ServiceResult,
} from './serve.js';
export {
  dsPoolQueryTargets,
  dsPoolSvcCreate,
  dsPoolSvcDeleteAcl,
  dsPoolSvcDestroy,
  dsPoolSvcEvict,
  dsPoolSvcGetAcl,
  dsPoolSvcGetProp,
  dsPoolSvcListContainers,
  dsPoolSvcOverwriteAcl,
  dsPoolSvcQuery,
  dsPoolSvcSetProp,
  dsPoolSvcUpdateAcl,
  dsPoolTgtCreate,
  dsPoolTgtDestroy,
} from './svc_client.js';
export type { OpId } from './svc_ops.js';
export { poolTargetProps, type PoolTargetProps, type ReclaimMode } from './target_props.js';
export { POOL_SYSTEM, PoolSystem, dsPoolLookup, type DsPool } from './system.js';
export type { PoolHandleRecord } from './user.js';
