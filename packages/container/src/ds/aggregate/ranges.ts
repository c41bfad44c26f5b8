import type { Epoch, EpochRange } from '@daos/common';
import { AggregateFlag } from '@daos/vos';

export interface AggregationState {
  /** Highest aggregated epoch. */
  readonly hae: Epoch;
  /** Epochs that stay readable, ascending. */
  readonly snapshots: readonly Epoch[];
  /** Nothing newer is touched. */
  readonly upper: Epoch;
  /** A snapshot was deleted: what it kept apart is merged, from the beginning. */
  readonly isFullScan: boolean;
}

export interface AggregationStep {
  readonly range: EpochRange;
  /** `AggregateFlag` bits. */
  readonly flags: number;
}

/**
 * How a container's history is aggregated: up to each snapshot that was not reached before, then from the last snapshot
 * to the upper bound. So all that lies between two snapshots becomes its last state, and each snapshot reads as before.
 */
export function aggregationSteps({ hae, snapshots, upper, isFullScan }: AggregationState): AggregationStep[] {
  const scan = isFullScan ? AggregateFlag.FORCE_SCAN : 0;
  const steps: AggregationStep[] = [];
  let lo = 0n;
  for (const hi of snapshots) {
    if (hi > upper) break;
    if (lo < hi && (isFullScan || hi > hae)) {
      steps.push({ range: { lo, hi }, flags: AggregateFlag.FORCE_MERGE | scan });
    }
    lo = hi + 1n;
  }
  if (lo < upper && (isFullScan || upper > hae)) steps.push({ range: { lo, hi: upper }, flags: scan });
  return steps;
}
