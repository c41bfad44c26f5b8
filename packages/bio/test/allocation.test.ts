import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Allocation } from '../src/allocation.js';
import { BioFile } from '../src/index.js';

const MIB = 1024 * 1024;

describe('Allocation', () => {
  it('gets each region once, cut at the end of the file', async () => {
    const asked: number[][] = [];
    const allocation = new Allocation(100 * MIB, async (offset, length) => {
      asked.push([offset, length]);
    });
    await allocation.prepare([{ offset: 63 * MIB, length: MIB }]);
    expect(asked).toEqual([[0, 64 * MIB]]);
    await allocation.prepare([{ offset: 63 * MIB, length: MIB + 1 }]);
    expect(asked).toEqual([[0, 64 * MIB], [64 * MIB, 36 * MIB]]);
    expect(allocation.prepare([{ offset: 0, length: 100 * MIB }])).toBeUndefined();
  });

  it('gives up when the file system cannot, and asks nothing of a device', async () => {
    let asked = 0;
    const refusing = new Allocation(MIB, () => {
      asked++;
      return Promise.reject(new Error('EOPNOTSUPP'));
    });
    await refusing.prepare([{ offset: 0, length: 1 }]);
    expect(refusing.prepare([{ offset: 0, length: 1 }])).toBeUndefined();
    expect(asked).toBe(1);
    const device = new Allocation(0, () => Promise.reject(new Error('asked')));
    expect(device.prepare([{ offset: 0, length: 4096 }])).toBeUndefined();
  });

  it('leaves size and content of a data file as they are', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'bio-'));
    try {
      const path = join(dir, 'data');
      const file = await BioFile.create(path, MIB);
      await file.write(0, [Buffer.from('first')]);
      await file.flush();
      await file.close();
      const { size } = await stat(path);
      const again = await BioFile.open(path);
      await again.write(8192, [Buffer.from('second')]);
      await again.flush();
      expect(Buffer.from(await again.read(0, 5)).toString()).toBe('first');
      expect(await again.read(4096, 4096)).toEqual(Buffer.alloc(4096));
      await again.close();
      expect((await stat(path)).size).toBe(size);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
});
