import type { ObjectId, PoolMap } from '@daos/common';

import type { LayoutMode } from './map_view.js';
import type { ObjectLayout, ShardPlace } from './object_layout.js';

/** How a placement map computes layouts; numbers are DAOS's. Pools use JUMP. */
export const PlacementType = { RING: 1, JUMP: 2 } as const;
export type PlacementType = (typeof PlacementType)[keyof typeof PlacementType];

export interface PlaceOptions {
  /** Redundancy level of the container (`rd_lvl`): 1 rank, 2 node, 3 fault domain; 0 or absent: node. */
  readonly faultLevel?: number;
  /** Object layout version of the container, 1 or 2; default the newest. */
  readonly layoutVersion?: number;
  /** Performance domain affinity; 0 or absent: off. 4294967295 = as much as possible. */
  readonly pda?: number;
  /** `perf_domain` of the container: 200 when performance domains are in use. */
  readonly perfDomainLevel?: number;
  /** The layout is for readers only: as it was before the running changes of the pool. */
  readonly readOnly?: boolean;
  /** Pool map version the layout may know of; default the map's. */
  readonly version?: number;
  /** Pool map version that the object's owner knew; default `version`. */
  readonly objectVersion?: number;
  /** View of the pool; overrides `readOnly`, and leaves out second locations. */
  readonly mode?: LayoutMode;
}

export interface RebuildOptions extends PlaceOptions {
  /** Only this redundancy group is of interest; absent: all. */
  readonly group?: number;
}

/** A shard to refill, and the target that has to hold it. */
export interface RebuildShard {
  readonly shard: number;
  readonly targetId: number;
}

/** What a placement map says of itself. */
export interface PlacementInfo {
  readonly type: PlacementType;
  readonly version: number;
  /** The layer that was asked for, or the default one. */
  readonly domainType: number;
  readonly domainCount: number;
  /** Targets that are UPIN. */
  readonly targetCount: number;
}

/**
 * Where objects live on one version of a pool map: a pure function of map and object id. Every client and engine with
 * the same map comes to the same layout.
 */
export interface PlacementMap {
  readonly type: PlacementType;
  readonly map: PoolMap;
  /** DER_NONEXIST when the map has no layer of that type; 0 or absent: the default (nodes). */
  query(domainType?: number): PlacementInfo;
  /**
   * Layout of an object. Writers get second locations of shards on the move appended to their groups; readers get the
   * locations from before the move. Throws DER_INVAL when the id names no class, or one that the pool cannot hold.
   */
  placeObject(oid: ObjectId, options?: PlaceOptions): ObjectLayout;
  /** The shards of one group of `placeObject`'s layout; cheaper for wide objects. Throws DER_INVAL as well when there is no such group. */
  placeGroup(oid: ObjectId, group: number, options?: PlaceOptions): readonly ShardPlace[];
  /**
   * Shards of an object that the operation of a map version has to refill, in shard order.
   * Throws DER_INVAL when the map is older than the version.
   */
  findRebuild(oid: ObjectId, version: number, options?: RebuildOptions): RebuildShard[];
  /** Shards that another layout version puts elsewhere, with their new targets: what an upgrade has to move. */
  findUpgrade(oid: ObjectId, fromVersion: number, toVersion: number, options?: PlaceOptions): RebuildShard[];
}
