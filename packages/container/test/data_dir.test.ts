import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { uuidGenerate } from '@daos/common';
import { startEngine, type RunningEngine } from '@daos/engine';
import { dsPoolTgtCreate, dsPoolTgtDestroy } from '@daos/pool/ds';

const MIB = 1024 * 1024;
const url = new URL('../../../pool/dist/src/ds/index.js', import.meta.url).href;

describe('pools with a data tier of their own', () => {
  const dir = mkdtempSync(join(tmpdir(), 'daos-data-'));
  const [storageDir, dataDir] = [join(dir, 'scm'), join(dir, 'nvme')];
  const start = (): Promise<RunningEngine> =>
    startEngine({
      modules: [{ url, exportName: 'poolModule' }],
      targetCount: 2,
      storageDir,
      dataDir,
      socketDir: dir,
      standalone: { rank: 0 },
    });

  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('keeps data files in the data tier, over a restart, and frees them with the pool', async () => {
    const pool = uuidGenerate();
    let engine = await start();
    await dsPoolTgtCreate(engine.xs, {
      poolUuid: pool,
      scmBytesPerTarget: 64 * MIB,
      nvmeBytesPerTarget: 64 * MIB,
    });
    expect(readdirSync(join(dataDir, pool)).filter((name) => name.endsWith('.data')).sort()).toEqual([
      'vos-0.data',
      'vos-1.data',
    ]);
    await engine.stop();
    const orphan = join(dataDir, uuidGenerate());
    mkdirSync(orphan);
    engine = await start();
    expect(existsSync(orphan)).toBe(false);
    expect(existsSync(join(dataDir, pool))).toBe(true);
    await dsPoolTgtDestroy(engine.xs, pool);
    expect(existsSync(join(dataDir, pool))).toBe(false);
    expect(existsSync(join(storageDir, pool))).toBe(false);
    await engine.stop();
  });
});
