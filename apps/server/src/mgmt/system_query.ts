import { SystemMember, SystemQueryResp, type SystemQueryReq } from '@daos/proto/mgmt/system';

import type { ServerContext } from '../context.js';
import { ATTR_PROVIDERS } from '../system/join.js';
import { matchesStateMask, type Member } from '../system/member.js';
import { readProperty } from '../system/properties.js';
import { selectMembers } from '../system/selection.js';

/** Members of the system, of the chosen ranks or hosts and states. */
export function querySystem(context: ServerContext, request: SystemQueryReq): SystemQueryResp {
  const db = context.ms.requireReplica();
  const selection = selectMembers(db.state.members, request.ranks, request.hosts, context.config.port);
  return SystemQueryResp.fromPartial({
    members: selection.members.filter((member) => matchesStateMask(member, request.stateMask)).map(
      memberToWire,
    ),
    absentranks: selection.absentRanks.toString(),
    absenthosts: selection.absentHosts,
    dataVersion: BigInt(db.version),
    providers: [db.state.attributes.get(ATTR_PROVIDERS) ?? ''].filter((provider) => provider !== ''),
    sysSelfHealPolicy: readProperty(db.state.attributes, 'self_heal'),
  });
}

function memberToWire(member: Member): SystemMember {
  return SystemMember.fromPartial({
    addr: member.address,
    uuid: member.uuid,
    rank: member.rank,
    incarnation: BigInt(member.incarnation),
    state: member.state.toLowerCase(),
    fabricUri: member.fabricUri,
    fabricContexts: member.fabricContexts,
    info: member.info,
    faultDomain: member.faultDomain,
    lastUpdate: member.lastUpdate,
  });
}
