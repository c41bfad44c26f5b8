import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { uuidGenerate, type Uuid } from '@daos/common';
import { RdbReplica, type RdbCallbacks } from '@daos/rdb';

export interface TestDb {
  readonly path: string;
  readonly uuid: Uuid;
  remove(): void;
}

export function testDb(): TestDb {
  const dir = mkdtempSync(join(tmpdir(), 'rdb-test-'));
  return {
    path: join(dir, 'rdb-pool'),
    uuid: uuidGenerate(),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** Starts a replica and waits until it has stepped up. */
export function startReplica(rdb: RdbReplica, callbacks: Partial<RdbCallbacks> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    rdb.start({
      stepUp: async (term) => {
        await callbacks.stepUp?.(term);
        resolve(term);
      },
      stepDown: async (term) => callbacks.stepDown?.(term),
      stop: (error) => {
        callbacks.stop?.(error);
        reject(error);
      },
    });
  });
}

export async function createReplica(db: TestDb, capacityBytes?: number): Promise<RdbReplica> {
  const rdb = RdbReplica.create({
    path: db.path,
    uuid: db.uuid,
    self: { rank: 0, generation: 1 },
    capacityBytes,
  });
  await startReplica(rdb);
  return rdb;
}

export async function reopenReplica(db: TestDb): Promise<RdbReplica> {
  const rdb = await RdbReplica.open({ path: db.path, uuid: db.uuid });
  await startReplica(rdb);
  return rdb;
}
