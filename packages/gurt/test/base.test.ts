import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { assert, assertNever, AssertionError, LruMap, RateLimit, seededRandom, unreachable, type Clock } from '../src/index.js';

describe('assert', () => {
  it('throws AssertionError with its message', () => {
    expect(() => assert(false, 'must hold')).toThrow(AssertionError);
    expect(() => assert(1 as unknown, 'holds')).not.toThrow();
    expect(() => unreachable('here')).toThrow('unreachable: here');
    expect(() => assertNever('x' as never)).toThrow('unexpected value: x');
  });
});

describe('LruMap', () => {
  it('drops the entry used longest ago', () => {
    const evicted: string[] = [];
    const map = new LruMap<string, number>(2, (key) => evicted.push(key));
    map.set('a', 1);
    map.set('b', 2);
    map.get('a');
    map.peek('b');
    map.set('c', 3);
    expect(evicted).toEqual(['b']);
    expect([...map.keys()]).toEqual(['a', 'c']);
    map.set('a', 9);
    map.delete('c');
    expect(map.size).toBe(1);
    expect(map.get('a')).toBe(9);
  });
});

describe('RateLimit', () => {
  it('lets one through per key and interval and counts the others', () => {
    let now = 0;
    const clock: Clock = { wallMs: () => now, monotonicMs: () => now, setTimer: () => ({ cancel: () => undefined }) };
    const limit = new RateLimit(1000, clock);
    const seen: [string, number][] = [];
    const hit = (key: string): void => limit.run(key, (suppressed) => seen.push([key, suppressed]));
    hit('a');
    hit('a');
    hit('a');
    hit('b');
    now = 1500;
    hit('a');
    expect(seen).toEqual([['a', 0], ['b', 0], ['a', 2]]);
  });
});

describe('seededRandom', () => {
  it('repeats itself for the same seed', () => {
    const draw = (seed: number): number[] => {
      const random = seededRandom(seed);
      return [random.next(), random.below(100), ...random.bytes(4)];
    };
    expect(draw(5)).toEqual(draw(5));
    expect(draw(5)).not.toEqual(draw(6));
  });
});

describe('loading', () => {
  it('does not load pino or prom-client before they are needed', () => {
    const url = new URL('../src/index.js', import.meta.url);
    const script = `import { getLogger, telemetry } from ${JSON.stringify(url.href)};
      import { createRequire } from 'node:module';
      getLogger('misc').error('x'); telemetry.counter('a').increment();
      console.log(Object.keys(createRequire(${JSON.stringify(fileURLToPath(url))}).cache).filter((k) => /pino|prom/.test(k)).length)`;
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'ignore'],
      // A runner that forces colours would colour the number.
      env: { ...process.env, FORCE_COLOR: '0' },
    });
    expect(out.toString().trim()).toBe('0');
  });
});
