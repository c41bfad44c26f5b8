import { DaosError } from '@daos/common';
import { ContextError, Fault } from '../src/index.js';
import { UsageError, VerbFailure, jsonText, parseCommandLine, runCli, type CliProgram, type VerbContext } from '../src/cli/index.js';

let ran: VerbContext | undefined;
let outcome: () => Promise<{ json: unknown } | undefined> = () => Promise.resolve(undefined);

const PROGRAM: CliProgram = {
  name: 'tool',
  description: 'A tool.',
  globals: [
    { flags: '-j, --json', description: 'JSON' },
    { flags: '-i, --insecure', description: 'plain' },
    { flags: '-l, --host-list <hosts>', description: 'hosts', hidden: true, ofVerbs: true },
  ],
  commands: [
    {
      name: 'pool',
      description: 'pools',
      commands: [
        {
          name: 'create',
          aliases: ['mk'],
          description: 'create',
          options: [
            { flags: '-z, --size <size>', description: 'size', parse: Number, typeName: 'main.size' },
            { flags: '-r, --ranks <ranks>', description: 'ranks', required: true },
            { flags: '-i, --id <id>', description: 'hides the global letter' },
          ],
          args: [{ name: '<pool label>', required: true }, { name: 'more' }],
          run: (context) => {
            ran = context;
            return outcome();
          },
        },
        { name: 'list', description: 'list', options: [{ flags: '-l, --host-list <hosts>', description: 'hosts' }], run: () => outcome() },
      ],
    },
    { name: 'version', description: 'version', run: () => outcome() },
  ],
};

function failure(...argv: string[]): string {
  try {
    parseCommandLine(PROGRAM, argv);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return 'no failure';
}

describe('a command line', () => {
  it('is refused in the words of the tools', () => {
    expect(failure()).toBe('Please specify one command of: pool or version');
    expect(failure('bogus')).toBe("Unknown command `bogus'. Please specify one command of: pool or version");
    expect(failure('pool')).toBe('Please specify one command of: create or list');
    expect(failure('pool', 'create', '--bogus=1')).toBe("unknown flag `bogus'");
    expect(failure('pool', 'create', '--size')).toBe("expected argument for flag `-z, --size'");
    expect(failure('pool', 'create', 'p')).toBe("the required flag `-r, --ranks' was not specified");
    expect(failure('pool', 'create', '-r', '1')).toBe('the required argument `<pool label>` was not provided');
    expect(failure('version', 'x', 'y')).toBe('unexpected commandline arguments: [x y]');
    expect(failure('-l', 'h', 'version')).toBe("unknown flag `l'/`host-list'");
  });

  it('takes global options anywhere; a verb may hide one', () => {
    const parsed = parseCommandLine(PROGRAM, ['-i', 'pool', 'mk', '-i', 'seven', '-r', '0', 'p1', '--json']);
    expect(parsed).toMatchObject({ options: { insecure: true, id: 'seven', ranks: '0', json: true }, args: ['p1', undefined] });
    expect(parseCommandLine(PROGRAM, ['-l', 'h', 'pool', 'list'])).toMatchObject({ options: { hostList: 'h' } });
  });

  it('shows help', () => {
    const parsed = parseCommandLine(PROGRAM, ['pool', 'create', '--help']);
    expect('help' in parsed && parsed.help).toContain('--size <size>');
  });
});

describe('running a command', () => {
  async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
    let out = '';
    let err = '';
    const code = await runCli(PROGRAM, argv, { stdout: { write: (text) => (out += text) }, stderr: { write: (text) => (err += text) } });
    return { code, out, err };
  }
  const LIST = ['pool', 'list'] as const;

  it('prints the JSON envelope', async () => {
    outcome = () => Promise.resolve({ json: { big: 2975155106022948864n, bytes: Buffer.from('v1') } });
    expect((await run('-j', ...LIST)).out).toBe(
      '{\n  "response": {\n    "big": 2975155106022948864,\n    "bytes": "djE="\n  },\n  "error": null,\n  "status": 0\n}\n',
    );
    outcome = () => Promise.resolve(undefined);
    expect(JSON.parse((await run('-j', ...LIST)).out)).toEqual({ response: null, error: null, status: 0 });
  });

  it('prints failures with their resolution and exits 1', async () => {
    outcome = () => Promise.reject(new ContextError('x failed', new Fault({ domain: 'client', code: 1, description: 'd', resolution: 'r' })));
    expect(await run(...LIST)).toEqual({
      code: 1,
      out: '',
      err: 'ERROR: tool: x failed: client: code = 1 description = "d"\nERROR: tool: client: code = 1 resolution = "r"\n',
    });
  });

  it('tells failures in JSON, those of the command line too', async () => {
    outcome = () => Promise.reject(new VerbFailure(new ContextError('p', new DaosError('BUSY')), { part: 1 }, new DaosError('BUSY')));
    const failed = await run('-j', ...LIST);
    expect(JSON.parse(failed.out)).toEqual({ response: { part: 1 }, error: 'DER_BUSY(-1012): Device or resource busy', status: -1012 });
    expect(failed.err).toBe('ERROR: tool: p: DER_BUSY(-1012): Device or resource busy\n');
    expect(JSON.parse((await run('bogus', '-ij')).out)).toMatchObject({ response: null, status: -1025 });
  });

  it('never shows a stack trace', async () => {
    outcome = () => Promise.reject(new TypeError('x is not\n a function'));
    expect((await run(...LIST)).err).toBe('ERROR: tool: x is not a function\n');
    expect(ran === undefined || ran.json).toBe(true);
  });
});

it('writes numbers that JavaScript cannot hold', () => {
  expect(jsonText([1n, -5n, 'n1'])).toBe('[\n  1,\n  -5,\n  "n1"\n]');
});
