import { readFileSync } from 'node:fs';

import { DAOS_VERSION, Sentinel } from '@daos/control';
import { GetAttachInfoResp, type ClientNetHint, type GetAttachInfoReq } from '@daos/proto/mgmt/svc';

import type { ServerContext } from '../context.js';
import { isLeftOutOfGroup } from '../system/member.js';

const CRT_TIMEOUT_SECONDS_DEFAULT = 60;
/** ARP hardware type of an Ethernet interface. */
const NET_CLASS_ETHERNET = 1;

/** What a client needs to reach the engines: their URIs, and how to set up its own network. */
export function attachInfo(context: ServerContext, request: GetAttachInfoReq): GetAttachInfoResp {
  const db = context.ms.requireReplica();
  const members = db.state.members.filter((member) => !isLeftOutOfGroup(member) && member.fabricUri !== '');
  if (members.length === 0) throw new Error(Sentinel.EMPTY_GROUP_MAP);
  const msRanks = members.filter((member) => member.address === context.ms.leaderAddress).map((
    member,
  ) => member.rank);
  const shown = request.allRanks ? members : members.filter((member) => msRanks.includes(member.rank));
  const [major, minor, patch] = DAOS_VERSION.split('.').map(Number);
  return GetAttachInfoResp.fromPartial({
    rankUris: shown.map((member) => ({
      rank: member.rank,
      uri: member.fabricUri,
      providerIdx: 0,
      numCtxs: member.fabricContexts,
    })),
    msRanks,
    clientNetHint: clientNetHint(context),
    dataVersion: BigInt(db.version),
    sys: context.config.systemName,
    buildInfo: { major: major ?? 0, minor: minor ?? 0, patch: patch ?? 0, tag: '' },
  });
}

function clientNetHint(context: ServerContext): Partial<ClientNetHint> {
  const [engine] = context.config.engines;
  if (!engine) throw new Error('this server has no engines and can give no network hints');
  return {
    provider: engine.provider,
    crtTimeout: engine.crtTimeoutSeconds ?? CRT_TIMEOUT_SECONDS_DEFAULT,
    netDevClass: hardwareType(engine.fabricInterface),
    srvSrxSet: engine.disableSrx ? 0 : 1,
    envVars: [...context.config.clientEnv],
    providerIdx: 0,
  };
}

function hardwareType(interfaceName: string): number {
  try {
    return Number(readFileSync(`/sys/class/net/${interfaceName}/type`, 'utf8').trim());
  } catch {
    return NET_CLASS_ETHERNET;
  }
}
