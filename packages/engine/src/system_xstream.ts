import type { CartContext, GroupMember } from '@daos/cart';
import { DaosError, hlcEpsilonBound, type Epoch, type Hlc } from '@daos/common';
import { assert, getLogger } from '@daos/gurt';

import type { EngineFacts } from './engine_facts.js';
import { LIFECYCLE, SETUP_TIMEOUT_MS, type LogMasks } from './lifecycle.js';
import type { TargetThread } from './target_thread.js';
import type { DrpcMethodHandler } from './types.js';
import { SYSTEM, XstreamBase } from './xstream_base.js';

const log = getLogger('server');

export interface SystemXstreamOptions {
  readonly engine: EngineFacts;
  readonly hlc: Hlc;
  readonly cart: CartContext;
  readonly callServer: (module: number, method: number, body: Uint8Array) => Promise<Uint8Array>;
  /** No HLC is handed out to requests before this; 0 when the engine cannot have run before. */
  readonly hlcBound: Epoch;
}

/** The main thread: metadata services, dRPC, and the lead over the targets. */
export class SystemXstream extends XstreamBase {
  readonly kind = 'system';
  threads: readonly TargetThread[] = [];
  /** Called once, when SET_UP is through. */
  onReady: (() => void) | undefined;
  private readonly drpcHandlers = new Map<number, DrpcMethodHandler>();
  private setUpOnce: Promise<void> | undefined;
  private groupChanges: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: SystemXstreamOptions) {
    super(SYSTEM, options.engine, options.hlc, options.cart);
  }

  /** Runs an operation that some target asked for, here or on another target. */
  route(to: number, name: string, args: unknown): Promise<unknown> {
    return this.runOn(to, name, args);
  }

  protected runOn(to: number, name: string, args: unknown, timeoutMs?: number): Promise<unknown> {
    if (to === SYSTEM) return this.runHere(name, args);
    const thread = this.threads[to];
    if (!thread) return Promise.reject(new DaosError('SHUTDOWN', `target ${to} does not run`));
    return thread.link.call(to, name, args, timeoutMs);
  }

  /** A lifecycle step of all targets at once; the first failing target's error is thrown when all have answered. */
  async onAll(name: string, args: unknown, timeoutMs?: number): Promise<void> {
    const results = await Promise.allSettled(this.threads.map((_, t) => this.runOn(t, name, args, timeoutMs)));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  override handleDrpc(module: number, handler: DrpcMethodHandler): void {
    if (this.drpcHandlers.has(module)) throw new DaosError('EXIST', `dRPC module ${module} has a handler`);
    this.drpcHandlers.set(module, handler);
  }

  /** Modules that have a handler. */
  drpcModules(): readonly number[] {
    return [...this.drpcHandlers.keys()];
  }

  /** Serves a dRPC. DER_UNREG for an unknown module. */
  async dispatchDrpc(module: number, method: number, body: Uint8Array): Promise<Uint8Array> {
    const handler = this.drpcHandlers.get(module);
    if (!handler) throw new DaosError('UNREG', `no dRPC module ${module}`);
    return handler(method, body);
  }

  override callServer(module: number, method: number, body: Uint8Array): Promise<Uint8Array> {
    return this.options.callServer(module, method, body);
  }

  override groupRanks(): readonly GroupMember[] {
    return this.cart.groupMembers();
  }

  override groupVersion(): number {
    return this.cart.groupVersion;
  }

  override selfUri(): string {
    return this.cart.uri;
  }

  override async setRank(rank: number): Promise<void> {
    if (this.engine.hasRank) {
      if (this.engine.rank === rank) return;
      throw new DaosError('ALREADY', `this engine has rank ${this.engine.rank}, it cannot become ${rank}`);
    }
    await this.onAll(LIFECYCLE.setRank, rank);
    await this.runHere(LIFECYCLE.setRank, rank);
    log.info(`rank set to ${rank}`);
  }

  override updateGroup(version: number, members: readonly GroupMember[]): Promise<boolean> {
    const change = this.groupChanges.then(async () => {
      if (version <= this.groupVersion()) return false;
      const args = { version, members: members.map(({ rank, uri }) => ({ rank, uri })) };
      await this.onAll(LIFECYCLE.setGroup, args);
      await this.runHere(LIFECYCLE.setGroup, args);
      log.info(`group version ${version}: ${members.length} members`);
      return true;
    });
    this.groupChanges = change.catch(() => undefined);
    return change;
  }

  override setUp(): Promise<void> {
    this.setUpOnce ??= this.runSetUp();
    return this.setUpOnce;
  }

  override async setLogMasks(masks: string, subsystems: string): Promise<void> {
    const args: LogMasks = { masks, subsystems };
    await this.runHere(LIFECYCLE.logMasks, args);
    await this.onAll(LIFECYCLE.logMasks, args);
  }

  private async runSetUp(): Promise<void> {
    assert(this.threads.length === this.engine.targetCount, 'all targets are started before SET_UP');
    const rank = this.engine.rank;
    await this.onAll(LIFECYCLE.setup, undefined, SETUP_TIMEOUT_MS);
    await this.runHere(LIFECYCLE.setup, undefined);
    await this.pastHlcBound();
    await this.onAll(LIFECYCLE.open, undefined);
    await this.runHere(LIFECYCLE.open, undefined);
    const { targetCount } = this.engine;
    log.info(`engine ready: rank ${rank}, ${targetCount} target${targetCount === 1 ? '' : 's'}, ${this.selfUri()}`);
    this.onReady?.();
  }

  /**
   * A run before this one may have handed out HLC values up to epsilon ahead of the wall clock. Requests are let in
   * when those are past, so that no epoch is used twice after a fast restart.
   */
  private async pastHlcBound(): Promise<void> {
    while (this.hlc.get() < this.options.hlcBound) await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The latest HLC that an earlier run of this engine can have handed out by now. */
export function hlcRecoveryBound(hlc: Hlc): Epoch {
  return hlcEpsilonBound(hlc.get(), hlc.epsilon);
}
