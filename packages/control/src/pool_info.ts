import type { RankSet } from './rank_set.js';
import { formatBytes } from './size.js';

/** Space of one storage tier of a pool. Sums over targets, and the extremes and mean of one target. */
export interface PoolTier {
  readonly mediaType: 'scm' | 'nvme';
  readonly totalBytes: bigint;
  readonly freeBytes: bigint;
  readonly minBytes: bigint;
  readonly maxBytes: bigint;
  readonly meanBytes: bigint;
}

export interface PoolRebuild {
  readonly status: number;
  readonly state: string;
  readonly derivedState: string;
  readonly objects: bigint;
  readonly records: bigint;
  readonly degraded: boolean;
}

/** Parts of a pool that a query can ask for, with their bits. */
export const POOL_QUERY_BITS = {
  space: 1n,
  rebuild: 2n,
  enabled_engines: 4n,
  disabled_engines: 8n,
  dead_engines: 16n,
  self_heal_policy: 64n,
} as const;

export type PoolQueryPart = keyof typeof POOL_QUERY_BITS;

/** A pool as both tools show it. What was not asked for is undefined. */
export interface PoolInfo {
  readonly queryParts: readonly PoolQueryPart[];
  readonly state: string;
  readonly uuid: string;
  readonly label: string;
  readonly totalTargets: number;
  readonly activeTargets: number;
  readonly totalEngines: number;
  readonly disabledTargets: number;
  readonly version: number;
  readonly serviceLeader: number;
  readonly serviceRanks: readonly number[];
  readonly rebuild: PoolRebuild | undefined;
  readonly tiers: readonly PoolTier[] | undefined;
  readonly enabledRanks: RankSet | undefined;
  readonly disabledRanks: RankSet | undefined;
  readonly deadRanks: RankSet | undefined;
  readonly layoutVersion: number;
  readonly upgradeLayoutVersion: number;
  readonly memFileBytes: bigint;
  readonly mdOnSsd: boolean;
  readonly selfHealPolicy: string;
  readonly sysSelfHealPolicy?: string | undefined;
}

/** Spread of a tier's free space over the targets, in percent of one target's share. */
export function tierImbalance(pool: PoolInfo, tier: PoolTier): number {
  if (tier.totalBytes === 0n || pool.activeTargets === 0) return 0;
  const share = Number(tier.totalBytes) / pool.activeTargets;
  return Math.floor((Number(tier.maxBytes - tier.minBytes) / share) * 100);
}

/** Text of a pool query: head line, health and, when it was asked for, space. */
export function formatPoolQuery(pool: PoolInfo): string {
  const lines = [
    `Pool ${pool.uuid}, ntarget=${pool.totalTargets}, disabled=${pool.disabledTargets}, leader=${pool.serviceLeader}, ` +
      `version=${pool.version}, state=${pool.state}`,
  ];
  if (pool.layoutVersion !== pool.upgradeLayoutVersion && pool.upgradeLayoutVersion !== 0) {
    lines.push(`Pool layout out of date (${pool.layoutVersion} < ${pool.upgradeLayoutVersion}) -- see \`dmg pool upgrade\` for details.`);
  }
  lines.push(...healthLines(pool));
  if (pool.queryParts.includes('space') && pool.tiers) lines.push(...spaceLines(pool, pool.tiers));
  return `${lines.join('\n')}\n`;
}

function healthLines(pool: PoolInfo): string[] {
  const lines = ['Pool health info:'];
  if (pool.enabledRanks && pool.enabledRanks.size > 0) lines.push(`- Enabled ranks: ${pool.enabledRanks}`);
  if (pool.disabledRanks && pool.disabledRanks.size > 0) lines.push(`- Disabled ranks: ${pool.disabledRanks}`);
  if (pool.deadRanks && pool.deadRanks.size > 0) lines.push(`- Dead ranks: ${pool.deadRanks}`);
  const { rebuild } = pool;
  if (!rebuild) return [...lines, '- No rebuild status available.'];
  if (rebuild.status === 0) lines.push(`- Rebuild ${rebuild.state}, ${rebuild.objects} objs, ${rebuild.records} recs`);
  else lines.push(`- Rebuild failed (state=${rebuild.state}, status=${rebuild.status})`);
  return [...lines, `- Data redundancy: ${rebuild.degraded ? 'degraded' : 'normal'}`];
}

