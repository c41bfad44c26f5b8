import { DaosError } from '@daos/common';
import { Command, CommanderError } from 'commander';

import type { Session } from './session.js';

export interface CommandOption {
  /** As commander takes it: `-d, --details`, `-e, --epoch <epoch>`. */
  readonly flags: string;
  readonly description: string;
}

/** What a command was called with. */
export interface Invocation {
  readonly args: readonly (string | undefined)[];
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
}

/** A command of ddb. */
export interface DdbCommand {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly description: string;
  /** As commander takes them: `[path]`, `<path>`. */
  readonly args?: readonly string[];
  readonly options?: readonly CommandOption[];
  /** It modifies the open shard, which must be open for writing then. */
  readonly modifies?: boolean;
  run(session: Session, invocation: Invocation): Promise<void> | void;
}

/** Runs a command with the words after its name. DER_INVAL for words that it does not take. */
export async function commandRun(command: DdbCommand, words: readonly string[], session: Session): Promise<void> {
  const parser = parserOf(command, session);
  try {
    parser.parse(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return;
    throw new DaosError('INVAL', `${command.name}: ${error.message.replace(/^error: /, '')}`);
  }
  if (command.modifies) session.checkWritable(command.name);
  await command.run(session, { args: parser.args, options: parser.opts() });
}

/** Usage of a command in one line. */
export function commandUsage({ name, args = [], options = [] }: DdbCommand): string {
  return [name, ...args, ...options.map(({ flags }) => `[${flags.replace(/^(-\w), --[\w-]+/, '$1')}]`)].join(' ');
}

function parserOf({ name, description, args = [], options = [] }: DdbCommand, session: Session): Command {
  const parser = new Command(name)
    .description(description)
    .exitOverride()
    .allowExcessArguments(false)
    .configureOutput({ writeOut: (text) => session.print(text.trimEnd()), writeErr: () => undefined });
  for (const arg of args) parser.argument(arg);
  for (const { flags, description: text } of options) parser.option(flags, text);
  return parser;
}
