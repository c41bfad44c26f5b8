import { VosFlag, type VosContainer } from '../src/index.js';
import { scmReserve } from '../src/space_reserve.js';
import { MIB, TestObject, TestPool, bytes } from './fixture.js';

const GIB = 1024 * MIB;
const SYSTEM = 40 * MIB + 40 * 4096;

describe("the system's share of the index", () => {
  it.each([
    ['of a tiny pool is what punches need: at least 256 KiB', 4 * MIB, false, 256 * 1024],
    ['and 5 % of one that is too small for more', 64 * MIB, false, Math.floor(3.2 * MIB)],
    ['is for removal and aggregation', 512 * MIB, false, SYSTEM],
    ['is 5 % against fragmentation', GIB, false, Math.floor(0.05 * GIB)],
    ['is at least 600 MiB where that is less than half', 2 * GIB, false, 600 * MIB],
    ['is at most 6 GiB', 1000 * GIB, false, 6 * GIB],
    ['of a pool that stays small has nothing against fragmentation', GIB, true, Math.floor(0.05 * GIB)],
  ])('%s (%d bytes)', (_, totalBytes, isSmall, expected) => {
    expect(scmReserve(totalBytes, isSmall)).toBe(expected);
  });
});

describe('space set aside', () => {
  let test: TestPool;
  let container: VosContainer;
  let object: TestObject;

  beforeEach(async () => {
    test = await TestPool.create({ scmBytes: 16 * MIB, nvmeBytes: 16 * MIB });
    container = await test.newContainer();
    object = new TestObject(container);
  });
  afterEach(() => test.destroy());

  const write = (length: number, flags = 0): Promise<void> => object.updateSingle(1n, bytes('d'), bytes('a'), Buffer.alloc(length, 'x'), flags);

  it('for rebuilds is left alone by all others', async () => {
    for (const percent of [-1, 100, 1.5]) expect(() => test.pool.ctl({ op: 'setSpaceRebuild', percent })).toThrow(expect.objectContaining({ der: 'INVAL' }));
    test.pool.ctl({ op: 'setSpaceRebuild', percent: 50 });
    expect(test.pool.query()).toMatchObject({ scm: { rebuildBytes: 8 * MIB }, nvme: { rebuildBytes: 8 * MIB } });
    await expect(write(9 * MIB)).rejects.toMatchObject({ der: 'NOSPACE' });
    await write(9 * MIB, VosFlag.REBUILD);
    test.pool.ctl({ op: 'setSpaceRebuild', percent: 0 });
    await write(6 * MIB);
  });

  it('for the system is used by critical updates and removals only', async () => {
    for (const [scmBytes, nvmeBytes] of [[16 * MIB, 0], [0, 17 * MIB], [-1, 0]] as const) {
      expect(() => test.pool.ctl({ op: 'setSpaceSystem', scmBytes, nvmeBytes })).toThrow(expect.objectContaining({ der: 'INVAL' }));
    }
    test.pool.ctl({ op: 'setSpaceSystem', scmBytes: 0, nvmeBytes: 12 * MIB });
    expect(test.pool.query().nvme.systemBytes).toBe(12 * MIB);
    for (const flags of [0, VosFlag.REBUILD]) await expect(write(5 * MIB, flags)).rejects.toMatchObject({ der: 'NOSPACE' });
    await write(5 * MIB, VosFlag.CRIT);
    await write(5 * MIB, VosFlag.REMOVE);
    const { totalBytes, systemBytes } = test.pool.query().scm;
    test.pool.ctl({ op: 'setSpaceSystem', scmBytes: totalBytes - systemBytes, nvmeBytes: 0 });
    await expect(write(10)).rejects.toMatchObject({ der: 'NOSPACE' });
    await write(10, VosFlag.CRIT);
    await object.punch(2n);
  });

  it('of the data file is for values from a size on that may be set', async () => {
    const free = (): number => test.pool.query().nvme.freeBytes;
    await write(5000);
    expect(free()).toBe(16 * MIB - 8192);
    for (const size of [0, 2 * MIB, 1.5]) expect(() => test.pool.ctl({ op: 'setDataThreshold', bytes: size })).toThrow(expect.objectContaining({ der: 'INVAL' }));
    test.pool.ctl({ op: 'setDataThreshold', bytes: 32_768 });
    await write(20_000);
    expect(free()).toBe(16 * MIB);
    expect(await object.fetchSingle(1n, bytes('d'), bytes('a'))).toBe('x'.repeat(20_000));
    await write(40_000);
    expect(free()).toBe(16 * MIB - 40_960);
  });

  it('shows in a query with what the allocator knows', () => {
    expect(test.pool.query().vea).toMatchObject({ attributes: { totalBlocks: 4096, freeBlocks: 4096 }, statistics: { freePersistent: 4096 } });
  });
});
