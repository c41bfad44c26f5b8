import { POOL_PROPERTIES, PoolProp, type PropertyEntry } from '@daos/common';
import type { CheckpointPolicy } from '@daos/vos';

/** When history is aggregated: never; when the target is idle or short of space; all the time. */
export type ReclaimMode = 'disabled' | 'lazy' | 'time';

/** Properties of a pool that its targets act on. Passes between threads. */
export interface PoolTargetProps {
  readonly reclaim: ReclaimMode;
  readonly scrub: {
    /** `ScrubMode` number. */
    readonly mode: number;
    readonly freqSeconds: number;
    readonly threshold: number;
  };
  readonly checkpoint: CheckpointPolicy;
}

/** What to ask the pool's service for. */
export const TARGET_PROP_NUMBERS: readonly number[] = [
  PoolProp.RECLAIM,
  PoolProp.SCRUB_MODE,
  PoolProp.SCRUB_FREQ,
  PoolProp.SCRUB_THRESH,
  PoolProp.CHECKPOINT_MODE,
  PoolProp.CHECKPOINT_FREQ,
  PoolProp.CHECKPOINT_THRESH,
];

const RECLAIM_MODES: readonly ReclaimMode[] = ['disabled', 'lazy'];
const CHECKPOINT_MODES: readonly CheckpointPolicy['mode'][] = ['disabled', 'timed', 'lazy'];

/** The properties in the form in which targets use them; those not given have their defaults. */
export function poolTargetProps(entries: readonly PropertyEntry[]): PoolTargetProps {
  const number = (of: number): number => {
    const value =
      entries.find((entry) => entry.number === of)?.value ?? POOL_PROPERTIES.findNumber(of)?.defaultValue;
    return Number(value);
  };
  return {
    reclaim: RECLAIM_MODES[number(PoolProp.RECLAIM)] ?? 'time',
    scrub: {
      mode: number(PoolProp.SCRUB_MODE),
      freqSeconds: number(PoolProp.SCRUB_FREQ),
      threshold: number(PoolProp.SCRUB_THRESH),
    },
    checkpoint: {
      mode: CHECKPOINT_MODES[number(PoolProp.CHECKPOINT_MODE)] ?? 'timed',
      frequencySeconds: number(PoolProp.CHECKPOINT_FREQ),
      thresholdPercent: number(PoolProp.CHECKPOINT_THRESH),
    },
  };
}
