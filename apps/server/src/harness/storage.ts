import { execFile } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { mkdir, rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { Fault, formatBinaryBytes } from '@daos/control';

import type { EngineConfig } from '../config/engine_config.js';
import { faultNoHardware, faultStorageAlreadyFormatted } from '../faults.js';
import { writeFileAtomic } from './atomic_file.js';
import {
  FORMER_NAME,
  hasFormerSuperblock,
  hasSuperblock,
  removeFormerSuperblock,
  setSuperblockAside,
} from './superblock.js';

const run = promisify(execFile);
/** What a server or file system itself puts into an engine's folder; anything else is somebody's data. */
const OWN_FILES = new Set([
  'superblock',
  'superblock.tmp',
  'daos_nvme.conf',
  'control_raft',
  'engine.pid',
  'lost+found',
]);
/** Space that stays for the superblock, the system database and logs of pool services. */
const METADATA_RESERVE_BYTES_MAX = 64n * 1024n * 1024n;
const METADATA_RESERVE_SHARE = 50n;

/** What keeps an engine from starting: nothing, no file system (`SCM`), or no superblock on it (`Metadata`). */
export type FormatNeed = 'none' | 'SCM' | 'Metadata';

/** Sizes of one tier in bytes. `total` is what was configured, but never more than the file system holds. */
export interface TierCapacity {
  readonly totalBytes: bigint;
  /** What the file system could still store. */
  readonly freeBytes: bigint;
  /** Kept back from pools. */
  readonly reserveBytes: bigint;
}

/** The storage of one engine on this host: is it formatted, format it, how large is it. */
export class EngineStorage {
  constructor(private readonly config: EngineConfig) {
    if (config.scm.storageClass === 'dcpm') throw faultNoHardware('dcpm');
    if (config.data && config.data.storageClass !== 'file') throw faultNoHardware(config.data.storageClass);
  }

  get mount(): string {
    return this.config.scm.mount;
  }
  /** Folder of the data files; undefined when all data lives in the SCM tier. */
  get dataFolder(): string | undefined {
    return this.config.data?.devices[0];
  }
  get dataConfigPath(): string {
    return join(this.mount, 'daos_nvme.conf');
  }

  formatNeed(): FormatNeed {
    if (!isFolder(this.mount)) return 'SCM';
    if (this.config.scm.storageClass === 'ram' && !isMountPoint(this.mount)) return 'SCM';
    return hasSuperblock(this.mount) ? 'none' : 'Metadata';
  }

  /** Makes the SCM tier empty and ready for a superblock. Refuses formatted storage without `reformat`. */
  async formatScm(reformat: boolean): Promise<void> {
    if (this.formatNeed() === 'none' && !reformat) throw faultStorageAlreadyFormatted(this.mount);
    if (existsSync(this.mount)) this.refuseForeignFiles();
    await this.checkRoom();
    await this.clear();
    await mkdir(this.mount, { recursive: true, mode: 0o700 });
    if (this.config.scm.storageClass === 'ram') await this.mountTmpfs();
  }

  /** Makes the data tier and the file that tells the engine where it is. */
  async formatData(): Promise<void> {
    const { data } = this.config;
    if (!data || this.dataFolder === undefined) return;
    if (existsSync(this.dataFolder) && !isFolder(this.dataFolder)) {
      throw new Fault({
        domain: 'storage',
        code: 304,
        description: `${this.dataFolder} is not a folder`,
        resolution: 'bdev_list of class "file" names a folder for data files; correct the configuration',
      });
    }
    await rm(this.dataFolder, { recursive: true, force: true });
    await mkdir(this.dataFolder, { recursive: true, mode: 0o700 });
    await this.writeDataConfig();
  }

  /** The next start asks for a format again. */
  async invalidate(): Promise<void> {
    await setSuperblockAside(this.mount);
  }

  /** Rewritten at every start, so that a changed configuration reaches the engine. */
  async writeDataConfig(): Promise<void> {
    const { data } = this.config;
    if (!data || this.dataFolder === undefined) return;
    await writeFileAtomic(
      this.dataConfigPath,
      `${JSON.stringify(dataConfig(this.dataFolder, data.sizeBytes, this.config.autoFaulty), undefined, 2)}\n`,
    );
  }

  async scmCapacity(): Promise<TierCapacity> {
    const capacity = await folderCapacity(this.mount, this.config.scm.sizeBytes);
    const share = capacity.totalBytes / METADATA_RESERVE_SHARE;
    return {
      ...capacity,
      reserveBytes: share < METADATA_RESERVE_BYTES_MAX ? share : METADATA_RESERVE_BYTES_MAX,
    };
  }

  async dataCapacity(): Promise<TierCapacity | undefined> {
    const { data } = this.config;
    if (!data || this.dataFolder === undefined) return undefined;
    return { ...(await folderCapacity(this.dataFolder, data.sizeBytes)), reserveBytes: 0n };
  }

  /** A folder with other things in it was most likely named by mistake: formatting would delete them. */
  private refuseForeignFiles(): void {
    if (!isFolder(this.mount)) throw notEmpty(this.mount, 'it is a file');
    if (hasSuperblock(this.mount) || hasFormerSuperblock(this.mount)) return;
    const foreign = readdirSync(this.mount).find((name) => !OWN_FILES.has(name));
    if (foreign !== undefined) throw notEmpty(this.mount, `it holds "${foreign}"`);
    const { dataFolder } = this;
    if (dataFolder !== undefined && isFolder(dataFolder) && readdirSync(dataFolder).length > 0) {
      throw notEmpty(dataFolder, 'it holds files');
    }
  }

  private async checkRoom(): Promise<void> {
    if (this.config.scm.storageClass !== 'file') return;
    const wanted = this.config.scm.sizeBytes + (this.config.data?.sizeBytes ?? 0n);
    const free = await freeBytesAt(this.mount);
    if (wanted > free) {
      throw new Fault({
        domain: 'storage',
        code: 201,
        description: `engine ${this.config.index} is configured for ${
          formatBinaryBytes(wanted)
        }, but ${this.mount} has ${formatBinaryBytes(free)} free`,
        resolution:
          'lower scm_size and bdev_size in the server config file, or use a larger disk, then restart daos_server',
      });
    }
  }

  private async clear(): Promise<void> {
    if (!isFolder(this.mount)) return;
    // The superblock goes first, its shadow last: storage that is half removed does not look formatted, but still ours.
    await setSuperblockAside(this.mount);
    if (this.config.scm.storageClass === 'ram' && isMountPoint(this.mount)) await run('umount', [this.mount]);
    for (const name of readdirSync(this.mount)) {
      if (name !== FORMER_NAME) await rm(join(this.mount, name), { recursive: true, force: true });
    }
    if (this.dataFolder !== undefined) await rm(this.dataFolder, { recursive: true, force: true });
    await removeFormerSuperblock(this.mount);
  }

  private async mountTmpfs(): Promise<void> {
    const size = this.config.scm.sizeBytes === 0n ? '50%' : String(this.config.scm.sizeBytes);
    try {
      await run('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', this.mount]);
    } catch (cause) {
      throw new Fault({
        domain: 'storage',
        code: 601,
        description: `a RAM disk cannot be mounted at ${this.mount}: ${firstLine(cause)}`,
        resolution: 'run daos_server as root, or use storage class "file" for tier 0',
      }, { cause });
    }
  }
}

