import type { RankSet} from '@daos/control';
import { ContextError, MEMBER_STATES, MEMBER_STATE_MASK_ALL, formatTable, memberStateBit, memberStateByName, systemQuery } from '@daos/control';
import { VerbFailure, type VerbContext, type VerbResult } from '@daos/control/cli';
import type { SystemMember, SystemQueryResp } from '@daos/proto/mgmt/system';

import { failAs, withControl } from '../session.js';
import { groupRanks } from './rank_groups.js';
import { absentFailure, absentMembers, memberSelection, reportAbsent } from './selection.js';

const NO_MATCH = 'Query matches no ranks in system\n';
const UNKNOWN_RANK = 'Unknown Rank';
const SELF_HEAL_FLAGS = ['exclude', 'pool_exclude', 'pool_rebuild'];

/** `dmg system query`. */
export async function run(context: VerbContext): Promise<VerbResult> {
  const response = await queryMembers(context).catch(failAs('system query failed'));
  const absent = absentMembers(response);
  const verbose = context.options.verbose === true;
  if (response.members.length === 0) context.io.print(NO_MATCH);
  else if (verbose) context.io.print(verboseTable(response.members));
  else context.io.print(stateTable(response.members, absent.ranks));
  const selfHeal = selfHealNote(response.sysSelfHealPolicy);
  if (selfHeal !== undefined && response.members.length > 0) context.io.print(selfHeal);
  const failure = absentFailure(absent);
  if (failure) {
    if (!context.json && (verbose || response.members.length === 0 || !absent.hosts.isEmpty)) reportAbsent(context.io, absent);
    throw new VerbFailure(new ContextError('system query failed', failure), toJson(response), failure);
  }
  return { json: toJson(response) };
}

async function queryMembers(context: VerbContext): Promise<SystemQueryResp> {
  const selection = memberSelection(context);
  const { notOk, withStates } = context.options;
  if (notOk === true && withStates !== undefined) throw new Error('--not-ok and --with-states options cannot be set together');
  const notJoined = MEMBER_STATE_MASK_ALL & ~memberStateBit('Joined');
  const stateMask = notOk === true ? notJoined : typeof withStates === 'number' ? withStates : 0;
  return withControl(context, (client) => systemQuery(client, { ...selection, stateMask }));
}

function stateTable(members: readonly SystemMember[], absent: RankSet): string {
  const entries = members.map((member) => ({ rank: member.rank, key: stateName(member.state) }));
  for (const rank of absent) entries.push({ rank, key: UNKNOWN_RANK });
  return formatTable(
    ['Rank', 'State'],
    groupRanks(entries).map(({ ranks, key }) => ({ Rank: ranks.toRangedString(), State: key })),
  );
}

function verboseTable(members: readonly SystemMember[]): string {
  const sorted = [...members].sort((a, b) => a.rank - b.rank);
  return formatTable(
    ['Rank', 'UUID', 'Control Address', 'Fault Domain', 'State', 'Reason'],
    sorted.map((member) => ({
      Rank: String(member.rank),
      UUID: member.uuid,
      'Control Address': member.addr,
      'Fault Domain': member.faultDomain,
      State: stateName(member.state),
      Reason: member.info,
    })),
  );
}

function stateName(text: string): string {
  return memberStateByName(text) ?? MEMBER_STATES[0];
}

function selfHealNote(policy: string): string | undefined {
  if (policy === '') return undefined;
  const enabled = policy.split(';');
  const disabled = SELF_HEAL_FLAGS.filter((flag) => !enabled.includes(flag));
  return disabled.length === 0 ? undefined : `System property self_heal flags disabled: ${disabled.join(', ')}\n`;
}

function toJson(response: SystemQueryResp): Record<string, unknown> {
  return {
    members: response.members.length === 0 ? null : response.members.map(memberJson),
    providers: response.providers.length === 0 ? null : response.providers,
    sys_self_heal_policy: response.sysSelfHealPolicy,
  };
}

function memberJson(member: SystemMember): Record<string, unknown> {
  return {
    addr: member.addr,
    state: member.state.toLowerCase(),
    fault_domain: member.faultDomain,
    rank: member.rank,
    incarnation: member.incarnation,
    uuid: member.uuid,
    fabric_uri: member.fabricUri,
    secondary_fabric_uris: member.secondaryFabricUris.length === 0 ? null : member.secondaryFabricUris,
    fabric_contexts: member.fabricContexts,
    secondary_fabric_contexts: null,
    info: member.info,
    last_update: member.lastUpdate,
  };
}
