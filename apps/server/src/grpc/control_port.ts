import { createServer } from 'node:net';

import type { Server, ServiceDefinition, UntypedServiceImplementation, handleUnaryCall } from '@grpc/grpc-js';
import { Fault } from '@daos/control';

import { runUnary, type ChainOptions, type UnaryHandler } from './chain.js';

type Grpc = typeof import('@grpc/grpc-js');

/** Larger than any request of an administrator; a longer one is refused before it is read whole. */
const REQUEST_BYTES_MAX = 16 * 1024 * 1024;
const REPLY_BYTES_MAX = 64 * 1024 * 1024;

export type Handlers = Readonly<Record<string, UnaryHandler<never, unknown> | undefined>>;

/** The gRPC server on the control port. Methods without a handler answer UNIMPLEMENTED. */
export class ControlPort {
  private readonly server: Server;

  constructor(
    private readonly grpc: Grpc,
    private readonly options: ChainOptions,
  ) {
    this.server = new grpc.Server({
      'grpc.max_receive_message_length': REQUEST_BYTES_MAX,
      'grpc.max_send_message_length': REPLY_BYTES_MAX,
    });
  }

  addService(definition: ServiceDefinition, handlers: Handlers): void {
    const implementation: UntypedServiceImplementation = {};
    for (const [name, handler] of Object.entries(handlers)) {
      if (handler) implementation[name] = this.unary(handler as UnaryHandler<unknown, unknown>);
    }
    this.server.addService(definition, implementation);
  }

  private unary(handler: UnaryHandler<unknown, unknown>): handleUnaryCall<unknown, unknown> {
    return (call, callback) => {
      void runUnary(call, handler, this.options, () => new this.grpc.Metadata()).then(
        ({ response, error }) => {
          if (error) callback(error);
          else callback(null, response);
        },
      );
    };
  }

  /** Listens; returns the port, which differs when 0 was asked for. One clear line when the port is taken. */
  async listen(
    host: string,
    port: number,
    credentials: ReturnType<Grpc['ServerCredentials']['createInsecure']>,
    configPath: string,
  ): Promise<number> {
    await probePort(host, port, configPath);
    return new Promise((resolve, reject) => {
      this.server.bindAsync(`${host}:${port}`, credentials, (error, bound) => {
        if (error) reject(portFault(host, port, error.message, configPath));
        else resolve(bound);
      });
    });
  }

  /** Lets running calls finish for a while, then ends them. */
  async close(graceMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.server.forceShutdown();
        resolve();
      }, graceMs);
      this.server.tryShutdown(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

/** gRPC's own message for a port in use does not say so. */
async function probePort(host: string, port: number, configPath: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE'
        ? 'address already in use'
        : error.code === 'EACCES'
        ? 'permission denied'
        : error.message;
      reject(portFault(host, port, why, configPath));
    });
    probe.listen(port, host, () =>
      probe.close(() => {
        resolve();
      }));
  });
}

function portFault(host: string, port: number, why: string, configPath: string): Fault {
  return new Fault({
    domain: 'server',
    code: 600,
    description: `unable to listen on ${host}:${port}: ${why}`,
    resolution: `stop the process that uses port ${port}, or choose another 'port' in ${configPath}`,
  });
}
