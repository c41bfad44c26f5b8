import { EPOCH_MAX } from '@daos/common';

import type { VosContainer } from '../src/index.js';
import { BUSY_TUNING, HASHED, MIB, TestObject, TestPool, array, bytes, unitOid } from './fixture.js';

const OBJECTS = 3;
const DKEYS = 4;
const SINGLES = 5;
const EXTENTS = 20;
/** What `fill` makes. */
const ALL = {
  objs: OBJECTS,
  dkeys: OBJECTS * DKEYS,
  akeys: OBJECTS * DKEYS * 2,
  singvs: OBJECTS * DKEYS * SINGLES,
  recxs: OBJECTS * DKEYS * EXTENTS,
};
const NOTHING = { conts: 0, objs: 0, dkeys: 0, akeys: 0, singvs: 0, recxs: 0 };

let test: TestPool;
let container: VosContainer;

beforeEach(async () => {
  test = await TestPool.create({ scmBytes: 32 * MIB, nvmeBytes: 32 * MIB });
  container = await test.newContainer();
  await fill(container);
});

afterEach(() => test.destroy());

/** Versions of single values in the index and in the data file, and extents in both. */
async function fill(into: VosContainer): Promise<void> {
  const writes: Promise<void>[] = [];
  for (let o = 0; o < OBJECTS; o++) {
    const object = new TestObject(into, unitOid(o));
    for (let d = 0; d < DKEYS; d++) {
      for (let v = 0; v < SINGLES; v++) writes.push(object.updateSingle(BigInt(v + 1), bytes(`d${d}`), bytes('single'), Buffer.alloc(v % 2 ? 5000 : 50)));
      for (let v = 0; v < EXTENTS; v++) {
        const data = Buffer.alloc(v % 5 === 0 ? 4096 : 40);
        writes.push(object.update(BigInt(v + 1), bytes(`d${d}`), [array(bytes('array'), 1, [v * 30, data.length])], [data]));
      }
    }
  }
  await Promise.all(writes);
}

function freed(): unknown {
  return test.pool.gcStatistics();
}

function usedFileBytes(): number {
  const { nvme } = test.pool.query();
  return nvme.totalBytes - nvme.freeBytes;
}

describe('garbage collection frees exactly what was made (28.15 108)', () => {
  it('when keys are deleted one by one', async () => {
    for (let o = 0; o < OBJECTS; o++) {
      for (let d = 0; d < DKEYS; d++) {
        const where = { oid: unitOid(o), flavours: HASHED, dkey: bytes(`d${d}`) };
        await container.keyDelete({ ...where, akey: bytes('single') });
        if (d > 0) await container.keyDelete({ ...where, akey: bytes('array') });
        await container.keyDelete(where);
        // a missing one is fine
        await container.keyDelete(where);
      }
    }
    await test.pool.settled();
    expect(freed()).toEqual({ ...ALL, conts: 0, objs: 0 });
    expect(usedFileBytes()).toBe(0);
    expect(container.query().objectCount).toBe(OBJECTS);
  });

  it('when objects are deleted, and the container is opened again', async () => {
    for (let o = 0; o < OBJECTS; o++) await container.objectDelete(unitOid(o));
    await container.objectDelete(unitOid(0));
    expect(container.listObjects({ lo: 0n, hi: EPOCH_MAX }, 10).items).toEqual([]);
    expect(container.query().objectCount).toBe(0);
    container.close();
    container = test.pool.containerOpen(container.uuid);
    expect(container.query().objectCount).toBe(0);
    await test.pool.settled();
    expect(freed()).toEqual({ ...ALL, conts: 0 });
    expect(usedFileBytes()).toBe(0);
  });

  it('when containers are destroyed', async () => {
    const other = await test.newContainer();
    await fill(other);
    for (const one of [container, other]) {
      one.close();
      await test.pool.containerDestroy(one.uuid);
    }
    await test.pool.settled();
    expect(freed()).toEqual({ conts: 2, objs: 2 * ALL.objs, dkeys: 2 * ALL.dkeys, akeys: 2 * ALL.akeys, singvs: 2 * ALL.singvs, recxs: 2 * ALL.recxs });
    test.pool.gcReset();
    expect(freed()).toEqual(NOTHING);
  });

  it('when objects are deleted and then their container', async () => {
    await container.objectDelete(unitOid(1));
    container.close();
    await test.pool.containerDestroy(container.uuid);
    await test.pool.settled();
    expect(freed()).toEqual({ ...ALL, conts: 1 });
    expect(usedFileBytes()).toBe(0);
    await test.reopen();
    expect(test.pool.query().scm.totalBytes - test.pool.query().scm.freeBytes).toBeLessThan(64 * 1024);
  });
});

describe('a deleted object', () => {
  it('can be made anew at once', async () => {
    const object = new TestObject(container, unitOid(0));
    await container.objectDelete(unitOid(0));
    const write = object.updateSingle(1n, bytes('d0'), bytes('single'), 'new');
    await container.keyDelete({ oid: unitOid(1), flavours: HASHED, dkey: bytes('d0') });
    await write;
    await test.pool.settled();
    expect(await object.fetchSingle(9n, bytes('d0'), bytes('single'))).toBe('new');
    expect(await object.fetchArray(9n, bytes('d0'), bytes('array'), 0, 4)).toBe('....');
    expect(await new TestObject(container, unitOid(1)).fetchArray(9n, bytes('d0'), bytes('array'), 0, 4)).toBe('....');
  });

  it('is removed further after a crash, wherever it happened, and nothing twice', async () => {
    test.tuning = BUSY_TUNING;
    await test.reopen();
    container = test.pool.containerOpen(container.uuid);
    await container.objectDelete(unitOid(0));
    await container.objectDelete(unitOid(1));
    // ends in the middle of the removal
    for (let i = 0; i < 4; i++) await test.reopen();
    await test.pool.settled();
    await test.crash();
    container = test.pool.containerOpen(container.uuid);
    expect(container.query().objectCount).toBe(1);
    expect(usedFileBytes()).toBe((DKEYS * 2 * 8192) + DKEYS * 4 * 4096);
    await container.objectDelete(unitOid(2));
    await test.pool.settled();
    expect(usedFileBytes()).toBe(0);
  });
});
