import { spawn, type ChildProcess } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

import { Fault, type ControlLog } from '@daos/control';
import { z } from 'zod';

import type { EngineCommand } from './engine_command.js';
import { identifyProcess, isSameProcess, runsProgram, type ProcessIdentity } from './process_identity.js';

const STALE_EXIT_WAIT_MS = 5_000;
const POLL_MS = 50;
const PROGRAM_WORD = 'daos_engine';

export interface ExitStatus {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** `signal: killed`, `exit status 1`: why a process ended. */
export function describeExit(status: ExitStatus): string {
  if (status.signal) return `signal: ${status.signal}`;
  return `exit status ${status.code ?? 'unknown'}`;
}

/** One run of an engine's program. */
export class EngineProcess {
  readonly exited: Promise<ExitStatus>;

  private constructor(
    private readonly child: ChildProcess,
    private readonly pidFile: string,
  ) {
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        rmSync(this.pidFile, { force: true });
        resolve({ code, signal });
      });
      child.once('error', () => {
        resolve({ code: null, signal: null });
      });
    });
  }

  /** Starts the program; its output goes line by line to the server's log as `daos_engine:<index> text`. */
  static async start(
    command: EngineCommand,
    index: number,
    mount: string,
    log: ControlLog,
  ): Promise<EngineProcess> {
    const pidFile = pidFileOf(mount);
    const child = spawn(command.program, command.args, {
      env: command.env,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    const engine = new EngineProcess(child, pidFile);
    // The pipe is only watched for its end; the engine reads nothing from it.
    child.stdin.on('error', () => undefined);
    const failed = new Promise<never>((_, reject) => child.once('error', reject));
    await Promise.race([new Promise((resolve) => child.once('spawn', resolve)), failed]);
    forward(child.stdout, (line) => {
      log.info(`daos_engine:${index} ${line}`);
    });
    forward(child.stderr, (line) => {
      log.error(`daos_engine:${index} ${line}`);
    });
    const pid = child.pid;
    const engineId = pid === undefined ? undefined : identifyProcess(pid);
    const server = identifyProcess(process.pid);
    if (engineId && server) writeFileSync(pidFile, JSON.stringify({ engine: engineId, server }));
    return engine;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }
}

function forward(stream: Readable, write: (line: string) => void): void {
  createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', write);
}

function pidFileOf(mount: string): string {
  return join(mount, 'engine.pid');
}

const identitySchema = z.object({ pid: z.int().positive(), startTicks: z.string() });
const pidFileSchema = z.object({ engine: identitySchema, server: identitySchema });

/**
 * Makes sure that no engine of an earlier server still holds the storage: waits for it to end, as it does when its
 * server is gone, then kills it. Throws a fault when its server is alive: the storage is in use.
 */
export async function clearStaleEngine(
  mount: string,
  log: ControlLog,
  waitMs = STALE_EXIT_WAIT_MS,
): Promise<void> {
  const record = await readPidFile(pidFileOf(mount));
  if (!record || !runsProgram(record.engine, PROGRAM_WORD)) return;
  if (isSameProcess(record.server) && record.server.pid !== process.pid) {
    throw faultStorageInUse(mount, record.server.pid);
  }
  log.notice(
    `engine process ${record.engine.pid} of an earlier server still holds ${mount}; waiting for it to end`,
  );
  if (await waitForEnd(record.engine, waitMs)) return;
  log.notice(`killing engine process ${record.engine.pid}`);
  process.kill(record.engine.pid, 'SIGKILL');
  if (!(await waitForEnd(record.engine, STALE_EXIT_WAIT_MS))) {
    throw new Error(
      `engine process ${record.engine.pid} of an earlier server holds ${mount} and does not end`,
    );
  }
}

function faultStorageInUse(mount: string, pid: number): Fault {
  return new Fault({
    domain: 'server',
    code: 601,
    description: `storage ${mount} is in use by another daos_server (pid: ${pid})`,
    resolution: 'stop the other daos_server first, or configure other storage',
  });
}

async function readPidFile(
  path: string,
): Promise<{ engine: ProcessIdentity; server: ProcessIdentity } | undefined> {
  try {
    return pidFileSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    // Missing or cut off by a crash: an engine that could be identified by it was never left running for long.
    return undefined;
  }
}

async function waitForEnd(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (isSameProcess(identity)) {
    if (Date.now() >= deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return true;
}
