import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { DaosError, IodType, uuidGenerate, type Epoch, type Uuid } from '@daos/common';
import type { ReclaimMode } from '@daos/pool/ds';
import { AggregateFlag, DtxHandle, vosPoolCreate, vosPoolOpen, type VosContainer, type VosPool } from '@daos/vos';

import { aggregationGap, secondsToEpochs } from '../src/ds/aggregate/gap.js';
import { AGGREGATOR_TIMING, PoolAggregator, type ContHistory } from '../src/ds/aggregate/pool_aggregator.js';
import { aggregationSteps } from '../src/ds/aggregate/ranges.js';

const { FORCE_MERGE, FORCE_SCAN } = AggregateFlag;

describe('the steps of an aggregation', () => {
  it('end at each snapshot above the highest aggregated epoch, and at the upper bound', () => {
    expect(aggregationSteps({ hae: 12n, snapshots: [10n, 20n, 30n, 90n], upper: 50n, isFullScan: false })).toEqual([
      { range: { lo: 11n, hi: 20n }, flags: FORCE_MERGE },
      { range: { lo: 21n, hi: 30n }, flags: FORCE_MERGE },
      { range: { lo: 31n, hi: 50n }, flags: 0 },
    ]);
  });

  it('begin at 0 and look at everything after a snapshot was deleted', () => {
    expect(aggregationSteps({ hae: 40n, snapshots: [10n, 30n], upper: 50n, isFullScan: true })).toEqual([
      { range: { lo: 0n, hi: 10n }, flags: FORCE_MERGE | FORCE_SCAN },
      { range: { lo: 11n, hi: 30n }, flags: FORCE_MERGE | FORCE_SCAN },
      { range: { lo: 31n, hi: 50n }, flags: FORCE_SCAN },
    ]);
  });

  it('are none where nothing is old enough, and none of a single epoch', () => {
    expect(aggregationSteps({ hae: 50n, snapshots: [], upper: 50n, isFullScan: false })).toEqual([]);
    expect(aggregationSteps({ hae: 0n, snapshots: [10n, 11n], upper: 12n, isFullScan: false })).toEqual([
      { range: { lo: 0n, hi: 10n }, flags: FORCE_MERGE },
    ]);
  });
});

describe('the gap', () => {
  it('is 20 s, or what the environment says from 20 to 180 s', () => {
    const gap = (text?: string): Epoch => aggregationGap(text === undefined ? {} : { DAOS_VOS_AGG_GAP: text });
    expect(gap()).toBe(secondsToEpochs(20));
    expect(gap('180')).toBe(secondsToEpochs(180));
    for (const bad of ['19', '181', '-1', '20s', '']) expect(gap(bad)).toBe(secondsToEpochs(20));
  });
});

const GAP = 5n;
const OID = { oid: { oid: { hi: 0n, lo: 1n }, shard: 0, layoutVersion: 1 } };
const AT = { ...OID, flavours: { dkey: 'hashed', akey: 'hashed' }, flags: 0, dkey: Buffer.from('d') } as const;
const IODS = [{ akey: Buffer.from('a'), type: IodType.SINGLE, size: 1, recxs: [] }];

