import { unaryMethod } from '@daos/proto';
import { GetAttachInfoReq, GetAttachInfoResp, LeaderQueryReq, LeaderQueryResp } from '@daos/proto/mgmt/svc';
import {
  SystemQueryReq,
  SystemQueryResp,
  SystemStartReq,
  SystemStartResp,
  SystemStopReq,
  SystemStopResp,
} from '@daos/proto/mgmt/system';

import { Sentinel } from '../wire_error.js';
import { hasSentence } from '../rpc/ms_request.js';
import type { ControlClient, ControlOptions } from './control_client.js';

const SYSTEM_QUERY = unaryMethod('/mgmt.MgmtSvc/SystemQuery', SystemQueryReq, SystemQueryResp);
const SYSTEM_STOP = unaryMethod('/mgmt.MgmtSvc/SystemStop', SystemStopReq, SystemStopResp);
const SYSTEM_START = unaryMethod('/mgmt.MgmtSvc/SystemStart', SystemStartReq, SystemStartResp);
const LEADER_QUERY = unaryMethod('/mgmt.MgmtSvc/LeaderQuery', LeaderQueryReq, LeaderQueryResp);
const GET_ATTACH_INFO = unaryMethod('/mgmt.MgmtSvc/GetAttachInfo', GetAttachInfoReq, GetAttachInfoResp);

/** Which members of the system are meant; all of them when nothing is given. */
export interface MemberSelection {
  /** Rank set text. */
  readonly ranks?: string | undefined;
  /** Host list text; ranks on these hosts. */
  readonly hosts?: string | undefined;
}

/** Members of the system with their states. `stateMask`: bits of states to show, 0 for all. */
export async function systemQuery(
  client: ControlClient,
  query: MemberSelection & { stateMask?: number; failOnUnavailable?: boolean } = {},
  options: ControlOptions = {},
): Promise<SystemQueryResp> {
  const message = SystemQueryReq.fromPartial({
    sys: client.sys,
    ranks: query.ranks ?? '',
    hosts: query.hosts ?? '',
    stateMask: query.stateMask ?? 0,
  });
  return client.callMs('SystemQueryReq', SYSTEM_QUERY, message, { ...options, failOnUnavailable: query.failOnUnavailable });
}

/** Stops ranks. `force` kills them, else they stop in order. */
export async function systemStop(
  client: ControlClient,
  stop: MemberSelection & { force?: boolean; ignoreAdminExcluded?: boolean } = {},
  options: ControlOptions = {},
): Promise<SystemStopResp> {
  const message = SystemStopReq.fromPartial({
    sys: client.sys,
    prep: true,
    kill: true,
    force: stop.force ?? false,
    ranks: stop.ranks ?? '',
    hosts: stop.hosts ?? '',
    ignoreAdminExcluded: stop.ignoreAdminExcluded ?? false,
  });
  return client.callMs('SystemStopReq', SYSTEM_STOP, message, options);
}

/** Starts ranks that are stopped. */
export async function systemStart(
  client: ControlClient,
  start: MemberSelection & { ignoreAdminExcluded?: boolean } = {},
  options: ControlOptions = {},
): Promise<SystemStartResp> {
  const message = SystemStartReq.fromPartial({
    sys: client.sys,
    ranks: start.ranks ?? '',
    hosts: start.hosts ?? '',
    ignoreAdminExcluded: start.ignoreAdminExcluded ?? false,
  });
  return client.callMs('SystemStartReq', SYSTEM_START, message, options);
}

export interface LeaderInfo {
  readonly leader: string;
  readonly replicas: readonly string[];
  /** Replicas that did not answer. */
  readonly downReplicas: readonly string[];
}

/** The management service's leader and replicas; every replica is asked whether it answers. */
export async function leaderQuery(client: ControlClient, options: ControlOptions = {}): Promise<LeaderInfo> {
  const message = LeaderQueryReq.fromPartial({ sys: client.sys, hosts: client.config.hostlist.join(',') });
  const found = await client.callMs('LeaderQueryReq', LEADER_QUERY, message, options);
  const checked = found.replicas.length === 0 ? undefined : await client.callHosts(LEADER_QUERY, message, found.replicas, options);
  const answered = new Set(checked?.answers.map((answer) => answer.host));
  return {
    leader: found.currentLeader,
    replicas: found.replicas,
    downReplicas: checked ? found.replicas.filter((replica) => !answered.has(replica)) : [],
  };
}

/** What clients need to reach the engines: ranks, addresses, network hints, server version. */
export async function getAttachInfo(client: ControlClient, info: { allRanks?: boolean } = {}, options: ControlOptions = {}): Promise<GetAttachInfoResp> {
  const message = GetAttachInfoReq.fromPartial({ sys: client.sys, allRanks: info.allRanks ?? false });
  return client.callMs('GetAttachInfoReq', GET_ATTACH_INFO, message, {
    ...options,
    canRetry: (error) => hasSentence(error, Sentinel.EMPTY_GROUP_MAP),
  });
}
