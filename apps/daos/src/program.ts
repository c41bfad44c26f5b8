import type { CliGroup, CliOption, CliProgram } from '@daos/control/cli';

import { CONTAINER_GROUP } from './container/group.js';
import { FILESYSTEM_GROUP } from './filesystem/group.js';
import { CONTAINER_ARGUMENTS, PATH_OPTION } from './arguments.js';
import { later } from './later.js';
import { POOL_GROUP } from './pool/group.js';

const GLOBAL_OPTIONS: readonly CliOption[] = [
  { flags: '--debug', description: 'show more of failures' },
  { flags: '--verbose', description: 'more detail' },
  { flags: '-j, --json', description: 'print JSON' },
  { flags: '-G, --sys-name <name>', description: 'system name' },
];

const HEALTH_GROUP: CliGroup = {
  name: 'health',
  description: 'health of the system',
  commands: [later('health', 'check'), later('health', 'net-test')],
};

const OBJECT_GROUP: CliGroup = {
  name: 'object',
  aliases: ['obj'],
  description: 'objects',
  commands: [
    {
      name: 'query',
      description: 'show where an object lives',
      options: [PATH_OPTION, { flags: '-i, --oid <oid>', description: 'object id, HI.LO' }],
      args: [...CONTAINER_ARGUMENTS, { name: '<DAOS object id (HI.LO)>' }],
      run: async (context) => (await import('./object/query.js')).run(context),
    },
  ],
};

const SYSTEM_GROUP: CliGroup = {
  name: 'system',
  aliases: ['sys'],
  description: 'the system',
  commands: [
    {
      name: 'query',
      description: 'show what this client knows of the system',
      run: async (context) => (await import('./system/query.js')).run(context),
    },
  ],
};

export const PROGRAM: CliProgram = {
  name: 'daos',
  description: 'Works with pools, containers, objects and files of a DAOS system.',
  globals: GLOBAL_OPTIONS,
  commands: [
    CONTAINER_GROUP,
    FILESYSTEM_GROUP,
    HEALTH_GROUP,
    OBJECT_GROUP,
    POOL_GROUP,
    {
      name: 'server-version',
      description: "show the servers' version",
      run: async (context) => (await import('./system/version.js')).showServerVersion(context),
    },
    SYSTEM_GROUP,
    {
      name: 'version',
      description: 'show the version of daos',
      run: async (context) => (await import('./system/version.js')).showVersion(context),
    },
  ],
};
