import { DaosError, PoolProp } from '@daos/common';
import { poolTargetProps, type PoolTargetProps } from '@daos/pool/ds';

import { PropsFeed } from '../src/ds/props_feed.js';

const POOL = '00000000-0000-4000-8000-000000000001';

describe('properties for targets', () => {
  it('are the defaults of pools where the leader did not tell', () => {
    expect(poolTargetProps([])).toEqual({
      reclaim: 'lazy',
      scrub: { mode: 0, freqSeconds: 604_800, threshold: 0 },
      checkpoint: { mode: 'timed', frequencySeconds: 5, thresholdPercent: 50 },
    });
  });

  it('have the names that targets use', () => {
    const props = poolTargetProps([
      { number: PoolProp.RECLAIM, value: 4n },
      { number: PoolProp.SCRUB_MODE, value: 2n },
      { number: PoolProp.CHECKPOINT_MODE, value: 2n },
      { number: PoolProp.CHECKPOINT_THRESH, value: 75n },
    ]);
    expect(props).toMatchObject({
      reclaim: 'time',
      scrub: { mode: 2 },
      checkpoint: { mode: 'lazy', thresholdPercent: 75 },
    });
    expect(poolTargetProps([{ number: PoolProp.RECLAIM, value: 0n }]).reclaim).toBe('disabled');
  });

  it('are asked for once more when they may have changed since the question', async () => {
    const questions: ((props: PoolTargetProps) => void)[] = [];
    const delivered: string[] = [];
    const feed = new PropsFeed({
      fetch: () => new Promise((resolve) => questions.push(resolve)),
      deliver: async (_pool, { reclaim }) => void delivered.push(reclaim),
    });
    feed.request(POOL);
    feed.request(POOL);
    feed.request(POOL);
    expect(questions).toHaveLength(1);
    questions[0]?.({ ...poolTargetProps([]), reclaim: 'disabled' });
    await turn();
    expect(questions).toHaveLength(2);
    questions[1]?.({ ...poolTargetProps([]), reclaim: 'time' });
    await turn();
    expect(delivered).toEqual(['disabled', 'time']);
    expect(questions).toHaveLength(2);
    await feed.stopAll();
  });

  it('are not asked for any more when the engine stops, whoever may still want them', async () => {
    let questions = 0;
    const feed = new PropsFeed({
      fetch: () => {
        questions++;
        return Promise.reject(new DaosError('NOTLEADER', 'no leader'));
      },
      deliver: () => Promise.resolve(),
    });
    feed.request(POOL);
    await turn();
    await feed.stopAll();
    feed.request(POOL);
    expect(questions).toBe(1);
  });

  it('do not arrive when the pool was stopped meanwhile, and a failure keeps nothing running', async () => {
    const delivered: unknown[] = [];
    const feed = new PropsFeed({
      fetch: (_pool, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new DaosError('CANCELED', 'stopped')));
        }),
      deliver: async (_pool, props) => void delivered.push(props),
    });
    feed.request(POOL);
    await feed.stop(POOL);
    expect(delivered).toEqual([]);
  });
});

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
