import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { cartListen, targetTag } from '@daos/cart';
import { DaosError, Hlc, isDaosError } from '@daos/common';
import { configureLogging, getLogger } from '@daos/gurt';

import { EngineFacts, type EngineConstants } from './engine_facts.js';
import { DRAIN_TIMEOUT_MS, LIFECYCLE, serveLifecycle, STOP_TIMEOUT_MS } from './lifecycle.js';
import { loadModules } from './module_list.js';
import { notifyReady } from './notify_ready.js';
import { findPortRange } from './port_range.js';
import { hlcRecoveryBound, SystemXstream } from './system_xstream.js';
import { serveRas } from './ras.js';
import { TargetThread } from './target_thread.js';
import type { EngineOptions, RunningEngine } from './types.js';

const log = getLogger('server');
const PORT_TRIES_MAX = 5;
const SERVER_SOCKET = 'daos_server.sock';

/**
 * Starts an engine in this process: the calling thread becomes the system xstream, every target gets a thread.
 *
 * 1. Network contexts listen (requests wait), modules start: targets side by side, then the system xstream.
 * 2. The dRPC socket opens and daos_server is told; it answers with SET_RANK, GROUP_UPDATE and SET_UP.
 * 3. SET_UP runs the modules' `setup`, waits for the clock to pass the values of an earlier run, and lets requests in.
 *
 * A standalone engine does step 3 itself. Throws DER_BUSY when a port is in use, or what a module threw.
 */
export async function startEngine(options: EngineOptions): Promise<RunningEngine> {
  const fixedPort = options.port ?? 0;
  const host = options.host ?? '127.0.0.1';
  for (let attempt = 1; ; attempt++) {
    const port = fixedPort || (await findPortRange(host, targetTag(options.targetCount)));
    try {
      return await new EngineRun(options, host, port).start();
    } catch (error) {
      if (fixedPort || !isDaosError(error, 'BUSY') || attempt === PORT_TRIES_MAX) throw error;
    }
  }
}

class EngineRun implements RunningEngine {
  readonly ready: Promise<void>;
  readonly ended: Promise<void>;
  private becomeReady: (() => void) | undefined;
  private xstream: SystemXstream | undefined;
  private readonly threads: TargetThread[] = [];
  private listener: { close(): Promise<void> } | undefined;
  private stopped: Promise<void> | undefined;
  private end: { resolve: () => void; reject: (error: Error) => void } | undefined;
  readonly drpcSocket: string;

  constructor(private readonly options: EngineOptions, private readonly host: string, private readonly port: number) {
    this.ready = new Promise((resolve) => {
      this.becomeReady = resolve;
    });
    this.ended = new Promise((resolve, reject) => {
      this.end = { resolve, reject };
    });
    this.ended.catch(() => undefined);
    this.drpcSocket = options.standalone ? '' : join(options.socketDir, `daos_engine_${process.pid}.sock`);
  }

  get xs(): SystemXstream {
    if (!this.xstream) throw new DaosError('UNINIT', 'the engine is not started');
    return this.xstream;
  }

  get uri(): string {
    return this.xs.selfUri();
  }

  callDrpc(module: number, method: number, body: Uint8Array): Promise<Uint8Array> {
    return this.xs.dispatchDrpc(module, method, body);
  }

  async start(): Promise<this> {
    configureLogging({ threadId: 0 });
    try {
      await this.startXstreams();
      if (this.options.standalone) await this.standAlone(this.options.standalone);
      else await this.meetServer();
    } catch (error) {
      await this.abandon();
      throw error;
    }
    return this;
  }

  stop(): Promise<void> {
    this.stopped ??= this.runStop();
    return this.stopped;
  }

