import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

import { uuidGenerate } from '@daos/common';

import { vosPoolCreate, vosPoolDestroy, vosPoolOpen } from '../src/index.js';
import { MIB, TestObject, TestPool, bytes } from './fixture.js';

let test: TestPool;

beforeEach(async () => {
  test = await TestPool.create({ scmBytes: 16 * MIB, nvmeBytes: 16 * MIB });
});

afterEach(() => test.destroy());

describe('a pool shard', () => {
  it('is queried, closed and opened; a fresh one is empty (28.1)', async () => {
    const info = test.pool.query();
    expect(info.containerCount).toBe(0);
    expect(info.scm.totalBytes).toBe(16 * MIB);
    expect(info.scm.freeBytes).toBeLessThan(16 * MIB);
    expect(info.nvme).toMatchObject({ totalBytes: 16 * MIB, freeBytes: 16 * MIB });
    await test.reopen();
    expect(test.pool.query().uuid).toBe(test.uuid);
  });

  it('has no second tier when it was made without', async () => {
    const other = await TestPool.create({ nvmeBytes: 0 });
    expect(other.pool.query().nvme).toMatchObject({ totalBytes: 0, freeBytes: 0 });
    const object = new TestObject(await other.newContainer());
    const value = Buffer.alloc(100_000, 'v');
    await object.updateSingle(1n, bytes('d'), bytes('a'), value);
    expect(await object.fetchSingle(1n, bytes('d'), bytes('a'))).toBe(value.toString());
    await other.destroy();
  });

  it('refuses to be made twice, with bad sizes, or opened under another name', async () => {
    const { dir, uuid } = test;
    const sizes = { scmBytes: 16 * MIB, nvmeBytes: 0 };
    await expect(vosPoolCreate({ dir, uuid, ...sizes })).rejects.toMatchObject({ der: 'EXIST' });
    const elsewhere = join(test.root, 'other');
    for (const bad of [{ scmBytes: 0 }, { scmBytes: 1.5 }, { nvmeBytes: 4096 }, { nvmeBytes: -1 }]) {
      await expect(vosPoolCreate({ dir: elsewhere, uuid, ...sizes, ...bad })).rejects.toMatchObject({ der: 'INVAL' });
    }
    await test.pool.close();
    await expect(vosPoolOpen({ dir, uuid: uuidGenerate() })).rejects.toMatchObject({ der: 'ID_MISMATCH' });
    await expect(vosPoolOpen({ dir: elsewhere, uuid })).rejects.toMatchObject({ der: 'NONEXIST' });
    await test.open();
  });

  it('is busy for destroy while it is open, and gone afterwards; a missing one is fine', async () => {
    await expect(vosPoolDestroy(test.dir)).rejects.toMatchObject({ der: 'BUSY' });
    await test.pool.close();
    await vosPoolDestroy(test.dir);
    await expect(vosPoolOpen({ dir: test.dir, uuid: test.uuid })).rejects.toMatchObject({ der: 'NONEXIST' });
    await vosPoolDestroy(test.dir);
  });

  it('of an unknown version is left alone: DER_DF_INCOMPT; destroy still works', async () => {
    await test.pool.close();
    const path = join(test.dir, 'superblock');
    const block = await readFile(path);
    block.writeUInt32LE(99, 4);
    block.writeUInt32LE(crc32(block.subarray(0, 4092)), 4092);
    await writeFile(path, block);
    const before = await readFile(join(test.dir, 'index.mdb'));
    await expect(vosPoolOpen({ dir: test.dir, uuid: test.uuid })).rejects.toMatchObject({ der: 'DF_INCOMPT' });
    expect(Buffer.compare(before, await readFile(join(test.dir, 'index.mdb')))).toBe(0);
    await vosPoolDestroy(test.dir);
  });

  it('with a damaged superblock is DER_DF_INVAL', async () => {
    await test.pool.close();
    const path = join(test.dir, 'superblock');
    const block = await readFile(path);
    for (const at of [0, 30]) {
      const damaged = Buffer.from(block);
      damaged[at] = (damaged[at] as number) ^ 1;
      await writeFile(path, damaged);
      await expect(vosPoolOpen({ dir: test.dir, uuid: test.uuid })).rejects.toMatchObject({ der: 'DF_INVAL' });
    }
    await writeFile(path, block);
    await test.open();
  });
});

