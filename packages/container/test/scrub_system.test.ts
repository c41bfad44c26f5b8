import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { ContProp, EPOCH_MAX, PoolProp } from '@daos/common';
import { dcContCreate, dcContDestroy, dcContOpen } from '@daos/container/dc';
import { ContOpenFlag } from '@daos/container/rpc';
import type { MetricSnapshot } from '@daos/gurt';
import { dsPoolSvcSetProp } from '@daos/pool/ds';
import { ClusterEventReq } from '@daos/proto/shared/event';

import { SystemFixture } from './system_fixture.js';

const VALUE_BYTES = 64 * 1024;

describe('the scrubber of a pool on an engine', () => {
  const system = new SystemFixture();

  beforeAll(async () => {
    await system.start(1);
    await system.createPool(64);
  }, 30_000);
  afterAll(() => system.stop());

  const onTarget0 = async <R>(name: string, args: unknown): Promise<R> =>
    (await system.engine(0).xs.onTarget(0, name, args)) as R;

  it('finds damaged data, raises an event, and lets readers know', async () => {
    const pool = await system.connect();
    const uuid = await dcContCreate(pool, {
      label: 'checked',
      props: [{ number: ContProp.CSUM, value: 3n }],
    });
    const cont = await dcContOpen(pool, uuid, { flags: ContOpenFlag.RW });
    const at = { pool: system.pool, handle: cont.handle };
    await onTarget0('probe.write', { ...at, bytes: VALUE_BYTES, fill: 0x5a, isChecked: true });
    expect(await onTarget0('probe.read', { ...at, epoch: EPOCH_MAX - 1n })).toBe(0x5a);
    await system.restart(0, () => damage(join(system.storage(0), system.pool, 'vos-0')));

    await dsPoolSvcSetProp(system.engine(0).xs, system.svc, [
      { number: PoolProp.SCRUB_FREQ, value: 3600n },
      { number: PoolProp.SCRUB_MODE, value: 2n },
    ]);
    await until(async () => (await metric('scrubs_completed')) === 1);
    expect(await metric('corruption/total')).toBe(1);
    expect(await metric('csums/total')).toBeGreaterThan(0);
    const events = system.events.map((body) => ClusterEventReq.decode(body).event);
    expect(events.find((event) => event?.id === 6)).toMatchObject({ rank: 0, poolUuid: system.pool, contUuid: uuid });
    // the value lies in the data file, whose device counts that
    expect(events.find((event) => event?.id === 21)?.msg).toMatch(/^checksum error on device/);
    await expect(onTarget0('probe.read', { ...at, epoch: EPOCH_MAX - 1n })).rejects.toMatchObject({ der: 'CSUM' });
    await dcContDestroy(pool, uuid, { force: true });
    await pool.disconnect();
  }, 60_000);

  const metric = async (path: string): Promise<number | undefined> => {
    const all = await onTarget0<MetricSnapshot[]>('probe.metrics', undefined);
    return all.find((of) => of.path === `pool/${system.pool}/scrubber/${path}`)?.value;
  };
});

function damage(shard: string): void {
  const path = join(shard, 'data');
  expect(readdirSync(shard)).toContain('data');
  const data = readFileSync(path);
  const from = data.indexOf(Buffer.alloc(512, 0x5a));
  expect(from).toBeGreaterThan(0);
  data[from + 100] = 0;
  writeFileSync(path, data);
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 45_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('it did not come true within 45 s');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
