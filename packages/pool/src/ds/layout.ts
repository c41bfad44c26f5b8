import { RDB_ROOT, rdbStringKey, type RdbPath } from '@daos/rdb';

/** Version of the metadata layout that is written, and the newest that is understood. */
export const POOL_GLOBAL_VERSION = 4;

/** Keys of the root KVS. Container metadata lives in the same one: its keys are in the container service. */
export const PoolKey = {
  MAP_VERSION: rdbStringKey('map_version'),
  MAP_BUFFER: rdbStringKey('map_buffer'),
  OWNER: rdbStringKey('owner'),
  OWNER_GROUP: rdbStringKey('owner_group'),
  ACL: rdbStringKey('acl'),
  LABEL: rdbStringKey('label'),
  GLOBAL_VERSION: rdbStringKey('global_version'),
  CONNECTABLE: rdbStringKey('connectable'),
  NHANDLES: rdbStringKey('nhandles'),
  HANDLES: rdbStringKey('handles'),
  USER: rdbStringKey('user'),
  SVC_OPS: rdbStringKey('svc_ops'),
  SVC_OPS_ENABLED: rdbStringKey('svc_ops_enabled'),
  SVC_OPS_MAX: rdbStringKey('svc_ops_max'),
  SVC_OPS_NUM: rdbStringKey('svc_ops_num'),
  SVC_OPS_AGE: rdbStringKey('svc_ops_age'),
  SRV_HANDLE: rdbStringKey('srv_handle'),
  SRV_CONT_HANDLE: rdbStringKey('srv_cont_handle'),
} as const;

export const PATH_ROOT: RdbPath = RDB_ROOT;
export const PATH_HANDLES: RdbPath = [PoolKey.HANDLES];
export const PATH_USER: RdbPath = [PoolKey.USER];
export const PATH_SVC_OPS: RdbPath = [PoolKey.SVC_OPS];
