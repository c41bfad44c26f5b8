import { DaosError, type PoolMap } from '@daos/common';

import { Placement } from './placement.js';
import { PlacementType, type PlacementMap } from './placement_map.js';
import { RingPlacement, type RingOptions } from './ring_placement.js';

export interface PlacementCreateOptions extends RingOptions {
  /** Default JUMP, which is what pools use. */
  readonly type?: PlacementType;
}

/** The placement map of a pool map. DER_INVAL for an unknown type or options that the map does not allow. */
export function createPlacement(map: PoolMap, { type = PlacementType.JUMP, ...options }: PlacementCreateOptions = {}): PlacementMap {
  switch (type) {
    case PlacementType.JUMP:
      return new Placement(map);
    case PlacementType.RING:
      return new RingPlacement(map, options);
    default:
      throw new DaosError('INVAL', `unknown type of placement map ${String(type)}`);
  }
}
