import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync, readdirSync } from 'node:fs';

/** A child process of the local system, with its output in a log file. */
export class ManagedProcess {
  readonly pid: number;
  /** Resolves when the process has ended. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  private running = true;

  private constructor(
    readonly name: string,
    readonly logFile: string,
    private readonly child: ChildProcess,
  ) {
    if (child.pid === undefined) throw new Error(`${name} could not be started`);
    this.pid = child.pid;
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.running = false;
        resolve({ code, signal });
      });
    });
  }

  /** Starts a Node program in a session of its own, so that Ctrl-C in the terminal reaches only the caller. */
  static start(name: string, script: string, args: readonly string[], options: { cwd: string; logFile: string; env?: NodeJS.ProcessEnv }): ManagedProcess {
    const log = openSync(options.logFile, 'a');
    try {
      const child = spawn(process.execPath, [script, ...args], {
        cwd: options.cwd,
        env: { ...process.env, ...options.env },
        stdio: ['ignore', log, log],
        detached: true,
      });
      return new ManagedProcess(name, options.logFile, child);
    } finally {
      closeSync(log);
    }
  }

  get isRunning(): boolean {
    return this.running;
  }

  kill(signal: NodeJS.Signals): void {
    if (this.running) this.child.kill(signal);
  }

  /** SIGTERM, then SIGKILL when the process has not ended after `timeoutMs`. True when it ended by itself with 0. */
  async stop(timeoutMs: number): Promise<boolean> {
    if (!this.running) return false;
    this.kill('SIGTERM');
    const timer = setTimeout(() => this.kill('SIGKILL'), timeoutMs);
    const { code } = await this.exited;
    clearTimeout(timer);
    return code === 0;
  }

  /** Last lines of the log, for an error message. */
  logTail(lines = 5): string {
    try {
      return readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
    } catch {
      return '';
    }
  }
}

/** Pids of the direct children of a process, from /proc. */
export function childPids(parent: number): number[] {
  const pids: number[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (Number(afterName[1]) === parent) pids.push(Number(entry));
    } catch {
      // The process ended while the list was read.
    }
  }
  return pids;
}
