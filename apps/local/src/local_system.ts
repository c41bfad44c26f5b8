import { existsSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Administrator, ensureContainer } from './administrator.js';
import { FolderLock } from './folder_lock.js';
import { SystemFolder, checkFolderOptions, type EnginePlan, type FolderOptions } from './folder.js';
import { findFreePorts, portsAreFree } from './ports.js';
import { ManagedProcess, childPids } from './process.js';

const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;
const TARGETS_DEFAULT = 2;
const ENGINES_DEFAULT = 1;
/** Tags 0 and 1 (system, SWIM) come before the targets' own ports. */
const SYSTEM_TAGS = 2;

export const POOL_LABEL = 'tank';
export const CONTAINER_LABEL = 'home';

export interface LocalSystemOptions extends FolderOptions {
  /** Told about every step, for progress lines. */
  readonly onStep?: (step: string) => void;
}

/**
 * A DAOS system on this host in one folder: one daos_server, its engines and one daos_agent, as real processes.
 *
 * 1. `start` takes the folder's lock, writes the configuration (first time) or reads it, starts server and agent,
 *    formats storage (first time), waits until every engine has joined, and creates the pool and container.
 * 2. `stop` ends agent, engines and server in order; `killAll` ends all of them with SIGKILL.
 * 3. A later `start` on the same folder finds all data again.
 */
export class LocalSystem {
  readonly folder: SystemFolder;
  private lock: FolderLock | undefined;
  private server: ManagedProcess | undefined;
  private agent: ManagedProcess | undefined;
  private admin: Administrator | undefined;

  constructor(private readonly options: LocalSystemOptions) {
    checkFolderOptions(options);
    this.folder = new SystemFolder(options.dir);
  }

  get controlConfig(): string {
    return this.folder.controlConfig;
  }

  /** Folder of the agent's socket (`DAOS_AGENT_DRPC_DIR`). */
  get agentDir(): string {
    return this.folder.runDir;
  }

