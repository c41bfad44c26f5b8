import { DaosError, uuidGenerate } from '@daos/common';
import type { ControlLog } from '@daos/control';
import { assert } from '@daos/gurt';
import type { NotifyReadyReq } from '@daos/proto/srv/srv';

import type { EngineConfig } from '../config/engine_config.js';
import { faultDataPlaneNotStarted } from '../faults.js';
import { Deferred } from './deferred.js';
import type { EngineClient } from './engine_client.js';
import { engineCommand, type EngineCommandOptions } from './engine_command.js';
import { EngineProcess, clearStaleEngine, describeExit } from './engine_process.js';
import { nextInstanceState, type InstanceEvent, type InstanceState } from './instance_state.js';
import { EngineStorage, type FormatNeed } from './storage.js';
import {
  hasSuperblock,
  newSuperblock,
  readSuperblock,
  writeSuperblock,
  type Superblock,
} from './superblock.js';
import { abortable, withTimeout } from './wait.js';

/** So long may an engine take from its launch to its first word. */
const NOTIFY_READY_TIMEOUT_MS = 120_000;

/** What the management service made of an engine's request to join. */
export interface JoinOutcome {
  readonly rank: number;
  readonly mapVersion: number;
  /** Left out of the group map by an administrator or by failure detection. */
  readonly excluded: boolean;
}

/** Why an instance has no process any more. */
export interface InstanceExit {
  /** It had said that it was ready. */
  readonly wasReady: boolean;
  /** Its end was asked for. */
  readonly commanded: boolean;
  readonly reason: string;
  readonly rank: number | undefined;
  readonly incarnation: string;
  readonly pid: number;
}

/** What an instance needs of the server around it. */
export interface InstanceHooks {
  formatRequired(instance: EngineInstance, need: FormatNeed): void;
  /** Storage is formatted and holds a superblock; the process is not launched yet. */
  storageReady(instance: EngineInstance): Promise<void>;
  join(
    instance: EngineInstance,
    notify: NotifyReadyReq,
    superblock: Superblock,
    signal: AbortSignal,
  ): Promise<JoinOutcome>;
  /** Between SET_RANK and SET_UP, so that the engine's modules find their peers. */
  provideGroup(instance: EngineInstance): Promise<void>;
  ready(instance: EngineInstance): void;
  exited(instance: EngineInstance, exit: InstanceExit): void;
}

export interface InstanceOptions extends EngineCommandOptions {
  readonly faultDomain: string;
  readonly log: ControlLog;
  readonly hooks: InstanceHooks;
  readonly clientFor: (socketPath: string) => EngineClient;
}

/** One engine of this host: its storage, its process, its place in the system. */
export class EngineInstance {
  readonly storage: EngineStorage;
  private currentState: InstanceState = 'Stopped';
  private superblock: Superblock | undefined;
  private process: EngineProcess | undefined;
  private client: EngineClient | undefined;
  private notified = new Deferred<NotifyReadyReq>();
  private formatted = new Deferred<undefined>();
  private running: Promise<void> | undefined;
  private superblockWrite: Promise<void> | undefined;
  private startAgain = false;
  private stopping = new AbortController();
  private readonly stateWaiters = new Set<() => void>();
  /** Text of the last failure; empty while all is well. */
  lastError = '';

  constructor(
    readonly config: EngineConfig,
    private readonly options: InstanceOptions,
  ) {
    this.storage = new EngineStorage(config);
  }

  get index(): number {
    return this.config.index;
  }
  get state(): InstanceState {
    return this.currentState;
  }
  /** Known once the engine has joined for the first time. */
  get rank(): number | undefined {
    const block = this.superblock ?? this.storedSuperblock();
    return block?.validrank ? block.rank : undefined;
  }
  get uuid(): string | undefined {
    return (this.superblock ?? this.storedSuperblock())?.uuid;
  }
  get incarnation(): string {
    return this.superblock?.incarnation ?? '0';
  }
  get pid(): number {
    return this.process?.pid ?? 0;
  }

