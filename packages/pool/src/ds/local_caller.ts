import {
  TAG_SYSTEM,
  type CallOptions,
  type CallResult,
  type Endpoint,
  type RpcCaller,
  type RpcDef,
  type RpcHandler,
  type RpcRequest,
} from '@daos/cart';
import { DaosError } from '@daos/common';
import type { Xstream } from '@daos/engine';

type AnyHandler = (input: unknown, data: Uint8Array) => Promise<CallResult<unknown>>;

/**
 * Calls other ranks over the network and this rank's own handlers directly: a service and those who call it are often
 * on the same engine.
 */
export class LocalCaller implements RpcCaller {
  private readonly handlers = new Map<number, AnyHandler>();

  constructor(private readonly xs: Xstream) {}

  /** Registers a handler on the network and for direct calls. */
  handle<Req, Rep>(rpc: RpcDef<Req, Rep>, handler: RpcHandler<Req, Rep>): void {
    this.xs.handle(rpc, handler);
    this.handlers.set(rpc.opcode, async (input, data) => {
      const reply = await handler(this.requestOf(input as Req, data));
      return { output: reply.output, data: reply.data ? Buffer.concat(reply.data) : new Uint8Array(0) };
    });
  }

  async call<Req, Rep>(
    to: Endpoint,
    rpc: RpcDef<Req, Rep>,
    input: Req,
    options: CallOptions = {},
  ): Promise<CallResult<Rep>> {
    const handler =
      to.rank === this.xs.engine.rank && to.tag === TAG_SYSTEM ? this.handlers.get(rpc.opcode) : undefined;
    if (!handler) return this.xs.cart.call(to, rpc, input, options);
    if (options.signal?.aborted) throw new DaosError('CANCELED', `${rpc.name} was aborted`);
    return (await handler(
      input,
      options.data ? Buffer.concat(options.data) : new Uint8Array(0),
    )) as CallResult<Rep>;
  }

  private requestOf<Req>(input: Req, data: Uint8Array): RpcRequest<Req> {
    const { engine, hlc } = this.xs;
    return {
      input,
      dataLength: data.length,
      data: () => data,
      hlc: hlc.get(),
      srcRank: engine.rank,
      tag: TAG_SYSTEM,
      peer: 'local',
    };
  }
}
