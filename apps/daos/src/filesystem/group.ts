import type { CliGroup } from '@daos/control/cli';

import { later } from '../later.js';

export const FILESYSTEM_GROUP: CliGroup = {
  name: 'filesystem',
  aliases: ['fs'],
  description: 'files in POSIX containers',
  commands: [
    later('filesystem', 'check'),
    later('filesystem', 'chmod'),
    {
      name: 'copy',
      description: 'copy files and folders in, out or between containers',
      options: [
        { flags: '-s, --src <path>', description: 'source: a path, or daos://pool/container[/path]', required: true },
        { flags: '-d, --dst <path>', description: 'target: a path, or daos://pool/container[/path]', required: true },
        { flags: '-m, --preserve-props <file>', description: 'properties file (not in this release)' },
        { flags: '--ignore-unsupported', description: 'leave out what the target cannot store' },
      ],
      run: async (context) => (await import('./copy/verb.js')).run(context),
    },
    later('filesystem', 'evict'),
    later('filesystem', 'fix-entry'),
    later('filesystem', 'fix-root'),
    later('filesystem', 'fix-sb'),
    later('filesystem', 'get-attr'),
    later('filesystem', 'query'),
    later('filesystem', 'reset-attr'),
    later('filesystem', 'reset-chunk-size'),
    later('filesystem', 'reset-oclass'),
    later('filesystem', 'scan'),
    later('filesystem', 'set-attr'),
  ],
};
