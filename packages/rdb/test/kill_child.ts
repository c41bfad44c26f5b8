// Commits a counter in two keys as fast as it can and reports each commit; killed by its parent.
import { RdbReplica, RDB_ROOT, rdbIntegerKey, rdbIntegerOf, rdbStringKey } from '@daos/rdb';

import { createReplica, reopenReplica, type TestDb } from './helpers.js';

const [path = '', uuid = ''] = process.argv.slice(2);
const db: TestDb = { path, uuid, remove: () => undefined };
const rdb = RdbReplica.exists(path) ? await reopenReplica(db) : await createReplica(db);
const first = await rdb.begin();
if (!first.exists(RDB_ROOT)) {
  first.createRoot();
  await first.commit();
}
const stored = first.lookup(RDB_ROOT, rdbStringKey('a'));
for (let n = stored ? rdbIntegerOf(stored) + 1n : 1n; ; n++) {
  const tx = await rdb.begin();
  tx.update(RDB_ROOT, rdbStringKey('a'), rdbIntegerKey(n));
  tx.update(RDB_ROOT, rdbStringKey('b'), rdbIntegerKey(n));
  await tx.commit();
  process.send?.(Number(n));
}
