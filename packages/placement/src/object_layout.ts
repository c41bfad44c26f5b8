/** Where one shard of an object lives. */
export interface ShardPlace {
  /** Logical shard number; -1 for an empty slot of an extended group. */
  readonly shard: number;
  /** Rank of the engine, -1 for none. */
  readonly rank: number;
  /** Target's index inside its rank, -1 for none. */
  readonly target: number;
  /** Target's id in the pool map, -1 for none. */
  readonly targetId: number;
  /** Failure sequence that moved the shard here, or the target's own. */
  readonly failSeq: number;
  /** Being filled: write to it, do not read from it. */
  readonly rebuilding: boolean;
  /** As `rebuilding`, on a target that returns or is new. */
  readonly reintegrating: boolean;
}

/** Where an object lives: `groupCount` groups of `groupSize` shards, group after group. */
export interface ObjectLayout {
  /** Version of the pool map it was computed from. */
  readonly version: number;
  readonly groupCount: number;
  /** Shards of a group in this layout; more than the class has while shards have a second location. */
  readonly groupSize: number;
  /** Shards of a group by the object's class. */
  readonly classGroupSize: number;
  /** Shards that have (or may have) a second live location. */
  readonly peers: number;
  readonly shards: readonly ShardPlace[];
}

/** An empty slot of an extended group. */
export const EMPTY_PLACE: ShardPlace = {
  shard: -1,
  rank: -1,
  target: -1,
  targetId: -1,
  failSeq: 0,
  rebuilding: false,
  reintegrating: false,
};

/** The shards of one redundancy group, with their second locations and empty slots. */
export function layoutGroup(layout: ObjectLayout, group: number): readonly ShardPlace[] {
  return layout.shards.slice(group * layout.groupSize, (group + 1) * layout.groupSize);
}

/**
 * Whether a layout keeps a shard on a target, given as rank and index. With `ignoreRebuilding`, a shard that is only
 * being filled there does not count.
 */
export function layoutContains(layout: ObjectLayout, rank: number, target: number, shard: number, ignoreRebuilding = false): boolean {
  return layout.shards.some(
    (place) =>
      place.shard === shard &&
      place.rank === rank &&
      place.target === target &&
      !(ignoreRebuilding && (place.rebuilding || place.reintegrating)),
  );
}
