import { DaosError } from '@daos/common';
import { memberStateByName } from '@daos/control';
import type {
  SystemExcludeReq,
  SystemExcludeResp,
  SystemStartReq,
  SystemStartResp,
  SystemStopReq,
  SystemStopResp,
} from '@daos/proto/mgmt/system';
import type { RankResult } from '@daos/proto/shared/ranks';

import type { ServerContext } from '../context.js';
import { RasId, RasSeverity, RasType, rasEvent } from '../events/ras_event.js';
import { isLegalTransition } from '../system/member.js';
import { selectMembers, withoutAdminExcluded, type Selection } from '../system/selection.js';
import type { SystemDb } from '../system/system_db.js';

/** Stops ranks: first in order (unless forced), then their processes. A rank that cannot prepare stops it there. */
export async function stopSystem(context: ServerContext, request: SystemStopReq): Promise<SystemStopResp> {
  const db = context.ms.requireLeader();
  const selection = select(context, db, request);
  const answer = (results: RankResult[]): SystemStopResp => ({ results, ...absent(selection) });
  if (request.prep && !request.force) {
    const results = await context.hosts.onMembers('PrepShutdownRanks', selection.members, false);
    await recordStates(db, results);
    if (results.some((result) => result.errored)) {
      raiseFailure(context, RasId.SYSTEM_STOP_FAILED, 'prep shutdown', results);
      return answer(results);
    }
  }
  if (!request.kill) return answer([]);
  const results = await context.hosts.onMembers('StopRanks', selection.members, request.force);
  await recordStates(db, results);
  if (results.some((result) => result.errored)) {
    raiseFailure(context, RasId.SYSTEM_STOP_FAILED, 'stop', results);
  }
  return answer(results);
}

/** Starts ranks that are stopped; those that run are a success. */
export async function startSystem(context: ServerContext, request: SystemStartReq): Promise<SystemStartResp> {
  const db = context.ms.requireLeader();
  if (request.checkMode) throw new DaosError('NOSYS', 'the checker is not supported yet');
  const selection = select(context, db, request);
  const results = await context.hosts.onMembers('StartRanks', selection.members, false);
  await recordStates(db, results);
  if (results.some((result) => result.errored)) {
    raiseFailure(context, RasId.SYSTEM_START_FAILED, 'start', results);
  }
  return { results, ...absent(selection) };
}

/** Excludes ranks until they are cleared, or clears them: then they come back with their next start. */
export async function excludeRanks(
  context: ServerContext,
  request: SystemExcludeReq,
): Promise<SystemExcludeResp> {
  const db = context.ms.requireLeader();
  if (request.ranks === '' && request.hosts === '') {
    throw new DaosError('INVAL', 'no ranks or hosts specified');
  }
  const { members, absentRanks, absentHosts } = selectMembers(
    db.state.members,
    request.ranks,
    request.hosts,
    context.config.port,
  );
  if (absentRanks.size > 0) throw new Error(`invalid rank(s): ${absentRanks.toString()}`);
  if (absentHosts !== '') throw new Error(`invalid host(s): ${absentHosts}`);
  const state = request.clear ? 'Excluded' : 'AdminExcluded';
  const action = request.clear ? 'clear admin-excluded state' : 'set admin-excluded state';
  const results: RankResult[] = [];
  for (const member of members) {
    const mayChange = request.clear ? member.state === 'AdminExcluded' : member.state !== 'AdminExcluded';
    if (mayChange) await db.updateMember(member.rank, () => ({ state, info: '' }));
    results.push({
      rank: member.rank,
      action,
      errored: false,
      msg: '',
      state: state.toLowerCase(),
      addr: member.address,
    });
  }
  context.ms.groupUpdater.request();
  return { results };
}

function select(
  context: ServerContext,
  db: SystemDb,
  request: { ranks: string; hosts: string; ignoreAdminExcluded: boolean },
): Selection {
  if (db.state.members.length === 0) throw new DaosError('NONEXIST', 'the system has no members');
  const selection = selectMembers(db.state.members, request.ranks, request.hosts, context.config.port);
  return withoutAdminExcluded(selection, request.ignoreAdminExcluded);
}

function absent(selection: Selection): { absentranks: string; absenthosts: string } {
  return { absentranks: selection.absentRanks.toString(), absenthosts: selection.absentHosts };
}

/** Writes what happened into the database, where the transition is legal. */
async function recordStates(db: SystemDb, results: readonly RankResult[]): Promise<void> {
  for (const result of results) {
    const state = memberStateByName(result.state);
    if (!state) continue;
    await db.updateMember(
      result.rank,
      (member) => (isLegalTransition(member.state, state) ? { state, info: result.msg } : undefined),
    );
  }
}

function raiseFailure(
  context: ServerContext,
  id: number,
  action: string,
  results: readonly RankResult[],
): void {
  const failed = results.filter((result) => result.errored);
  const text = `System ${action} failed during "${action}" action, ${
    failed.map((result) => `rank ${result.rank} ${result.msg}`).join(', ')
  }`;
  context.events.publish(rasEvent(id, RasType.INFO, RasSeverity.ERROR, text));
}
