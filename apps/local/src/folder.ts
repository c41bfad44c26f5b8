import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statfsSync, symlinkSync, unlinkSync, writeFileSync, lstatSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';

/** The kernel's limit for a Unix socket's path, less the longest socket name that lives in the run folder. */
const RUN_PATH_BYTES_MAX = 107 - '/daos_engine_4194304.sock'.length;
const GIB = 2 ** 30;
/** Share of the free disk space that a new system may use at most. */
const DISK_SHARE = 0.5;
const SCM_GIB_DEFAULT = 4;
const DATA_GIB_DEFAULT = 16;
const TARGETS_MAX = 64;
const ENGINES_MAX = 16;

export interface FolderOptions {
  readonly dir: string;
  readonly targets?: number | undefined;
  readonly engines?: number | undefined;
  readonly port?: number | undefined;
  readonly fabricPort?: number | undefined;
}

export interface EnginePlan {
  readonly targets: number;
  readonly fabricPort: number;
}

/** Paths of a local system, all below one folder. */
export class SystemFolder {
  readonly dir: string;

  constructor(dir: string) {
    this.dir = resolve(dir);
  }

  get serverConfig(): string {
    return join(this.dir, 'daos_server.yml');
  }
  get agentConfig(): string {
    return join(this.dir, 'daos_agent.yml');
  }
  get controlConfig(): string {
    return join(this.dir, 'daos_control.yml');
  }
  /** Sockets. A link to a short path when the folder's own is too long for a socket. */
  get runDir(): string {
    return join(this.dir, 'run');
  }
  get logDir(): string {
    return join(this.dir, 'log');
  }
  get exists(): boolean {
    return existsSync(this.serverConfig);
  }

  /** Makes the folder and its parts. Returns the path to use for sockets. */
  prepare(): string {
    for (const dir of [this.dir, this.logDir]) mkdirSync(dir, { recursive: true, mode: 0o755 });
    return this.prepareRunDir();
  }

  private prepareRunDir(): string {
    if (Buffer.byteLength(this.runDir) <= RUN_PATH_BYTES_MAX) {
      mkdirSync(this.runDir, { recursive: true, mode: 0o755 });
      return this.runDir;
    }
    const short = join(tmpdir(), `daos-${createHash('sha256').update(this.dir).digest('hex').slice(0, 12)}`);
    mkdirSync(short, { recursive: true, mode: 0o755 });
    if (lstatSync(this.runDir, { throwIfNoEntry: false })) unlinkSync(this.runDir);
    symlinkSync(short, this.runDir);
    return short;
  }

  /** Ports and target counts that the server's configuration holds. */
  readPlan(): { port: number; engines: EnginePlan[] } {
    const config = parse(readFileSync(this.serverConfig, 'utf8')) as {
      port: number;
      engines: { targets: number; fabric_iface_port: number }[];
    };
    return {
      port: config.port,
      engines: config.engines.map((engine) => ({ targets: engine.targets, fabricPort: engine.fabric_iface_port })),
    };
  }

  /** Writes the three configuration files. Storage sizes are chosen once and kept by later calls. */
  writeConfigs(port: number, engines: readonly EnginePlan[], socketDir: string): void {
    const sizes = this.exists ? this.readSizes() : planSizes(this.dir, engines.length);
    const transport = { allow_insecure: true };
    const server = {
      name: 'daos_server',
      mgmt_svc_replicas: ['127.0.0.1'],
      port,
      transport_config: transport,
      provider: 'ofi+tcp',
      socket_dir: socketDir,
      control_log_file: join(this.logDir, 'daos_server.log'),
      engines: engines.map((engine, index) => ({
        targets: engine.targets,
        nr_xs_helpers: 0,
        fabric_iface: 'lo',
        fabric_iface_port: engine.fabricPort,
        log_file: join(this.logDir, `daos_engine.${index}.log`),
        storage: [
          { class: 'file', scm_mount: join(this.dir, 'storage', `engine${index}`, 'scm'), scm_size: sizes.scmGib },
          { class: 'file', bdev_list: [join(this.dir, 'storage', `engine${index}`, 'data')], bdev_size: sizes.dataGib },
        ],
      })),
    };
    writeFileSync(this.serverConfig, HEADER + stringify(server));
    writeFileSync(
      this.agentConfig,
      HEADER +
        stringify({
          name: 'daos_server',
          access_points: ['127.0.0.1'],
          port,
          transport_config: transport,
          runtime_dir: socketDir,
          log_file: join(this.logDir, 'daos_agent.log'),
        }),
    );
    writeFileSync(
      this.controlConfig,
      HEADER + stringify({ name: 'daos_server', port, hostlist: ['127.0.0.1'], transport_config: transport }),
    );
  }

  private readSizes(): { scmGib: number; dataGib: number } {
    const config = parse(readFileSync(this.serverConfig, 'utf8')) as {
      engines: { storage: { scm_size?: number; bdev_size?: number }[] }[];
    };
    const storage = config.engines[0]?.storage;
    return { scmGib: storage?.[0]?.scm_size ?? SCM_GIB_DEFAULT, dataGib: storage?.[1]?.bdev_size ?? DATA_GIB_DEFAULT };
  }
}

const HEADER = '# Written by the local system; ports may change when they are taken at the next start.\n';

/** GiB per engine of the two tiers: the defaults, or less on a small disk. */
function planSizes(dir: string, engines: number): { scmGib: number; dataGib: number } {
  const fs = statfsSync(dir);
  const budgetGib = Math.floor((fs.bavail * fs.bsize * DISK_SHARE) / GIB / engines);
  if (budgetGib < 2) {
    throw new Error(`${dir} has ${((fs.bavail * fs.bsize) / GIB).toFixed(1)} GiB free; ${engines} engine(s) need at least ${4 * engines} GiB`);
  }
  const scmGib = Math.min(SCM_GIB_DEFAULT, Math.max(1, Math.floor(budgetGib / 4)));
  return { scmGib, dataGib: Math.min(DATA_GIB_DEFAULT, budgetGib - scmGib) };
}

/** A whole number from the command line within bounds; the error names the option. */
export function checkCount(option: string, value: number | undefined, max: number): void {
  if (value !== undefined && !(Number.isInteger(value) && value >= 1 && value <= max)) {
    throw new Error(`${option} must be a whole number from 1 to ${max}`);
  }
}

export function checkFolderOptions(options: FolderOptions): void {
  checkCount('--targets', options.targets, TARGETS_MAX);
  checkCount('--engines', options.engines, ENGINES_MAX);
  checkCount('--port', options.port, 65_535);
  checkCount('--fabric-port', options.fabricPort, 65_535);
}
