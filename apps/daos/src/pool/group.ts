import type { CliArgument, CliGroup, CliOption } from '@daos/control/cli';

import { POOL_ARGUMENT } from '../arguments.js';
import { later } from '../later.js';

const KEY_VALUES: CliArgument = { name: 'key:val[,key:val...]' };
const KEYS: CliArgument = { name: 'key[,key...]' };
const VERBOSE: CliOption = { flags: '-v, --verbose', description: 'more detail' };

export const POOL_GROUP: CliGroup = {
  name: 'pool',
  description: 'pools',
  commands: [
    later('pool', 'autotest'),
    {
      name: 'del-attr',
      aliases: ['delattr'],
      description: 'remove attributes',
      args: [POOL_ARGUMENT, KEYS],
      run: async (context) => (await import('./attributes.js')).runDelete(context),
    },
    {
      name: 'get-attr',
      aliases: ['getattr'],
      description: 'show attributes',
      args: [POOL_ARGUMENT, KEYS],
      run: async (context) => (await import('./attributes.js')).runGet(context),
    },
    {
      name: 'list',
      aliases: ['ls'],
      description: 'list pools that this user may use',
      options: [VERBOSE, { flags: '-n, --no-query', description: 'do not ask the pools for their space' }],
      run: async (context) => (await import('./list.js')).run(context),
    },
    {
      name: 'list-attr',
      aliases: ['list-attrs', 'lsattr'],
      description: 'list attributes',
      options: [{ flags: '-V, --verbose', description: 'values too' }],
      args: [POOL_ARGUMENT],
      run: async (context) => (await import('./attributes.js')).runList(context),
    },
    {
      name: 'list-containers',
      aliases: ['list-cont'],
      description: 'list containers',
      options: [VERBOSE],
      args: [POOL_ARGUMENT],
      run: async (context) => (await import('../container/list.js')).run(context),
    },
    {
      name: 'query',
      description: 'show state, health and space',
      options: [
        { flags: '-e, --show-enabled', description: 'ranks in use as well' },
        { flags: '-t, --health-only', description: 'without space' },
      ],
      args: [POOL_ARGUMENT],
      run: async (context) => (await import('./query.js')).run(context),
    },
    later('pool', 'query-targets'),
    {
      name: 'set-attr',
      aliases: ['setattr'],
      description: 'set attributes',
      args: [POOL_ARGUMENT, KEY_VALUES],
      run: async (context) => (await import('./attributes.js')).runSet(context),
    },
  ],
};
