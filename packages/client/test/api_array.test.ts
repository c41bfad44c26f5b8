import { ObjectType, isDaosError, type Recx } from '@daos/common';

import { daosInit, type ArrayObject, type Container, type Daos } from '../src/index.js';
import { StandaloneSystem } from './harness/standalone_system.js';

/** The behaviours that DAOS's own array tests check, on one real engine with two targets. */
describe('Array', () => {
  let system: StandaloneSystem;
  let daos: Daos;
  let cont: Container;

  beforeAll(async () => {
    system = await StandaloneSystem.start();
    daos = await daosInit({ agentDir: system.agentDir });
    const pool = await daos.poolConnect('tank');
    await pool.contCreate({ label: 'arrays' });
    cont = await pool.contOpen('arrays', { mode: 'rw' });
  }, 30_000);
  afterAll(async () => {
    await daos.close();
    await system.remove();
  }, 30_000);

  const range = (idx: number, nr: number): Recx => ({ idx: BigInt(idx), nr: BigInt(nr) });
  const der = (call: Promise<unknown>): Promise<string> =>
    call.then(() => 'none', (error: unknown) => {
      if (isDaosError(error)) return error.der;
      throw error;
    });
  async function newOid(type: number) {
    return cont.generateOid({ hi: 0n, lo: await cont.allocOids(1) }, type);
  }
  async function byteArray(chunkSize = 64): Promise<ArrayObject> {
    return cont.arrayOpenWithAttr(await newOid(ObjectType.ARRAY_BYTE), { cellSize: 1, chunkSize });
  }

  it('create, attributes, open again, create twice, destroy', async () => {
    const array = await cont.arrayCreate({ cellSize: 4, chunkSize: 16 });
    expect(await der(cont.arrayCreate({ oid: array.oid, cellSize: 4, chunkSize: 16 }))).toBe('EXIST');
    const again = await cont.arrayOpen(array.oid);
    expect([again.cellSize, again.chunkSize]).toEqual([4, 16]);
    await array.destroy();
    expect(await der(cont.arrayOpen(array.oid))).toBe('NONEXIST');
  });

  it('types: hashed dkeys are INVAL, stored attributes exclude given ones', async () => {
    expect(await der(cont.arrayCreate({ oid: await newOid(ObjectType.MULTI_HASHED), cellSize: 1, chunkSize: 8 }))).toBe('INVAL');
    const stored = await newOid(ObjectType.ARRAY);
    expect(() => cont.arrayOpenWithAttr(stored, { cellSize: 1, chunkSize: 8 })).toThrow(/DER_INVAL/);
    const given = await newOid(ObjectType.ARRAY_ATTR);
    expect(await der(cont.arrayOpen(given))).toBe('INVAL');
    expect(() => cont.arrayOpenWithAttr(given, { cellSize: 0, chunkSize: 8 })).toThrow(/DER_INVAL/);
  });

  it('writes and reads contiguous and strided ranges with cells of 1 to 8 bytes', async () => {
    for (const cellSize of [1, 2, 3, 8]) {
      const array = await cont.arrayCreate({ cellSize, chunkSize: 10 });
      const ranges = [range(0, 25), range(40, 7), range(100, 1)];
      const data = Buffer.alloc(33 * cellSize);
      for (let i = 0; i < data.length; i++) data[i] = i * 7;
      await array.write(ranges, data);
      const into = Buffer.alloc(data.length);
      expect(await array.read(ranges, into)).toEqual({ bytesRead: data.length });
      expect(into.equals(data)).toBe(true);
      const part = Buffer.alloc(5 * cellSize);
      await array.read(range(8, 5), part);
      expect(part.equals(data.subarray(8 * cellSize, 13 * cellSize))).toBe(true);
      expect(await array.getSize()).toBe(101n);
    }
  });

  it('sizes that do not fit the buffer are INVAL, very many small ranges NOTSUPPORTED', async () => {
    const array = await byteArray();
    expect(await der(array.write(range(0, 4), Buffer.alloc(5)))).toBe('INVAL');
    const many = Array.from({ length: 16_385 }, (_, i) => range(i * 2, 1));
    expect(await der(array.write(many, Buffer.alloc(16_385)))).toBe('NOTSUPPORTED');
  });

  it('set size, then get size, growing and shrinking, to chunk borders too', async () => {
    const array = await cont.arrayCreate({ cellSize: 1, chunkSize: 32 });
    for (const size of [265n, 112n, 0n, 1_048_576n, 0n, 266n, 0n, 33n, 32n, 65n, 64n, 1n, 0n]) {
      await array.setSize(size);
      expect(await array.getSize()).toBe(size);
      expect(await (await cont.arrayOpen(array.oid)).getSize()).toBe(size);
    }
  });

  it('an empty byte array reads nothing; after a write further on, holes below the end are zero', async () => {
    const array = await byteArray();
    const into = Buffer.alloc(100, 'u');
    expect(await array.read(range(0, 100), into)).toEqual({ bytesRead: 0 });
    expect(into.every((byte) => byte === 0x75)).toBe(true);
    await array.write(range(200, 10), Buffer.alloc(10, 'w'));
    expect(await array.read(range(0, 100), into)).toEqual({ bytesRead: 100 });
    expect(into.every((byte) => byte === 0)).toBe(true);
  });

  it('a read across the end is short and leaves what lies behind untouched', async () => {
    const array = await byteArray();
    await array.write(range(0, 150), Buffer.alloc(150, 'a'));
    const into = Buffer.alloc(200, 'u');
    expect(await array.read(range(100, 200), into)).toEqual({ bytesRead: 50 });
    expect(into.toString()).toBe('a'.repeat(50) + 'u'.repeat(150));
  });

  it('a write after truncation: the size follows it, the highest epoch grows, stat agrees', async () => {
    const array = await byteArray();
    let last = 0n;
    const step = async (change: Promise<void>, size: bigint) => {
      await change;
      const stat = await array.stat();
      expect(stat.size).toBe(size);
      expect(stat.maxEpoch).toBeGreaterThan(last);
      expect(await array.getSize()).toBe(size);
      last = stat.maxEpoch;
    };
    await step(array.setSize(500n), 500n);
    await step(array.setSize(0n), 0n);
    await step(array.write(range(0, 6), Buffer.from('sixsix')), 6n);
    await step(array.punch(range(5, 1)), 5n);
  });

  it('large accesses over many chunks', async () => {
    const array = cont.arrayOpenWithAttr(await newOid(ObjectType.ARRAY_BYTE), { cellSize: 1, chunkSize: 1 << 20 });
    const data = Buffer.alloc(9_000_001);
    for (let i = 0; i < data.length; i += 4093) data[i] = i;
    await array.write(range(12_345, data.length), data);
    const into = Buffer.alloc(data.length);
    await array.read(range(12_345, data.length), into);
    expect(into.equals(data)).toBe(true);
    expect(await array.getSize()).toBe(12_345n + 9_000_001n);
  });
});
