import type { CliGroup, CliOption } from '@daos/control/cli';

import { later } from '../later.js';

const HOST_LIST: CliOption = { flags: '-l, --host-list <hosts>', description: 'hosts, such as node[1-3,7]:10001' };
const VERBOSE: CliOption = { flags: '-v, --verbose', description: 'every device' };

export const STORAGE_GROUP: CliGroup = {
  name: 'storage',
  description: 'storage of hosts',
  commands: [
    {
      name: 'format',
      description: 'prepare storage for use',
      options: [
        HOST_LIST,
        VERBOSE,
        { flags: '--force', description: 'format again what is formatted: destroys data' },
        { flags: '--replace', description: 'take over the ranks that the engines had' },
      ],
      run: async (context) => (await import('./format.js')).run(context),
    },
    { name: 'led', description: 'device lights', commands: [later('storage led', 'check'), later('storage led', 'identify')] },
    later('storage', 'nvme-add-device'),
    later('storage', 'nvme-rebind'),
    {
      name: 'query',
      description: 'use of storage',
      commands: [
        later('storage query', 'list-devices'),
        later('storage query', 'list-pools'),
        {
          name: 'usage',
          description: 'used and free space',
          options: [HOST_LIST],
          run: async (context) => (await import('./usage.js')).run(context),
        },
      ],
    },
    { name: 'replace', description: 'replace devices', commands: [later('storage replace', 'nvme')] },
    {
      name: 'scan',
      description: 'show storage devices',
      options: [HOST_LIST, VERBOSE, { flags: '-n, --nvme-health', description: 'health of SSDs' }],
      run: async (context) => (await import('./scan.js')).run(context),
    },
    { name: 'set', description: 'change devices', commands: [later('storage set', 'nvme-faulty')] },
  ],
};
