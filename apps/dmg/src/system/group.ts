import { parseMemberStates, RankSet } from '@daos/control';
import type { CliGroup, CliOption } from '@daos/control/cli';

import { later } from '../later.js';
import { LIST_POOLS_OPTIONS } from '../pool/group.js';

/** Checks a rank list while parsing, so that the flag is named in the error. */
export function rankSetText(text: string): string {
  return RankSet.parse(text).toString();
}

function memberStates(text: string): number {
  const parsed = parseMemberStates(text);
  if ('invalid' in parsed) throw new Error(`invalid state name ${JSON.stringify(parsed.invalid)}`);
  return parsed.mask;
}

const SELECTION_OPTIONS: readonly CliOption[] = [
  { flags: '-r, --ranks <ranks>', description: 'ranks, such as 0-3,7', parse: rankSetText, typeName: 'ui.RankSetFlag' },
  { flags: '--rank-hosts <hosts>', description: 'ranks on these hosts' },
];

const IGNORE_EXCLUDED: CliOption = { flags: '--ignore-admin-excluded', description: 'leave out ranks that were excluded by hand' };

export const SYSTEM_GROUP: CliGroup = {
  name: 'system',
  aliases: ['sys'],
  description: 'members of the system',
  commands: [
    later('system', 'cleanup'),
    later('system', 'clear-exclude'),
    later('system', 'del-attr'),
    later('system', 'drain'),
    later('system', 'erase'),
    later('system', 'exclude'),
    later('system', 'get-attr'),
    later('system', 'get-prop'),
    {
      name: 'leader-query',
      description: "show the management service's leader",
      options: [{ flags: '-N, --down-replicas', description: 'only replicas that do not answer' }],
      run: async (context) => (await import('./leader_query.js')).run(context),
    },
    {
      name: 'list-pools',
      description: 'list pools',
      options: LIST_POOLS_OPTIONS,
      run: async (context) => (await import('../pool/list.js')).run(context),
    },
    {
      name: 'query',
      description: 'show ranks and their states',
      options: [
        ...SELECTION_OPTIONS,
        { flags: '-v, --verbose', description: 'addresses, UUIDs and reasons as well' },
        { flags: '--not-ok', description: 'only ranks that are not joined' },
        { flags: '--with-states <states>', description: 'only ranks in these states', parse: memberStates, typeName: 'ui.MemberStateSetFlag' },
      ],
      run: async (context) => (await import('./query.js')).run(context),
    },
    {
      name: 'rebuild',
      description: 'rebuild of all pools',
      commands: [later('system rebuild', 'start'), later('system rebuild', 'stop')],
    },
    later('system', 'reintegrate', ['reint']),
    { name: 'self-heal', description: 'self-healing', commands: [later('system self-heal', 'eval')] },
    later('system', 'set-attr'),
    later('system', 'set-prop'),
    {
      name: 'start',
      description: 'start stopped ranks',
      options: [...SELECTION_OPTIONS, IGNORE_EXCLUDED],
      run: async (context) => (await import('./start_stop.js')).runStart(context),
    },
    {
      name: 'stop',
      description: 'stop ranks',
      options: [
        ...SELECTION_OPTIONS,
        IGNORE_EXCLUDED,
        { flags: '--force', description: 'kill the engines (the default)' },
        { flags: '--full', description: 'stop the engines in order', hidden: true },
      ],
      run: async (context) => (await import('./start_stop.js')).runStop(context),
    },
  ],
};
