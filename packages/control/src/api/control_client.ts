import type { UnaryMethod } from '@daos/proto';

import { resolveHosts, type ControlConfig } from '../control_config.js';
import { GrpcTransport } from '../rpc/grpc_transport.js';
import { invokeHosts, type HostResults } from '../rpc/host_request.js';
import { invokeMs, type MsRequest } from '../rpc/ms_request.js';
import { SYSTEM_TIMING, type Timing } from '../rpc/timing.js';
import type { Component, RpcTransport } from '../rpc/transport.js';
import { versionedSystemName } from '../version.js';

const HOST_TIMEOUT_MS_DEFAULT = 5 * 60_000;

export interface ControlClientOptions {
  /** In place of gRPC. */
  readonly transport?: RpcTransport;
  readonly timing?: Timing;
  readonly component?: Component;
  readonly signal?: AbortSignal;
}

/** Options of every control function. */
export interface ControlOptions {
  readonly signal?: AbortSignal | undefined;
  /** Replaces the request's own time limit. */
  readonly timeoutMs?: number | undefined;
}

/** What a request to the management service adds to the plain call. */
export type MsCall = Partial<Omit<MsRequest<unknown, unknown>, 'method' | 'message' | 'name'>>;

/** A way into a system's control plane: the functions of this folder take one as their first argument. */
export class ControlClient implements Disposable {
  readonly transport: RpcTransport;
  private readonly timing: Timing;
  private readonly signal: AbortSignal | undefined;

  constructor(
    readonly config: ControlConfig,
    options: ControlClientOptions = {},
  ) {
    this.transport = options.transport ?? new GrpcTransport(config.transport_config, options.component ?? 'admin');
    this.timing = options.timing ?? SYSTEM_TIMING;
    this.signal = options.signal;
  }

  /** System name as requests carry it. */
  get sys(): string {
    return versionedSystemName(this.config.name);
  }

  /** Sends a request to the management service; `name` is the message's name for a timeout's text. */
  async callMs<Req, Resp>(name: string, method: UnaryMethod<Req, Resp>, message: Req, call: MsCall & ControlOptions = {}): Promise<Resp> {
    const { signal, ...rest } = call;
    const request: MsRequest<Req, Resp> = { ...(rest as Partial<MsRequest<Req, Resp>>), name, method, message };
    return invokeMs(
      {
        transport: this.transport,
        hosts: resolveHosts(this.config.hostlist, this.config.port),
        controlPort: this.config.port,
        timing: this.timing,
        signal: signal ?? this.signal,
      },
      request,
    );
  }

  /** Sends a request to each of `hosts` (all of the configuration when absent) and collects the answers. */
  async callHosts<Req, Resp>(
    method: UnaryMethod<Req, Resp>,
    message: Req,
    hosts: readonly string[] | undefined,
    options: ControlOptions = {},
  ): Promise<HostResults<Resp>> {
    const addresses = resolveHosts(hosts ?? this.config.hostlist, this.config.port);
    return invokeHosts(this.transport, addresses, method, message, {
      timeoutMs: options.timeoutMs ?? HOST_TIMEOUT_MS_DEFAULT,
      signal: options.signal ?? this.signal,
    });
  }

  close(): void {
    this.transport.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

