import type { PoolInfo as ClientPoolInfo } from '@daos/client';
import { RankSet, type PoolInfo, type PoolQueryPart } from '@daos/control';

/** A pool as the client library sees it, for the tools' common output. `healthOnly` leaves space out. */
export function poolInfoOf(found: ClientPoolInfo, shown: { healthOnly?: boolean; showEnabled?: boolean } = {}): PoolInfo {
  const parts: PoolQueryPart[] = ['disabled_engines', 'rebuild'];
  if (shown.healthOnly) parts.push('dead_engines');
  else parts.push('space');
  if (shown.showEnabled) parts.push('enabled_engines');
  return {
    queryParts: parts,
    state: found.state,
    uuid: found.uuid,
    label: found.label ?? '',
    totalTargets: found.targetCount,
    activeTargets: found.activeTargetCount,
    totalEngines: found.enabledRanks.length,
    disabledTargets: found.disabledTargetCount,
    version: found.mapVersion,
    serviceLeader: found.leaderRank,
    serviceRanks: found.serviceRanks,
    rebuild: {
      status: 0,
      state: found.rebuildState,
      derivedState: found.rebuildState,
      objects: 0n,
      records: 0n,
      degraded: found.disabledTargetCount > 0,
    },
    tiers: found.tiers.map((tier) => ({
      mediaType: tier.mediaType,
      totalBytes: BigInt(tier.totalBytes),
      freeBytes: BigInt(tier.freeBytes),
      minBytes: BigInt(tier.minBytes),
      maxBytes: BigInt(tier.maxBytes),
      meanBytes: BigInt(Math.trunc(tier.meanBytes)),
    })),
    enabledRanks: shown.showEnabled ? new RankSet(found.enabledRanks) : undefined,
    disabledRanks: RankSet.EMPTY,
    deadRanks: shown.healthOnly ? RankSet.EMPTY : undefined,
    layoutVersion: found.layoutVersion,
    upgradeLayoutVersion: found.upgradeLayoutVersion,
    memFileBytes: 0n,
    mdOnSsd: false,
    selfHealPolicy: '',
  };
}
