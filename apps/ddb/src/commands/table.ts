import { readFileSync } from 'node:fs';

import { DaosError } from '@daos/common';

import { commandRun, commandUsage, type DdbCommand } from '../command.js';
import type { Session } from '../session.js';
import { DEVICE_COMMANDS } from './device.js';
import { DTX_COMMANDS } from './dtx.js';
import { LOG_COMMANDS } from './log.js';
import { SHARD_COMMANDS } from './shard.js';
import { TREE_COMMANDS } from './tree.js';
import { VALUE_COMMANDS } from './value.js';

const version: DdbCommand = {
  name: 'version',
  description: 'show the version of ddb',
  run(session) {
    session.print(`ddb version ${ddbVersion()}`);
  },
};

const quit: DdbCommand = {
  name: 'quit',
  aliases: ['q', 'exit'],
  description: 'end ddb',
  run(session) {
    session.isOver = true;
  },
};

const help: DdbCommand = {
  name: 'help',
  description: 'show what there is; COMMAND --help shows more',
  args: ['[command]'],
  async run(session, { args: [name] }) {
    if (name !== undefined) {
      await commandRun(commandOf(name), ['--help'], session);
      return;
    }
    const usages = COMMANDS.map(commandUsage);
    const width = Math.max(...usages.map(({ length }) => length));
    COMMANDS.forEach(({ description }, at) => session.print(`${(usages[at] ?? '').padEnd(width)}  ${description}`));
  },
};

export const COMMANDS: readonly DdbCommand[] = [
  ...TREE_COMMANDS,
  ...SHARD_COMMANDS,
  ...VALUE_COMMANDS,
  ...LOG_COMMANDS,
  ...DTX_COMMANDS,
  ...DEVICE_COMMANDS,
  version,
  help,
  quit,
].toSorted((a, b) => (a.name < b.name ? -1 : 1));

const BY_NAME = new Map(COMMANDS.flatMap((command) => [command.name, ...(command.aliases ?? [])].map((name) => [name, command] as const)));

export function isCommand(name: string): boolean {
  return BY_NAME.has(name);
}

/** DER_INVAL when there is no such command. */
export function commandOf(name: string): DdbCommand {
  const command = BY_NAME.get(name);
  if (!command) throw new DaosError('INVAL', `unknown command "${name}": help shows what there is`);
  return command;
}

/** Runs one command: its name and its words. Nothing for no words. */
export async function runWords(session: Session, words: readonly string[]): Promise<void> {
  const [name, ...rest] = words;
  if (name !== undefined) await commandRun(commandOf(name), rest, session);
}

export function ddbVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  const { version: number } = JSON.parse(text) as { version: string };
  return number;
}
