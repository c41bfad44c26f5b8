import { isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { dirname, resolve } from 'node:path';

import { loadConfig } from '@daos/control';

import {
  faultBadControlIface,
  faultBadControlPort,
  faultBadReplicas,
  faultBadTelemetryPort,
  faultBothFaultDomains,
  faultEvenReplicas,
  faultHotplugBoth,
  faultHugepagesDisabledCount,
  faultHugepagesRange,
  faultIfaceReplicaMismatch,
  faultInsufficient,
  faultMetadataNoPath,
  faultNoProvider,
  faultPathWithoutRoles,
  faultReserveZero,
} from './config_faults.js';
import { checkEnginesTogether } from './cross_engine.js';
import { completeEngine, type EngineConfig } from './engine_config.js';
import { FaultDomain } from './fault_domain.js';
import { serverSchema, type ControlLogMask, type ServerFile, type TransportSection } from './schema.js';

const RESTART_DELAY_SECONDS_DEFAULT = 300;
const PORT_MAX = 65_535;

/** What the command line of `daos_server start` overrides. */
export interface ConfigOverrides {
  readonly port?: number;
  readonly targets?: number;
  readonly group?: string;
  readonly socketDir?: string;
  readonly insecure?: boolean;
  readonly modules?: string;
}

/** The completed and validated configuration of one server. */
export interface ServerConfig {
  /** The file it came from. */
  readonly path: string;
  readonly systemName: string;
  readonly port: number;
  /** Address that the control port listens on. */
  readonly listenHost: string;
  /** `host:port` of every management service replica. */
  readonly replicas: readonly string[];
  readonly transport: TransportSection;
  readonly socketDir: string;
  readonly logFile: string;
  readonly logMask: ControlLogMask;
  readonly logJson: boolean;
  readonly faultDomain: FaultDomain;
  readonly clientEnv: readonly string[];
  readonly autoRestart: boolean;
  readonly autoRestartMinDelayMs: number;
  readonly engines: readonly EngineConfig[];
  /** Told to the administrator at start. */
  readonly notices: readonly string[];
}

/** Reads, completes and validates `daos_server.yml`. Throws `ConfigError` (file, line, key) or a fault. */
export function loadServerConfig(path: string, overrides: ConfigOverrides = {}): ServerConfig {
  const file = override(loadConfig<ServerFile>(path, serverSchema), overrides);
  return completeConfig(resolve(path), file);
}

function override(file: ServerFile, by: ConfigOverrides): ServerFile {
  const transport = by.insecure ? { ...file.transport_config, allow_insecure: true } : file.transport_config;
  return {
    ...file,
    port: by.port ?? file.port,
    name: by.group ?? file.name,
    socket_dir: by.socketDir ?? file.socket_dir,
    transport_config: transport,
    engines: file.engines.map((engine) => ({
      ...engine,
      targets: by.targets ?? engine.targets,
      modules: by.modules ?? engine.modules,
    })),
  };
}

/** The validation order is DAOS's, so that the same file gives the same first complaint. */
export function completeConfig(path: string, file: ServerFile): ServerConfig {
  const notices: string[] = [];
  const hosts = replicaHosts(file, notices);
  if (file.port <= 0 || file.port > PORT_MAX) throw faultBadControlPort();
  const replicas = completeReplicas(hosts, file.port);
  if (file.control_metadata?.device && !file.control_metadata.path) throw faultMetadataNoPath();
  if (file.control_metadata?.path) throw faultPathWithoutRoles();
  if (file.system_ram_reserved <= 0) throw faultReserveZero();
  if (file.enable_hotplug !== undefined && file.disable_hotplug !== undefined) throw faultHotplugBoth();
  if (file.engines.length === 0) throw faultInsufficient('no engines configured');
  checkReplicaCount(replicas, notices);
  const [provider] = [file.provider, ...file.engines.map((engine) => engine.provider)].filter(Boolean);
  if (provider === undefined) throw faultNoProvider();
  if (file.telemetry_port < 0) throw faultBadTelemetryPort();
  const engines = file.engines.map((section, index) => completeEngine(file, section, index));
  checkEnginesTogether(engines);
  checkHugepages(file);
  for (const engine of engines) {
    if (engine.logFile === '') {
      notices.push(`engine ${engine.index} has no log_file; its log goes to the console`);
    }
  }
  return {
    path,
    systemName: file.name,
    port: file.port,
    listenHost: listenHost(file, replicas),
    replicas,
    transport: file.transport_config,
    socketDir: file.socket_dir,
    logFile: file.control_log_file,
    logMask: file.control_log_mask,
    logJson: file.control_log_json,
    faultDomain: faultDomain(file),
    clientEnv: file.client_env_vars,
    autoRestart: !file.disable_engine_auto_restart,
    autoRestartMinDelayMs: (file.engine_auto_restart_min_delay || RESTART_DELAY_SECONDS_DEFAULT) * 1000,
    engines,
    notices,
  };
}

function replicaHosts(file: ServerFile, notices: string[]): readonly string[] {
  if (file.access_points && file.mgmt_svc_replicas) {
    throw faultInsufficient(
      'access_points is deprecated; please use mgmt_svc_replicas instead (both are set)',
    );
  }
  if (file.access_points) notices.push('access_points is deprecated; please use mgmt_svc_replicas instead');
  return file.mgmt_svc_replicas ?? file.access_points ?? [];
}

function completeReplicas(hosts: readonly string[], port: number): string[] {
  const completed = hosts.map((entry) => {
    const [host = '', portText, ...more] = entry.trim().split(':');
    if (host === '' || more.length > 0) throw faultBadReplicas(`"${entry}" is not host or host:port`);
    if (portText === undefined) return `${host}:${port}`;
    if (!/^\d+$/.test(portText) || Number(portText) < 1 || Number(portText) > PORT_MAX) {
      throw faultBadControlPort();
    }
    return `${host}:${portText}`;
  });
  if (new Set(completed).size !== completed.length) throw faultBadReplicas('duplicate MS replica addresses');
  return completed;
}

function checkReplicaCount(replicas: readonly string[], notices: string[]): void {
  if (replicas.length === 0) throw faultBadReplicas('it is empty');
  if (replicas.length % 2 === 0) throw faultEvenReplicas();
  if (replicas.length > 1) throw faultBadReplicas('more than one MS replica is not supported yet');
  notices.push(
    'Configuration includes only one MS replica. This provides no redundancy in the event of a MS replica failure.',
  );
}

function checkHugepages(file: ServerFile): void {
  if (file.nr_hugepages < 0 || file.nr_hugepages > 0x7fffffff) throw faultHugepagesRange(file.nr_hugepages);
  if (file.disable_hugepages && file.nr_hugepages > 0) throw faultHugepagesDisabledCount();
}

function faultDomain(file: ServerFile): FaultDomain {
  if (file.fault_path !== '' && file.fault_cb !== '') throw faultBothFaultDomains();
  if (file.fault_cb !== '') {
    throw faultInsufficient('fault_cb (a script) is not supported yet; use fault_path');
  }
  return file.fault_path === '' ? FaultDomain.ofHost() : FaultDomain.parse(file.fault_path);
}

/**
 * Without `control_iface`, a system whose only replica is this host's loopback address listens there alone: nothing
 * else could reach it anyhow, and an insecure default is not offered to the network.
 */
function listenHost(file: ServerFile, replicas: readonly string[]): string {
  const hosts = replicas.map((replica) => replica.split(':')[0] ?? '');
  if (file.control_iface === '') return hosts.every(isLoopback) ? '127.0.0.1' : '0.0.0.0';
  const addresses = (networkInterfaces()[file.control_iface] ?? []).filter((address) =>
    address.family === 'IPv4'
  );
  if (addresses.length === 0) {
    throw faultBadControlIface(file.control_iface, 'no such network interface, or it has no IPv4 address');
  }
  const lowest = addresses.map((address) => address.address).sort(compareIpv4)[0] ?? '';
  const own = new Set(
    Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((address) => address.address)),
  );
  const local = hosts.find((host) => isIPv4(host) && own.has(host));
  if (local !== undefined && local !== lowest) throw faultIfaceReplicaMismatch(lowest, local);
  return lowest;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host.startsWith('127.');
}

function compareIpv4(a: string, b: string): number {
  const number = (text: string) => text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return number(a) - number(b);
}

/** Folder of the configuration file: relative helpers live beside it. */
export function configFolder(config: ServerConfig): string {
  return dirname(config.path);
}
