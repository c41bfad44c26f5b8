import { RankSet, type RpcTransport } from '@daos/control';
import { unaryMethod, type UnaryMethod } from '@daos/proto';
import { RanksReq, RanksResp } from '@daos/proto/ctl/ranks';
import type { RankResult } from '@daos/proto/shared/ranks';

import type { Member } from './member.js';

/** What can be asked of the servers that host ranks. */
export type RankOperation = 'PrepShutdownRanks' | 'StopRanks' | 'StartRanks' | 'ResetFormatRanks';

/** Verb of an operation in results. */
export const RANK_ACTIONS: Readonly<Record<RankOperation, string>> = {
  PrepShutdownRanks: 'prep shutdown',
  StopRanks: 'stop',
  StartRanks: 'start',
  ResetFormatRanks: 'reset format',
};

const CALL_TIMEOUT_MS = 5 * 60_000;

export type LocalRankHandler = (operation: RankOperation, request: RanksReq) => Promise<RanksResp>;

/** Runs an operation on ranks wherever they live: each host is asked once, with its ranks. */
export class HostCaller {
  constructor(
    private readonly ownAddress: string,
    private readonly local: LocalRankHandler,
    private readonly transport: RpcTransport,
  ) {}

  /** Results of all members; a host that cannot be reached gives errored results with state Unresponsive. */
  async onMembers(
    operation: RankOperation,
    members: readonly Member[],
    force: boolean,
  ): Promise<RankResult[]> {
    const byHost = new Map<string, Member[]>();
    for (const member of members) byHost.set(member.address, [...(byHost.get(member.address) ?? []), member]);
    const results = await Promise.all(
      [...byHost].map(([address, ranks]) => this.onHost(operation, address, ranks, force)),
    );
    const all = results.flat().sort((a, b) => a.rank - b.rank);
    const twice = all.find((result, index) => all[index + 1]?.rank === result.rank);
    if (twice) throw new Error(`rank ${twice.rank} is in the results of ${RANK_ACTIONS[operation]} twice`);
    return all;
  }

  private async onHost(
    operation: RankOperation,
    address: string,
    members: readonly Member[],
    force: boolean,
  ): Promise<RankResult[]> {
    const request = RanksReq.fromPartial({
      force,
      ranks: new RankSet(members.map((member) => member.rank)).toString(),
    });
    try {
      const response = address === this.ownAddress
        ? await this.local(operation, request)
        : await this.transport.call(address, ranksMethod(operation), request, { timeoutMs: CALL_TIMEOUT_MS });
      return response.results.map((result) => ({ ...result, addr: address }));
    } catch (error) {
      const msg = error instanceof Error ? error.message : String(error);
      return members.map(({ rank }) => ({
        rank,
        action: RANK_ACTIONS[operation],
        errored: true,
        msg,
        state: 'unresponsive',
        addr: address,
      }));
    }
  }
}

function ranksMethod(operation: RankOperation): UnaryMethod<RanksReq, RanksResp> {
  return unaryMethod(`/ctl.CtlSvc/${operation}`, RanksReq, RanksResp);
}
