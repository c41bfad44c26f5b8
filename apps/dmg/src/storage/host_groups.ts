import { createHash } from 'node:crypto';
import { HostList, formatTable, indentText, type HostErrors, type HostResults } from '@daos/control';
import { VerbFailure, jsonText, type VerbContext } from '@daos/control/cli';

import { counted } from '../system/selection.js';

/** Hosts that answered alike. */
export interface HostGroup<T> {
  readonly value: T;
  readonly hosts: readonly string[];
  /** Stands for the value in JSON maps. */
  readonly hash: string;
}

/** Answers grouped by what `project` makes of them; like hosts share one entry. */
export function groupHosts<Resp, T>(results: HostResults<Resp>, project: (response: Resp) => T): HostGroup<T>[] {
  const groups = new Map<string, { value: T; hosts: string[]; hash: string }>();
  for (const { host, response } of results.answers) {
    const value = project(response);
    const hash = createHash('sha256').update(jsonText(value)).digest().readBigUInt64LE().toString();
    const group = groups.get(hash);
    if (group) group.hosts.push(host);
    else groups.set(hash, { value, hosts: [host], hash });
  }
  return [...groups.values()];
}

/** Ranged host names; ports are left out unless hosts differ by them. */
export function hostsText(addresses: readonly string[]): string {
  const names = addresses.map((address) => address.replace(/:\d+$/, ''));
  const distinct = new Set(names).size === addresses.length;
  return HostList.of(distinct ? names : addresses)
    .uniq()
    .toString();
}

/** `Errors:` with a table of hosts and failures. */
export function hostErrorsText(errors: HostErrors): string {
  const rows = errors.entries().map((entry) => ({ Hosts: hostsText(entry.hosts.names()), Error: entry.short }));
  return `Errors:\n${indentText(formatTable(['Hosts', 'Error'], rows))}`;
}

/** Shows the hosts' failures and fails, when there are any. `response` is what JSON output still tells. */
export function failOnHostErrors(context: VerbContext, errors: HostErrors, response: unknown): void {
  if (errors.isEmpty) return;
  if (!context.json) context.io.error(hostErrorsText(errors));
  throw new VerbFailure(new Error(`${counted(errors.hostCount, 'host')} had errors`), response);
}
