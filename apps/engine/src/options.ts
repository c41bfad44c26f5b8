import { networkInterfaces } from 'node:os';

import { DaosError } from '@daos/common';
import type { EngineOptions } from '@daos/engine';
import { Command, InvalidArgumentError } from 'commander';

import { bdevConfig } from './bdev_config.js';
import { moduleSpecifiers, MODULES_DEFAULT } from './module_names.js';

const GROUP_LENGTH_MAX = 15;
const TARGETS_MAX = 128;
const TIERS_MAX = 4;

interface Flags {
  readonly targets?: number;
  readonly cores?: number;
  readonly xshelpernr?: number;
  readonly firstcore?: number;
  readonly group: string;
  readonly storage: string;
  readonly socket_dir: string;
  readonly nvme?: string;
  readonly instance_idx: number;
  readonly storage_tiers: number;
  readonly modules: string;
  readonly check?: boolean;
}

function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`expected a number from ${min} to ${max}.`);
    }
    return value;
  };
}

function groupName(text: string): string {
  if (text === '' || text.length > GROUP_LENGTH_MAX) {
    throw new InvalidArgumentError(`a system name has 1 to ${GROUP_LENGTH_MAX} characters.`);
  }
  return text;
}

/** The options of DAOS's engine. Those marked "no effect" are accepted because daos_server passes them. */
function program(): Command {
  const any = integer(0, 0xffff_ffff);
  return new Command('daos_engine')
    .description('data plane of one rank of a DAOS system; started by daos_server')
    .option('-t, --targets <n>', 'number of targets, each with a thread of its own (default: 1)', integer(1, TARGETS_MAX))
    .option('-c, --cores <n>', 'deprecated, same as --targets', integer(1, TARGETS_MAX))
    .option('-x, --xshelpernr <n>', 'number of helper threads (no effect)', any)
    .option('-f, --firstcore <n>', 'first core to use (no effect: threads are not bound to cores)', any)
    .option('-g, --group <name>', 'system name', groupName, 'daos_server')
    .option('-s, --storage <path>', 'folder of the SCM tier', '/mnt/daos')
    .option('-d, --socket_dir <dir>', 'folder of the sockets shared with daos_server', '/var/run/daos_server')
    .option('-n, --nvme <config>', 'block-device configuration file')
    .option('-I, --instance_idx <n>', 'index of this engine on its host', any, 0)
    .option('-p, --pinned_numa_node <n>', 'NUMA node to bind to (no effect)', any)
    .option('-b, --bypass_health_chk', 'do not check device health (no effect)')
    .option('-r, --mem_size <MiB>', 'huge page memory (no effect)', any)
    .option('-H, --hugepage_size <MiB>', 'huge page size (no effect)', any)
    .option('-T, --storage_tiers <n>', 'number of storage tiers', integer(1, TIERS_MAX), 2)
    .option('-m, --modules <list>', 'modules to load', MODULES_DEFAULT)
    .option('-C, --check', 'start in check mode (not supported yet)')
    .helpOption('-h, --help', 'show this help')
    .addHelpText('after', ENVIRONMENT_HELP);
}

const ENVIRONMENT_HELP = `
Environment:
  D_PORT         port of tag 0; tag t listens on D_PORT + t (default 31416, 0 picks free ones)
  D_ADDRESS      address to listen on; default the first one of D_INTERFACE, else 127.0.0.1
  D_INTERFACE    network interface
  D_PROVIDER     ofi+tcp (any other is refused)
  DAOS_VOS_AGG_GAP            age in seconds below which history is not aggregated (20 to 180, default 20)
  DAOS_CSUM_SCRUB_DISABLED    1: stored data is not scrubbed, whatever pools say
  CRT_TIMEOUT    default deadline of an RPC in seconds (60)
  D_LOG_MASK, D_LOG_FILE, DD_SUBSYS, DD_STDERR, D_LOG_SIZE   logging, as in DAOS`;

/**
 * Reads the command line and the environment. Prints usage and exits for `-h` or a bad option; throws DER_INVAL or
 * DER_NOSYS for values that make no engine.
 */
export function engineOptions(argv: readonly string[], env: NodeJS.ProcessEnv): EngineOptions {
  const flags = program().parse([...argv], { from: 'user' }).opts<Flags>();
  if (flags.check) throw new DaosError('NOSYS', 'check mode (-C) is not part of this version');
  const provider = env['D_PROVIDER'] || 'ofi+tcp';
  if (!/^ofi\+(tcp|sockets)(;ofi_rxm)?$/.test(provider)) {
    throw new DaosError('NOTSUPPORTED', `D_PROVIDER=${provider}: this engine speaks ofi+tcp`);
  }
  const bdev = flags.nvme === undefined ? undefined : bdevConfig(flags.nvme);
  return {
    modules: moduleSpecifiers(flags.modules),
    systemName: flags.group,
    targetCount: flags.targets ?? flags.cores ?? 1,
    host: listenHost(env),
    port: portOf(env['D_PORT']),
    storageDir: flags.storage,
    socketDir: flags.socket_dir,
    instanceIndex: flags.instance_idx,
    ...bdev,
  };
}

function portOf(text: string | undefined): number {
  const port = Number(text || 31_416);
  if (!Number.isInteger(port) || port < 0 || port > 65_535 - TARGETS_MAX) {
    throw new DaosError('INVAL', `D_PORT=${text} is not a port`);
  }
  return port;
}

function listenHost(env: NodeJS.ProcessEnv): string {
  if (env['D_ADDRESS']) return env['D_ADDRESS'];
  const name = env['D_INTERFACE'];
  if (!name) return '127.0.0.1';
  const addresses = networkInterfaces()[name];
  const address = addresses?.find((a) => a.family === 'IPv4') ?? addresses?.[0];
  if (!address) throw new DaosError('INVAL', `D_INTERFACE=${name}: no such network interface, or it has no address`);
  return address.address;
}
