import { existsSync } from 'node:fs';

import { ControlLog } from '@daos/control';
import type { VerbContext, VerbResult } from '@daos/control/cli';

import { loadServerConfig, type ConfigOverrides, type ServerConfig } from './config/server_config.js';
import { DaosServer } from './server.js';

const CONFIG_PATHS = ['/etc/daos/daos_server.yml'];

/** `daos_server start`: runs until SIGINT or SIGTERM, then stops everything in order. */
export async function runStart(context: VerbContext): Promise<VerbResult> {
  if (context.json) throw new Error('this subcommand does not support JSON output');
  // Other tools of this host may read TLS options too; DAOS's own tools offer this one suite only.
  process.env['GRPC_SSL_CIPHER_SUITES'] ??=
    'TLS_AES_256_GCM_SHA384:ECDHE-RSA-AES256-GCM-SHA384:AES256-GCM-SHA384';
  const { options } = context;
  const config = loadServerConfig(findConfig(text(options['config'])), overrides(options));
  context.io.print(`DAOS Server config loaded from ${config.path}\n`);
  const log = await openLog(config, options, context);
  let server: DaosServer | undefined;
  try {
    server = await DaosServer.start(config, log, { autoFormat: options['autoFormat'] === true });
    await aborted(context.signal);
    await server.stop();
  } catch (error) {
    // On the console the command line prints it.
    if (config.logFile !== '') log.error(error instanceof Error ? error.message : String(error));
    throw error;
  } finally {
    await log.close();
  }
  return undefined;
}

function findConfig(given: string | undefined): string {
  if (given !== undefined) return given;
  const found = CONFIG_PATHS.find((path) => existsSync(path));
  if (found === undefined) {
    throw new Error(`no configuration file: name one with -o, or write ${CONFIG_PATHS.join(' or ')}`);
  }
  return found;
}

function overrides(options: VerbContext['options']): ConfigOverrides {
  return {
    ...(typeof options['port'] === 'number' && { port: options['port'] }),
    ...(typeof options['targets'] === 'number' && { targets: options['targets'] }),
    ...(typeof options['modules'] === 'string' && { modules: options['modules'] }),
    ...(typeof options['group'] === 'string' && { group: options['group'] }),
    ...(typeof options['socket_dir'] === 'string' && { socketDir: options['socket_dir'] }),
    ...(options['insecure'] === true && { insecure: true }),
  };
}

async function openLog(
  config: ServerConfig,
  options: VerbContext['options'],
  context: VerbContext,
): Promise<ControlLog> {
  const mask = options['debug'] === true ? 'DEBUG' : config.logMask;
  if (config.logFile === '') context.io.print('no control log file specified; logging to stdout\n');
  else context.io.print(`daos_server logging to file ${config.logFile}\n`);
  return ControlLog.open({
    mask,
    file: config.logFile,
    json: config.logJson || options['jsonLogging'] === true,
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => {
      resolve();
    }, { once: true });
  });
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
