import { describeError, jsonStatus, resolutionOf } from '../error_text.js';
import { InterruptedError, UsageError, VerbFailure, type CliOutput, type CliProgram, type VerbContext } from './definition.js';
import { jsonText } from './json_text.js';
import { parseCommandLine } from './parser.js';

const EXIT_FAILURE = 1;
const EXIT_INTERRUPTED = 130;
const PROXY_VARIABLES = ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'];

export interface CliStreams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean };
}

/**
 * Runs a command line and returns the exit code. Every failure is one line on stderr, and in JSON mode an envelope on
 * stdout; a stack trace never shows.
 */
export async function runCli(
  program: CliProgram,
  argv: readonly string[],
  streams: CliStreams = process,
  signal: AbortSignal = new AbortController().signal,
): Promise<number> {
  // Known before parsing: failures of parsing are told in JSON as well.
  let json = asksForJson(argv);
  const fail = (error: unknown, response: unknown = null, jsonError: unknown = error): number => {
    if (json) streams.stdout.write(envelope(response, describeError(jsonError), jsonStatus(jsonError)));
    const prefix = program.bareErrors ? 'ERROR: ' : `ERROR: ${program.name}: `;
    streams.stderr.write(`${prefix}${describeError(error)}\n`);
    const resolution = resolutionOf(error);
    if (resolution !== undefined) streams.stderr.write(`${prefix}${resolution}\n`);
    return EXIT_FAILURE;
  };
  try {
    const parsed = parseCommandLine(program, argv);
    if ('help' in parsed) {
      streams.stdout.write(parsed.help);
      return 0;
    }
    json = parsed.options.json === true;
    if (parsed.options.allowProxy !== true) clearProxies();
    const context: VerbContext = { options: parsed.options, args: parsed.args, json, io: makeOutput(streams, json), signal };
    const result = await parsed.verb.run(context);
    if (json) streams.stdout.write(envelope(result?.json ?? null, null, 0));
    return 0;
  } catch (error) {
    if (signal.aborted) {
      fail(error instanceof InterruptedError ? error : new InterruptedError('interrupted'));
      return EXIT_INTERRUPTED;
    }
    if (error instanceof VerbFailure) return fail(error.failure, error.response, error.jsonFailure);
    if (wantsStacks() && !(error instanceof UsageError)) streams.stderr.write(`${debugText(error)}\n`);
    return fail(error);
  }
}

/** Runs a command line as this process: Ctrl-C aborts the verb, it ends when all is written. */
export async function runCliProcess(program: CliProgram): Promise<void> {
  const controller = new AbortController();
  let interrupts = 0;
  const onSignal = (): void => {
    // The second one is for those who cannot wait.
    if (++interrupts > 1) process.exit(EXIT_INTERRUPTED);
    controller.abort(new Error('interrupted'));
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  // A reader such as `head` that has seen enough is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : EXIT_FAILURE));
  // A bug somewhere below is told like any failure; with DAOS_DEBUG_STACK=1 it shows where it is.
  process.on('uncaughtException', (error) => {
    process.stderr.write(`ERROR: ${program.name}: internal error: ${debugText(error)}\n`);
    process.exit(EXIT_FAILURE);
  });
  const code = await runCli(program, process.argv.slice(2), process, controller.signal);
  // What a failed call may have left open must not keep the process; what was printed must not be lost.
  await Promise.all([written(process.stdout), written(process.stderr)]);
  process.exit(code);
}

/** Servers are on the cluster's own network. */
function clearProxies(): void {
  for (const name of PROXY_VARIABLES) Reflect.deleteProperty(process.env, name);
}

function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()));
}

function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end < 0 ? undefined : end).some((word) => word === '--json' || /^-[a-zA-Z]*j[a-zA-Z]*$/.test(word));
}

function envelope(response: unknown, error: string | null, status: number): string {
  return `${jsonText({ response, error, status })}\n`;
}

function makeOutput(streams: CliStreams, json: boolean): CliOutput {
  return {
    print: (text) => {
      if (!json) streams.stdout.write(text);
    },
    printAlways: (text) => streams.stdout.write(text),
    notice: (text) => streams.stderr.write(`NOTICE: ${text}\n`),
    error: (text) => streams.stderr.write(`ERROR: ${text}\n`),
    stderrIsTerminal: streams.stderr.isTTY === true,
  };
}

function wantsStacks(): boolean {
  return process.env.DAOS_DEBUG_STACK === '1';
}

function debugText(error: unknown): string {
  if (!wantsStacks()) return describeError(error);
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
