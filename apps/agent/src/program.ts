import type { CliOption, CliProgram, CliVerb } from '@daos/control/cli';

const GLOBALS: readonly CliOption[] = [
  { flags: '--allow-proxy', description: 'keep proxy environment variables' },
  { flags: '-d, --debug', description: 'log more' },
  { flags: '-j, --json', description: 'print JSON' },
  { flags: '-J, --json-logging', description: 'log in JSON' },
  { flags: '-o, --config-path <file>', description: 'configuration file' },
  { flags: '-i, --insecure', description: 'work without certificates' },
  { flags: '-s, --runtime_dir <dir>', description: 'folder of the socket' },
  { flags: '-l, --logfile <file>', description: 'log file' },
];

const VERBS: readonly CliVerb[] = [
  {
    name: 'start',
    description: 'serve the clients of this host (the default)',
    run: async (context) => (await import('./verbs/start.js')).start(context),
  },
  {
    name: 'version',
    description: 'show the version of the agent',
    run: async (context) => (await import('./verbs/version.js')).showVersion(context),
  },
  {
    name: 'server-version',
    description: 'show the version of the servers',
    run: async (context) => (await import('./verbs/attach_info.js')).showServerVersion(context),
  },
  {
    name: 'dump-attachinfo',
    description: 'show ranks and their addresses',
    options: [{ flags: '-o, --output <file>', description: 'write to a file' }],
    run: async (context) => (await import('./verbs/attach_info.js')).dumpAttachInfo(context),
  },
  {
    name: 'net-scan',
    description: 'show network interfaces that clients can use',
    options: [{ flags: '-p, --provider <name>', description: 'only this provider' }],
    run: async (context) => (await import('./verbs/net_scan.js')).netScan(context),
  },
];

export const PROGRAM: CliProgram = {
  name: 'daos_agent',
  description: 'Gives the DAOS clients of this host their credentials and the way to the engines.',
  globals: GLOBALS,
  commands: VERBS,
};

/** A command line without a verb means `start`. */
export function withDefaultVerb(argv: readonly string[]): string[] {
  const takesValue = new Set(GLOBALS.filter(({ flags }) => flags.includes('<')).flatMap(({ flags }) => flags.replace(/<.*$/, '').split(/[,\s]+/)));
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? '';
    if (!word.startsWith('-') || word === '-h' || word === '--help') return [...argv];
    if (takesValue.has(word)) i++;
  }
  return [...argv, 'start'];
}