describe('aggregation of a pool on one target', () => {
  let dir: string;
  let vos: VosPool;
  let container: VosContainer;
  let uuid: Uuid;
  let now: Epoch;
  let reclaim: ReclaimMode;
  let isIdle: boolean;
  let history: Omit<ContHistory, 'now'>;
  let leaderNow: () => Epoch;
  let questions: Uuid[];
  let aggregator: PoolAggregator;
  let failure: DaosError | undefined;

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'daos-agg-'));
    uuid = uuidGenerate();
    const pool = { dir: join(dir, 'shard'), uuid: uuidGenerate() };
    await vosPoolCreate({ ...pool, scmBytes: 4 << 20, nvmeBytes: 0 });
    vos = await vosPoolOpen({ ...pool, checkpoint: { mode: 'timed', frequencySeconds: 1, thresholdPercent: 50 } });
    await vos.containerCreate(uuid);
    container = vos.containerOpen(uuid);
    now = 1000n;
    reclaim = 'time';
    isIdle = true;
    history = { snapshots: [], snapshotDeleted: 0n, isTransformed: false, checksumType: 0 };
    leaderNow = () => now;
    questions = [];
    failure = undefined;
    aggregator = new PoolAggregator(
      {
        vos,
        reclaim: () => reclaim,
        isIdle: () => isIdle,
        now: () => now,
        isDeparting: () => false,
        history: async (of) => {
          questions.push(of);
          if (failure) throw failure;
          return { now: leaderNow(), ...history };
        },
      },
      { ...AGGREGATOR_TIMING, gap: GAP, lazyRestMs: 1, busyRestMs: 1 },
    );
  });
  afterEach(async () => {
    await aggregator.stop();
    await vos.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const write = (epoch: Epoch, text: string): Promise<void> =>
    container.update({ ...AT, epoch, iods: IODS, values: [Buffer.from(text)] });
  const read = async (epoch: Epoch): Promise<string> => {
    const [found] = await container.fetch({ ...AT, epoch, iods: IODS });
    return Buffer.from(found?.pieces[0]?.data ?? []).toString();
  };
  /** Single values at 10, 20, 30 and 40. */
  const history4 = async (): Promise<void> => {
    for (const [epoch, text] of [[10n, 'a'], [20n, 'b'], [30n, 'c'], [40n, 'd']] as const) await write(epoch, text);
  };

  it('keeps what snapshots and newer readers see, and nothing else', async () => {
    await history4();
    history = { ...history, snapshots: [25n] };
    now = 35n + GAP;
    await aggregator.round();
    expect([await read(15n), await read(25n), await read(35n), await read(45n)]).toEqual(['', 'b', 'c', 'd']);
    expect(container.query().hae).toBe(35n);
  });

  it('merges what a deleted snapshot kept apart', async () => {
    await history4();
    history = { ...history, snapshots: [25n] };
    now = 50n + GAP;
    await aggregator.round();
    expect(await read(25n)).toBe('b');
    history = { ...history, snapshots: [], snapshotDeleted: now };
    await aggregator.round();
    expect(await read(25n)).toBe('b');
    aggregator.snapshotDeleted(uuid);
    now += 10n;
    await aggregator.round();
    expect(await read(25n)).toBe('');
    expect(await read(45n)).toBe('d');
  });

  it('takes the upper bound from the slower one of the two clocks: later snapshots lie above it', async () => {
    await history4();
    leaderNow = () => 25n + GAP;
    await aggregator.round();
    expect(container.query().hae).toBe(25n);
    expect([await read(15n), await read(25n), await read(35n)]).toEqual(['', 'b', 'c']);
  });

  it('asks nobody and looks at nothing where nothing was written', async () => {
    await aggregator.round();
    await history4();
    await aggregator.round();
    expect(questions).toEqual([uuid]);
    now += 10n * GAP;
    await aggregator.round();
    await aggregator.round();
    expect(questions).toEqual([uuid]);
    await write(now, 'e');
    await aggregator.round();
    expect(questions).toEqual([uuid, uuid]);
  });

  it('does nothing when reclaim is disabled, and waits for an idle target when it is lazy', async () => {
    await history4();
    reclaim = 'disabled';
    await aggregator.round();
    reclaim = 'lazy';
    isIdle = false;
    await aggregator.round();
    expect(questions).toEqual([]);
    expect(await read(15n)).toBe('a');
    isIdle = true;
    await aggregator.round();
    expect(await read(15n)).toBe('');
  });

  it('goes on beside client I/O, also when it is lazy, where space is short', async () => {
    const big = { ...IODS[0], akey: Buffer.from('a'), type: IodType.SINGLE, size: 3000, recxs: [] };
    reclaim = 'lazy';
    isIdle = false;
    let epoch = 1n;
    while (vos.query().scm.freeBytes > vos.query().scm.totalBytes * 0.15) {
      const updates = Array.from({ length: 16 }, () =>
        container.update({ ...AT, epoch: epoch++, iods: [big], values: [Buffer.alloc(3000, 1)] }),
      );
      await Promise.all(updates);
    }
    now = epoch + GAP;
    await aggregator.round();
    expect(questions).toEqual([uuid]);
    // what was removed goes from the index with the next checkpoint
    const isFree = (): boolean => vos.query().scm.freeBytes > vos.query().scm.totalBytes * 0.8;
    for (let tries = 0; tries < 100 && !isFree(); tries++) await new Promise((resolve) => setTimeout(resolve, 100));
    expect(isFree()).toBe(true);
  });

  it('never touches containers with deduplication, compression or encryption, and asks about them once', async () => {
    await history4();
    history = { ...history, isTransformed: true };
    await aggregator.round();
    await aggregator.round();
    expect(questions).toEqual([uuid]);
    expect(await read(15n)).toBe('a');
  });

  it('leaves a container alone for a while when it failed, and lets go of one that is destroyed', async () => {
    await history4();
    failure = new DaosError('NOTLEADER', 'no leader');
    await aggregator.round();
    await aggregator.round();
    expect(questions).toHaveLength(1);
    failure = undefined;
    await aggregator.leave(uuid);
    container.close();
    await vos.containerDestroy(uuid);
    await aggregator.round();
    expect(questions).toHaveLength(1);
  });

  it('asks less and less often about one that an open transaction holds, and follows a deleted snapshot up in the end', async () => {
    await history4();
    now = 50n + GAP;
    history = { ...history, snapshots: [25n] };
    await aggregator.round();
    history = { ...history, snapshots: [], snapshotDeleted: now };
    const id = { uuid: uuidGenerate(), hlc: 20n };
    const handle = new DtxHandle({ id, epoch: 12n, modificationCount: 1 });
    await container.update({ ...AT, dkey: Buffer.from('e'), epoch: 12n, iods: IODS, values: [Buffer.from('e')] }, handle);
    aggregator.snapshotDeleted(uuid);
    questions = [];
    const until = performance.now() + 1500;
    while (performance.now() < until) {
      await aggregator.round();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(questions).toHaveLength(2);
    await container.dtxAbort(id, 12n);
    for (let tries = 0; tries < 300 && (await read(25n)) !== ''; tries++) {
      await aggregator.round();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect([await read(25n), await read(45n)]).toEqual(['', 'd']);
  });

  it('rests when the leader does not know the container any more', async () => {
    await history4();
    failure = new DaosError('NONEXIST', 'being destroyed');
    await aggregator.round();
    await aggregator.round();
    expect(questions).toHaveLength(1);
  });

  it('ends with the pool, also while the leader does not answer', async () => {
    await history4();
    const deaf = new PoolAggregator(
      { vos, reclaim: () => reclaim, isIdle: () => isIdle, now: () => now, isDeparting: () => false, history: () => new Promise(() => undefined) },
      { ...AGGREGATOR_TIMING, gap: GAP },
    );
    deaf.start();
    await new Promise((resolve) => setTimeout(resolve, 5));
    await deaf.stop();
    container.close();
    await vos.containerDestroy(uuid);
  });
});
