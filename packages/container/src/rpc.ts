import { defineRpc, f } from '@daos/cart';
import { defineServiceRpc, propField } from '@daos/pool/rpc';

export { ContCapa, ContOpenFlag, type ContChecksum, type ContInfo } from './types.js';

const cont = { module: 3, version: 9 };

const infoFields = f.struct({
  uuid: f.uuid,
  label: f.nullable(f.str),
  latestSnapshot: f.u64,
  snapshotCount: f.u32,
  handleCount: f.u32,
  openTime: f.u64,
  modifyTime: f.u64,
});
const checksumFields = { type: f.u32, chunkBytes: f.u32, serverVerify: f.bool };
const openedFields = {
  info: infoFields,
  capas: f.u32,
  checksum: f.nullable(f.struct(checksumFields)),
  redundancyFactor: f.u32,
  redundancyLevel: f.u32,
  objectVersion: f.u32,
};
/** Container and container handle, for what is done under an open handle. */
const opened = { container: f.uuid, contHandle: f.uuid };

export const CONT_CREATE = defineServiceRpc({
  ...cont,
  name: 'CONT_CREATE',
  index: 0,
  request: { container: f.uuid, label: f.nullable(f.str), props: f.array(propField) },
  reply: {},
});
export const CONT_DESTROY = defineServiceRpc({
  ...cont,
  name: 'CONT_DESTROY',
  index: 1,
  request: { container: f.uuid, force: f.bool },
  reply: {},
});
export const CONT_OPEN = defineServiceRpc({
  ...cont,
  name: 'CONT_OPEN',
  index: 2,
  request: { container: f.uuid, contHandle: f.uuid, flags: f.u32 },
  reply: openedFields,
});
export const CONT_CLOSE = defineServiceRpc({
  ...cont,
  name: 'CONT_CLOSE',
  index: 3,
  request: opened,
  reply: {},
});
/** `props`: numbers of wanted properties, empty for all, absent for none. */
export const CONT_QUERY = defineServiceRpc({
  ...cont,
  name: 'CONT_QUERY',
  index: 4,
  request: { ...opened, props: f.nullable(f.array(f.u32)) },
  reply: { info: infoFields, props: f.array(propField) },
});
export const CONT_OID_ALLOC = defineServiceRpc({
  ...cont,
  name: 'CONT_OID_ALLOC',
  index: 5,
  request: { ...opened, count: f.u64 },
  reply: { first: f.u64 },
});
export const CONT_ATTR_LIST = defineServiceRpc({
  ...cont,
  name: 'CONT_ATTR_LIST',
  index: 6,
  request: opened,
  reply: { names: f.array(f.str) },
});
export const CONT_ATTR_GET = defineServiceRpc({
  ...cont,
  name: 'CONT_ATTR_GET',
  index: 7,
  request: { ...opened, names: f.array(f.str) },
  reply: { values: f.array(f.nullable(f.bytes)) },
});
export const CONT_ATTR_SET = defineServiceRpc({
  ...cont,
  name: 'CONT_ATTR_SET',
  index: 8,
  request: { ...opened, attrs: f.array(f.struct({ name: f.str, value: f.bytes })) },
  reply: {},
});
export const CONT_ATTR_DEL = defineServiceRpc({
  ...cont,
  name: 'CONT_ATTR_DEL',
  index: 9,
  request: { ...opened, names: f.array(f.str) },
  reply: {},
});
export const CONT_SNAP_LIST = defineServiceRpc({
  ...cont,
  name: 'CONT_SNAP_LIST',
  index: 11,
  request: opened,
  reply: { epochs: f.array(f.u64) },
});
export const CONT_SNAP_CREATE = defineServiceRpc({
  ...cont,
  name: 'CONT_SNAP_CREATE',
  index: 12,
  request: opened,
  reply: { epoch: f.u64 },
});
export const CONT_SNAP_DESTROY = defineServiceRpc({
  ...cont,
  name: 'CONT_SNAP_DESTROY',
  index: 13,
  request: { ...opened, epoch: f.u64 },
  reply: {},
});
export const CONT_PROP_SET = defineServiceRpc({
  ...cont,
  name: 'CONT_PROP_SET',
  index: 14,
  request: { ...opened, props: f.array(propField) },
  reply: {},
});
/** Merges entries into the container's ACL. */
export const CONT_ACL_UPDATE = defineServiceRpc({
  ...cont,
  name: 'CONT_ACL_UPDATE',
  index: 15,
  request: { ...opened, entries: f.array(f.str) },
  reply: {},
});
export const CONT_ACL_DELETE = defineServiceRpc({
  ...cont,
  name: 'CONT_ACL_DELETE',
  index: 16,
  request: { ...opened, principal: f.str },
  reply: {},
});
export const CONT_OPEN_BYLABEL = defineServiceRpc({
  ...cont,
  name: 'CONT_OPEN_BYLABEL',
  index: 17,
  request: { label: f.str, contHandle: f.uuid, flags: f.u32 },
  reply: openedFields,
});
export const CONT_DESTROY_BYLABEL = defineServiceRpc({
  ...cont,
  name: 'CONT_DESTROY_BYLABEL',
  index: 18,
  request: { label: f.str, force: f.bool },
  reply: {},
});

/** Server to server: removes the container from all targets of a rank. Nothing there is success. */
export const CONT_TGT_DESTROY = defineRpc({
  ...cont,
  name: 'CONT_TGT_DESTROY',
  index: 22,
  request: { pool: f.uuid, container: f.uuid },
  reply: {},
});

const grantFields = {
  pool: f.uuid,
  container: f.uuid,
  handle: f.uuid,
  capas: f.u32,
  checksum: f.nullable(f.struct(checksumFields)),
};
/** Server to server: makes a handle known to all targets of a rank. */
export const CONT_TGT_OPEN = defineRpc({
  ...cont,
  name: 'CONT_TGT_OPEN',
  index: 64,
  request: grantFields,
  reply: {},
});
/** Server to server: takes handles away from all targets of a rank. */
export const CONT_TGT_CLOSE = defineRpc({
  ...cont,
  name: 'CONT_TGT_CLOSE',
  index: 65,
  request: { pool: f.uuid, handles: f.array(f.uuid) },
  reply: {},
});
/** Server to server: a target asks the leader before it aggregates or scrubs a container. `now` is the leader's clock. */
export const CONT_HISTORY_FETCH = defineServiceRpc({
  ...cont,
  name: 'CONT_HISTORY_FETCH',
  index: 67,
  request: { container: f.uuid },
  reply: { now: f.u64, snapshots: f.array(f.u64), snapshotDeleted: f.u64, isTransformed: f.bool, checksumType: f.u32 },
});
/** Server to server: a snapshot was deleted, what it kept apart can be merged. */
export const CONT_TGT_SNAPSHOT_DELETED = defineRpc({
  ...cont,
  name: 'CONT_TGT_SNAPSHOT_DELETED',
  index: 68,
  request: { pool: f.uuid, container: f.uuid },
  reply: {},
});
/** Server to server: an engine asks the leader about a handle that it does not know. */
export const CONT_HDL_FETCH = defineServiceRpc({
  ...cont,
  name: 'CONT_HDL_FETCH',
  index: 66,
  request: { contHandle: f.uuid },
  reply: grantFields,
});
