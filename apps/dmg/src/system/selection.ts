import { HostList, RankSet, type MemberSelection } from '@daos/control';
import type { CliOutput, VerbContext } from '@daos/control/cli';

/** Reads `--ranks` and `--rank-hosts`. Throws when both are given. */
export function memberSelection(context: VerbContext): MemberSelection {
  const { ranks, rankHosts } = context.options;
  const found = {
    ranks: typeof ranks === 'string' ? ranks : undefined,
    hosts: typeof rankHosts === 'string' ? HostList.parse(rankHosts).toString() : undefined,
  };
  if (found.ranks !== undefined && found.hosts !== undefined) {
    throw new Error('--ranks and --rank-hosts options cannot be set together');
  }
  return found;
}

export interface AbsentMembers {
  readonly ranks: RankSet;
  readonly hosts: HostList;
}

/** Ranks and hosts that were asked for and do not exist. */
export function absentMembers(response: { absentranks: string; absenthosts: string }): AbsentMembers {
  return { ranks: RankSet.parse(response.absentranks), hosts: HostList.parse(response.absenthosts) };
}

/** Names what does not exist on stderr. */
export function reportAbsent(io: CliOutput, absent: AbsentMembers): void {
  if (!absent.hosts.isEmpty) io.error(`Unknown ${counted(absent.hosts.count, 'host')}: ${absent.hosts}`);
  if (absent.ranks.size > 0) io.error(`Unknown ${counted(absent.ranks.size, 'rank')}: ${absent.ranks}`);
}

/** The failure that follows, or undefined when everything asked for exists. */
export function absentFailure(absent: AbsentMembers): Error | undefined {
  const parts: string[] = [];
  if (!absent.hosts.isEmpty) parts.push(`non-existent hosts ${absent.hosts}`);
  if (absent.ranks.size > 0) parts.push(`non-existent ranks ${absent.ranks}`);
  return parts.length === 0 ? undefined : new Error(parts.join(', '));
}

/** `1 host`, `3 hosts`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
