import type { Clock } from '@daos/gurt';
import { MapDistributor } from '@daos/rsvc';

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A clock whose timers fire by hand. */
function manualClock(): Clock & { fire(): void; delays: number[] } {
  let callbacks: (() => void)[] = [];
  const delays: number[] = [];
  return {
    delays,
    wallMs: () => 0,
    monotonicMs: () => 0,
    setTimer(delayMs, callback) {
      delays.push(delayMs);
      callbacks.push(callback);
      return { cancel: () => (callbacks = callbacks.filter((other) => other !== callback)) };
    },
    fire() {
      for (const callback of callbacks.splice(0)) callback();
    },
  };
}

describe('map distribution', () => {
  it('merges requests that come while one runs', async () => {
    let runs = 0;
    const distributor = new MapDistributor(async () => {
      runs++;
      await tick();
      return runs;
    });
    for (let i = 0; i < 5; i++) distributor.request();
    expect(distributor.query().idle).toBe(false);
    for (let i = 0; i < 5; i++) await tick();
    expect(runs).toBeLessThanOrEqual(2);
    expect(distributor.query()).toEqual({ version: runs, idle: true });
  });

  it('tries again 3 s after a failure, and no more once stopped', async () => {
    const clock = manualClock();
    let runs = 0;
    const distributor = new MapDistributor(async () => {
      runs++;
      if (runs < 3) throw new Error('a rank is down');
      return 8;
    }, clock);
    distributor.request();
    await tick();
    expect(clock.delays).toEqual([3000]);
    clock.fire();
    await tick();
    clock.fire();
    await tick();
    expect(distributor.query()).toEqual({ version: 8, idle: true });
    await distributor.stop();
    distributor.request();
    await tick();
    expect(runs).toBe(3);
  });
});
