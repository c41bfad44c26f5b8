import {
  ContextError,
  ControlClient,
  GrpcTransport,
  controlConfigFailure,
  isLabelOrUuid,
  loadControlConfig,
  type RpcTransport,
  type TransportConfig,
} from '@daos/control';
import type { VerbContext } from '@daos/control/cli';

/** Makes the transport of a session; tests put a fake here. */
export type TransportFactory = (config: TransportConfig) => RpcTransport | undefined;

let transportFactory: TransportFactory = () => undefined;

/** Replaces gRPC for sessions opened from now on. */
export function useTransport(factory: TransportFactory): void {
  transportFactory = factory;
}

/** A failure before any server was asked: what was being done plays no part in it. */
export class SetupFailure extends Error {
  override readonly name = 'SetupFailure';
  constructor(readonly failure: Error) {
    super(failure.message, { cause: failure });
  }
}

/** Makes a rejection handler that says what failed, unless it failed before it began. */
export function failAs(context: string): (error: unknown) => never {
  return (error) => {
    if (error instanceof SetupFailure) throw error.failure;
    throw new ContextError(context, error);
  };
}

/** A rejection handler that adds nothing. */
export function unwrapSetup(error: unknown): never {
  throw error instanceof SetupFailure ? error.failure : error;
}

/** Reads the configuration, opens a way to the servers, runs `work`, closes it. */
export async function withControl<T>(context: VerbContext, work: (client: ControlClient) => Promise<T>): Promise<T> {
  const { configPath, insecure } = context.options;
  const loaded = await loadControlConfig(typeof configPath === 'string' ? configPath : undefined).catch((error: unknown) => {
    throw new SetupFailure(error instanceof Error && error.name === 'Fault' ? error : new Error(controlConfigFailure(error)));
  });
  const transportConfig = { ...loaded.transport_config, ...(insecure === true ? { allow_insecure: true } : {}) };
  const config = { ...loaded, transport_config: transportConfig };
  let transport = transportFactory(transportConfig) ?? new GrpcTransport(transportConfig, 'admin');
  if (context.options.debug === true || context.options.logFile !== undefined) {
    const { LoggingTransport } = await import('./request_log.js');
    transport = new LoggingTransport(transport, typeof context.options.logFile === 'string' ? context.options.logFile : undefined);
  }
  using client = new ControlClient(config, { transport, signal: context.signal });
  return await work(client);
}

/** `--host-list` of a verb that goes to hosts, as given. */
export function hostsOption(context: VerbContext): readonly string[] | undefined {
  const { hostList } = context.options;
  return typeof hostList === 'string' ? [hostList] : undefined;
}

/** The label or UUID of a pool in the first argument. Throws when it can be neither. */
export function poolArgument(context: VerbContext): string {
  const id = context.args[0] ?? '';
  if (!isLabelOrUuid(id)) throw new Error(`invalid label ${JSON.stringify(id)}`);
  return id;
}
