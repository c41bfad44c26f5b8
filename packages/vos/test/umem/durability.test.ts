import { DaosError } from '@daos/common';

import { FLUSHES_MAX } from '../../src/umem/flush_rule.js';
import { turn } from './faulty_disk.js';
import { DATA, TestUmem } from './umem_fixture.js';

let test: TestUmem;

afterEach(() => test.destroy());

/** Log writes wait until they are let go, in any order. */
function holdLogWrites(): { release: (i: number) => void; count: () => number } {
  const held: (() => void)[] = [];
  test.disk.fault = (call, path) => (call === 'write' && path !== DATA ? new Promise<void>((resolve) => held.push(resolve)) : undefined);
  return { release: (i) => held[i]?.(), count: () => held.length };
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

describe('a batch', () => {
  it('is acknowledged only when all before it are durable', async () => {
    test = await TestUmem.create();
    const log = holdLogWrites();
    const acknowledged: string[] = [];
    for (const name of ['first', 'second', 'third']) {
      test.put(name, name);
      void test.umem.durable().then(() => acknowledged.push(name));
      await turn();
    }
    expect(log.count()).toBe(3);
    log.release(1);
    log.release(2);
    await turns(5);
    expect(acknowledged).toEqual([]);
    log.release(0);
    await turns(5);
    expect(acknowledged).toEqual(['first', 'second', 'third']);
  });

  it('is lost in a crash with all behind it, whatever of them is on the disk', async () => {
    test = await TestUmem.create();
    const log = holdLogWrites();
    for (const name of ['first', 'second', 'third']) {
      test.put(name, name);
      void test.umem.durable();
      await turn();
    }
    const before = { first: test.get('first'), third: test.get('third') };
    expect(before).toEqual({ first: 'first', third: 'third' });
    log.release(0);
    log.release(2);
    await turns(5);
    // the second never reached the disk
    const { pending } = test.disk.content('log.1').pending.length > 0 ? test.disk.content('log.1') : test.disk.content('log.0');
    pending.length = 0;
    await test.crash();
    await test.open();
    expect([test.get('first'), test.get('second'), test.get('third')]).toEqual(['first', undefined, undefined]);
  });

  it('waits for the data that it depends on, and later batches wait for it', async () => {
    test = await TestUmem.create();
    let arrive = (): void => undefined;
    test.disk.fault = (call, path) => (call === 'write' && path === DATA ? new Promise((resolve) => (arrive = resolve)) : undefined);
    const acknowledged: string[] = [];
    test.writeData(0, 'data of the first');
    test.put('first', 'block 0');
    void test.umem.durable().then(() => acknowledged.push('first'));
    await turn();
    test.put('second', '');
    void test.umem.durable().then(() => acknowledged.push('second'));
    await turns(10);
    expect(acknowledged).toEqual([]);
    arrive();
    await turns(10);
    expect(acknowledged).toEqual(['first', 'second']);
  });

  it('of callers that always wait together is split, so that work goes on during a flush', async () => {
    test = await TestUmem.create();
    let records = 0;
    test.disk.fault = (call, path) => {
      if (call === 'write' && path !== DATA) records++;
      return undefined;
    };
    const round = (): Promise<unknown> =>
      Promise.all(
        Array.from({ length: 32 }, (_, i) => {
          test.put(`${i}`, '');
          return test.umem.durable();
        }),
      );
    await round();
    // as many as may be under way, and the rest
    expect(records).toBeLessThanOrEqual(FLUSHES_MAX + 1);
    records = 0;
    for (let i = 0; i < 50; i++) await round();
    expect(records / 50).toBeGreaterThanOrEqual(2);
    expect(records / 50).toBeLessThanOrEqual(4);
  });
});

describe('recovery of data writes', () => {
  it('ends at the first record whose data never arrived', async () => {
    test = await TestUmem.create();
    test.disk.fault = (call, path) => (call === 'write' && path === DATA ? new Promise(() => undefined) : undefined);
    test.put('before', 'kept');
    await test.umem.durable();
    test.writeData(4096, 'lost');
    test.put('lost', 'block 1');
    void test.umem.durable();
    await turn();
    test.put('behind', 'in the log, but never acknowledged');
    void test.umem.durable();
    await turns(10);
    test.disk.content(DATA).pending.length = 0;
    await test.crash();
    await test.open();
    expect([test.get('before'), test.get('lost'), test.get('behind')]).toEqual(['kept', undefined, undefined]);
    expect(test.events.at(-1)).toMatchObject({ type: 'replayed', records: 1, isCut: true });
    test.put('lost', 'goes on');
    await test.umem.durable();
    await test.crash();
    await test.open();
    expect([test.get('lost'), test.get('behind')]).toEqual(['goes on', undefined]);
  });

  it('does not look at data that was known to be durable: its block may hold something else by now', async () => {
    test = await TestUmem.create();
    const log = holdLogWrites();
    test.writeData(0, 'old');
    test.put('key', 'block 0');
    void test.umem.durable();
    await turn();
    // gives the block back while the record that names it is on its way
    test.put('key', 'in the index');
    const acknowledged = test.umem.durable();
    let isSealed = false;
    void test.umem.sealed().then(() => (isSealed = true));
    await turn();
    log.release(1);
    log.release(0);
    await acknowledged;
    await turns(10);
    // durable, but no record says so: a crash now would have the old record's data verified
    expect([isSealed, log.count()]).toEqual([false, 3]);
    log.release(2);
    await turns(10);
    expect(isSealed).toBe(true);
    await test.writeDataOnly(0, 'new');
    await test.crash();
    await test.open();
    expect(test.get('key')).toBe('in the index');
    expect(test.events.at(-1)).toMatchObject({ type: 'replayed', isCut: false });
  });

  it('does not take data that cannot be read for data that never arrived', async () => {
    test = await TestUmem.create();
    test.writeData(0, 'data');
    test.put('key', 'block 0');
    await test.umem.durable();
    await test.crash();
    const readData = (): Promise<Uint8Array> => Promise.reject(new DaosError('NVME_IO', 'the data file cannot be read'));
    await expect(test.open({ readData })).rejects.toThrow('the data file cannot be read');
    await test.open();
    expect(test.get('key')).toBe('block 0');
  });
});

describe('a log that cannot be written', () => {
  for (const [code, name] of [['EIO', 'NVME_IO'], ['ENOSPC', 'NOSPACE']] as const) {
    it(`refuses everything from the failed batch on (${code}), and keeps what was acknowledged`, async () => {
      test = await TestUmem.create();
      test.put('kept', 'yes');
      await test.umem.durable();
      test.disk.fault = (call, path) => (call === 'write' && path !== DATA ? new DaosError(name, code) : undefined);
      test.put('lost', 'yes');
      const failed = test.umem.durable();
      await expect(failed).rejects.toMatchObject({ message: expect.stringContaining(code) });
      expect(() => test.put('more', '')).toThrow(code);
      await expect(test.umem.durable()).rejects.toThrow(code);
      await expect(test.umem.sealed()).rejects.toThrow(code);
      expect(test.types()).toContain('failed');
      await test.crash();
      await test.open();
      expect(test.get('kept')).toBe('yes');
    });
  }

  it('still acknowledges batches before the failed one', async () => {
    test = await TestUmem.create();
    let writes = 0;
    let release = (): void => undefined;
    test.disk.fault = (call, path) => {
      if (call !== 'write' || path === DATA) return undefined;
      return writes++ === 0 ? new Promise<void>((resolve) => (release = resolve)) : new DaosError('NVME_IO', 'EIO');
    };
    test.put('first', '');
    const first = test.umem.durable();
    await turn();
    test.put('second', '');
    const second = test.umem.durable();
    second.catch(() => undefined);
    await turns(5);
    release();
    await first;
    await expect(second).rejects.toThrow('EIO');
  });

  it('fails the index when data that a batch depends on cannot be written', async () => {
    test = await TestUmem.create();
    test.disk.fault = (call, path) => (call === 'write' && path === DATA ? new DaosError('NVME_IO', 'EIO') : undefined);
    test.writeData(0, 'data');
    test.put('key', 'block 0');
    await expect(test.umem.durable()).rejects.toThrow('EIO');
    expect(() => test.put('more', '')).toThrow('EIO');
  });
});