  /** Asks for a start; while it runs, for another one after its end. Returns at once. */
  start(): void {
    if (this.running) {
      this.startAgain = this.stopping.signal.aborted;
      return;
    }
    this.stopping = new AbortController();
    this.running = this.run().finally(() => {
      this.running = undefined;
      if (this.startAgain) {
        this.startAgain = false;
        this.start();
      }
    });
  }

  /** Ends the engine: SIGINT lets it finish in order, SIGKILL does not. Resolves when it is stopped. */
  async stop(signal: 'SIGINT' | 'SIGKILL', killAfterMs: number): Promise<void> {
    this.startAgain = false;
    this.stopping.abort();
    this.process?.kill(signal);
    if (!this.running) return;
    const timer = setTimeout(() => {
      this.options.log.error(`engine ${this.index} does not end after ${killAfterMs} ms, killing it`);
      this.process?.kill('SIGKILL');
    }, killAfterMs);
    try {
      await this.running;
    } finally {
      clearTimeout(timer);
    }
  }

  /** The engine said that its network is up. DER_INVAL when nobody waits for that. */
  notifyReady(notify: NotifyReadyReq): void {
    if (this.currentState !== 'Starting' || !this.process) {
      throw new DaosError('INVAL', `engine ${this.index} is not starting`);
    }
    this.notified.resolve(notify);
  }

  /** A format has finished. */
  markStorageReady(): void {
    this.formatted.resolve(undefined);
  }

  /** Resolves with true when the state is one of `states`, with false when the time has passed. */
  async waitState(states: readonly InstanceState[], timeoutMs: number): Promise<boolean> {
    if (states.includes(this.currentState)) return true;
    return new Promise((resolve) => {
      const done = (reached: boolean) => {
        clearTimeout(timer);
        this.stateWaiters.delete(look);
        resolve(reached);
      };
      const look = () => {
        if (states.includes(this.currentState)) done(true);
      };
      const timer = setTimeout(() => {
        done(false);
      }, timeoutMs);
      this.stateWaiters.add(look);
    });
  }

  /** Client of the running engine. Fault 611 when it is not ready. */
  requireClient(): EngineClient {
    if (this.currentState !== 'Ready' || !this.client) throw faultDataPlaneNotStarted();
    return this.client;
  }

  /** As `requireClient`, but also between SET_RANK and SET_UP. */
  requireStartingClient(): EngineClient {
    if (!this.client) throw faultDataPlaneNotStarted();
    return this.client;
  }

  private async run(): Promise<void> {
    let wasReady = false;
    let reason: string;
    const { signal } = this.stopping;
    try {
      this.move('start');
      await this.prepareStorage(signal);
      await this.launch(signal);
      await this.joinSystem(signal);
      this.move('ready');
      wasReady = true;
      this.lastError = '';
      this.options.hooks.ready(this);
      reason = await this.exitReason();
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
      if (this.process) {
        this.process.kill('SIGKILL');
        await this.process.exited;
      }
      // A join that was given up may still be writing: nothing touches the storage after the instance has stopped.
      await this.superblockWrite?.catch(() => undefined);
    }
    this.finish(wasReady, signal.aborted, reason);
  }

  private finish(wasReady: boolean, commanded: boolean, reason: string): void {
    const exit = {
      wasReady,
      commanded,
      reason,
      rank: this.rank,
      incarnation: this.incarnation,
      pid: this.pid,
    };
    this.lastError = commanded ? '' : reason;
    this.process = undefined;
    this.client = undefined;
    this.notified = new Deferred();
    this.formatted = new Deferred();
    this.move('exited');
    this.options.hooks.exited(this, exit);
  }

