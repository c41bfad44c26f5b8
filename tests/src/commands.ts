import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const WORKSPACE = resolve(fileURLToPath(import.meta.url), '../../../..');

export interface CommandResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Whole process, milliseconds. */
  readonly ms: number;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Runs as this user and group; only root can. */
  readonly uid?: number;
  readonly timeoutMs?: number;
}

/** Runs one of our programs (`daos`, `dmg`, `daos_server`, ...) to its end. */
export function runCommand(app: string, bin: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const started = performance.now();
  return new Promise((done, fail) => {
    const program = [process.execPath, resolve(WORKSPACE, 'apps', app, 'bin', `${bin}.mjs`), ...args];
    const [command = '', ...rest] = options.uid === undefined ? program : [...asUser(options.uid), ...program];
    const child = spawn(command, rest, {
      cwd: options.cwd,
      env: { ...process.env, NODE_OPTIONS: '', ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: options.timeoutMs ?? 60_000,
      killSignal: 'SIGKILL',
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.once('error', fail);
    child.once('close', (code, signal) => {
      const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString();
      done({ code, signal, stdout: text(out), stderr: text(err), ms: performance.now() - started });
    });
  });
}

/**
 * Prefix that runs a program as another user who may still read the tree: a clone in a private folder is closed to
 * everybody else, and the program has to be loaded from it.
 */
function asUser(uid: number): string[] {
  const caps = '+dac_read_search';
  return ['setpriv', '--reuid', String(uid), '--regid', String(uid), '--clear-groups', '--inh-caps', caps, '--ambient-caps', caps];
}

/** True when a text looks like a stack trace, which no user of ours should ever see. */
export function hasStackTrace(result: CommandResult): boolean {
  return /\n\s+at .+[(:]\d+/.test(result.stdout + result.stderr);
}
