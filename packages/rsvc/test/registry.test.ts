import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { DaosError, uuidGenerate } from '@daos/common';
import { RDB_ROOT, RdbReplica, rdbStringKey } from '@daos/rdb';
import { RsvcRegistry, type RsvcLeader, type RsvcService } from '@daos/rsvc';

/** Counts how often it leads; fails as told. */
class Counter implements RsvcLeader {
  readonly log: string[] = [];
  failure: DaosError | undefined;

  constructor(private readonly service: () => RsvcService<Counter>) {}

  async stepUp(term: number): Promise<'up' | 'empty'> {
    const { failure } = this;
    this.failure = undefined;
    if (failure) throw failure;
    const tx = await this.service().rdb.begin(term);
    this.log.push('up');
    return tx.exists(RDB_ROOT) ? 'up' : 'empty';
  }

  async drain(): Promise<void> {
    this.log.push('drain');
  }

  async stepDown(): Promise<void> {
    this.log.push('down');
  }

  async bootstrap(term: number): Promise<number> {
    const tx = await this.service().rdb.begin(term);
    tx.createRoot();
    tx.update(RDB_ROOT, rdbStringKey('x'), Buffer.of(1));
    await tx.commit();
    return term;
  }
}

describe('services of a rank', () => {
  const dir = mkdtempSync(join(tmpdir(), 'rsvc-'));
  const make = () =>
    new RsvcRegistry<Counter>({
      name: (id) => `counter ${id}`,
      locate: (id) => join(dir, id),
      leader: (_id, service) => new Counter(service),
    });
  let registry = make();
  const id = uuidGenerate();

  afterAll(async () => {
    await registry.stopAll();
    rmSync(dir, { recursive: true });
  });

  it('starts nothing where there is no database: DER_NOTREPLICA', async () => {
    await expect(registry.start(id)).rejects.toMatchObject({ der: 'NOTREPLICA' });
    expect(() => registry.lookup(id)).toThrow(expect.objectContaining({ der: 'NOTREPLICA' }));
  });

  it('is empty until its bootstrap is committed', async () => {
    await registry.create(id, 4);
    const service = registry.lookup(id);
    expect(service.state).toBe('up empty');
    await expect(service.serve(() => 0)).rejects.toMatchObject({
      der: 'NOTLEADER',
      hint: { rank: 4, term: 1 },
    });
    const term = await service.serve((leader, served) => leader.bootstrap(served), 'up empty');
    await service.stepUpAfterBootstrap(term);
    expect(await service.serve(() => 'served')).toBe('served');
  });

  it('gives DER_ALREADY on a second start, DER_STALE to a caller of an older term', async () => {
    await expect(registry.create(id, 4)).rejects.toMatchObject({ der: 'ALREADY' });
    await expect(registry.start(id, { callerTerm: 0 })).rejects.toMatchObject({ der: 'STALE' });
    await expect(registry.stop(id, { callerTerm: 0 })).rejects.toMatchObject({ der: 'STALE' });
  });

  it('waits in step-down for what is being served, then leads again', async () => {
    const service = registry.lookup(id);
    let release: (() => void) | undefined;
    const served = service.serve(() => new Promise<void>((resolve) => (release = resolve)));
    service.rdb.resign(service.rdb.term);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(service.state).toBe('stepping down');
    expect(service.leader.log).toEqual(['up', 'up', 'drain']);
    await expect(service.serve(() => 0)).rejects.toMatchObject({ der: 'NOTLEADER' });
    release?.();
    await served;
    await new Promise((resolve) => setTimeout(resolve, 1300));
    expect(service.leader.log).toEqual(['up', 'up', 'drain', 'down', 'up']);
    expect(service.state).toBe('up');
  });

  it('steps up again after a step-up that failed', async () => {
    const service = registry.lookup(id);
    service.leader.failure = new DaosError('GRPVER');
    service.rdb.resign(service.rdb.term);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect(service.state).toBe('down');
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect(service.state).toBe('up');
  });

  it('stops a replica whose metadata is of an unknown version and says NOTLEADER afterwards', async () => {
    const service = registry.lookup(id);
    service.leader.failure = new DaosError('DF_INCOMPT');
    service.rdb.resign(service.rdb.term);
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect(() => registry.lookup(id)).toThrow(expect.objectContaining({ der: 'NOTLEADER' }));
  });

  it('starts an existing database on create, and one whose creation was cut short anew', async () => {
    registry = make();
    await registry.create(id, 4);
    expect(registry.lookup(id).state).toBe('up');
    const half = uuidGenerate();
    await (await import('node:fs/promises')).writeFile(join(dir, half), '');
    await registry.create(half, 4);
    expect(registry.lookup(half).state).toBe('up empty');
  });

  it('removes the database on stop with destroy; stopping what is not there is no error', async () => {
    await registry.stop(id, { destroy: true });
    expect(RdbReplica.exists(join(dir, id))).toBe(false);
    await registry.stop(id, { destroy: true });
    expect(() => registry.lookup(id)).toThrow(expect.objectContaining({ der: 'NOTREPLICA' }));
  });
});