  /** Waits for a format when one is needed, then reads or makes the superblock. */
  private async prepareStorage(signal: AbortSignal): Promise<void> {
    const { log, hooks } = this.options;
    log.info(`Checking DAOS I/O Engine instance ${this.index} storage ...`);
    await clearStaleEngine(this.storage.mount, log);
    const need = this.storage.formatNeed();
    if (need !== 'none') {
      this.move('formatRequired');
      log.info(`${need} format required on instance ${this.index}`);
      hooks.formatRequired(this, need);
      await abortable(this.formatted.promise, signal);
      this.move('storageReady');
    }
    log.info(`DAOS I/O Engine instance ${this.index} storage ready`);
    await this.loadSuperblock();
    await this.storage.writeDataConfig();
    await hooks.storageReady(this);
  }

  private async loadSuperblock(): Promise<void> {
    const { faultDomain, systemName } = this.options;
    const { mount } = this.storage;
    if (!hasSuperblock(mount)) {
      await writeSuperblock(mount, newSuperblock(uuidGenerate(), systemName, faultDomain));
    }
    const block = readSuperblock(mount);
    if (block.system !== systemName) {
      throw new DaosError(
        'ID_MISMATCH',
        `storage ${mount} belongs to system "${block.system}", this server to "${systemName}"`,
      );
    }
    this.superblock = block;
    if (block.hostfaultdomain !== faultDomain) await this.updateSuperblock({ hostfaultdomain: faultDomain });
  }

  private async updateSuperblock(fields: Partial<Superblock>): Promise<void> {
    assert(this.superblock, 'a superblock is updated after it was read');
    this.superblock = { ...this.superblock, ...fields };
    this.superblockWrite = writeSuperblock(this.storage.mount, this.superblock);
    await this.superblockWrite;
  }

  private storedSuperblock(): Superblock | undefined {
    try {
      return hasSuperblock(this.storage.mount) ? readSuperblock(this.storage.mount) : undefined;
    } catch {
      // Only its identity is wanted here; the start of the instance reports a damaged superblock.
      return undefined;
    }
  }

  private async launch(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { log } = this.options;
    const command = engineCommand(this.config, this.storage, this.options);
    log.info(`Starting I/O Engine instance ${this.index}: ${command.args[0] ?? command.program}`);
    this.process = await EngineProcess.start(command, this.index, this.storage.mount, log);
  }

  /** NotifyReady, join, SET_RANK, group map, SET_UP; fails when the process ends meanwhile. */
  private async joinSystem(signal: AbortSignal): Promise<void> {
    const died = this.exitReason().then((reason) => {
      throw new Error(reason);
    });
    died.catch(() => undefined);
    const steps = async () => {
      const notify = await withTimeout(
        this.notified.promise,
        NOTIFY_READY_TIMEOUT_MS,
        `engine ${this.index} did not report in time`,
      );
      assert(this.superblock, 'the superblock was read before the launch');
      const incarnation = String(notify.incarnation);
      const outcome = await this.options.hooks.join(
        this,
        notify,
        { ...this.superblock, incarnation },
        signal,
      );
      signal.throwIfAborted();
      await this.updateSuperblock({ rank: outcome.rank, validrank: true, uri: notify.uri, incarnation });
      const client = this.options.clientFor(notify.drpcListenerSock);
      this.client = client;
      await client.setRank(outcome.rank, outcome.mapVersion);
      await this.options.hooks.provideGroup(this);
      await client.setUp();
    };
    await Promise.race([abortable(steps(), signal), died]);
  }

  private async exitReason(): Promise<string> {
    assert(this.process, 'only a launched process ends');
    const status = await this.process.exited;
    return `daos_engine exited: ${describeExit(status)}`;
  }

  private move(event: InstanceEvent): void {
    const next = nextInstanceState(this.currentState, event);
    assert(
      next !== undefined,
      `instance ${this.index}: ${event} cannot happen in state ${this.currentState}`,
    );
    this.currentState = next;
    for (const look of [...this.stateWaiters]) look();
  }
}
