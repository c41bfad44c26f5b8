import type { ObjectId, PoolMap } from '@daos/common';
import type { DcCont } from '@daos/container/dc';
import { Placement, type ObjectLayout } from '@daos/placement';

export type { ObjectLayout } from '@daos/placement';

/** One per map version that is in use; goes with the map. */
const placements = new WeakMap<PoolMap, Placement>();

/** Where an object of a container lives on a version of the pool map. */
export function computeLayout(map: PoolMap, oid: ObjectId, cont: DcCont): ObjectLayout {
  let placement = placements.get(map);
  if (!placement) {
    placement = new Placement(map);
    placements.set(map, placement);
  }
  return placement.placeObject(oid, { faultLevel: cont.redundancyLevel, layoutVersion: cont.objectVersion });
}
