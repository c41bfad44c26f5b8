import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { DaosError } from '@daos/common';
import { open, type RootDatabase } from 'lmdb';

import type { SystemChange, SystemSnapshot } from './system_state.js';

/** A logged change with the time it was made. */
export interface SystemEntry {
  readonly time: string;
  readonly change: SystemChange;
}

/** What a log holds: a snapshot of the state after entry `snapshotIndex` (0: none), and the entries after it. */
export interface SystemLogContents {
  readonly snapshotIndex: number;
  readonly snapshot: SystemSnapshot | undefined;
  readonly entries: readonly SystemEntry[];
}

/**
 * Where changes become durable before they are applied. One replica writes them to its disk; a replicated log would
 * resolve `append` when a majority has them.
 */
export interface SystemLog {
  load(): SystemLogContents;
  /** Resolves when the entry survives a crash. Indices start at 1 and have no gaps. */
  append(index: number, entry: SystemEntry): Promise<void>;
  /** Replaces all entries up to `index`. */
  compact(index: number, snapshot: SystemSnapshot): Promise<void>;
  close(): Promise<void>;
}

const MAGIC = 'DAOS system database';
const FORMAT_VERSION = 1;
const FORMAT_KEY = 'format';
const SNAPSHOT_KEY = 'snapshot';
const LOG_KEY = 'log';
const MAP_BYTES_MAX = 1024 ** 3;

/** The log of a single replica: one LMDB file in `<folder>/daos_system.db`. */
export class LmdbSystemLog implements SystemLog {
  private constructor(private readonly db: RootDatabase) {}

  /** Opens or makes the log. DER_DF_INCOMPT when the file is not ours or newer than this program. */
  static async open(folder: string): Promise<LmdbSystemLog> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const db = open({
      path: join(folder, 'daos_system.db'),
      noSubdir: true,
      encoding: 'json',
      // A change is acknowledged to administrators and engines: the flush comes before the promise, not after.
      overlappingSync: false,
      mapSize: MAP_BYTES_MAX,
    });
    const format = db.get(FORMAT_KEY) as { magic?: unknown; version?: unknown } | undefined;
    if (format === undefined) await db.put(FORMAT_KEY, { magic: MAGIC, version: FORMAT_VERSION });
    else if (format.magic !== MAGIC || format.version !== FORMAT_VERSION) {
      await db.close();
      throw new DaosError(
        'DF_INCOMPT',
        `system database in ${folder} has format ${
          JSON.stringify(format)
        }, this server knows version ${FORMAT_VERSION}`,
      );
    }
    return new LmdbSystemLog(db);
  }

  load(): SystemLogContents {
    const stored = this.db.get(SNAPSHOT_KEY) as { index: number; state: SystemSnapshot } | undefined;
    const snapshotIndex = stored?.index ?? 0;
    const entries: SystemEntry[] = [];
    for (
      const { key, value } of this.db.getRange({
        start: [LOG_KEY, snapshotIndex + 1],
        end: [LOG_KEY, Number.MAX_SAFE_INTEGER],
      })
    ) {
      const index = (key as [string, number])[1];
      if (index !== snapshotIndex + entries.length + 1) {
        throw new DaosError('DF_INVAL', `system database lacks entry ${snapshotIndex + entries.length + 1}`);
      }
      entries.push(value as SystemEntry);
    }
    return { snapshotIndex, snapshot: stored?.state, entries };
  }

  async append(index: number, entry: SystemEntry): Promise<void> {
    await this.db.put([LOG_KEY, index], entry);
  }

  async compact(index: number, snapshot: SystemSnapshot): Promise<void> {
    const old = [...this.db.getKeys({ start: [LOG_KEY, 0], end: [LOG_KEY, index + 1] })];
    await this.db.transaction(() => {
      this.db.putSync(SNAPSHOT_KEY, { index, state: snapshot });
      for (const key of old) this.db.removeSync(key);
    });
  }

  async close(): Promise<void> {
    await this.db.close();
  }
}