  async start(): Promise<void> {
    const socketDir = this.folder.prepare();
    this.lock = await FolderLock.take(socketDir, this.folder.dir);
    try {
      const engines = await this.configure(socketDir);
      await this.startServer(engines.length);
      await this.startAgent();
      await this.createDefaults();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Resolves with a description when a process of the system ends that was not asked to. */
  unexpectedExit(): Promise<string> {
    const watched = [this.server, this.agent].filter((process) => process !== undefined);
    return Promise.race(
      watched.map(async (process) => {
        const { code, signal } = await process.exited;
        return `${process.name} ended with ${signal ?? `code ${code}`}; see ${process.logFile}`;
      }),
    );
  }

  /** Orderly: agent first, then server, which stops its engines. True when all ended by themselves with 0. */
  async stop(): Promise<boolean> {
    let orderly = true;
    for (const process of [this.agent, this.server]) {
      if (process?.isRunning) orderly = (await process.stop(STOP_TIMEOUT_MS)) && orderly;
    }
    await this.release();
    return orderly;
  }

  /** SIGKILL for every process at once, as a power cut would. */
  async killAll(): Promise<void> {
    const engines = this.server ? childPids(this.server.pid) : [];
    const processes = [this.server, this.agent].filter((process) => process !== undefined);
    for (const process of processes) process.kill('SIGKILL');
    for (const pid of engines) killPid(pid);
    await Promise.all(processes.map((process) => process.exited));
    await this.release();
  }

  /** Pids of the engine processes. */
  enginePids(): number[] {
    return this.server ? childPids(this.server.pid) : [];
  }

  get serverPid(): number | undefined {
    return this.server?.pid;
  }

  private async release(): Promise<void> {
    this.admin?.[Symbol.dispose]();
    this.admin = undefined;
    await this.lock?.release();
    this.lock = undefined;
    this.server = undefined;
    this.agent = undefined;
  }

  private async configure(socketDir: string): Promise<EnginePlan[]> {
    const plan = this.folder.exists ? await this.replan() : await this.plan();
    this.folder.writeConfigs(plan.port, plan.engines, socketDir);
    this.admin = await Administrator.connect(this.folder.controlConfig);
    return plan.engines;
  }

  private async plan(): Promise<{ port: number; engines: EnginePlan[] }> {
    const targets = this.options.targets ?? TARGETS_DEFAULT;
    const port = this.options.port ?? (await findFreePorts(1));
    const taken: [number, number][] = [[port, 1]];
    const engines: EnginePlan[] = [];
    for (let index = 0; index < (this.options.engines ?? ENGINES_DEFAULT); index++) {
      const count = SYSTEM_TAGS + targets;
      const given = this.options.fabricPort === undefined ? undefined : this.options.fabricPort + index * count;
      const fabricPort = given ?? (await findFreePorts(count, taken));
      taken.push([fabricPort, count]);
      engines.push({ targets, fabricPort });
    }
    return { port, engines };
  }

  /** The plan of an existing folder; ports that somebody else has taken meanwhile are chosen again. */
  private async replan(): Promise<{ port: number; engines: EnginePlan[] }> {
    const old = this.folder.readPlan();
    this.refuseOtherShape(old.engines);
    const wantedPort = this.options.port ?? old.port;
    const port = this.options.port === undefined && !(await portsAreFree(wantedPort, 1)) ? await findFreePorts(1) : wantedPort;
    const taken: [number, number][] = [[port, 1]];
    const engines: EnginePlan[] = [];
    for (const [index, engine] of old.engines.entries()) {
      const count = SYSTEM_TAGS + engine.targets;
      const given = this.options.fabricPort === undefined ? undefined : this.options.fabricPort + index * count;
      const free = given !== undefined || (await portsAreFree(engine.fabricPort, count));
      const fabricPort = given ?? (free ? engine.fabricPort : await findFreePorts(count, taken));
      taken.push([fabricPort, count]);
      engines.push({ targets: engine.targets, fabricPort });
    }
    return { port, engines };
  }

  private refuseOtherShape(engines: readonly EnginePlan[]): void {
    const { targets, engines: count } = this.options;
    const has = `${engines.length} engine(s) of ${engines[0]?.targets ?? 0} target(s)`;
    if ((count !== undefined && count !== engines.length) || (targets !== undefined && engines.some((e) => e.targets !== targets))) {
      throw new Error(`${this.folder.dir} holds a system of ${has}; start it without --engines and --targets, or choose another --dir`);
    }
  }

  private async startServer(engineCount: number): Promise<void> {
    const admin = this.requireAdmin();
    this.options.onStep?.('starting daos_server');
    this.server = ManagedProcess.start('daos_server', appScript('server', 'daos_server'), ['start', '-o', this.folder.serverConfig], {
      cwd: this.folder.dir,
      logFile: join(this.folder.logDir, 'daos_server.out'),
    });
    const deadline = Date.now() + READY_TIMEOUT_MS;
    const server = this.server;
    if (await this.whileRunning(server, admin.needsFormat(deadline))) {
      this.options.onStep?.('formatting storage');
      await this.whileRunning(server, admin.format());
    }
    this.options.onStep?.(`waiting for ${engineCount} engine(s) to join`);
    await this.whileRunning(server, admin.waitJoined(engineCount, deadline));
  }

  private async startAgent(): Promise<void> {
    this.options.onStep?.('starting daos_agent');
    const socket = join(this.folder.runDir, 'daos_agent.sock');
    // One that a killed agent left would look like the new one's.
    rmSync(socket, { force: true });
    this.agent = ManagedProcess.start('daos_agent', appScript('agent', 'daos_agent'), ['-o', this.folder.agentConfig], {
      cwd: this.folder.dir,
      logFile: join(this.folder.logDir, 'daos_agent.out'),
    });
    await this.whileRunning(this.agent, waitForPath(socket, Date.now() + READY_TIMEOUT_MS));
  }

  private async createDefaults(): Promise<void> {
    const admin = this.requireAdmin();
    if (!(await admin.hasPool(POOL_LABEL))) {
      this.options.onStep?.(`creating pool ${POOL_LABEL}`);
      await admin.createPool(POOL_LABEL);
    }
    this.options.onStep?.(`opening pool ${POOL_LABEL}`);
    await ensureContainer(this.agentDir, POOL_LABEL, CONTAINER_LABEL);
  }

  private requireAdmin(): Administrator {
    if (!this.admin) throw new Error('the system is not configured');
    return this.admin;
  }

  /** Awaits `work`, or fails with the end of the process's log when it dies first. */
  private async whileRunning<T>(process: ManagedProcess, work: Promise<T>): Promise<T> {
    const died = process.exited.then(({ code, signal }) => {
      throw new Error(`${process.name} ended with ${signal ?? `code ${code}`}:\n${process.logTail()}`);
    });
    return Promise.race([work, died]);
  }
}

function appScript(app: string, bin: string): string {
  return resolve(fileURLToPath(import.meta.url), '../../../..', app, 'bin', `${bin}.mjs`);
}

async function waitForPath(path: string, deadline: number): Promise<void> {
  while (!existsSync(path)) {
    if (Date.now() > deadline) throw new Error(`${path} did not appear within ${READY_TIMEOUT_MS / 1000} s`);
    await new Promise((resolvePromise) => setTimeout(resolvePromise, 20));
  }
}

function killPid(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has already ended.
  }
}
