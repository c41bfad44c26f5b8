import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { DaosError } from '@daos/common';

import { LmdbUmem, type LmdbUmemPaths } from '../../src/umem/lmdb_umem.js';
import { TestUmem, keyOf } from './umem_fixture.js';

const USABLE_BYTES = 16 * 1024 * 1024;

describe('an index without durability', () => {
  it('acknowledges without a flush, and what it acknowledged survives the end of the process', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'umem-relaxed-'));
    const pathsIn = (folder: string): LmdbUmemPaths => ({ index: join(folder, 'index'), logs: [join(folder, 'log.0'), join(folder, 'log.1')] });
    try {
      await LmdbUmem.create(pathsIn(dir), USABLE_BYTES);
      const umem = await LmdbUmem.open(pathsIn(dir), USABLE_BYTES, { durability: 'none' });
      for (let i = 0; i < 100; i++) {
        umem.put(keyOf(`key ${i}`), Buffer.from(`${i}`));
        await umem.durable();
      }
      // what the kernel has is what a kill leaves
      const killed = join(dir, 'killed');
      await mkdir(killed);
      for (const name of ['index', 'log.0', 'log.1']) await copyFile(join(dir, name), join(killed, name));
      await umem.close();
      const again = await LmdbUmem.open(pathsIn(killed), USABLE_BYTES);
      for (let i = 0; i < 100; i++) expect(String(Buffer.from(again.get(keyOf(`key ${i}`)) ?? []))).toBe(`${i}`);
      await again.close();
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });

  it('takes no more modifications after a flush that failed', async () => {
    const test = await TestUmem.create({ durability: 'none' });
    try {
      test.put('a', '');
      await test.umem.durable();
      test.disk.fault = (call) => (call === 'sync' ? new DaosError('NVME_IO', 'a fault') : undefined);
      await expect(test.umem.sealed()).rejects.toMatchObject({ der: 'NVME_IO' });
      test.disk.fault = () => undefined;
      expect(() => test.put('b', '')).toThrow('DER_NVME_IO');
      await expect(test.umem.sealed()).rejects.toMatchObject({ der: 'NVME_IO' });
    } finally {
      await test.destroy();
    }
  });

  it('flushes its log before a checkpoint, and for those who ask to seal', async () => {
    const test = await TestUmem.create({ durability: 'none', checkpointEntries: 3 });
    try {
      let syncs = 0;
      test.disk.fault = (call) => {
        if (call === 'sync') syncs++;
        return undefined;
      };
      test.put('a', '');
      test.put('b', '');
      await test.umem.durable();
      expect(syncs).toBe(0);
      await test.umem.sealed();
      expect(syncs).toBeGreaterThan(0);
      await test.crash();
      await test.open();
      expect(test.get('a')).toBe('');
      syncs = 0;
      for (const key of ['c', 'd', 'e']) test.put(key, '');
      await test.umem.durable();
      await test.umem.settled();
      expect(test.types()).toContain('checkpointDone');
      await test.crash();
      await test.open();
      expect(test.get('e')).toBe('');
    } finally {
      await test.destroy();
    }
  });
});
