import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline/promises';

import { DaosError } from '@daos/common';

import { COMMANDS, runWords } from './commands/table.js';
import type { Session } from './session.js';
import { splitWords } from './words.js';

export interface Terminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

/** Runs the commands of a file, one a line, up to the first that fails. Empty lines and those after `#` are skipped. */
export async function runFile(session: Session, path: string): Promise<void> {
  const input = createReadStream(path);
  const opened = new Promise<void>((resolve, reject) => {
    input.once('open', () => resolve());
    input.once('error', (error) => reject(new DaosError('INVAL', `cannot read ${path}: ${error.message}`, { cause: error })));
  });
  await opened;
  const lines = createInterface({ input, crlfDelay: Infinity });
  try {
    for await (const line of lines) {
      if (line.trim() === '' || line.trimStart().startsWith('#')) continue;
      session.print(`$ ${line.trim()}`);
      await runWords(session, splitWords(line));
      if (session.isOver) return;
    }
  } finally {
    lines.close();
    input.destroy();
  }
}

/** Reads commands from a terminal until `quit` or its end. A command that fails says so and does not end it. */
export async function runInteractive(session: Session, { input, output }: Terminal, printError: (error: unknown) => void): Promise<void> {
  const names = COMMANDS.map(({ name }) => name);
  const completer = (line: string): [string[], string] => [names.filter((name) => name.startsWith(line)), line];
  const lines = createInterface({ input, output, prompt: '$ ', completer });
  try {
    lines.prompt();
    for await (const line of lines) {
      try {
        await runWords(session, splitWords(line));
      } catch (error) {
        printError(error);
      }
      if (session.isOver) return;
      lines.prompt();
    }
  } finally {
    lines.close();
  }
}
