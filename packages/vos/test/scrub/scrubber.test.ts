import { ChecksumType, DaosError } from '@daos/common';

import { SCRUB_METRICS, ScrubMode, Scrubber, scrubLoop, scrubWaitMs } from '../../src/scrub/index.js';
import { FakeContainer, FakeSource, FakeTime, type FakeValue } from './fake_source.js';

function start(settings: Partial<FakeSource> = {}) {
  const source = Object.assign(new FakeSource(), settings);
  const time = new FakeTime();
  const scrubber = new Scrubber({ source, clock: time, sleep: time.sleep });
  return { source, time, scrubber, container: source.first };
}

const metrics = (scrubber: Scrubber) => Object.fromEntries(SCRUB_METRICS.map(({ path, value }) => [path, value(scrubber.statistics)]));

describe('the pace of the scrubber', () => {
  it.each([
    // duration ms, periods, index, elapsed ms, wait ms
    [10_000, 10, 0, 0, 1000],
    [10_000, 10, 0, 500, 500],
    [10_000, 10, 0, 1000, 0],
    [10_000, 10, 0, 1500, 0],
    [10_000, 10, 1, 1500, 500],
    [10_000, 5, 0, 0, 2000],
    [10_000, 5, 0, 250, 1750],
    [10_000, 5, 1, 250, 3750],
    [10_000, 5, 6, 0, 10_000],
    [10_000, 5, 100, 0, 10_000],
    [0, 0, 0, 0, 0],
    [10_000, 0, 3, 0, 0],
    [10_000, 11, 0, 0.000_001, 908],
  ])('spreads %d ms over %d periods: in period %d after %d ms it waits %d ms', (durationMs, periods, index, elapsedMs, waitMs) => {
    expect(scrubWaitMs(durationMs, periods, index, elapsedMs)).toBe(waitMs);
  });

  it('spreads as many checksums as the last pass had over the frequency, in naps of at most a second', async () => {
    const { source, time, scrubber, container } = start({ freqSeconds: 100 });
    const readMs: number[] = [];
    for (let i = 0; i < 10; i++) {
      const value = container.single(`akey ${i}`, 1);
      value.read = (from, length) => {
        readMs.push(time.nowMs);
        return Promise.resolve(value.data.subarray(from, from + length));
      };
    }
    await scrubber.run();
    expect(time.nowMs).toBe(0);
    time.nowMs = 100_000;
    await scrubber.run();
    expect(readMs.slice(10)).toEqual([100, 110, 120, 130, 140, 150, 160, 170, 180, 190].map((s) => s * 1000));
    expect(time.nowMs).toBe(200_000);
    expect(Math.max(...time.naps)).toBe(1000);
    source.mode = ScrubMode.LAZY;
    await scrubber.run();
    expect(time.nowMs).toBe(200_000);
  });

  it('ends the wait for the next checksum when scrubbing is switched off', async () => {
    const { source, time, scrubber, container } = start();
    container.single('a', 1);
    container.single('b', 1);
    await scrubber.run();
    time.nowMs = 100_000;
    time.during = () => { if (time.nowMs > 120_000) source.mode = ScrubMode.OFF; };
    expect(await scrubber.run()).toBe('ended');
    expect(time.nowMs).toBe(121_000);
  });
});

