import type { UnaryMethod } from '@daos/proto';

export interface CallOptions {
  /** Time allowed for the call, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Carries one unary call to one server. Implemented over gRPC; a fake in tests. */
export interface RpcTransport {
  /**
   * Rejects with a typed error of the server (`Fault`, `DaosError`, `NotLeaderError`, ...), a connection fault
   * (504-508, 903), `CallTimeoutError`, or `RpcStatusError`.
   */
  call<Req, Resp>(address: string, method: UnaryMethod<Req, Resp>, request: Req, options: CallOptions): Promise<Resp>;
  close(): void;
}

/** The time of one call ran out before the server answered. */
export class CallTimeoutError extends Error {
  override readonly name = 'CallTimeoutError';
}

/** How to talk to servers: plain text, or TLS with these PEM files. */
export interface TransportConfig {
  readonly allow_insecure: boolean;
  readonly ca_cert: string;
  readonly cert: string;
  readonly key: string;
}

/** Who is calling; servers authorise by it. */
export type Component = 'admin' | 'agent' | 'server' | 'client';
