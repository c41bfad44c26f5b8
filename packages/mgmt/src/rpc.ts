import { defineRpc, f } from '@daos/cart';

const MODULE = 1;
const VERSION = 4;

/** What the management service tells about one pool. */
const poolFields = {
  uuid: f.uuid,
  label: f.nullable(f.str),
  svcRanks: f.array(f.u32),
};

/** Ranks of a pool's service replicas. */
export const MGMT_POOL_GET_SVCRANKS = defineRpc({
  name: 'MGMT_POOL_GET_SVCRANKS',
  module: MODULE,
  version: VERSION,
  index: 3,
  request: { poolUuid: f.uuid },
  reply: { svcRanks: f.array(f.u32) },
});

/** Finds a pool by label or UUID: exactly one of them is given. */
export const MGMT_POOL_FIND = defineRpc({
  name: 'MGMT_POOL_FIND',
  module: MODULE,
  version: VERSION,
  index: 4,
  request: { uuid: f.nullable(f.uuid), label: f.nullable(f.str) },
  reply: poolFields,
});

export const MGMT_POOL_LIST = defineRpc({
  name: 'MGMT_POOL_LIST',
  module: MODULE,
  version: VERSION,
  index: 5,
  request: {},
  reply: { pools: f.array(f.struct(poolFields)) },
});

/** Server to server: makes a pool's storage on one rank. Sizes are bytes per target. */
export const MGMT_TGT_CREATE = defineRpc({
  name: 'MGMT_TGT_CREATE',
  module: MODULE,
  version: VERSION,
  index: 8,
  request: { poolUuid: f.uuid, scmBytesPerTarget: f.int, nvmeBytesPerTarget: f.int },
  reply: {},
});

/** Server to server: removes a pool's storage from one rank. Nothing there is success. */
export const MGMT_TGT_DESTROY = defineRpc({
  name: 'MGMT_TGT_DESTROY',
  module: MODULE,
  version: VERSION,
  index: 9,
  request: { poolUuid: f.uuid },
  reply: {},
});

/** Server to server: the members of the primary group. A version that is not newer changes nothing. */
export const MGMT_TGT_MAP_UPDATE = defineRpc({
  name: 'MGMT_TGT_MAP_UPDATE',
  module: MODULE,
  version: VERSION,
  index: 12,
  request: { version: f.u32, members: f.array(f.struct({ rank: f.u32, uri: f.str })) },
  reply: {},
});