describe('a pass of the scrubber', () => {
  it('is not made while scrubbing is off, has no frequency, or the pool stops', async () => {
    for (const settings of [{ mode: ScrubMode.OFF }, { freqSeconds: 0 }, { stopping: true }]) {
      const { scrubber, container } = start(settings);
      const value = container.single('a', 1);
      expect(await scrubber.run()).toBe('idle');
      expect(value.reads).toBe(0);
    }
  });

  it('is made again when the frequency has passed since the start of the last one', async () => {
    const { time, scrubber, container } = start({ freqSeconds: 10 });
    container.single('a', 1);
    expect(await scrubber.run()).toBe('completed');
    time.nowMs += 9_500;
    expect(await scrubber.run()).toBe('idle');
    expect(metrics(scrubber)['next_tree_scrub']).toBe(0);
    time.nowMs += 500;
    expect(await scrubber.run()).toBe('completed');
  });

  it('does not begin on a busy target in lazy mode: corrupted data stay readable until it is idle', async () => {
    const { source, time, scrubber, container } = start({ mode: ScrubMode.LAZY, idle: false });
    container.single('a', 1).damage();
    expect(await scrubber.run()).toBe('idle');
    time.nowMs = 7000;
    expect(await scrubber.run()).toBe('idle');
    expect(metrics(scrubber)['busy_time']).toBe(7);
    expect(() => container.fetch('a', 1)).not.toThrow();
    source.idle = true;
    expect(await scrubber.run()).toBe('completed');
    expect(metrics(scrubber)['busy_time']).toBe(0);
    expect(() => container.fetch('a', 1)).toThrow('DER_CSUM');
  });

  it('waits for its first time until every container has loaded its properties', async () => {
    const { source, time, scrubber, container } = start({ loaded: false });
    const value = container.single('a', 1);
    time.during = () => { if (time.nowMs >= 2000) source.loaded = true; };
    expect(await scrubber.run()).toBe('completed');
    expect(time.naps.slice(0, 4)).toEqual([500, 500, 500, 500]);
    expect(value.reads).toBe(1);
    source.loaded = false;
    time.nowMs += 100_000;
    expect(await scrubber.run()).toBe('completed');
  });

  it('gives up waiting for the containers when the pool stops', async () => {
    const { source, time, scrubber } = start({ loaded: false });
    time.during = () => { source.stopping = time.nowMs >= 1000; };
    expect(await scrubber.run()).toBe('ended');
  });

  it('passes over containers without checksums, values without checksums and holes', async () => {
    const { source, time, scrubber, container } = start();
    const other = new FakeContainer();
    source.all.push(other);
    container.type = ChecksumType.OFF;
    const values = [container.single('a', 1)];
    for (let i = 0; i < 600; i++) {
      const value = other.single(`b ${i}`, 1);
      value.checksums = undefined;
      values.push(value);
    }
    values.push(other.array('hole', 1, 0, 8, 0));
    expect(await scrubber.run()).toBe('completed');
    expect(values.filter(({ reads }) => reads > 0)).toEqual([]);
    expect(time.naps).toEqual([0, 0]);
    expect(container.references + other.references).toBe(0);
  });

  it('ends when scrubbing is switched off, without counting as complete', async () => {
    const { source, time, scrubber, container } = start();
    const values = [container.single('a', 1), container.single('b', 1)];
    time.during = () => { source.mode = ScrubMode.OFF; };
    expect(await scrubber.run()).toBe('ended');
    expect(values.map(({ reads }) => reads)).toEqual([1, 0]);
    expect(metrics(scrubber)).toMatchObject({ scrubs_completed: 0, 'csums/prev': 0, 'csums/total': 1 });
    source.mode = ScrubMode.TIMED;
    time.during = () => {};
    expect(await scrubber.run()).toBe('completed');
  });

  it('goes on when the mode changes to timed while it waits for an idle target', async () => {
    const { source, time, scrubber, container } = start({ mode: ScrubMode.LAZY });
    const values = [container.single('a', 1), container.single('b', 1)];
    time.during = () => {
      source.idle = false;
      if (time.nowMs >= 5000) source.mode = ScrubMode.TIMED;
    };
    expect(await scrubber.run()).toBe('completed');
    expect(time.nowMs).toBe(5000);
    expect(values.map(({ reads }) => reads)).toEqual([1, 1]);
  });

  it('leaves a container that stops, quietly, and goes on with the next', async () => {
    const { source, time, scrubber, container } = start();
    const values = [container.array('a', 1, 0, 40), container.single('b', 1)];
    const other = new FakeContainer();
    source.all.push(other);
    const next = other.single('c', 1);
    time.during = () => { container.isStopping = true; };
    expect(await scrubber.run()).toBe('completed');
    expect([...values, next].map(({ reads }) => reads)).toEqual([1, 0, 1]);
  });

  it('takes a failure for no failure when the container stops meanwhile', async () => {
    for (const isStopping of [true, false]) {
      const { source, scrubber, container } = start();
      container.single('a', 1);
      const opened = source.openContainer(container.uuid);
      if (!opened) throw new Error('no container');
      const objects = () => {
        container.isStopping = isStopping;
        throw new DaosError('NONEXIST', 'injected');
      };
      source.openContainer = (uuid) => (uuid === container.uuid ? { ...opened, objects } : undefined);
      const outcome = await scrubber.run().catch((error: unknown) => String(error));
      expect(outcome).toMatch(isStopping ? /^completed$/ : /DER_NONEXIST/);
      expect(container.references).toBe(0);
    }
  });

  it('passes over an object with an operation in progress', async () => {
    const { scrubber, container } = start();
    container.single('a', 1, 'value', 1n);
    const [inside, behind] = [container.single('b', 1, 'value', 2n), container.single('c', 1, 'value', 3n)];
    container.failing.set(1n, new DaosError('INPROGRESS', 'injected'));
    inside.readError = new DaosError('INPROGRESS', 'injected');
    expect(await scrubber.run()).toBe('completed');
    expect(behind.reads).toBe(1);
  });

  it('goes on after a value that cannot be read, and then fails with that error', async () => {
    const { scrubber, container } = start();
    const [bad, good] = [container.single('a', 1), container.single('b', 1).damage()];
    bad.readError = new DaosError('NVME_IO', 'injected');
    await expect(scrubber.run()).rejects.toThrow(/DER_NVME_IO.*injected/);
    expect([bad.isCorrupted, good.isCorrupted]).toEqual([false, true]);
    expect(await scrubber.run()).toBe('idle');
  });

  it('gives the container back when the listing of an object fails', async () => {
    const { scrubber, container } = start();
    container.single('a', 1);
    container.failing.set(1n, new DaosError('IO', 'injected'));
    await expect(scrubber.run()).rejects.toThrow('DER_IO');
    expect(container.references).toBe(0);
  });

  it('is one at a time', async () => {
    const { scrubber, container } = start();
    container.single('a', 1);
    const running = scrubber.run();
    await expect(scrubber.run()).rejects.toThrow('DER_BUSY');
    expect(await running).toBe('completed');
  });
});

