import { cartClient, cartListen, type CallOptions, type CallResult, type CartContext, type Endpoint, type RpcCaller, type RpcDef } from '@daos/cart';
import { DaosError, Hlc, isDaosError, poolMapBuild, uuidGenerate, type PoolMap } from '@daos/common';
import type { DcCont } from '@daos/container/dc';
import type { DsContHandle } from '@daos/container/ds';
import type { Xstream } from '@daos/engine';

import { serveObjects } from '../../src/ds/index.js';
import { MemoryContainer } from './memory_container.js';

/** Looks at calls on their way: may fail one before it is sent, lose its reply, or not wait for it. */
export type Interference = (name: string) =>
  'pass' | DaosError | { readonly loseReply: DaosError } | { readonly giveUp: DaosError };

class Interfered implements RpcCaller {
  interfere: Interference = () => 'pass';
  /** Changes what is sent, as a faulty network would. */
  tamper: <Req>(input: Req) => Req = (input) => input;
  readonly calls: { name: string; to: Endpoint; flags: number }[] = [];

  constructor(private readonly inner: RpcCaller) {}

  async call<Req, Rep>(to: Endpoint, rpc: RpcDef<Req, Rep>, input: Req, options?: CallOptions): Promise<CallResult<Rep>> {
    this.calls.push({ name: rpc.name, to, flags: (input as { head?: { flags: number } }).head?.flags ?? 0 });
    const verdict = this.interfere(rpc.name);
    if (verdict instanceof DaosError) throw verdict;
    const sent = this.inner.call(to, rpc, this.tamper(input), options);
    if (verdict !== 'pass' && 'giveUp' in verdict) {
      sent.catch(() => undefined);
      throw verdict.giveUp;
    }
    const result = await sent;
    if (verdict !== 'pass') throw verdict.loseReply;
    return result;
  }
}

export interface FakeOptions {
  readonly targets?: number;
  readonly checksum?: DcCont['checksum'] | undefined;
  readonly redundancyFactor?: number;
}

/** One rank with some targets over real CaRT, containers in memory, and a container handle on the client side. */
export class FakeSystem {
  readonly containers: MemoryContainer[] = [];
  readonly handles: DsContHandle[] = [];
  readonly contexts: CartContext[] = [];
  map: PoolMap;
  serverMapVersion = 1;
  refreshes = 0;
  handleKnown = true;
  cont!: DcCont;
  caller!: Interfered;
  private client!: CartContext;

  private constructor(private readonly options: FakeOptions) {
    this.map = poolMapBuild({ ranks: [0], targetsPerRank: options.targets ?? 1 });
  }

  static async start(options: FakeOptions = {}): Promise<FakeSystem> {
    for (let attempt = 0; ; attempt++) {
      const system = new FakeSystem(options);
      try {
        await system.listen();
        return system;
      } catch (error) {
        await system.stop();
        if (!isDaosError(error, 'BUSY') || attempt === 20) throw error;
      }
    }
  }

  private async listen(): Promise<void> {
    const handle = uuidGenerate();
    const container = uuidGenerate();
    const pool = uuidGenerate();
    let base = 0;
    for (let target = 0; target < (this.options.targets ?? 1); target++) {
      const hlc = new Hlc();
      const context = await cartListen({ hlc, host: '127.0.0.1', port: base === 0 ? 0 : base + 2 + target, tag: 2 + target, rank: 0 });
      this.contexts.push(context);
      if (base === 0) base = context.port - 2;
      const memory = new MemoryContainer(container);
      this.containers.push(memory);
      const mapVersion = () => this.serverMapVersion;
      const found: DsContHandle = {
        handle, poolUuid: pool, containerUuid: container, canRead: true, canWrite: true, container: memory,
        get poolMapVersion() {
          return mapVersion();
        },
        checksum: this.options.checksum,
      };
      this.handles.push(found);
      const xs = { kind: 'target', target, hlc, handle: context.handle.bind(context) } as unknown as Xstream;
      serveObjects(xs, (_xs, askedPool, asked) => {
        if (!this.handleKnown || asked !== handle || askedPool !== pool) throw new DaosError('NO_HDL', 'unknown handle');
        return found;
      });
    }
    this.client = cartClient();
    this.client.setGroup([{ rank: 0, uri: `ofi+tcp://127.0.0.1:${base}` }]);
    this.caller = new Interfered(this.client);
    this.cont = this.clientContainer(pool, handle, container);
  }

  private clientContainer(pool: string, handle: string, container: string): DcCont {
    const map = () => this.map;
    const refresh = () => this.refresh();
    return {
      pool: {
        system: { name: 'test', cart: this.caller, hlc: new Hlc() },
        uuid: pool,
        get map() {
          return map();
        },
        get mapVersion() {
          return map().version;
        },
        noteMapVersion() {},
        refreshMap: refresh,
      },
      uuid: container, label: 'cont', handle, flags: 2, writable: true, capas: 3,
      checksum: this.options.checksum,
      redundancyFactor: this.options.redundancyFactor ?? 0, redundancyLevel: 1, objectVersion: 2,
    } as unknown as DcCont;
  }

  private async refresh(): Promise<PoolMap> {
    this.refreshes++;
    this.map = poolMapBuild({ ranks: [0], targetsPerRank: this.options.targets ?? 1, version: this.serverMapVersion });
    return this.map;
  }

  async stop(): Promise<void> {
    await this.client?.close();
    for (const context of this.contexts) await context.close();
  }
}
