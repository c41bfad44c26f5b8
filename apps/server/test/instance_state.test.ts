import { nextInstanceState, type InstanceEvent, type InstanceState } from '../src/harness/instance_state.js';
import { RestartLimit } from '../src/harness/restart_limit.js';

describe('instance state', () => {
  it('follows start, format, ready and exit; nothing else is possible', () => {
    const states: InstanceState[] = ['Stopped', 'Starting', 'AwaitFormat', 'Ready'];
    const events: InstanceEvent[] = ['start', 'formatRequired', 'storageReady', 'ready', 'exited'];
    const legal = states.flatMap((state) =>
      events.map((event) => [state, event, nextInstanceState(state, event)] as const)
    ).filter(([, , next]) => next !== undefined);
    expect(legal).toEqual([
      ['Stopped', 'start', 'Starting'],
      ['Stopped', 'exited', 'Stopped'],
      ['Starting', 'formatRequired', 'AwaitFormat'],
      ['Starting', 'ready', 'Ready'],
      ['Starting', 'exited', 'Stopped'],
      ['AwaitFormat', 'storageReady', 'Starting'],
      ['AwaitFormat', 'exited', 'Stopped'],
      ['Ready', 'exited', 'Stopped'],
    ]);
  });
});

describe('restart limit', () => {
  it('restarts at once first, then at most once per delay and rank', () => {
    const limit = new RestartLimit(300_000);
    expect(limit.decide(0, 1000)).toEqual({ action: 'now' });
    limit.restarted(0, 1000);
    expect(limit.decide(0, 61_000)).toEqual({ action: 'later', delayMs: 240_000 });
    expect(limit.decide(1, 61_000)).toEqual({ action: 'now' });
    expect(limit.decide(0, 301_000)).toEqual({ action: 'now' });
    limit.forget(0);
    expect(limit.decide(0, 2000)).toEqual({ action: 'now' });
  });
});