describe('what the scrubber finds', () => {
  it('leaves clean values of every kind and record size readable, looking at each checksum', async () => {
    const { scrubber, container } = start();
    for (let type = 1; type <= 7; type++) {
      container.type = type;
      container.single(`sv ${type}`, 1);
      container.array(`array ${type}`, 1, 3, 100, 1);
      container.array(`records ${type}`, 1, 1, 10, 5);
      container.array(`large ${type}`, 1, 1, 3, 40);
      container.array(`end ${type}`, 1, (1n << 63n) - 20n, 20);
    }
    expect(await scrubber.run()).toBe('completed');
    for (const akey of ['sv', 'array', 'records', 'large', 'end']) expect(() => container.fetch(`${akey} 3`, 1)).not.toThrow();
    // 1, [3..102] in chunks of 16, [1..10] in chunks of 3 records, 3 records, 4 and 16 records
    expect(metrics(scrubber)).toMatchObject({ 'csums/current': 7 * (1 + 7 + 4 + 3 + 2), 'corruption/total': 0 });
  });

  it.each<[string, (c: FakeContainer) => FakeValue]>([
    ['a single value', (c) => c.single('bad', 1).damage(3)],
    ['an extent', (c) => c.array('bad', 1, 0, 32).damage()],
    ['the last record of an extent', (c) => c.array('bad', 1, 7, 100).damage(-1)],
    ['a record of three bytes', (c) => c.array('bad', 1, 7, 20, 3).damage(31)],
    ['a record larger than the chunk', (c) => c.array('bad', 1, 2, 4, 50).damage(199)],
    ['an extent at the end of the index space', (c) => c.array('bad', 1, (1n << 63n) - 20n, 20).damage(-1)],
    ['a value whose checksums are too few', (c) => {
      const value = c.array('bad', 1, 0, 32);
      Object.assign(value.checksums ?? {}, { bytes: value.checksums?.bytes.subarray(2) });
      return value;
    }],
  ])('makes only the akey unreadable that holds corruption: %s', async (_name, damaged) => {
    const { source, scrubber, container } = start();
    container.single('before', 1);
    const bad = damaged(container);
    container.array('after', 1, 0, 32);
    expect(await scrubber.run()).toBe('completed');
    expect(() => container.fetch('bad', 1)).toThrow('DER_CSUM');
    expect(() => [container.fetch('before', 1), container.fetch('after', 1)]).not.toThrow();
    expect(source.events).toEqual([{ container: container.uuid, value: bad }]);
    expect(metrics(scrubber)).toMatchObject({ 'corruption/current': 1, 'corruption/total': 1 });
  });

  it('ends with a value at its first corrupted chunk', async () => {
    const { scrubber, container } = start();
    const value = container.array('a', 1, 0, 160).damage(20);
    await scrubber.run();
    expect(value.reads).toBe(2);
  });

  it('finds corruption that a later version covers: only the version that has it is unreadable', async () => {
    const { scrubber, container } = start();
    container.single('a', 1).damage();
    container.single('a', 2);
    container.single('b', 1);
    await scrubber.run();
    expect(() => container.fetch('a', 1)).toThrow('DER_CSUM');
    expect(container.fetch('a', 2)).toBe('value of a at 2');
    expect(container.fetch('b', 2)).toBe('value of b at 1');
  });

  it('finds in a later pass what was good in the one before', async () => {
    const { time, scrubber, container } = start();
    const value = container.single('a', 1);
    await scrubber.run();
    value.damage();
    time.nowMs += 100_000;
    await scrubber.run();
    expect(() => container.fetch('a', 1)).toThrow('DER_CSUM');
  });

  it('takes overlapping extents of different lengths for what they are', async () => {
    const { scrubber, container } = start();
    container.array('a', 1, 0, 100);
    container.array('a', 2, 5, 10);
    container.array('a', 3, 8, 61);
    await scrubber.run();
    expect(() => container.fetch('a', 3)).not.toThrow();
    expect(metrics(scrubber)).toMatchObject({ 'csums/total': 7 + 1 + 5, 'corruption/total': 0 });
  });

  it('does not read a value again that is known to be corrupted, and counts it once, in the first pass', async () => {
    const { time, scrubber, container } = start();
    const [known, fresh] = [container.single('a', 1).damage(), container.single('b', 1).damage()];
    known.isCorrupted = true;
    await scrubber.run();
    expect([known.reads, fresh.reads]).toEqual([0, 1]);
    expect(metrics(scrubber)).toMatchObject({ 'corruption/current': 1, 'corruption/total': 2 });
    time.nowMs += 100_000;
    await scrubber.run();
    expect(fresh.reads).toBe(1);
    expect(metrics(scrubber)).toMatchObject({ 'corruption/current': 0, 'corruption/total': 2 });
  });

  it('counts known corruption once also when the first pass takes two attempts', async () => {
    const { source, scrubber, container, time } = start();
    container.single('a', 1).isCorrupted = true;
    container.single('b', 1).damage();
    container.single('c', 1);
    time.during = () => { source.mode = ScrubMode.OFF; };
    expect(await scrubber.run()).toBe('ended');
    source.mode = ScrubMode.TIMED;
    time.during = () => {};
    await scrubber.run();
    expect(metrics(scrubber)['corruption/total']).toBe(2);
  });

  it('ignores a mismatch or failure of a value that was removed while it was looked at', async () => {
    const { source, scrubber, container } = start();
    const [damaged, failing] = [container.single('a', 1).damage(), container.single('b', 1)];
    failing.readError = new DaosError('IO', 'injected');
    for (const value of [damaged, failing]) value.stillThere = () => false;
    expect(await scrubber.run()).toBe('completed');
    expect([source.events.length, damaged.isCorrupted]).toEqual([0, false]);
  });

  it('goes on when values disappear while it yields', async () => {
    const { time, scrubber, container } = start();
    const values = [container.array('a', 1, 0, 64), container.single('b', 1).damage(), container.single('c', 1)];
    time.during = () => { for (const value of values.slice(0, 2)) value.isThere = false; };
    expect(await scrubber.run()).toBe('completed');
    expect(values.map(({ isCorrupted }) => isCorrupted)).toEqual([false, false, false]);
    expect(values[2]?.reads).toBe(1);
  });

  it('keeps a container from being destroyed during the pass', async () => {
    const { time, scrubber, container } = start();
    const last = container.array('a', 1, 0, 64);
    time.during = () => { expect(() => { container.destroy(); }).toThrow('DER_BUSY'); };
    expect(await scrubber.run()).toBe('completed');
    expect(last.reads).toBe(4);
    container.destroy();
  });

  it('counts a value that cannot be marked and goes on', async () => {
    const { scrubber, container } = start();
    container.single('a', 1).damage().markError = new DaosError('NOSPACE', 'injected');
    const second = container.single('b', 1).damage();
    expect(await scrubber.run()).toBe('completed');
    expect(second.isCorrupted).toBe(true);
    expect(metrics(scrubber)['corruption/current']).toBe(2);
  });
});

