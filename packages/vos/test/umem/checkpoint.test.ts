import { recordBytes } from '../../src/umem/log_record.js';
import { CHECKPOINT_POLICY } from '../../src/umem/umem_options.js';
import { openLmdb, type LmdbStore } from '../../src/umem/lmdb_store.js';
import type { UmemEvent } from '../../src/umem/umem_event.js';
import { TestUmem } from './umem_fixture.js';

let test: TestUmem;

afterEach(() => test.destroy());

async function putMany(count: number, bytes = 100): Promise<void> {
  for (let i = 0; i < count; i++) {
    test.put(`key ${i}`, 'x'.repeat(bytes));
    await test.umem.durable();
  }
}

function last(type: UmemEvent['type']): UmemEvent | undefined {
  return test.events.findLast((event) => event.type === type);
}

describe('checkpoints', () => {
  it('are made when the log passes its threshold', async () => {
    test = await TestUmem.create({ logBytesMax: 20 * 512, checkpoint: { mode: 'lazy', frequencySeconds: 5, thresholdPercent: 50 } });
    await putMany(9);
    expect(test.types()).toEqual(['replayed']);
    await putMany(1);
    await test.umem.settled();
    expect(test.types()).toEqual(['replayed', 'logSwitched', 'checkpointBegun', 'checkpointDone']);
    expect(last('logSwitched')).toMatchObject({ generation: 4, bytesBefore: 10 * 512 });
    expect(last('checkpointDone')).toMatchObject({ entries: 9 });
    await test.crash();
    await test.open();
    expect(last('replayed')).toMatchObject({ records: 0, logBytes: 0 });
  });

  it('are made when too many entries are in memory', async () => {
    test = await TestUmem.create({ checkpointEntries: 5 });
    await putMany(5);
    await test.umem.settled();
    expect(last('checkpointDone')).toMatchObject({ entries: 5 });
  });

  it('that are timed follow a modification after their time; lazy ones do not', async () => {
    test = await TestUmem.create({ checkpoint: { mode: 'lazy', frequencySeconds: 1, thresholdPercent: 50 } });
    await putMany(3);
    await pause(1200);
    expect(test.types()).toEqual(['replayed']);
    test.umem.setCheckpointPolicy({ mode: 'timed', frequencySeconds: 1, thresholdPercent: 50 });
    await pause(1200);
    await test.umem.settled();
    expect(last('checkpointDone')).toMatchObject({ entries: 3 });
    expect((last('checkpointDone') as { ms: number }).ms).toBeGreaterThan(0);
  });

  it('that are disabled are made only when the log is full', async () => {
    test = await TestUmem.create({ logBytesMax: 10 * 512, checkpointEntries: 2, checkpoint: { mode: 'disabled', frequencySeconds: 1, thresholdPercent: 10 } });
    await putMany(10);
    expect(test.types()).toEqual(['replayed']);
    await putMany(1);
    await test.umem.settled();
    expect(last('checkpointDone')).toMatchObject({ type: 'checkpointDone' });
  });

  it('have the defaults of DAOS, and refuse a frequency and a threshold out of range with DER_INVAL', async () => {
    test = await TestUmem.create();
    const policy = CHECKPOINT_POLICY;
    expect(policy).toEqual({ mode: 'timed', frequencySeconds: 5, thresholdPercent: 50 });
    for (const wrong of [{ frequencySeconds: 0 }, { frequencySeconds: 2 ** 20 + 1 }, { frequencySeconds: 1.5 }, { thresholdPercent: 9 }, { thresholdPercent: 76 }]) {
      expect(() => test.umem.setCheckpointPolicy({ ...policy, ...wrong })).toThrow('DER_INVAL');
    }
    for (const right of [{ frequencySeconds: 2 ** 20 }, { thresholdPercent: 10 }, { thresholdPercent: 75 }]) {
      test.umem.setCheckpointPolicy({ ...policy, ...right });
    }
  });

  it('that fail leave the index readable, and what was acknowledged in the log', async () => {
    test = await TestUmem.create({ checkpointEntries: 5, openStore: failingStore });
    await putMany(5);
    await test.umem.settled();
    expect(last('failed')).toMatchObject({ error: expect.objectContaining({ der: 'NVME_IO' }) });
    expect(test.get('key 4')).toBe('x'.repeat(100));
    expect(() => test.put('more', '')).toThrow('DER_NVME_IO');
    await test.crash();
    await test.open();
    expect(test.get('key 4')).toBe('x'.repeat(100));
  });
});

describe('a log of the largest size', () => {
  it('is replayed through a window, and says how much it was', async () => {
    const logBytesMax = 4 * 1024 * 1024;
    test = await TestUmem.create({ logBytesMax, checkpointEntries: Infinity, checkpoint: { mode: 'disabled', frequencySeconds: 5, thresholdPercent: 75 } });
    // header, lengths, key and value, in whole sectors
    const perRecord = recordBytes(6 + 'key 499'.length + 1 + 3000);
    let largestRead = 0;
    const value = 'v'.repeat(3000);
    const records = Math.floor(logBytesMax / perRecord) - 1;
    for (let i = 0; i < records; i++) {
      test.put(`key ${i % 500}`, value);
      await test.umem.durable();
    }
    await test.crash();
    test.disk.onRead = (bytes) => (largestRead = Math.max(largestRead, bytes));
    await test.open();
    expect(last('replayed')).toMatchObject({ records, isCut: false });
    expect((last('replayed') as { logBytes: number }).logBytes).toBe(records * perRecord);
    expect(largestRead).toBeLessThanOrEqual(1024 * 1024);
    expect(test.get('key 499')).toBe(value);
  });
});

/** LMDB whose background commits fail. */
function failingStore(path: string, usableBytes: number): LmdbStore {
  const store = openLmdb(path, usableBytes);
  return new Proxy(store, {
    get: (target, name) => {
      if (name === 'batch') return () => Promise.reject(new Error('no space left on device'));
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
