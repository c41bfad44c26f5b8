import type { PoolTierSpace } from '../types.js';

export interface TierSpace {
  readonly totalBytes: number;
  readonly freeBytes: number;
}

/** Space of a pool on one target. */
export interface TargetSpace {
  readonly target: number;
  readonly scm: TierSpace;
  readonly nvme: TierSpace;
}

/** Sums and extremes per medium. */
export function aggregateSpace(targets: readonly TargetSpace[]): PoolTierSpace[] {
  const scm = aggregateTier(
    'scm',
    targets.map((target) => target.scm),
  );
  const nvme = aggregateTier(
    'nvme',
    targets.map((target) => target.nvme),
  );
  return [scm, nvme];
}

function aggregateTier(mediaType: 'scm' | 'nvme', tiers: readonly TierSpace[]): PoolTierSpace {
  const free = tiers.map(({ freeBytes }) => freeBytes);
  const freeBytes = free.reduce((sum, bytes) => sum + bytes, 0);
  return {
    mediaType,
    totalBytes: tiers.reduce((sum, { totalBytes }) => sum + totalBytes, 0),
    freeBytes,
    minFreeBytes: free.length === 0 ? 0 : free.reduce((a, b) => Math.min(a, b)),
    maxFreeBytes: free.length === 0 ? 0 : free.reduce((a, b) => Math.max(a, b)),
    meanFreeBytes: free.length === 0 ? 0 : Math.floor(freeBytes / free.length),
  };
}
