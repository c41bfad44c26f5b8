import { HLC_EPSILON_DEFAULT, Hlc, hlcEpsilonBound, hlcEpsilonRound, hlcToNs, hlcToUnixNs, nsToHlc, timespecToHlc, unixNsToHlc } from '../src/index.js';
import { fixture } from './fixture.js';

interface HlcCase {
  fn: string;
  hlc?: string;
  nsec?: string;
  timespec?: [string, number];
  unixNsec?: string;
  epsilonBound?: string;
  epsilon?: string;
  set?: string;
  bound?: string;
  boundOfHlc?: string;
}

const cases = (fn: string): HlcCase[] => fixture<HlcCase>('hlc').filter((c) => c.fn === fn);

describe('HLC', () => {
  it('converts as recorded', () => {
    for (const c of cases('from_hlc')) {
      const hlc = BigInt(c.hlc ?? 0);
      expect(String(hlcToNs(hlc))).toBe(c.nsec);
      expect(String(hlcToUnixNs(hlc))).toBe(c.unixNsec);
      expect(String(hlcEpsilonBound(hlc))).toBe(c.epsilonBound);
    }
    for (const c of cases('nsec2hlc')) expect(String(nsToHlc(BigInt(c.nsec ?? 0)))).toBe(c.hlc);
    for (const { timespec: [seconds = 0, ns = 0] = [], hlc } of cases('timespec2hlc')) {
      expect(String(timespecToHlc(BigInt(seconds), BigInt(ns)))).toBe(hlc);
    }
    for (const c of cases('unixnsec2hlc')) expect(String(unixNsToHlc(BigInt(c.unixNsec ?? 0)))).toBe(c.hlc);
  });

  it('bounds the uncertainty of a value', () => {
    expect(String(HLC_EPSILON_DEFAULT)).toBe(cases('epsilon_default')[0]?.epsilon);
    for (const c of cases('epsilon_set')) {
      expect(String(hlcEpsilonRound(BigInt(c.set ?? 0)))).toBe(c.epsilon);
      expect(String(hlcEpsilonBound(BigInt(c.boundOfHlc ?? 0), BigInt(c.epsilon ?? 0)))).toBe(c.bound);
    }
  });

  it('hands out rising values while the wall clock stands still or goes back', () => {
    let now = Date.UTC(2026, 0, 1);
    const clock = new Hlc(() => now);
    const first = clock.get();
    expect(clock.get()).toBe(first + 1n);
    now -= 5000;
    expect(clock.get()).toBe(first + 2n);
    now += 10_000;
    expect(clock.get()).toBeGreaterThan(first + 3n);
  });

  it('goes past a message from a clock that is ahead, and refuses one that is too far ahead', () => {
    const now = Date.UTC(2026, 0, 1);
    const clock = new Hlc(() => now);
    const mine = clock.get();
    const ahead = mine + 8_000_000_000n;
    expect(clock.receive(ahead)).toBe(ahead + 1n);
    expect(clock.get()).toBe(ahead + 2n);
    expect(() => clock.receive(mine + 32_000_000_000n)).toThrow('DER_HLC_SYNC');
    expect(clock.get()).toBe(ahead + 3n);
  });
});