describe('the threshold of the scrubber', () => {
  it('drains the target once and ends with DER_SHUTDOWN, for good', async () => {
    const { source, scrubber, container } = start({ threshold: 4 });
    const values = Array.from({ length: 6 }, (_, i) => container.single(`akey ${i}`, 1).damage());
    await expect(scrubber.run()).rejects.toThrow('DER_SHUTDOWN');
    expect(source.drains).toBe(1);
    expect(values.map(({ isCorrupted }) => isCorrupted)).toEqual([true, true, true, true, false, false]);
    expect(container.references).toBe(0);
    await expect(scrubber.run()).rejects.toThrow('DER_SHUTDOWN');
    expect(source.drains).toBe(1);
  });

  it('counts over several passes', async () => {
    const { source, time, scrubber, container } = start({ threshold: 2 });
    container.single('a', 1).damage();
    const later = container.single('b', 1);
    await scrubber.run();
    later.damage();
    time.nowMs += 100_000;
    await expect(scrubber.run()).rejects.toThrow('DER_SHUTDOWN');
    expect(source.drains).toBe(1);
  });

  it('ends the scrubber also when the drain cannot be started', async () => {
    const { source, scrubber, container } = start({ threshold: 1, drainError: new DaosError('NOTLEADER', 'injected') });
    container.single('a', 1).damage();
    await expect(scrubber.run()).rejects.toThrow('DER_SHUTDOWN');
    expect(source.drains).toBe(1);
  });

  it('of 0 drains nothing, however much is corrupted', async () => {
    const { source, scrubber, container } = start({ threshold: 0 });
    for (let i = 0; i < 10; i++) container.single(`akey ${i}`, 1).damage();
    expect(await scrubber.run()).toBe('completed');
    expect([source.drains, source.events.length]).toEqual([0, 10]);
  });
});

