import type { CliOption, CliProgram, CliVerb, VerbContext, VerbResult } from '@daos/control/cli';
import { DAOS_VERSION } from '@daos/control';

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new Error(`"${text}" is not a whole number`);
  return value;
}

const CONFIG: CliOption = { flags: '-o, --config <path>', description: 'configuration file' };

const start: CliVerb = {
  name: 'start',
  description: 'start daos_server and its engines',
  options: [
    CONFIG,
    { flags: '-p, --port <number>', description: 'control port', parse: wholeNumber, typeName: 'uint16' },
    {
      flags: '-t, --targets <count>',
      description: 'targets of each engine',
      parse: wholeNumber,
      typeName: 'uint16',
    },
    { flags: '-m, --modules <list>', description: 'modules that engines load' },
    { flags: '-g, --group <name>', description: 'system name' },
    { flags: '-d, --socket_dir <path>', description: 'folder of Unix sockets' },
    { flags: '-i, --insecure', description: 'run without certificates' },
    { flags: '--auto-format', description: 'format storage without being asked' },
  ],
  run: async (context) => {
    const { runStart } = await import('./start.js');
    return runStart(context);
  },
};

function showVersion(context: VerbContext): Promise<VerbResult> {
  const name = 'DAOS Control Server';
  context.io.print(`${name} version ${DAOS_VERSION}\n`);
  return Promise.resolve({ json: { name, version: DAOS_VERSION } });
}

/** The command line of `daos_server`. */
export const PROGRAM: CliProgram = {
  name: 'daos_server',
  description: 'control plane of one host of a DAOS system',
  bareErrors: true,
  globals: [
    { flags: '-j, --json', description: 'JSON output' },
    { flags: '-J, --json-logging', description: 'log as JSON' },
    { flags: '-b, --debug', description: 'log debug messages' },
    { flags: '--allow-proxy', description: 'keep proxy variables of the environment' },
  ],
  commands: [start, { name: 'version', description: 'print the version', run: showVersion }],
};
