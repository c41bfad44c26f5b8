import type { ChannelCredentials, Client, ServiceError } from '@grpc/grpc-js';
import type { UnaryMethod } from '@daos/proto';

import { connectionFault } from './connection_fault.js';
import { loadClientCredentials } from './client_credentials.js';
import { CallTimeoutError, type CallOptions, type Component, type RpcTransport, type TransportConfig } from './transport.js';
import { DAOS_VERSION } from '../version.js';
import { decodeWireError } from '../wire_error.js';

type Grpc = typeof import('@grpc/grpc-js');

const CODE_CANCELLED = 1;
const CODE_DEADLINE_EXCEEDED = 4;
const CODE_UNAVAILABLE = 14;
/** A lost server is noticed after this time without an answer to a ping. */
const KEEPALIVE_MS = 30_000;
const RECEIVE_BYTES_MAX = 64 * 1024 * 1024;

/** gRPC to servers: one connection per address, made at the first call. */
export class GrpcTransport implements RpcTransport {
  private readonly clients = new Map<string, Client>();
  private grpc: Grpc | undefined;
  private credentials: ChannelCredentials | undefined;

  constructor(
    private readonly config: TransportConfig,
    private readonly component: Component,
  ) {}

  async call<Req, Resp>(address: string, method: UnaryMethod<Req, Resp>, request: Req, options: CallOptions): Promise<Resp> {
    options.signal?.throwIfAborted();
    // Loaded at the first call: commands that talk to nobody should not pay for it.
    const grpc = (this.grpc ??= await loadGrpc());
    const client = this.clientFor(grpc, address);
    const metadata = new grpc.Metadata();
    metadata.set('x-daos-component', this.component);
    metadata.set('x-daos-version', DAOS_VERSION);
    const deadline = new Date(Date.now() + options.timeoutMs);
    return new Promise<Resp>((resolve, reject) => {
      const call = client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        metadata,
        { deadline },
        (error, response) => {
          options.signal?.removeEventListener('abort', abort);
          if (error) reject(options.signal?.aborted ? abortReason(options.signal) : translateError(address, error));
          else if (response === undefined) reject(new Error(`${address} sent an empty answer`));
          else resolve(response);
        },
      );
      const abort = (): void => call.cancel();
      options.signal?.addEventListener('abort', abort, { once: true });
    });
  }

  close(): void {
    for (const client of this.clients.values()) client.close();
    this.clients.clear();
  }

  private clientFor(grpc: Grpc, address: string): Client {
    let client = this.clients.get(address);
    if (!client) {
      this.credentials ??= loadClientCredentials(grpc, this.config);
      client = new grpc.Client(address, this.credentials, {
        'grpc.max_receive_message_length': RECEIVE_BYTES_MAX,
        'grpc.keepalive_time_ms': KEEPALIVE_MS,
        'grpc.enable_retries': 0,
        'grpc.service_config_disable_resolution': 1,
        // Proxies are for the internet; servers are on the cluster's own network.
        'grpc.enable_http_proxy': 0,
        // Certificates name a component, never a host; TLS refuses an IP address as server name.
        ...(this.config.allow_insecure ? {} : { 'grpc.ssl_target_name_override': 'server' }),
      });
      this.clients.set(address, client);
    }
    return client;
  }
}

/** Node lists a CommonJS package's names on the module, a bundler puts them under `default`. */
async function loadGrpc(): Promise<Grpc> {
  const loaded: Grpc & { default?: Grpc } = await import('@grpc/grpc-js');
  return loaded.default ?? loaded;
}

function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('aborted');
}

/** Makes a gRPC failure a typed error, whoever caused it: the connection, the time limit or the server. */
function translateError(address: string, error: ServiceError): Error {
  const details = error.metadata.get('grpc-status-details-bin')[0];
  const decoded = decodeWireError(error.code, error.details, details instanceof Uint8Array ? details : undefined);
  if (details !== undefined) return decoded;
  if (error.code === CODE_DEADLINE_EXCEEDED) return new CallTimeoutError(`${address} did not answer in time`, { cause: error });
  if (error.code === CODE_UNAVAILABLE || error.code === CODE_CANCELLED) {
    return connectionFault(address, error.details, error) ?? decoded;
  }
  return decoded;
}