describe('the statistics of the scrubber', () => {
  it('tell of this pass, the one before and all', async () => {
    const { time, scrubber, container } = start({ freqSeconds: 10 });
    container.single('a', 1, '12345');
    container.array('b', 1, 0, 32);
    time.nowMs = 5000;
    await scrubber.run();
    const second = container.single('c', 1, '123').damage();
    time.nowMs += 10_000;
    await scrubber.run();
    expect(second.isCorrupted).toBe(true);
    expect(metrics(scrubber)).toEqual({
      scrubs_completed: 2, scrubber_started: 1_700_000_015, next_csum_scrub: 0, next_tree_scrub: 0, busy_time: 0,
      prev_duration: 10_000_000, 'csums/current': 4, 'csums/prev': 4, 'csums/total': 7, 'bytes_scrubbed/current': 40,
      'bytes_scrubbed/prev': 40, 'bytes_scrubbed/total': 77, 'corruption/current': 1, 'corruption/total': 1,
    });
  });
});

describe('the loop of the scrubber', () => {
  it('looks every second, rests a minute after a failure, and ends when the pool stops', async () => {
    const { source, time, scrubber } = start();
    const looks: number[] = [];
    const { containers } = FakeSource.prototype;
    source.containers = () => {
      looks.push(time.nowMs);
      if (looks.length <= 2) throw new DaosError('IO', 'injected');
      return containers.call(source);
    };
    time.during = () => { source.stopping = time.nowMs >= 130_500; };
    await scrubLoop(scrubber, { source, sleep: time.sleep });
    expect(looks).toEqual([0, 60_000, 120_000]);
    expect(time.nowMs).toBe(131_000);
    expect(time.naps.every((ms) => ms <= 1000)).toBe(true);
  });

  it('ends when the threshold was reached', async () => {
    const { source, time, scrubber, container } = start({ threshold: 1 });
    container.single('a', 1).damage();
    await scrubLoop(scrubber, { source, sleep: time.sleep });
    expect([source.drains, time.nowMs]).toEqual([1, 0]);
  });
});
