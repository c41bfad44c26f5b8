import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { CONTROL_PORT_DEFAULT, SYSTEM_NAME_DEFAULT, loadConfig, type TransportConfig } from '@daos/control';

const FILE_NAME = 'daos_agent.yml';
/** Folder of a system that was started in the current folder. */
const LOCAL_SYSTEM_DIR = '.daos';
const CERT_DIR = '/etc/daos/certs';

/** Names for a user whom this host does not know. */
export interface MappedUser {
  readonly user: string;
  readonly group: string;
  readonly groups: readonly string[];
}

export interface AgentConfig {
  readonly name: string;
  readonly access_points: readonly string[];
  readonly port: number;
  readonly runtime_dir: string;
  readonly log_file: string;
  readonly control_log_mask: 'DISABLED' | 'ERROR' | 'NOTICE' | 'INFO' | 'DEBUG' | 'TRACE';
  readonly transport_config: TransportConfig;
  readonly credential_config: {
    /** How long a credential is given out again, in ms; 0: each is made anew. */
    readonly cache_expiration: number;
    /** By user id as text, or `default`. */
    readonly client_user_map: Readonly<Record<string, MappedUser>>;
  };
  readonly disable_caching: boolean;
  /** Minutes after which attach info is fetched anew; 0: when it is asked for again some time later. */
  readonly cache_expiration: number;
  readonly disable_auto_evict: boolean;
  readonly enable_evict_on_start: boolean;
  readonly include_fabric_ifaces: readonly string[];
  readonly exclude_fabric_ifaces: readonly string[];
  readonly fabric_ifaces: readonly { readonly numa_node: number; readonly devices: readonly FabricDeviceConfig[] }[];
}

export interface FabricDeviceConfig {
  readonly iface: string;
  readonly domain: string;
}

export function defaultAgentConfig(): AgentConfig {
  return {
    name: SYSTEM_NAME_DEFAULT,
    access_points: ['localhost'],
    port: CONTROL_PORT_DEFAULT,
    runtime_dir: '/var/run/daos_agent',
    log_file: '',
    control_log_mask: 'INFO',
    transport_config: {
      allow_insecure: false,
      ca_cert: `${CERT_DIR}/daosCA.crt`,
      cert: `${CERT_DIR}/agent.crt`,
      key: `${CERT_DIR}/agent.key`,
    },
    credential_config: { cache_expiration: 0, client_user_map: {} },
    disable_caching: false,
    cache_expiration: 0,
    disable_auto_evict: false,
    enable_evict_on_start: false,
    include_fabric_ifaces: [],
    exclude_fabric_ifaces: [],
    fabric_ifaces: [],
  };
}

/**
 * Reads the configuration: the given file, else that of a system started in the current folder, else the installed
 * one; the defaults when there is none. Throws an error of one line that names file, line and key.
 */
export async function loadAgentConfig(path?: string): Promise<{ config: AgentConfig; path: string | undefined }> {
  const found = path ?? [join(LOCAL_SYSTEM_DIR, FILE_NAME), join('/etc/daos', FILE_NAME)].find((file) => existsSync(file));
  if (found === undefined) return { config: defaultAgentConfig(), path: undefined };
  const { agentConfigSchema } = await import('./config_schema.js');
  try {
    return { config: loadConfig(found, agentConfigSchema(defaultAgentConfig())), path: found };
  } catch (error) {
    throw new Error(`failed to load agent configuration: ${loadFailure(error, found)}`, { cause: error });
  }
}

function loadFailure(error: unknown, path: string): string {
  if (error instanceof Error && error.name === 'ConfigError' && (error as { kind?: string }).kind === 'missing') {
    return `opening config file "${path}": open ${path}: no such file or directory`;
  }
  return error instanceof Error ? error.message : String(error);
}
