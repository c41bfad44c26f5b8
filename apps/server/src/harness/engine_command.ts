import { fileURLToPath } from 'node:url';

import type { EngineConfig } from '../config/engine_config.js';
import type { EngineStorage } from './storage.js';

/** How an engine's process is started. */
export interface EngineCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

export interface EngineCommandOptions {
  readonly systemName: string;
  readonly socketDir: string;
  /** Address that the engine listens on, as its fabric interface has it. */
  readonly fabricHost: string;
}

/** Variables that an engine needs of its server's environment; all others are given by the configuration. */
const PASSED_ALWAYS = [
  'PATH',
  'HOME',
  'LANG',
  'TZ',
  'TMPDIR',
  'NODE_OPTIONS',
  'NODE_EXTRA_CA_CERTS',
  'DD_MASK',
  'DD_SUBSYS',
  'D_LOG_MASK',
];

/** A target may wait for two flushes of its data file and two of its log at once; all targets share these threads. */
const IO_THREADS_PER_TARGET = 4;
const IO_THREADS_MIN = 8;
/** libuv's own limit is 1024. */
const IO_THREADS_MAX = 256;

/** The engine's program: `DAOS_ENGINE_PATH`, else the one of this installation. */
function enginePath(): string {
  return process.env['DAOS_ENGINE_PATH'] ??
    fileURLToPath(new URL('../../../../engine/bin/daos_engine.mjs', import.meta.url));
}

/** Flags and environment of `daos_engine`, named as in DAOS. */
export function engineCommand(
  config: EngineConfig,
  storage: EngineStorage,
  options: EngineCommandOptions,
): EngineCommand {
  const args = [
    '-t',
    String(config.targets),
    '-x',
    String(config.helpers),
    '-f',
    String(config.firstCore),
    '-g',
    options.systemName,
    '-d',
    options.socketDir,
    '-I',
    String(config.index),
    '-s',
    storage.mount,
    '-T',
    storage.dataFolder === undefined ? '1' : '2',
  ];
  if (storage.dataFolder !== undefined) args.push('-n', storage.dataConfigPath);
  if (config.modules !== '') args.push('-m', config.modules);
  if (config.pinnedNumaNode !== undefined) args.push('-p', String(config.pinnedNumaNode));
  if (config.bypassHealthCheck) args.push('-b');
  const path = enginePath();
  return { program: process.execPath, args: [path, ...args], env: engineEnvironment(config, options) };
}

function engineEnvironment(config: EngineConfig, options: EngineCommandOptions): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const name of [...PASSED_ALWAYS, ...config.envPassThrough]) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  env['UV_THREADPOOL_SIZE'] = String(Math.min(IO_THREADS_MAX, Math.max(IO_THREADS_MIN, config.targets * IO_THREADS_PER_TARGET)));
  env['D_PROVIDER'] = config.provider;
  env['D_INTERFACE'] = config.fabricInterface;
  env['D_ADDRESS'] = options.fabricHost;
  env['D_PORT'] = String(config.fabricPort);
  env['FI_OFI_RXM_USE_SRX'] = config.disableSrx ? '0' : '1';
  if (config.crtTimeoutSeconds !== undefined) env['CRT_TIMEOUT'] = String(config.crtTimeoutSeconds);
  if (config.logMask !== '') env['D_LOG_MASK'] = config.logMask;
  env['D_LOG_MASK'] ??= 'INFO';
  if (config.logFile !== '') env['D_LOG_FILE'] = config.logFile;
  if (config.data) env['VOS_BDEV_CLASS'] = 'AIO';
  for (const pair of config.env) {
    const split = pair.indexOf('=');
    env[pair.slice(0, split)] = pair.slice(split + 1);
  }
  // The engine ends when the pipe on its standard input does: no server, no engine.
  env['DAOS_ENGINE_PARENT_WATCH'] = '1';
  return env;
}
