import { existsSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';

import { messageCodec, f, type MessageOf } from '@daos/cart';
import { DaosError, isUuid, type Uuid } from '@daos/common';
import type { EngineInfo } from '@daos/engine';

/** Pools that are being made; a leftover is of a creation cut short. */
const NEWBORNS = 'NEWBORNS';
/** Pools that are being removed. */
const ZOMBIES = 'ZOMBIES';

/** Where one target's shard lives. */
export interface ShardPlace {
  readonly dir: string;
  readonly dataPath: string | undefined;
}

/** What a rank keeps of its pool's map, so that it can serve and find the leader after a restart. */
const mapFileFields = {
  magic: f.str,
  layoutVersion: f.u32,
  mapVersion: f.u32,
  map: f.bytes,
  term: f.int,
  leaderRank: f.u32,
  svcRanks: f.array(f.u32),
};
const mapFileCodec = messageCodec(mapFileFields);
const MAP_FILE_MAGIC = 'DAOSMAP';
const MAP_FILE_VERSION = 1;

export type PoolMapRecord = Omit<MessageOf<typeof mapFileFields>, 'magic' | 'layoutVersion'>;

/** Folders of pools on this engine. */
export class PoolStorage {
  constructor(private readonly engine: EngineInfo) {}

  dir(pool: Uuid): string {
    return join(this.engine.storageDir, pool);
  }

  rdbPath(pool: Uuid): string {
    return join(this.dir(pool), 'rdb-pool');
  }

  shard(pool: Uuid, target: number): ShardPlace {
    return { dir: join(this.dir(pool), `vos-${target}`), dataPath: this.dataPath(pool, target) };
  }

  newbornShard(pool: Uuid, target: number): ShardPlace {
    return { dir: join(this.newborn(pool), `vos-${target}`), dataPath: this.dataPath(pool, target) };
  }

  exists(pool: Uuid): boolean {
    return existsSync(this.dir(pool));
  }

  /** Pools on this engine. */
  async list(): Promise<Uuid[]> {
    const names = await readdir(this.engine.storageDir).catch(emptyIfMissing);
    return names.filter(isUuid);
  }

  /** Removes what creations and destructions cut short have left. */
  async clean(): Promise<void> {
    for (const folder of [NEWBORNS, ZOMBIES])
      await rm(join(this.engine.storageDir, folder), { recursive: true, force: true });
    const { dataDir } = this.engine;
    if (dataDir === undefined) return;
    for (const name of await readdir(dataDir).catch(emptyIfMissing)) {
      if (isUuid(name) && !this.exists(name)) await rm(join(dataDir, name), { recursive: true, force: true });
    }
  }

  /** Makes empty folders in which the shards are built. DER_NOSPACE when a tier has less free space than they will take. */
  async begin(pool: Uuid, scmBytes: number, nvmeBytes: number): Promise<void> {
    await this.abandon(pool);
    await mkdir(this.newborn(pool), { recursive: true });
    const { storageDir, dataDir } = this.engine;
    if (dataDir === undefined) {
      await checkFree(storageDir, scmBytes + nvmeBytes, pool);
      return;
    }
    await mkdir(join(dataDir, pool), { recursive: true });
    await checkFree(storageDir, scmBytes, pool);
    await checkFree(dataDir, nvmeBytes, pool);
  }

  /** Makes a built pool appear: from here on it survives a restart. */
  async publish(pool: Uuid): Promise<void> {
    await rename(this.newborn(pool), this.dir(pool));
    await syncDir(this.engine.storageDir);
  }

  /** Removes a pool that was not published. */
  async abandon(pool: Uuid): Promise<void> {
    await rm(this.newborn(pool), { recursive: true, force: true });
    if (!this.exists(pool)) await this.removeData(pool);
  }

  /** Makes a pool disappear, then frees its space. */
  async remove(pool: Uuid): Promise<void> {
    const zombies = join(this.engine.storageDir, ZOMBIES);
    const zombie = join(zombies, `${pool}.${Date.now()}`);
    await mkdir(zombies, { recursive: true });
    await rename(this.dir(pool), zombie).catch(emptyIfMissing);
    await syncDir(this.engine.storageDir);
    await rm(zombie, { recursive: true, force: true });
    await this.removeData(pool);
  }

  /** Undefined when the rank has not got the map yet. DER_DF_INCOMPT for an unknown layout. */
  async readMap(pool: Uuid): Promise<PoolMapRecord | undefined> {
    const path = this.mapPath(pool);
    if (!existsSync(path)) return undefined;
    const file = await open(path, 'r');
    try {
      const { magic, layoutVersion, ...record } = mapFileCodec.decode(await file.readFile());
      if (magic !== MAP_FILE_MAGIC || layoutVersion !== MAP_FILE_VERSION) {
        throw new DaosError(
          'DF_INCOMPT',
          `${path} has layout ${magic} ${layoutVersion}, this program knows ${MAP_FILE_VERSION}`,
        );
      }
      return record;
    } finally {
      await file.close();
    }
  }

  async writeMap(pool: Uuid, record: PoolMapRecord): Promise<void> {
    const path = this.mapPath(pool);
    const file = await open(`${path}.new`, 'w');
    try {
      await file.writeFile(
        mapFileCodec.encode({ magic: MAP_FILE_MAGIC, layoutVersion: MAP_FILE_VERSION, ...record }),
      );
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
  }

  private mapPath(pool: Uuid): string {
    return join(this.dir(pool), 'pool_map');
  }

  private newborn(pool: Uuid): string {
    return join(this.engine.storageDir, NEWBORNS, pool);
  }

  private dataPath(pool: Uuid, target: number): string | undefined {
    const { dataDir } = this.engine;
    return dataDir === undefined ? undefined : join(dataDir, pool, `vos-${target}.data`);
  }

  private async removeData(pool: Uuid): Promise<void> {
    const { dataDir } = this.engine;
    if (dataDir !== undefined) await rm(join(dataDir, pool), { recursive: true, force: true });
  }
}

async function checkFree(dir: string, neededBytes: number, pool: Uuid): Promise<void> {
  const { bavail, bsize } = await statfs(dir);
  const freeBytes = bavail * bsize;
  if (neededBytes > freeBytes) {
    throw new DaosError(
      'NOSPACE',
      `pool ${pool} needs ${neededBytes} bytes in ${dir}, ${freeBytes} are free`,
    );
  }
}

async function syncDir(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function emptyIfMissing(error: unknown): string[] {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
  throw error;
}