  private async startXstreams(): Promise<void> {
    const { options, host, port } = this;
    mkdirSync(options.storageDir, { recursive: true });
    const hlc = new Hlc();
    const hlcBound = options.standalone ? 0n : hlcRecoveryBound(hlc);
    const modules = await loadModules(options.modules);
    const cart = await cartListen({ host, port, tag: 0, hlc, closedAtFirst: true });
    const constants: EngineConstants = {
      systemName: options.systemName ?? 'daos_server',
      targetCount: options.targetCount,
      storageDir: options.storageDir,
      dataDir: options.dataDir,
      socketDir: options.socketDir,
      instanceIndex: options.instanceIndex ?? 0,
      autoFaulty: options.autoFaulty,
    };
    const callServer = (module: number, method: number, body: Uint8Array): Promise<Uint8Array> =>
      this.callServer(module, method, body);
    const xs = new SystemXstream({ engine: new EngineFacts(constants), hlc, cart, callServer, hlcBound });
    this.xstream = xs;
    xs.onReady = this.becomeReady;
    serveLifecycle(xs);
    serveRas(xs);
    await this.startTargets(xs, constants);
    xs.threads = this.threads;
    await xs.modules.start(xs, modules);
  }

  private async startTargets(xs: SystemXstream, constants: EngineConstants): Promise<void> {
    const starts = Array.from({ length: constants.targetCount }, (_, target) => TargetThread.start(
      { target, constants, modules: this.options.modules, host: this.host, port: this.port + targetTag(target) },
      (to, name, args) => xs.route(to, name, args),
      (error) => this.fail(error),
    ));
    const results = await Promise.allSettled(starts);
    for (const result of results) if (result.status === 'fulfilled') this.threads.push(result.value);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  private async standAlone(standalone: NonNullable<EngineOptions['standalone']>): Promise<void> {
    const { xs } = this;
    await xs.setRank(standalone.rank);
    await xs.updateGroup(1, standalone.members ?? [{ rank: standalone.rank, uri: xs.selfUri() }]);
    await xs.setUp();
  }

  private async meetServer(): Promise<void> {
    const { options, xs } = this;
    const { DrpcServer } = await import('@daos/drpc');
    const server = DrpcServer.listen(this.drpcSocket);
    this.listener = server;
    for (const module of xs.drpcModules()) {
      server.register(module, (method, body) => xs.dispatchDrpc(module, method, body));
    }
    await notifyReady(xs, { drpcSocket: this.drpcSocket, targetCount: options.targetCount });
    const { targetCount } = options;
    log.info(`DAOS I/O engine process ${process.pid} started with ${targetCount} target${targetCount === 1 ? '' : 's'}, ` +
      `host ${hostname()}, waiting for its rank`);
  }

  private async callServer(module: number, method: number, body: Uint8Array): Promise<Uint8Array> {
    const { standalone, socketDir } = this.options;
    if (standalone?.server) return standalone.server(module, method, body);
    if (standalone) throw new DaosError('NOSYS', 'this engine has no daos_server');
    const { drpcCall } = await import('@daos/drpc');
    return drpcCall(join(socketDir, SERVER_SOCKET), module, method, body);
  }

  /** A target's thread ended by itself: the engine cannot go on. */
  private fail(error: Error): void {
    log.crit(`${error.message}, the engine stops`);
    this.end?.reject(error);
  }

  private async runStop(): Promise<void> {
    const { xs } = this;
    log.info('stopping');
    await this.listener?.close();
    const step = async (name: string): Promise<void> => {
      const targets = xs.onAll(name, undefined, STOP_TIMEOUT_MS);
      await targets.catch((error: unknown) => log.error(`${name}: ${(error as Error).message}`));
    };
    await Promise.all([step(LIFECYCLE.drain), xs.cart.drain(DRAIN_TIMEOUT_MS)]);
    await xs.modules.cleanup();
    await step(LIFECYCLE.cleanup);
    await step(LIFECYCLE.fini);
    await xs.modules.fini();
    await xs.cart.close();
    await Promise.all(this.threads.map((thread) => thread.terminate()));
    log.info('stopped');
    this.end?.resolve();
  }

  /** Undoes a start that failed. */
  private async abandon(): Promise<void> {
    await this.listener?.close();
    await this.xstream?.modules.cleanup();
    await this.xstream?.modules.fini();
    await this.xstream?.cart.close();
    await Promise.all(this.threads.map((thread) => thread.terminate()));
  }
}
