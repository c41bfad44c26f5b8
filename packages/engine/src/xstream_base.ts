import type { CartContext, GroupMember, RpcDef, RpcHandler } from '@daos/cart';
import { DaosError, type Hlc } from '@daos/common';
import { assert } from '@daos/gurt';

import type { EngineFacts } from './engine_facts.js';
import { ModuleList } from './module_list.js';
import type { DrpcMethodHandler, TlsKey, Xstream } from './types.js';

export const SYSTEM = -1;

type Operation = (args: unknown) => unknown;

/** What the xstreams of both kinds have in common. */
export abstract class XstreamBase implements Xstream {
  abstract readonly kind: 'system' | 'target';
  readonly modules = new ModuleList();
  requestCount = 0;
  private readonly operations = new Map<string, Operation>();
  private readonly shared = new Map<string, unknown>();

  constructor(
    readonly target: number,
    readonly engine: EngineFacts,
    readonly hlc: Hlc,
    readonly cart: CartContext,
  ) {}

  handle<Req, Rep>(rpc: RpcDef<Req, Rep>, handler: RpcHandler<Req, Rep>): void {
    this.cart.handle(rpc, (request) => {
      this.requestCount++;
      return handler(request);
    });
  }

  operation<A, R>(name: string, run: (args: A) => R | Promise<R>): void {
    assert(!this.operations.has(name), `operation ${name} is registered twice`);
    this.operations.set(name, run as Operation);
  }

  /** Runs an operation of this xstream. DER_UNREG when there is none of that name. */
  async runHere(name: string, args: unknown): Promise<unknown> {
    const run = this.operations.get(name);
    if (!run) throw new DaosError('UNREG', `xstream ${this.target} has no operation "${name}"`);
    return run(args);
  }

  /** Runs an operation on the xstream `to`, this one included. */
  protected abstract runOn(to: number, name: string, args: unknown, timeoutMs?: number): Promise<unknown>;

  onTarget<A, R>(target: number, name: string, args: A): Promise<R> {
    if (!(target >= 0 && target < this.engine.targetCount)) {
      return Promise.reject(new DaosError('INVAL', `this engine has no target ${target}`));
    }
    return this.runOn(target, name, args) as Promise<R>;
  }

  onSystem<A, R>(name: string, args: A): Promise<R> {
    return this.runOn(SYSTEM, name, args) as Promise<R>;
  }

  async onTargets<A, R>(name: string, args: A, targets?: readonly number[]): Promise<R[]> {
    const list = targets ?? Array.from({ length: this.engine.targetCount }, (_, t) => t);
    const results = await Promise.allSettled(list.map((target) => this.onTarget<A, R>(target, name, args)));
    return results.map((result) => {
      if (result.status === 'rejected') throw result.reason;
      return result.value;
    });
  }

  provide<T>(key: TlsKey<T>, value: T): void {
    assert(!this.shared.has(key.name), `${key.name} is provided twice`);
    this.shared.set(key.name, value);
  }

  tls<T>(key: TlsKey<T>): T {
    if (!this.shared.has(key.name)) throw new DaosError('UNINIT', `nothing provides ${key.name} in this xstream`);
    return this.shared.get(key.name) as T;
  }

  /* What only the system xstream can do. */

  handleDrpc(_module: number, _handler: DrpcMethodHandler): void {
    throw systemOnly('handleDrpc');
  }

  callServer(_module: number, _method: number, _body: Uint8Array): Promise<Uint8Array> {
    return Promise.reject(systemOnly('callServer'));
  }

  groupRanks(): readonly GroupMember[] {
    throw systemOnly('groupRanks');
  }

  groupVersion(): number {
    throw systemOnly('groupVersion');
  }

  selfUri(): string {
    throw systemOnly('selfUri');
  }

  setRank(_rank: number, _groupVersionMin: number): Promise<void> {
    return Promise.reject(systemOnly('setRank'));
  }

  updateGroup(_version: number, _members: readonly GroupMember[]): Promise<boolean> {
    return Promise.reject(systemOnly('updateGroup'));
  }

  setUp(): Promise<void> {
    return Promise.reject(systemOnly('setUp'));
  }

  setLogMasks(_masks: string, _subsystems: string): Promise<void> {
    return Promise.reject(systemOnly('setLogMasks'));
  }
}

function systemOnly(what: string): DaosError {
  return new DaosError('NO_PERM', `${what} works in the system xstream only`);
}
