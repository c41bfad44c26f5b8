import { EPOCH_MAX, PoolProp } from '@daos/common';
import { dcContCreate, dcContCreateSnapshot, dcContDestroySnapshot, dcContOpen } from '@daos/container/dc';
import { ContOpenFlag } from '@daos/container/rpc';
import { dsPoolSvcSetProp, type PoolTargetProps } from '@daos/pool/ds';
import type { VosPoolInfo } from '@daos/vos';

import { SystemFixture } from './system_fixture.js';

const MIB = 1024 * 1024;

describe('space of a pool on an engine', () => {
  const system = new SystemFixture({ isFast: true });

  beforeAll(async () => {
    await system.start(1);
    await system.createPool(64);
  }, 30_000);
  afterAll(() => system.stop());

  const onTarget0 = async <R>(name: string, args: unknown): Promise<R> =>
    (await system.engine(0).xs.onTarget(0, name, args)) as R;
  const props = (): Promise<PoolTargetProps> => onTarget0('probe.props', system.pool);
  const freeBytes = async (): Promise<number> =>
    (await onTarget0<VosPoolInfo>('pool.childQuery', system.pool)).nvme.freeBytes;

  it('is managed by the pool properties that were set last, also after a restart', async () => {
    const { xs } = system.engine(0);
    expect(await props()).toMatchObject({ reclaim: 'lazy', checkpoint: { mode: 'timed', frequencySeconds: 5 } });
    await dsPoolSvcSetProp(xs, system.svc, [
      { number: PoolProp.RECLAIM, value: 4n },
      { number: PoolProp.CHECKPOINT_FREQ, value: 2n },
      { number: PoolProp.SCRUB_MODE, value: 0n },
    ]);
    const expected = { reclaim: 'time', checkpoint: { mode: 'timed', frequencySeconds: 2 } };
    await until(async () => (await props()).checkpoint.frequencySeconds === 2);
    expect(await props()).toMatchObject(expected);
    await system.restart(0);
    await until(async () => (await props()).checkpoint.frequencySeconds === 2);
    expect(await props()).toMatchObject(expected);
  }, 60_000);

  it('comes back from what was overwritten, while snapshots stay readable', async () => {
    const pool = await system.connect();
    const uuid = await dcContCreate(pool, { label: 'over' });
    const cont = await dcContOpen(pool, uuid, { flags: ContOpenFlag.RW });
    const at = { pool: system.pool, handle: cont.handle };
    const write = (fill: number): Promise<void> => onTarget0('probe.write', { ...at, bytes: MIB, fill });
    const read = (epoch: bigint): Promise<number | undefined> => onTarget0('probe.read', { ...at, epoch });

    await write(200);
    const first = await dcContCreateSnapshot(cont);
    await write(201);
    const second = await dcContCreateSnapshot(cont);
    // three times the size of the data file
    for (let round = 0; round < 192; round++) {
      await until(async () => (await freeBytes()) > 8 * MIB);
      await write(round);
    }
    await until(async () => (await freeBytes()) > 56 * MIB);
    expect(await read(first)).toBe(200);
    expect(await read(second)).toBe(201);
    expect(await read(EPOCH_MAX - 1n)).toBe(191);

    await dcContDestroySnapshot(cont, first);
    await until(async () => (await read(first)) !== 200);
    expect(await read(second)).toBe(201);
    expect(await read(EPOCH_MAX - 1n)).toBe(191);
    await pool.disconnect();
  }, 120_000);
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 45_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('it did not come true within 45 s');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
