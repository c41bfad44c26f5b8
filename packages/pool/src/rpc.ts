import { defineRpc, f } from '@daos/cart';

import { defineServiceRpc, propField } from './service_rpc.js';

export { propsFromWire, propsToWire } from './props_wire.js';
export {
  defineServiceRpc,
  propField,
  type ServiceReply,
  type ServiceRequest,
  type ServiceRpc,
  type WireProp,
} from './service_rpc.js';
export {
  PoolCapa,
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

const MODULE = 2;
const VERSION = 7;
const pool = { module: MODULE, version: VERSION };

/** Newest pool layout that this library works with; sent with every connect. */
export const POOL_LAYOUT_VERSION = 4;

const tierFields = f.struct({
  mediaType: f.u32,
  totalBytes: f.int,
  freeBytes: f.int,
  minFreeBytes: f.int,
  maxFreeBytes: f.int,
  meanFreeBytes: f.int,
});

const infoFields = f.struct({
  uuid: f.uuid,
  label: f.nullable(f.str),
  targetCount: f.u32,
  nodeCount: f.u32,
  disabledTargetCount: f.u32,
  mapVersion: f.u32,
  layoutVersion: f.u32,
  upgradeLayoutVersion: f.u32,
  leaderRank: f.u32,
  serviceRanks: f.array(f.u32),
  enabledRanks: f.array(f.u32),
  disabledRanks: f.array(f.u32),
  deadRanks: f.array(f.u32),
  tiers: f.array(tierFields),
});

const tierSpace = { totalBytes: f.int, freeBytes: f.int };
const targetSpace = f.struct({ target: f.u32, scm: f.struct(tierSpace), nvme: f.struct(tierSpace) });
const targetInfo = f.struct({
  rank: f.u32,
  target: f.u32,
  state: f.u32,
  scm: f.struct(tierSpace),
  nvme: f.struct(tierSpace),
});
const container = f.struct({ uuid: f.uuid, label: f.nullable(f.str) });
const aclFields = { entries: f.array(f.str), owner: f.str, group: f.str };

/** Server to server: first metadata of a new pool. */
export const POOL_CREATE = defineServiceRpc({
  ...pool,
  name: 'POOL_CREATE',
  index: 0,
  request: {
    label: f.nullable(f.str),
    ranks: f.array(f.u32),
    targetsPerRank: f.u32,
    props: f.array(propField),
    owner: f.str,
    group: f.str,
    acl: f.nullable(f.array(f.str)),
    faultDomains: f.array(f.u32),
  },
  reply: {},
});

/** The pool map travels behind the reply. */
export const POOL_CONNECT = defineServiceRpc({
  ...pool,
  name: 'POOL_CONNECT',
  index: 1,
  request: { flags: f.u32, credential: f.bytes, bits: f.u32, layoutVersion: f.u32 },
  reply: { capas: f.u32, info: infoFields },
});

export const POOL_DISCONNECT = defineServiceRpc({
  ...pool,
  name: 'POOL_DISCONNECT',
  index: 2,
  request: {},
  reply: {},
});

/** `props`: numbers of wanted properties, empty for all, absent for none. The map follows when it is newer than `mapVersion`. */
export const POOL_QUERY = defineServiceRpc({
  ...pool,
  name: 'POOL_QUERY',
  index: 3,
  request: { bits: f.u32, mapVersion: f.u32, props: f.nullable(f.array(f.u32)) },
  reply: { info: infoFields, props: f.array(propField) },
});

/** All targets of the rank when none are listed. */
export const POOL_QUERY_INFO = defineServiceRpc({
  ...pool,
  name: 'POOL_QUERY_INFO',
  index: 4,
  request: { rank: f.u32, targets: f.array(f.u32) },
  reply: { infos: f.array(targetInfo) },
});

export const POOL_EVICT = defineServiceRpc({
  ...pool,
  name: 'POOL_EVICT',
  index: 8,
  request: {
    handles: f.array(f.uuid),
    machine: f.nullable(f.str),
    destroy: f.bool,
    force: f.bool,
    recursive: f.bool,
  },
  reply: { count: f.u32 },
});

export const POOL_ATTR_LIST = defineServiceRpc({
  ...pool,
  name: 'POOL_ATTR_LIST',
  index: 13,
  request: {},
  reply: { names: f.array(f.str) },
});
export const POOL_ATTR_GET = defineServiceRpc({
  ...pool,
  name: 'POOL_ATTR_GET',
  index: 14,
  request: { names: f.array(f.str) },
  reply: { values: f.array(f.nullable(f.bytes)) },
});
export const POOL_ATTR_SET = defineServiceRpc({
  ...pool,
  name: 'POOL_ATTR_SET',
  index: 15,
  request: { attrs: f.array(f.struct({ name: f.str, value: f.bytes })) },
  reply: {},
});
export const POOL_ATTR_DEL = defineServiceRpc({
  ...pool,
  name: 'POOL_ATTR_DEL',
  index: 16,
  request: { names: f.array(f.str) },
  reply: {},
});

export const POOL_LIST_CONT = defineServiceRpc({
  ...pool,
  name: 'POOL_LIST_CONT',
  index: 19,
  request: {},
  reply: { containers: f.array(container) },
});

/** Any rank of the pool answers: its map behind the reply when it is newer than `version`. */
export const POOL_TGT_QUERY_MAP = defineRpc({
  ...pool,
  name: 'POOL_TGT_QUERY_MAP',
  index: 20,
  request: { pool: f.uuid, version: f.u32 },
  reply: { version: f.u32 },
});

/** Server to server: space of the pool on all targets of a rank. */
export const POOL_TGT_QUERY = defineRpc({
  ...pool,
  name: 'POOL_TGT_QUERY',
  index: 24,
  request: { pool: f.uuid },
  reply: { targets: f.array(targetSpace) },
});

export const POOL_PROP_GET = defineServiceRpc({
  ...pool,
  name: 'POOL_PROP_GET',
  index: 25,
  request: { numbers: f.array(f.u32) },
  reply: { props: f.array(propField) },
});
export const POOL_PROP_SET = defineServiceRpc({
  ...pool,
  name: 'POOL_PROP_SET',
  index: 27,
  request: { props: f.array(propField) },
  reply: {},
});
/** `overwrite`: the entries replace the whole ACL. */
export const POOL_ACL_UPDATE = defineServiceRpc({
  ...pool,
  name: 'POOL_ACL_UPDATE',
  index: 28,
  request: { entries: f.array(f.str), overwrite: f.bool },
  reply: aclFields,
});
export const POOL_ACL_DELETE = defineServiceRpc({
  ...pool,
  name: 'POOL_ACL_DELETE',
  index: 29,
  request: { principal: f.str },
  reply: aclFields,
});

/** Server to server: the leader hands its map to a rank of the pool; the map follows behind the request. */
export const POOL_TGT_MAP_UPDATE = defineRpc({
  ...pool,
  name: 'POOL_TGT_MAP_UPDATE',
  index: 64,
  request: { pool: f.uuid, version: f.u32, term: f.int, leaderRank: f.u32, svcRanks: f.array(f.u32) },
  reply: {},
});

/** Server to server, module rsvc: starts (or creates) and stops a service replica on a rank. */
export const RSVC_START = defineRpc({
  module: 6,
  version: 5,
  name: 'RSVC_START',
  index: 0,
  request: { id: f.uuid, create: f.bool, capacityBytes: f.nullable(f.int) },
  reply: {},
});
export const RSVC_STOP = defineRpc({
  module: 6,
  version: 5,
  name: 'RSVC_STOP',
  index: 1,
  request: { id: f.uuid, destroy: f.bool },
  reply: {},
});
