import { IdleWatch } from '../src/idle_watch.js';

describe('an idle watch', () => {
  it('finds a thread idle when no request came in for a second', () => {
    const xs = { requestCount: 5 };
    let now = 0;
    const watch = new IdleWatch(xs, () => now);
    expect(watch.isIdle()).toBe(false);
    now = 1000;
    expect(watch.isIdle()).toBe(true);
    xs.requestCount++;
    now = 1500;
    expect(watch.isIdle()).toBe(false);
    now = 2499;
    expect(watch.isIdle()).toBe(false);
    now = 2500;
    expect(watch.isIdle()).toBe(true);
  });
});
