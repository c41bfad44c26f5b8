import { DaosError } from '@daos/common';
import { HostList, RankSet } from '@daos/control';

import { faultAdminExcluded } from '../faults.js';
import type { Member } from './member.js';

/** Which members a system operation means, and what was asked for that is not there. */
export interface Selection {
  readonly members: readonly Member[];
  readonly absentRanks: RankSet;
  readonly absentHosts: string;
  /** False when neither ranks nor hosts were named: all members are meant. */
  readonly isExplicit: boolean;
}

/** `ranks` and `hosts` as in the request; at most one of them may be given. Host names without a port get `port`. */
export function selectMembers(all: readonly Member[], ranks: string, hosts: string, port: number): Selection {
  if (ranks !== '' && hosts !== '') throw new DaosError('INVAL', 'ranks and hosts cannot both be given');
  if (ranks !== '') return byRanks(all, RankSet.parse(ranks));
  if (hosts !== '') return byHosts(all, hosts, port);
  return { members: all, absentRanks: RankSet.EMPTY, absentHosts: '', isExplicit: false };
}

function byRanks(all: readonly Member[], wanted: RankSet): Selection {
  const known = new Set(all.map((member) => member.rank));
  return {
    members: all.filter((member) => wanted.has(member.rank)),
    absentRanks: new RankSet(wanted.ranks.filter((rank) => !known.has(rank))),
    absentHosts: '',
    isExplicit: true,
  };
}

function byHosts(all: readonly Member[], text: string, port: number): Selection {
  const absent: string[] = [];
  const members = new Set<Member>();
  for (const name of HostList.parse(text).names()) {
    const address = hostAddress(name, port);
    const found = all.filter((member) => member.address === address);
    if (found.length === 0) absent.push(name);
    for (const member of found) members.add(member);
  }
  return {
    members: all.filter((member) => members.has(member)),
    absentRanks: RankSet.EMPTY,
    absentHosts: absent.join(','),
    isExplicit: true,
  };
}

function hostAddress(name: string, port: number): string {
  const [host = '', given] = name.split(':');
  const ip = host === 'localhost' ? '127.0.0.1' : host;
  return `${ip}:${given ?? port}`;
}

/**
 * Leaves administratively excluded members out: silently when nobody named them or `ignore` is set, else it is fault
 * 623. DER_INVAL when nothing of an explicit selection is left.
 */
export function withoutAdminExcluded(selection: Selection, ignore: boolean): Selection {
  const excluded = selection.members.filter((member) => member.state === 'AdminExcluded');
  if (excluded.length === 0) return selection;
  const members = selection.members.filter((member) => member.state !== 'AdminExcluded');
  if (selection.isExplicit && !ignore) {
    throw faultAdminExcluded(new RankSet(excluded.map((member) => member.rank)).toString());
  }
  if (selection.isExplicit && members.length === 0) {
    throw new DaosError('INVAL', 'all selected ranks are administratively excluded');
  }
  return { ...selection, members };
}
