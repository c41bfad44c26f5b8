import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { lmdbFileState } from '../src/index.js';

describe('a file that LMDB is to open', () => {
  it('is told from anything else by its first page', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'lmdb-file-'));
    try {
      const path = join(dir, 'file');
      expect(lmdbFileState(path)).toBe('missing');
      await writeFile(path, '');
      expect(lmdbFileState(path)).toBe('empty');
      await writeFile(path, 'short');
      expect(lmdbFileState(path)).toBe('other');
      const page = Buffer.alloc(4096);
      await writeFile(path, page);
      expect(lmdbFileState(path)).toBe('other');
      page.writeUInt32LE(0xbeefc0de, 24);
      await writeFile(path, page);
      expect(lmdbFileState(path)).toBe('lmdb');
      expect(() => lmdbFileState(dir)).toThrow('EISDIR');
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});
