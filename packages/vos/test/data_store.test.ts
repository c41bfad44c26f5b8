import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { BioFile } from '@daos/bio';
import { VEA_BLOCK_BYTES, Vea } from '@daos/vea';

import { DataStore } from '../src/value/data_store.js';
import { IndexVeaStore } from '../src/value/vea_rows.js';
import { ValueRecord } from '../src/value/value_record.js';
import { MemoryUmem } from './extent/memory_umem.js';

const BLOCKS = 256;

/** Ends batches when told. */
class ManualUmem extends MemoryUmem {
  private readonly ends: (() => void)[] = [];

  override onBatchEnd(callback?: () => void): void {
    if (callback) this.ends.push(callback);
  }

  async endBatch(): Promise<void> {
    for (const end of this.ends) end();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('a value in several pieces of the data file', () => {
  it('is read across them, and gives all of them back', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'vos-data-'));
    const umem = new ManualUmem();
    const file = await BioFile.create(join(dir, 'data'), BLOCKS * VEA_BLOCK_BYTES);
    try {
      Vea.format(new IndexVeaStore(umem), BLOCKS);
      const store = new DataStore(umem, file, new Vea(new IndexVeaStore(umem), BLOCKS));
      const freeBytes = store.freeBytes;
      const parts = [Buffer.alloc(2 * VEA_BLOCK_BYTES, 'a'), Buffer.alloc(VEA_BLOCK_BYTES, 'b'), Buffer.alloc(100, 'c')];
      const pieces: { block: number; bytes: number }[] = [];
      for (const part of parts) {
        const place = store.reserve(part.length);
        await store.write(place, part);
        store.publish(place);
        pieces.push({ block: place.offset, bytes: part.length });
      }
      await store.flush();
      await umem.endBatch();
      expect(store.freeBytes).toBe(freeBytes - 4 * VEA_BLOCK_BYTES);
      const whole = Buffer.concat(parts);
      const first = pieces[0]?.block ?? -1;
      const record = new ValueRecord(1n, 1, whole.length, 0n, 0n, false, first, undefined, new Uint8Array(0), false, { pieces });
      expect(whole.compare(await store.read(record, 0, whole.length))).toBe(0);
      const [from, bytes] = [VEA_BLOCK_BYTES * 2 - 10, VEA_BLOCK_BYTES + 60];
      expect(whole.subarray(from, from + bytes).compare(await store.read(record, from, bytes))).toBe(0);
      store.free(record);
      await umem.endBatch();
      expect([...new IndexVeaStore(umem).load()].reduce((sum, { blocks }) => sum + blocks, 0)).toBe(freeBytes / VEA_BLOCK_BYTES);
    } finally {
      await file.close();
      await rm(dir, { recursive: true });
    }
  });
});
