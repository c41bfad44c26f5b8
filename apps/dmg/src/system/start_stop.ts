import { ContextError, RankSet, formatTable, systemStart, systemStop } from '@daos/control';
import { VerbFailure, type VerbContext, type VerbResult } from '@daos/control/cli';
import type { RankResult } from '@daos/proto/shared/ranks';

import { failAs, withControl } from '../session.js';
import { groupRanks } from './rank_groups.js';
import { absentFailure, absentMembers, memberSelection, reportAbsent } from './selection.js';

interface RankResults {
  readonly results: readonly RankResult[];
  readonly absentranks: string;
  readonly absenthosts: string;
}

/** Separates operation and outcome inside a group's key; neither text can hold it. */
const KEY_SEPARATOR = '\u0000';

/** `dmg system start`. */
export async function runStart(context: VerbContext): Promise<VerbResult> {
  const ignoreAdminExcluded = context.options.ignoreAdminExcluded === true;
  return runOnRanks(context, 'system start failed', async () =>
    withControl(context, (client) => systemStart(client, { ...memberSelection(context), ignoreAdminExcluded })),
  );
}

/** `dmg system stop`: kills unless `--full` asks for an orderly stop, as DAOS does. */
export async function runStop(context: VerbContext): Promise<VerbResult> {
  const { force, full } = context.options;
  const ignoreAdminExcluded = context.options.ignoreAdminExcluded === true;
  return runOnRanks(context, 'system stop failed', async () => {
    if (force === true && full === true) throw new Error('--force and --full options cannot be set together');
    const selection = memberSelection(context);
    return withControl(context, (client) => systemStop(client, { ...selection, force: full !== true, ignoreAdminExcluded }));
  });
}

async function runOnRanks(context: VerbContext, failureText: string, work: () => Promise<RankResults>): Promise<VerbResult> {
  const response = await work().catch(failAs(failureText));
  const absent = absentMembers(response);
  context.io.print(resultTable(response.results));
  if (!context.json) reportAbsent(context.io, absent);
  const json = { Results: response.results.length === 0 ? null : response.results.map(resultJson) };
  const failure = absentFailure(absent) ?? rankFailure(response.results);
  if (failure) throw new VerbFailure(new ContextError(failureText, failure), json, failure);
  return { json };
}

function resultTable(results: readonly RankResult[]): string {
  if (results.length === 0) return 'No results returned\n';
  const groups = groupRanks(
    results.map((result) => ({ rank: result.rank, key: `${result.action}${KEY_SEPARATOR}${result.errored ? result.msg : 'OK'}` })),
  );
  return formatTable(
    ['Rank', 'Operation', 'Result'],
    groups.map(({ ranks, key }) => {
      const [operation = '', outcome = ''] = key.split(KEY_SEPARATOR);
      return { Rank: ranks.toRangedString(), Operation: operation, Result: outcome };
    }),
  );
}

function rankFailure(results: readonly RankResult[]): Error | undefined {
  const failed = new RankSet(results.filter((result) => result.errored).map((result) => result.rank));
  if (failed.size === 0) return undefined;
  return new Error(`failed rank${failed.size === 1 ? '' : 's'} ${failed}`);
}

function resultJson(result: RankResult): Record<string, unknown> {
  return { state: result.state, Addr: result.addr, Rank: result.rank, Action: result.action, Errored: result.errored, Msg: result.msg };
}
