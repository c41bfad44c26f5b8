import { defineRpc, f, type Field, type MessageOf, type RpcDef } from '@daos/cart';
import type { Epoch, Uuid } from '@daos/common';

/**
 * What every request to a pool's service begins with. `clientTime` is taken once per operation and kept over all
 * resends: with `clientId` it names the operation, so that one that was done already is not done again.
 */
export interface ServiceRequest<Body> {
  readonly pool: Uuid;
  /** Pool handle; nil UUID where none is needed. */
  readonly handle: Uuid;
  readonly clientId: Uuid;
  readonly clientTime: Epoch;
  readonly body: Body;
}

/** What every reply of a pool's service begins with. `status` 0 comes with a body, others with a message. */
export interface ServiceReply<Body> {
  /** Negative DER number, or 0. */
  readonly status: number;
  readonly message?: string | undefined;
  /** Version of the pool map at the service. */
  readonly mapVersion: number;
  /** Leader as the answering replica knows it; it is the leader itself where `status` is not DER_NOTLEADER. */
  readonly hint?: { readonly rank: number; readonly term: number } | undefined;
  readonly body?: Body | undefined;
}

/** An RPC that the leader of a pool's service serves. */
export type ServiceRpc<Req, Rep> = RpcDef<ServiceRequest<Req>, ServiceReply<Rep>>;

export interface ServiceRpcSpec<Req, Rep> {
  readonly name: string;
  readonly module: number;
  readonly version: number;
  readonly index: number;
  readonly request: Req;
  readonly reply: Rep;
}

type Fields = Readonly<Record<string, unknown>>;

/** Declares an RPC of a pool's service by the fields of its request and reply bodies. */
export function defineServiceRpc<Req extends Fields, Rep extends Fields>(
  spec: ServiceRpcSpec<Req, Rep>,
): ServiceRpc<MessageOf<Req>, MessageOf<Rep>> {
  const requestBody: Field<MessageOf<Req>> = f.struct(spec.request);
  const replyBody: Field<MessageOf<Rep>> = f.struct(spec.reply);
  const rpc = defineRpc({
    name: spec.name,
    module: spec.module,
    version: spec.version,
    index: spec.index,
    request: { pool: f.uuid, handle: f.uuid, clientId: f.uuid, clientTime: f.u64, body: requestBody },
    reply: {
      status: f.int,
      message: f.nullable(f.str),
      mapVersion: f.u32,
      hint: f.nullable(f.struct({ rank: f.u32, term: f.int })),
      body: f.nullable(replyBody),
    },
  });
  return rpc as unknown as ServiceRpc<MessageOf<Req>, MessageOf<Rep>>;
}

/** Field of a property. */
export const propField = f.struct({
  number: f.u32,
  num: f.nullable(f.u64),
  str: f.nullable(f.str),
  list: f.nullable(f.array(f.str)),
});
export type WireProp = MessageOf<{
  number: typeof f.u32;
  num: Field<bigint | undefined>;
  str: Field<string | undefined>;
  list: Field<readonly string[] | undefined>;
}>;
