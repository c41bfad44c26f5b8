import type { PropertyEntry, Uuid } from '@daos/common';

export { PoolCapability as PoolCapa, PoolConnectFlag } from '@daos/common';

/** Parts of a pool query beyond the basic fields, numbered as in DAOS. */
export const PoolQueryBit = {
  SPACE: 1,
  REBUILD_STATUS: 2,
  ENGINES_ENABLED: 4,
  ENGINES_DISABLED: 8,
  ENGINES_DEAD: 16,
  REBUILD_MAX_LAYOUT_VER: 32,
  SELF_HEAL_POLICY: 64,
  ALL: 127,
} as const;

/** Space of one medium over all targets of a pool, in bytes. */
export interface PoolTierSpace {
  readonly mediaType: 'scm' | 'nvme';
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** Free space of the fullest and the emptiest target, and the mean. */
  readonly minFreeBytes: number;
  readonly maxFreeBytes: number;
  readonly meanFreeBytes: number;
}

export interface PoolRebuildStatus {
  /** Map version of the last rebuild; 0 when there was none. */
  readonly version: number;
  readonly state: 'idle' | 'busy' | 'done';
  readonly errorStatus: number;
  readonly objects: number;
  readonly records: number;
}

/** Answer of a pool query. */
export interface PoolQueryResult {
  readonly uuid: Uuid;
  readonly label: string | undefined;
  readonly targetCount: number;
  readonly nodeCount: number;
  readonly disabledTargetCount: number;
  readonly mapVersion: number;
  readonly layoutVersion: number;
  readonly upgradeLayoutVersion: number;
  readonly leaderRank: number;
  readonly serviceRanks: readonly number[];
  /** Ranks whose targets are all usable, and the others. */
  readonly enabledRanks: readonly number[];
  readonly disabledRanks: readonly number[];
  readonly deadRanks: readonly number[];
  /** Empty unless space was asked for. */
  readonly tiers: readonly PoolTierSpace[];
  readonly rebuild: PoolRebuildStatus;
}

/** State of one target as the query of targets reports it. */
export type PoolTargetState = 'unknown' | 'down_out' | 'down' | 'up' | 'up_in' | 'new' | 'drain';

export interface PoolTargetInfo {
  readonly rank: number;
  readonly target: number;
  readonly state: PoolTargetState;
  readonly scm: { readonly totalBytes: number; readonly freeBytes: number };
  readonly nvme: { readonly totalBytes: number; readonly freeBytes: number };
}

/** A property by number: pool properties from 1, container properties from 0x1001. */
export type PropEntry = PropertyEntry;

/** A container as listings of a pool show it. */
export interface PoolContainer {
  readonly uuid: Uuid;
  readonly label: string | undefined;
}
