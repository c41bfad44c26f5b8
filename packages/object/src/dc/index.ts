export { forEachBounded } from './bounded.js';
export {
  dcObjKeyToAnchor,
  dcObjListAkeys,
  dcObjListDkeys,
  dcObjListRecxs,
  type ObjExtent,
  type ObjListOptions,
  type ObjPage,
} from './enumerate.js';
export { dcObjFetch, dcObjUpdate, type ObjFetched, type ObjFetchOptions, type ObjIoOptions } from './io.js';
export type { ObjectLayout } from './layout.js';
export { DcObject, dcObjOpen } from './object.js';
export { dcObjListAll } from './oids.js';
export { dcObjPunch, dcObjPunchAkeys, dcObjPunchDkey } from './punch.js';
export { dcObjQueryKey, type ObjQueryKeys, type ObjQueryResult } from './query.js';
export { OPERATION_TIMEOUT_MS, type ObjOptions } from './retry.js';
