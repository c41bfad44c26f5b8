import { tierImbalance, tierName, type PoolInfo } from './pool_info.js';
import { RankSet } from './rank_set.js';
import { formatBytes } from './size.js';
import { formatTable } from './text_table.js';

/** Which table of pools is wanted. */
export interface PoolListStyle {
  readonly verbose: boolean;
  /** Pools were listed only, not queried: space is unknown. */
  readonly noQuery: boolean;
}

/** Text of a list of pools, sorted by name. */
export function formatPoolList(pools: readonly PoolInfo[], style: PoolListStyle): string {
  if (pools.length === 0) return 'No pools in system\n';
  const sorted = [...pools].sort((a, b) => compare(poolName(a), poolName(b)));
  return style.verbose ? verboseTable(sorted, style.noQuery) : shortTable(sorted, style.noQuery);
}

/** The label, or the first part of the UUID of a pool without one. */
export function poolName(pool: { readonly label: string; readonly uuid: string }): string {
  return pool.label === '' ? (pool.uuid.split('-')[0] ?? pool.uuid) : pool.label;
}

function shortTable(pools: readonly PoolInfo[], noQuery: boolean): string {
  if (noQuery) return formatTable(['Pool', 'State'], pools.map((pool) => ({ Pool: poolName(pool), State: pool.state })));
  const titles = ['Pool', 'Size', 'State', 'Used', 'Imbalance', 'Disabled'];
  if (pools.some((pool) => upgradeText(pool) !== 'None')) titles.push('UpgradeNeeded?');
  return formatTable(
    titles,
    pools.map((pool) => {
      const tiers = pool.tiers ?? [];
      const total = tiers.reduce((sum, tier) => sum + tier.totalBytes, 0n);
      const free = tiers.reduce((sum, tier) => sum + tier.freeBytes, 0n);
      return {
        Pool: poolName(pool),
        Size: formatBytes(total),
        State: pool.state,
        Used: `${total === 0n ? 0n : ((total - free) * 100n) / total}%`,
        Imbalance: `${Math.max(0, ...tiers.map((tier) => tierImbalance(pool, tier)))}%`,
        Disabled: `${pool.disabledTargets}/${pool.totalTargets}`,
        'UpgradeNeeded?': upgradeText(pool),
      };
    }),
  );
}

function verboseTable(pools: readonly PoolInfo[], noQuery: boolean): string {
  const titles = ['Label', 'UUID', 'State', 'SvcReps'];
  const withTiers = pools.find((pool) => pool.tiers);
  withTiers?.tiers?.forEach((tier, index) => {
    const name = tierTitle(tierName(withTiers, tier, index));
    titles.push(`${name} Size`, `${name} Used`, `${name} Imbalance`);
  });
  if (!noQuery) titles.push('Disabled', 'UpgradeNeeded?', 'Rebuild State');
  return formatTable(titles, pools.map(verboseRow));
}

function verboseRow(pool: PoolInfo): Record<string, string> {
  const row: Record<string, string> = {
    Label: pool.label === '' ? '-' : pool.label,
    UUID: pool.uuid,
    State: pool.state,
    SvcReps: new RankSet(pool.serviceRanks).toRangedString(),
    Disabled: `${pool.disabledTargets}/${pool.totalTargets}`,
    'UpgradeNeeded?': upgradeText(pool),
    'Rebuild State': pool.rebuild?.state ?? 'Unknown',
  };
  pool.tiers?.forEach((tier, index) => {
    const name = tierTitle(tierName(pool, tier, index));
    row[`${name} Size`] = formatBytes(tier.totalBytes);
    row[`${name} Used`] = formatBytes(tier.totalBytes - tier.freeBytes);
    row[`${name} Imbalance`] = `${tierImbalance(pool, tier)}%`;
  });
  return row;
}

function tierTitle(name: string): string {
  return name === 'META' ? 'Meta' : name === 'DATA' ? 'Data' : name;
}

function upgradeText(pool: PoolInfo): string {
  if (pool.upgradeLayoutVersion === 0 || pool.upgradeLayoutVersion === pool.layoutVersion) return 'None';
  return `${pool.layoutVersion}->${pool.upgradeLayoutVersion}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