describe('containers', () => {
  it('are made, listed once each, opened, destroyed (28.2)', async () => {
    const uuids = Array.from({ length: 40 }, () => uuidGenerate());
    await Promise.all(uuids.map((uuid) => test.pool.containerCreate(uuid)));
    expect(test.pool.containerList().sort()).toEqual([...uuids].sort());
    const [first = ''] = uuids;
    await expect(test.pool.containerCreate(first)).rejects.toMatchObject({ der: 'EXIST' });
    expect(() => test.pool.containerOpen(uuidGenerate())).toThrow(expect.objectContaining({ der: 'NONEXIST' }));
    for (const uuid of uuids) await test.pool.containerDestroy(uuid);
    await expect(test.pool.containerDestroy(first)).rejects.toMatchObject({ der: 'NONEXIST' });
    expect(test.pool.query().containerCount).toBe(0);
  });

  it('opened twice are busy until both are closed', async () => {
    const one = await test.newContainer();
    const two = test.pool.containerOpen(one.uuid);
    one.close();
    await expect(test.pool.containerDestroy(one.uuid)).rejects.toMatchObject({ der: 'BUSY' });
    two.close();
    await test.pool.containerDestroy(one.uuid);
    expect(() => two.listObjects({ lo: 0n, hi: 1n }, 1)).toThrow(expect.objectContaining({ der: 'NO_HDL' }));
  });

  it('may carry the uuid of the pool, and do not see each other', async () => {
    await test.pool.containerCreate(test.uuid);
    const same = new TestObject(test.pool.containerOpen(test.uuid));
    const other = new TestObject(await test.newContainer());
    await same.updateSingle(1n, bytes('d'), bytes('a'), 'one');
    await other.updateSingle(1n, bytes('d'), bytes('a'), 'two');
    expect(await same.fetchSingle(1n, bytes('d'), bytes('a'))).toBe('one');
    expect(await other.fetchSingle(1n, bytes('d'), bytes('a'))).toBe('two');
    expect(await other.fetchSingle(1n, bytes('d'), bytes('b'))).toBe('');
  });

  it('give index and data space back after destroy, also across a restart', async () => {
    const container = await test.newContainer();
    const object = new TestObject(container);
    const long = Buffer.alloc(150, 'k');
    for (let i = 0; i < 300; i++) {
      const dkey = i % 50 === 0 ? long : bytes(`dkey ${i}`);
      const value = Buffer.alloc(i % 3 === 0 ? 6000 : 200, i);
      await Promise.all([
        object.updateSingle(BigInt(i + 1), dkey, bytes('a'), value),
        object.updateArray(BigInt(i + 1), bytes('array'), bytes('b'), i * 7, 'abcdefghij'),
      ]);
    }
    const used = 16 * MIB - test.pool.query().nvme.freeBytes;
    expect(used).toBe(100 * 2 * 4096);
    container.close();
    await test.pool.containerDestroy(container.uuid);
    await test.reopen();
    await test.pool.settled();
    expect(test.pool.query().nvme.freeBytes).toBe(16 * MIB);
    await test.reopen();
    expect(16 * MIB - test.pool.query().scm.freeBytes).toBeLessThan(64 * 1024);
  });
});

describe('a full pool', () => {
  it('refuses updates with DER_NOSPACE, still reads and punches, and recovers by container destroy (28.3 18)', async () => {
    const container = await test.newContainer();
    const object = new TestObject(container);
    const value = Buffer.alloc(3000, 'x');
    let written = 0;
    await expect(
      (async () => {
        for (;;) {
          const batch = Array.from({ length: 32 }, (_, i) =>
            object.updateSingle(BigInt(written + i + 1), bytes(`d${written + i}`), bytes('a'), value),
          );
          await Promise.all(batch);
          written += 32;
        }
      })(),
    ).rejects.toMatchObject({ der: 'NOSPACE' });
    expect(written).toBeGreaterThan(2000);
    expect(await object.fetchSingle(1_000_000n, bytes('d0'), bytes('a'))).toBe(value.toString());
    for (let i = 0; i < 200; i++) await object.punch(2_000_000n, bytes(`d${i}`));
    expect(await object.fetchSingle(3_000_000n, bytes('d0'), bytes('a'))).toBe('');
    await test.reopen();
    container.close();
    await test.pool.containerDestroy(container.uuid);
    await test.pool.settled();
    const again = new TestObject(await test.newContainer());
    await again.updateSingle(1n, bytes('d'), bytes('a'), value);
  });

  it('of data gives reserved space back when an update is refused', async () => {
    const object = new TestObject(await test.newContainer());
    const value = Buffer.alloc(8 * MIB, 'x');
    await object.updateSingle(1n, bytes('d'), bytes('a'), value);
    await expect(object.updateSingle(2n, bytes('d'), bytes('b'), Buffer.alloc(9 * MIB))).rejects.toMatchObject({ der: 'NOSPACE' });
    // a refused condition, found out before anything is written
    await expect(object.updateSingle(2n, bytes('x'), bytes('b'), value, 4)).rejects.toMatchObject({ der: 'NONEXIST' });
    expect(test.pool.query().nvme.freeBytes).toBe(8 * MIB);
    // a value replaced at its epoch leaves its space to others
    await object.updateSingle(1n, bytes('d'), bytes('a'), Buffer.alloc(4 * MIB, 'y'));
    expect(test.pool.query().nvme.freeBytes).toBe(12 * MIB);
    await test.reopen();
    expect(test.pool.query().nvme.freeBytes).toBe(12 * MIB);
  });
});
