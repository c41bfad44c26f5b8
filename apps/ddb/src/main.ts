import { DaosError } from '@daos/common';
import { Command, CommanderError } from 'commander';

import { ddbVersion, isCommand, runWords } from './commands/table.js';
import type { DdbStore } from './pool/ddb_store.js';
import { VosDdbStore } from './pool/vos_ddb_store.js';
import { Session } from './session.js';
import { runFile, runInteractive, type Terminal } from './shell.js';

/** Where ddb reads and writes. */
export interface DdbStreams extends Terminal {
  readonly error: NodeJS.WritableStream;
}

interface MainOptions {
  readonly write_mode?: boolean;
  readonly db_path?: string;
  readonly cmd_file?: string;
  readonly vos_path?: string;
}

const STREAMS: DdbStreams = { input: process.stdin, output: process.stdout, error: process.stderr };

/** Runs ddb with the words of a command line; the result is its exit code. */
export async function main(argv: readonly string[], streams = STREAMS, store: DdbStore = new VosDdbStore()): Promise<number> {
  const printError = (error: unknown): void => {
    streams.error.write(`ddb: ${error instanceof Error ? error.message : String(error)}\n`);
  };
  const program = programOf(streams);
  try {
    program.parse(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    throw error;
  }
  const options = program.opts<MainOptions>();
  const print = printTo(streams.output);
  const dbPath = options.db_path === undefined ? {} : { dbPath: options.db_path };
  const session = new Session(store, print, { write: options.write_mode === true, ...dbPath });
  const succeeds = async (work: Promise<void>): Promise<boolean> => {
    try {
      await work;
      return true;
    } catch (error) {
      printError(error);
      return false;
    }
  };
  const ran = await succeeds(run(session, options, program.args, streams, printError));
  const closed = await succeeds(session.close());
  return ran && closed ? 0 : 1;
}

/**
 * Prints lines to a stream. When its reader is gone the next line fails with DER_CANCELED, which ends a command
 * between two of its steps, and the shard is closed as ever.
 */
function printTo(output: NodeJS.WritableStream): (line: string) => void {
  let failure: Error | undefined;
  output.once('error', (error) => {
    failure = error;
  });
  return (line) => {
    if (failure) throw new DaosError('CANCELED', `cannot write to the output: ${failure.message}`, { cause: failure });
    output.write(`${line}\n`);
  };
}

async function run(
  session: Session,
  options: MainOptions,
  args: readonly string[],
  streams: DdbStreams,
  printError: (error: unknown) => void,
): Promise<void> {
  let words = args;
  let path = options.vos_path;
  // the first word is a path unless a command has its name
  if (path === undefined && words[0] !== undefined && !isCommand(words[0])) [path, ...words] = words;
  if (path !== undefined) await session.open(path, session.options);
  if (words.length > 0) await runWords(session, words);
  else if (options.cmd_file !== undefined) await runFile(session, options.cmd_file);
  else await runInteractive(session, streams, printError);
}

function programOf({ output, error }: DdbStreams): Command {
  return new Command('ddb')
    .description('Looks into a pool shard that no engine has open, and repairs it. Without a command it is interactive.')
    .argument('[vos_path]', 'shard to open: .../POOL_UUID/vos-N')
    .argument('[command...]', 'command to run: ddb help shows them')
    .option('-w, --write_mode', 'open the shard to modify it')
    .option('-f, --cmd_file <path>', 'run the commands of a file')
    .option('-p, --db_path <path>', "folder of the system's database")
    .option('-s, --vos_path <path>', 'shard to open')
    .version(`ddb version ${ddbVersion()}`, '-v, --version')
    .passThroughOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void output.write(text),
      writeErr: (text) => void error.write(text),
    });
}
