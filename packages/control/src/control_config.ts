import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { faultBadControlPort, faultEmptyHostList } from './client_faults.js';
import type { ConfigError, ConfigSchema } from './config_file.js';
import { HostList } from './host_list.js';
import type { TransportConfig } from './rpc/transport.js';

export const CONTROL_PORT_DEFAULT = 10001;
export const SYSTEM_NAME_DEFAULT = 'daos_server';
const CERT_DIR = '/etc/daos/certs';
const FILE_NAME = 'daos_control.yml';
/** Folder of a system that was started in the current folder. */
const LOCAL_SYSTEM_DIR = '.daos';
const PORT_MAX = 65_535;

/** What an administrator's tool needs to know of a system. */
export interface ControlConfig {
  readonly name: string;
  readonly port: number;
  readonly hostlist: readonly string[];
  readonly transport_config: TransportConfig;
  /** File that it was read from; undefined for the defaults. */
  readonly path: string | undefined;
}

export function defaultControlConfig(): ControlConfig {
  return { name: SYSTEM_NAME_DEFAULT, port: CONTROL_PORT_DEFAULT, hostlist: ['localhost'], transport_config: defaultTransport(), path: undefined };
}

function defaultTransport(): TransportConfig {
  return { allow_insecure: false, ca_cert: `${CERT_DIR}/daosCA.crt`, cert: `${CERT_DIR}/admin.crt`, key: `${CERT_DIR}/admin.key` };
}

/**
 * Reads the configuration: the given file, else the user's, else that of a system started in the current folder, else
 * the installed one; the defaults when there is none. Throws `ConfigError`, or fault 501 or 503.
 */
export async function loadControlConfig(path?: string): Promise<ControlConfig> {
  const found = path ?? searchPaths().find((candidate) => existsSync(candidate));
  if (found === undefined) return defaultControlConfig();
  // YAML and zod are loaded only when there is a file to read.
  const [{ loadConfig }, { controlConfigSchema }] = await Promise.all([import('./config_file.js'), import('./control_schema.js')]);
  const read = loadConfig(found, controlConfigSchema(defaultControlConfig()) as ConfigSchema<Omit<ControlConfig, 'path'>>);
  return checked({ ...read, path: found });
}

function searchPaths(): string[] {
  return [
    join(homedir(), `.${FILE_NAME}`),
    join(process.cwd(), LOCAL_SYSTEM_DIR, FILE_NAME),
    join('/etc/daos', FILE_NAME),
  ];
}

function checked(config: ControlConfig): ControlConfig {
  if (config.port <= 0 || config.port > PORT_MAX) throw faultBadControlPort();
  if (config.hostlist.length === 0) throw faultEmptyHostList();
  return config;
}

/**
 * Addresses with ports of a host list in DAOS's grammar. Throws fault 503 when it is empty, `HostListError` when it is
 * no host list.
 */
export function resolveHosts(hosts: readonly string[], port: number): string[] {
  const names = HostList.parse(hosts.join(',')).names();
  if (names.length === 0) throw faultEmptyHostList();
  return names.map((name) => (/:\d+$/.test(name) ? name : `${name}:${port}`));
}

/** The text of a failed load as the tools begin it. */
export function controlConfigFailure(error: unknown): string {
  if (isConfigError(error) && error.kind === 'missing') {
    return `failed to load control configuration: open ${error.path}: no such file or directory`;
  }
  return error instanceof Error ? error.message : String(error);
}

/** Told by name: the class comes with the YAML parser, which may not be loaded. */
function isConfigError(error: unknown): error is ConfigError {
  return error instanceof Error && error.name === 'ConfigError';
}
