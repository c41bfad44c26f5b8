import { uuidGenerate } from '@daos/common';

import { TargetTimestamps, vosPoolOpen } from '../src/index.js';
import { TsLevel } from '../src/ts/ts_level.js';
import { HASHED, TestPool, bytes, single, unitOid } from './fixture.js';

const where = { oid: unitOid(1), flavours: HASHED, dkey: bytes('d'), flags: 0 };
const iods = [single(bytes('a'), 1)];

describe('containers that aggregation has something to do in', () => {
  let test: TestPool;
  beforeEach(async () => (test = await TestPool.create()));
  afterEach(() => test.destroy());

  it('are those with a write or punch above their highest aggregated epoch, open or closed', async () => {
    const container = await test.newContainer();
    const { uuid } = container;
    expect(test.pool.containersChanged()).toEqual([]);
    await container.update({ ...where, epoch: 5n, iods, values: [bytes('x')] });
    expect(test.pool.containersChanged()).toEqual([{ uuid, hae: 0n, lastWrite: 5n }]);
    await container.aggregate({ lo: 0n, hi: 5n });
    expect(test.pool.containersChanged()).toEqual([]);
    await container.punch({ ...where, epoch: 7n });
    container.close();
    expect(test.pool.containersChanged()).toEqual([{ uuid, hae: 5n, lastWrite: 7n }]);
    const again = test.pool.containerOpen(uuid);
    expect(test.pool.containersChanged()).toEqual([{ uuid, hae: 5n, lastWrite: 7n }]);
    again.close();
    await test.pool.containerDestroy(uuid);
    expect(test.pool.containersChanged()).toEqual([]);
  });

  it('are all containers that were not aggregated up to the moment the pool was opened', async () => {
    const container = await test.newContainer();
    const { uuid } = container;
    container.close();
    await test.pool.close();
    const pool = await vosPoolOpen({ dir: test.dir, uuid: test.uuid, now: () => 100n });
    expect(pool.containersChanged()).toEqual([{ uuid, hae: 0n, lastWrite: 100n }]);
    const again = pool.containerOpen(uuid);
    await again.aggregate({ lo: 0n, hi: 100n });
    again.close();
    expect(pool.containersChanged()).toEqual([]);
    await pool.close();
    await test.open();
  });
});

describe('the timestamp cache of a target', () => {
  it('is shared by its pools, which do not see the reads of each other', () => {
    const timestamps = new TargetTimestamps(() => 10n);
    const [first, second] = [timestamps.forPool(), timestamps.forPool()];
    const reader = { uuid: uuidGenerate(), hlc: 50n };
    const writer = { uuid: uuidGenerate(), hlc: 40n };
    const read = first.begin(reader);
    read.add(TsLevel.CONTAINER, 1, 1);
    read.markRead(TsLevel.CONTAINER);
    read.updateReads(50n);
    read.end();
    const refuses = (pool: typeof first): boolean => {
      const set = pool.begin(writer);
      set.add(TsLevel.CONTAINER, 1, 1);
      const isRefused = set.checkWrite(TsLevel.CONTAINER, 40n);
      set.end();
      return isRefused;
    };
    expect(refuses(first)).toBe(true);
    expect(refuses(second)).toBe(false);
  });
});
