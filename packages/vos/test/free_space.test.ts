import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Vea, VeaHint, type VeaReservation } from '@daos/vea';

import { IndexKey } from '../src/layout/index_key.js';
import { Space } from '../src/layout/spaces.js';
import { LmdbUmem, type LmdbUmemPaths } from '../src/umem/lmdb_umem.js';
import { IndexVeaStore } from '../src/value/vea_rows.js';
import { MIB, TestObject, TestPool, bytes } from './fixture.js';

function pathsOf(dir: string): LmdbUmemPaths {
  return { index: join(dir, 'index.mdb'), logs: [join(dir, 'log.0'), join(dir, 'log.1')] };
}

function rowsOf(umem: LmdbUmem, space: number): Uint8Array[] {
  return [...umem.range({ from: new IndexKey().space(space), to: new IndexKey().space(space + 1) })].map(({ key }) => key);
}

describe('free space in the index', () => {
  let dir: string;
  let umem: LmdbUmem;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'vos-free-'));
    await LmdbUmem.create(pathsOf(dir), 16 * MIB);
    umem = await LmdbUmem.open(pathsOf(dir), 16 * MIB);
  });

  afterEach(async () => {
    await umem.close();
    await rm(dir, { recursive: true });
  });

  it('keeps the descriptor, free extents, chunks, their units and hints across a restart', async () => {
    // enough for chunks of many groups
    const capacityBytes = 64 * 1024 * MIB;
    Vea.format(new IndexVeaStore(umem), { capacityBytes, headerBlocks: 3 });
    const vea = Vea.load(new IndexVeaStore(umem));
    const stream = vea.hint(2 ** 40 + 1);
    const units = Array.from({ length: 1000 }, (_, i) => vea.reserve(i % 2 === 0 ? 1 : 64));
    const extents = [vea.reserve(100, stream), vea.reserve(2 ** 20, new VeaHint()), vea.reserve(200, stream)];
    const all: VeaReservation[] = [...units, ...extents];
    vea.publish(all);
    const freed = all.filter((_, i) => i % 3 === 0);
    for (const { offset, blocks } of freed) vea.free(offset, blocks);
    vea.dropHint(5);
    await umem.close();

    umem = await LmdbUmem.open(pathsOf(dir), 16 * MIB);
    const again = Vea.load(new IndexVeaStore(umem));
    expect(again.attributes).toEqual(vea.attributes);
    const { freePersistent, fragmentsBitmap } = vea.statistics();
    expect(again.statistics()).toMatchObject({ freePersistent, freeTransient: freePersistent, fragmentsBitmap });
    all.forEach(({ offset, blocks }, i) => expect(again.isFree('persistent', offset, blocks)).toBe(i % 3 === 0));
    expect([...again.freeExtents('persistent')]).toEqual([...vea.freeExtents('persistent')]);
    expect([again.hint(2 ** 40 + 1).offset, again.hint(2 ** 40 + 1).sequence]).toEqual([stream.offset, 2]);
    expect([again.hint(5).offset, again.hint(6).offset]).toEqual([undefined, undefined]);

    for (const [i, { offset, blocks }] of all.entries()) if (i % 3 !== 0) again.free(offset, blocks);
    await again.flush();
    expect(again.freeBlocks).toBe(again.totalBlocks);
    expect([...again.bitmaps()]).toEqual([]);
    // the descriptor and the hint
    expect(rowsOf(umem, Space.VEA)).toHaveLength(2);
    expect(rowsOf(umem, Space.FREE)).toHaveLength(1);
  });

  it('is formatted anew with force', () => {
    const store = new IndexVeaStore(umem);
    Vea.format(store, 10_000);
    const vea = Vea.load(store);
    vea.publish([vea.reserve(1), vea.reserve(1000), vea.reserve(2)]);
    expect(() => Vea.format(store, 10_000)).toThrow('already formatted');
    Vea.format(store, { capacityBytes: 20_001 * 4096, force: true });
    expect(Vea.load(store).freeBlocks).toBe(20_000);
    expect(rowsOf(umem, Space.VEA)).toHaveLength(1);
  });
});

describe('a pool from before free space had a descriptor', () => {
  it('opens, is written and freed, and gets no rows that its programs do not know', async () => {
    const test = await TestPool.create({ nvmeBytes: 64 * MIB });
    await test.pool.close();
    const umem = await LmdbUmem.open(pathsOf(test.dir), 64 * MIB);
    for (const row of rowsOf(umem, Space.VEA)) umem.remove(new IndexKey().assign(row));
    await umem.close();

    await test.open();
    const container = await test.newContainer();
    const object = new TestObject(container);
    for (const [i, size] of [5000, 20_000, 400_000].entries()) {
      await object.updateSingle(BigInt(i + 1), bytes(`d${i}`), bytes('a'), Buffer.alloc(size, 'x'));
    }
    container.close();
    await test.reopen();
    expect(test.pool.query().nvme.freeBytes).toBe(64 * MIB - (2 + 5 + 98) * 4096);
    await test.pool.containerDestroy(container.uuid);
    await test.pool.settled();
    expect(test.pool.query().nvme.freeBytes).toBe(64 * MIB);
    await test.pool.close();

    const after = await LmdbUmem.open(pathsOf(test.dir), 64 * MIB);
    expect(rowsOf(after, Space.VEA)).toEqual([]);
    expect(rowsOf(after, Space.FREE)).toHaveLength(1);
    await after.close();
    await test.open();
    await test.destroy();
  });
});