function notEmpty(path: string, why: string): Fault {
  return new Fault({
    domain: 'storage',
    code: 105,
    description: `${path} cannot be formatted: ${why}`,
    resolution: 'name an empty or new folder in the server config file, or empty it first',
  });
}

/** In the form of a block-device configuration, so that tools that read one find the tier. */
function dataConfig(folder: string, sizeBytes: bigint, autoFaulty: EngineConfig['autoFaulty']): object {
  const config = autoFaulty ? [{ method: 'auto_faulty', params: autoFaulty }] : [];
  return {
    daos_data: { config },
    subsystems: [
      {
        subsystem: 'bdev',
        config: [{
          method: 'bdev_aio_create',
          params: { name: 'AIO_0', filename: folder, block_size: 4096, size: Number(sizeBytes) },
        }],
      },
    ],
  };
}

async function folderCapacity(
  folder: string,
  configuredBytes: bigint,
): Promise<{ totalBytes: bigint; freeBytes: bigint }> {
  const fs = await statfs(folder, { bigint: true });
  const size = fs.blocks * fs.bsize;
  return {
    totalBytes: configuredBytes === 0n || configuredBytes > size ? size : configuredBytes,
    freeBytes: fs.bavail * fs.bsize,
  };
}

async function freeBytesAt(path: string): Promise<bigint> {
  let folder = path;
  while (!existsSync(folder)) folder = dirname(folder);
  const fs = await statfs(folder, { bigint: true });
  return fs.bavail * fs.bsize;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function isMountPoint(path: string): boolean {
  return readFileSync('/proc/self/mounts', 'utf8').split('\n').some((line) => line.split(' ')[1] === path);
}

function firstLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: unknown; message?: unknown };
  const text = typeof stderr === 'string' && stderr !== '' ? stderr : String(message);
  return text.trim().split('\n')[0] ?? '';
}
