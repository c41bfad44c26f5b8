import type { Epoch } from '@daos/common';

import type { BodyReader } from './body_reader.js';
import type { BodyWriter } from './body_writer.js';

/**
 * An RPC, declared once by `defineRpc` and used by both halves of a service. The opcode is
 * `module << 24 | version << 16 | index`.
 */
export interface RpcDef<Req, Rep> {
  readonly name: string;
  readonly opcode: number;
  readonly request: MessageCodec<Req>;
  readonly reply: MessageCodec<Rep>;
}

/** Encoder and decoder of one message body: a msgpack array in declared field order. */
export interface MessageCodec<T> {
  /** The encoded message. Throws DER_INVAL when a value does not fit its field. */
  encode(value: T): Uint8Array;
  /** Same, behind what `out` already holds. */
  write(out: BodyWriter, value: T): void;
  /** Throws DER_PROTO for anything but one well-formed message. */
  decode(bytes: Uint8Array): T;
  /** Same, from a reader that ends where the message does. */
  read(reader: BodyReader): T;
}

/** A rank and the index of the xstream's network context: tag 0 is the system xstream, tag 2 + t is target t. */
export interface Endpoint {
  readonly rank: number;
  readonly tag: number;
}

export const TAG_SYSTEM = 0;
export const TAG_SWIM = 1;
export function targetTag(target: number): number {
  return target + 2;
}

/** A member of the primary group. `uri` is where its tag 0 listens, e.g. `ofi+tcp://127.0.0.1:31416`. */
export interface GroupMember {
  readonly rank: number;
  readonly uri: string;
}

export interface CallOptions {
  /** Bytes that travel behind the body, not copied. Above the inline limit they go as bulk in bounded pieces. */
  readonly data?: readonly Uint8Array[];
  /** Where the bytes behind the reply land when they fill it exactly; else a buffer of their own is made. */
  readonly sink?: Uint8Array;
  /** Deadline of the whole call in ms; default 60 s. DER_TIMEDOUT when it passes. */
  readonly timeoutMs?: number;
  /** Abort gives DER_CANCELED. */
  readonly signal?: AbortSignal;
}

export interface CallResult<Rep> {
  readonly output: Rep;
  /** Bytes that came behind the reply's body; empty when there were none. A view into `sink` when it was used. */
  readonly data: Uint8Array;
}

/**
 * The sending side of CaRT, in clients and in engines. A failure is a `DaosError`: the status and message that the
 * remote handler answered, or a transport error (UNREACH, TIMEDOUT, HG, CANCELED, OOG for an unknown rank).
 */
export interface RpcCaller {
  call<Req, Rep>(to: Endpoint, rpc: RpcDef<Req, Rep>, input: Req, options?: CallOptions): Promise<CallResult<Rep>>;
}

/** One request as its handler sees it. */
export interface RpcRequest<Req> {
  readonly input: Req;
  /** Length of the bytes behind the body, inline or bulk. */
  readonly dataLength: number;
  /**
   * Bytes behind the body: at once when they came inline, pulled from the client's bulk handle otherwise.
   * The view is valid until the handler's promise settles.
   */
  data(): Uint8Array | Promise<Uint8Array>;
  /** HLC of the message, already merged into this process's clock. */
  readonly hlc: Epoch;
  /** Rank of the sender, undefined for clients. */
  readonly srcRank: number | undefined;
  /** Tag it was received on. */
  readonly tag: number;
  /** Textual address of the sender, for log lines. */
  readonly peer: string;
}

export interface RpcReply<Rep> {
  readonly output: Rep;
  readonly data?: readonly Uint8Array[];
}

/** A thrown `DaosError` is answered with its status and message; any other error is logged and answered DER_MISC. */
export type RpcHandler<Req, Rep> = (request: RpcRequest<Req>) => RpcReply<Rep> | Promise<RpcReply<Rep>>;
