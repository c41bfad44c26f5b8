import type { CliGroup, CliOption, CliProgram, CliVerb } from '@daos/control/cli';

import { POOL_GROUP } from './pool/group.js';
import { STORAGE_GROUP } from './storage/group.js';
import { SYSTEM_GROUP } from './system/group.js';
import { later } from './later.js';

const GLOBAL_OPTIONS: readonly CliOption[] = [
  { flags: '--allow-proxy', description: 'keep proxy environment variables' },
  { flags: '-i, --insecure', description: 'talk without certificates' },
  { flags: '-d, --debug', description: 'tell of every request on stderr' },
  { flags: '--log-file <file>', description: 'tell of every request in a file' },
  { flags: '-j, --json', description: 'print JSON' },
  { flags: '-J, --json-logging', description: 'log in JSON' },
  { flags: '-o, --config-path <file>', description: 'configuration file' },
  { flags: '-l, --host-list <hosts>', description: 'hosts, for verbs that take them', hidden: true, ofVerbs: true },
];

const SERVER_VERSION: CliVerb = {
  name: 'server-version',
  description: "show the servers' version",
  run: async (context) => (await import('./version.js')).showServerVersion(context),
};

const VERSION: CliVerb = {
  name: 'version',
  description: 'show the version of dmg',
  run: async (context) => (await import('./version.js')).showVersion(context),
};

function group(name: string, description: string, commands: readonly (CliVerb | CliGroup)[], aliases: readonly string[] = []): CliGroup {
  return { name, description, commands, aliases };
}

export const PROGRAM: CliProgram = {
  name: 'dmg',
  description: 'Administers a DAOS system: storage, members, pools.',
  globals: GLOBAL_OPTIONS,
  commands: [
    group(
      'check',
      'find and repair inconsistencies',
      ['disable', 'enable', 'get-policy', 'query', 'repair', 'set-policy', 'start', 'stop'].map((name) => later('check', name)),
    ),
    group('config', 'server configuration', [later('config', 'generate', ['gen'])]),
    group('container', 'containers', [later('container', 'set-owner')], ['cont']),
    group('network', 'fabric', [later('network', 'scan')]),
    POOL_GROUP,
    group('server', 'servers', [later('server', 'set-logmasks', ['slm'])]),
    SERVER_VERSION,
    STORAGE_GROUP,
    group('support', 'support', [later('support', 'collect-log')]),
    SYSTEM_GROUP,
    group('telemetry', 'metrics', [
      later('telemetry', 'config'),
      group('metrics', 'metrics of a host', [later('telemetry metrics', 'list'), later('telemetry metrics', 'query')]),
    ]),
    VERSION,
  ],
};
