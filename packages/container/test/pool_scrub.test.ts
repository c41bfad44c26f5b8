import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ChecksumType, IodType, iodChecksums, uuidGenerate, type Uuid } from '@daos/common';
import { ScrubMode, vosPoolCreate, vosPoolOpen, type ScrubSettings, type VosPool } from '@daos/vos';

import type { ContHistory } from '../src/ds/aggregate/pool_aggregator.js';
import { PoolScrub } from '../src/ds/scrub/pool_scrub.js';

const HISTORY: ContHistory = {
  now: 0n,
  snapshots: [],
  snapshotDeleted: 0n,
  isTransformed: false,
  checksumType: ChecksumType.CRC64,
};

describe('the scrubber of one pool', () => {
  let dir: string;
  let vos: VosPool;
  let uuid: Uuid;
  let settings: ScrubSettings;
  let isIdle: boolean;
  const departing = new Set<Uuid>();
  let questions: Uuid[];

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'daos-scrub-'));
    uuid = uuidGenerate();
    const pool = { dir: join(dir, 'shard'), uuid: uuidGenerate() };
    await vosPoolCreate({ ...pool, scmBytes: 4 << 20, nvmeBytes: 0 });
    vos = await vosPoolOpen(pool);
    await vos.containerCreate(uuid);
    settings = { mode: ScrubMode.LAZY, freqSeconds: 3600, threshold: 0 };
    isIdle = true;
    questions = [];
    departing.clear();
  });
  afterEach(async () => {
    await vos.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const scrubOf = (history: () => Promise<ContHistory>): PoolScrub =>
    new PoolScrub({
      vos,
      settings: () => settings,
      isIdle: () => isIdle,
      isDeparting: (of) => departing.has(of),
      corrupted: () => undefined,
      history: (of) => {
        questions.push(of);
        return history();
      },
    });

  it('ends at once with the pool, also while the leader does not answer', async () => {
    const scrub = scrubOf(() => new Promise(() => undefined));
    scrub.start();
    await until(() => questions.length > 0);
    await scrub.stop();
    await vos.containerDestroy(uuid);
  });

  it('lets go of a container that is destroyed while it waits for an idle target', async () => {
    const container = vos.containerOpen(uuid);
    const iod = { akey: Buffer.from('a'), type: IodType.SINGLE, size: 1, recxs: [] };
    for (const text of ['x', 'y']) {
      await container.update({
        oid: { oid: { hi: 0n, lo: 1n }, shard: 0, layoutVersion: 1 },
        flavours: { dkey: 'hashed', akey: 'hashed' },
        epoch: 1n,
        flags: 0,
        dkey: Buffer.from(text),
        iods: [iod],
        values: [Buffer.from(text)],
        checksums: [iodChecksums(ChecksumType.CRC64, 32 * 1024, iod, Buffer.from(text))],
      });
    }
    container.close();
    const scrub = scrubOf(() => {
      isIdle = false;
      return Promise.resolve(HISTORY);
    });
    scrub.start();
    await until(() => questions.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await expect(vos.containerDestroy(uuid)).rejects.toMatchObject({ der: 'BUSY' });
    departing.add(uuid);
    await scrub.leave(uuid);
    await vos.containerDestroy(uuid);
    await scrub.stop();
  });

  it('does nothing while it is off', async () => {
    settings = { ...settings, mode: ScrubMode.OFF };
    const scrub = scrubOf(() => Promise.resolve(HISTORY));
    scrub.start();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(questions).toEqual([]);
    await scrub.stop();
  });
});

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('it did not come true within 10 s');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
