import { isAligned } from '@daos/native';

import { BUFFER_ALIGNMENT_BYTES, BufferPool } from '../src/index.js';

const MIB = 1024 * 1024;

describe('BufferPool', () => {
  it('lends page-aligned buffers of the length that was asked for', () => {
    const pool = new BufferPool(16 * MIB);
    for (const bytes of [0, 1, 4096, 4097, 100_000, MIB, 8 * MIB]) {
      const lease = pool.tryTake(bytes);
      expect([lease?.bytes.length, lease && isAligned(lease.bytes, BUFFER_ALIGNMENT_BYTES)]).toEqual([bytes, true]);
      lease?.release();
    }
  });

  it('uses what comes back again: the number of buffers made stands still', () => {
    const pool = new BufferPool(16 * MIB);
    for (let i = 0; i < 1000; i++) {
      const [a, b] = [pool.tryTake(MIB), pool.tryTake(4096)];
      expect(a?.bytes.buffer).not.toBe(b?.bytes.buffer);
      a?.release();
      b?.release();
    }
    expect(pool.statistics).toEqual({ lentBytes: 0, idleBytes: MIB + 4096, made: 2, forgotten: 0 });
  });

  it('never lends one buffer to two', () => {
    const pool = new BufferPool(16 * MIB);
    const leases = Array.from({ length: 100 }, () => pool.tryTake(5000));
    expect(new Set(leases.map((lease) => lease?.bytes.buffer)).size).toBe(100);
  });

  it('stops at its limit, and lets go of idle buffers of other sizes first', () => {
    const pool = new BufferPool(8 * MIB);
    const small = Array.from({ length: 8 }, () => pool.tryTake(MIB));
    expect(pool.tryTake(1)).toBeUndefined();
    for (const lease of small) lease?.release();
    expect(pool.statistics.idleBytes).toBe(8 * MIB);
    const large = pool.tryTake(8 * MIB);
    expect(large?.bytes.length).toBe(8 * MIB);
    expect(pool.statistics).toMatchObject({ lentBytes: 8 * MIB, idleBytes: 0 });
  });

  it('serves those who wait in the order of their calls', async () => {
    const pool = new BufferPool(8 * MIB);
    const first = await pool.take(8 * MIB);
    const order: string[] = [];
    const large = pool.take(8 * MIB).then((lease) => {
      order.push('large');
      lease.release();
    });
    const small = pool.take(10).then((lease) => {
      order.push('small');
      lease.release();
    });
    expect(pool.tryTake(1)).toBeUndefined();
    first.release();
    await Promise.all([large, small]);
    expect(order).toEqual(['large', 'small']);
    expect(pool.statistics.lentBytes).toBe(0);
  });

  it('refuses what nobody could give back enough for', async () => {
    const pool = new BufferPool(16 * MIB);
    await expect(pool.take(16 * MIB + 1)).rejects.toMatchObject({ der: 'NOMEM' });
    // bigger than a chunk: a buffer of its own, which is not kept
    const huge = await pool.take(12 * MIB);
    huge.release();
    expect(pool.statistics).toMatchObject({ lentBytes: 0, idleBytes: 0, made: 1 });
  });

  it('stops the program when a lease is released twice', () => {
    const pool = new BufferPool(16 * MIB);
    const lease = pool.tryTake(1);
    lease?.release();
    expect(() => lease?.release()).toThrow('released once');
    // leaving a block releases at most once
    expect(() => lease?.[Symbol.dispose]()).not.toThrow();
  });
});
