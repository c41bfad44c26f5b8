import type { Uuid } from '@daos/common';

/** Names of operations between the xstreams of an engine. */
export const ContTargetOp = {
  GRANT: 'cont.grant',
  REVOKE: 'cont.revoke',
  DESTROY: 'cont.destroy',
  /** On the system xstream: asks the leader about a handle. */
  FETCH: 'cont.fetchHandle',
  SNAPSHOT_DELETED: 'cont.snapshotDeleted',
  /** On the system xstream: asks the leader before an aggregation. */
  HISTORY: 'cont.fetchHistory',
} as const;

export interface ContUuids {
  readonly pool: Uuid;
  readonly container: Uuid;
}
