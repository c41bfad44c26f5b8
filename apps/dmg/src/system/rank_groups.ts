import { RankSet } from '@daos/control';

export interface RankGroup {
  readonly ranks: RankSet;
  readonly key: string;
}

/** Ranks by what they have in common, largest group first, then by name. */
export function groupRanks(entries: readonly { readonly rank: number; readonly key: string }[]): RankGroup[] {
  const byKey = new Map<string, number[]>();
  for (const { rank, key } of entries) {
    const ranks = byKey.get(key);
    if (ranks) ranks.push(rank);
    else byKey.set(key, [rank]);
  }
  return [...byKey]
    .map(([key, ranks]) => ({ key, ranks: new RankSet(ranks) }))
    .sort((a, b) => b.ranks.size - a.ranks.size || (a.key < b.key ? -1 : 1));
}
