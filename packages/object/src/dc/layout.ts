import type { ObjectId } from '@daos/common';
import type { DcCont } from '@daos/container/dc';

export interface ObjectLayout {
  readonly version: number;
  readonly groupCount: number;
  readonly groupSize: number;
  readonly shards: readonly { readonly shard: number; readonly rank: number; readonly target: number; readonly targetId: number }[];
}

export function computeLayout(map: DcCont['pool']['map'], _oid: ObjectId, _cont: DcCont): ObjectLayout {
  return { version: map.version, groupCount: 1, groupSize: 1, shards: [{ shard: 0, rank: 0, target: 0, targetId: 0 }] };
}
