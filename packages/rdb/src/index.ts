export { entryDecode, entryEncode, RdbOpcode, type RdbEntry, type RdbOperation } from './entry.js';
export { KvsTree, KvsTreeView, KVS_TREE_EMPTY, type KvsTable, type KvsTreeHead } from './kvs_tree.js';
export { RDB_ROOT, rdbIntegerKey, rdbIntegerOf, rdbStringKey, type KvsClass, type RdbPath } from './path.js';
export {
  RdbReplica,
  type RdbCallbacks,
  type RdbCreateParams,
  type RdbInfo,
  type RdbParams,
} from './replica.js';
export type { RdbLog, RdbLogHost } from './log.js';
export type { RdbReplicaId } from './store.js';
export { RdbTx, type RdbKeyValue } from './transaction.js';