function spaceLines(pool: PoolInfo, tiers: readonly PoolTier[]): string[] {
  const lines = ['Pool space info:', `- Target count:${pool.activeTargets}`];
  if (pool.mdOnSsd) lines.push(`- Total memory-file size: ${formatBytes(pool.memFileBytes)}`);
  tiers.forEach((tier, index) => {
    const mdName = index === 0 ? 'Metadata' : 'Data';
    lines.push(
      pool.mdOnSsd ? `- ${mdName} storage:` : `- Storage tier ${index} (${tier.mediaType.toUpperCase()}):`,
      `  Total size: ${formatBytes(tier.totalBytes)}`,
      `  Free: ${formatBytes(tier.freeBytes)}, min:${formatBytes(tier.minBytes)}, max:${formatBytes(tier.maxBytes)}, ` +
        `mean:${formatBytes(tier.meanBytes)}`,
    );
  });
  return lines;
}

/** JSON of a pool, keys in DAOS's order. */
export function poolInfoJson(pool: PoolInfo): Record<string, unknown> {
  const parts = [...pool.queryParts].sort();
  return {
    query_mask: parts.join(','),
    state: pool.state,
    uuid: pool.uuid,
    ...(pool.label === '' ? {} : { label: pool.label }),
    total_targets: pool.totalTargets,
    active_targets: pool.activeTargets,
    total_engines: pool.totalEngines,
    disabled_targets: pool.disabledTargets,
    version: pool.version,
    svc_ldr: pool.serviceLeader,
    svc_reps: [...pool.serviceRanks],
    rebuild: pool.rebuild ? rebuildJson(pool.rebuild) : null,
    tier_stats: pool.tiers ? pool.tiers.map(tierJson) : null,
    ...(pool.enabledRanks ? { enabled_ranks: [...pool.enabledRanks] } : {}),
    ...(pool.disabledRanks ? { disabled_ranks: [...pool.disabledRanks] } : {}),
    ...(pool.deadRanks ? { dead_ranks: [...pool.deadRanks] } : {}),
    pool_layout_ver: pool.layoutVersion,
    upgrade_layout_ver: pool.upgradeLayoutVersion,
    mem_file_bytes: pool.memFileBytes,
    md_on_ssd_active: pool.mdOnSsd,
    self_heal_policy: pool.selfHealPolicy,
    ...(pool.tiers ? { usage: pool.tiers.map((tier, index) => usageJson(pool, tier, index)) } : {}),
  };
}

function rebuildJson(rebuild: PoolRebuild): Record<string, unknown> {
  return {
    status: rebuild.status,
    state: rebuild.state,
    derived_state: rebuild.derivedState,
    objects: rebuild.objects,
    records: rebuild.records,
    total_objects: 0,
    degraded: rebuild.degraded,
  };
}

function tierJson(tier: PoolTier): Record<string, unknown> {
  return {
    total: tier.totalBytes,
    free: tier.freeBytes,
    min: tier.minBytes,
    max: tier.maxBytes,
    mean: tier.meanBytes,
    media_type: tier.mediaType,
  };
}

function usageJson(pool: PoolInfo, tier: PoolTier, index: number): Record<string, unknown> {
  return {
    tier_name: tierName(pool, tier, index),
    size: tier.totalBytes,
    free: tier.freeBytes,
    imbalance: tierImbalance(pool, tier),
  };
}

/** Name of a tier in list titles and usage. */
export function tierName(pool: PoolInfo, tier: PoolTier, index: number): string {
  if (pool.mdOnSsd) return index === 0 ? 'META' : 'DATA';
  return tier.mediaType.toUpperCase();
}
