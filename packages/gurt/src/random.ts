import { randomFillSync } from 'node:crypto';

/** Chance as protocol code sees it. Injected, so that one seed replays one run. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform integer in [0, bound); bound at most 2^32. */
  below(bound: number): number;
  bytes(length: number): Buffer;
}

/** Randomness of the operating system for bytes, of the runtime for numbers. */
export const systemRandom: Random = {
  next: () => Math.random(),
  below: (bound) => Math.floor(Math.random() * bound),
  bytes: (length) => randomFillSync(Buffer.allocUnsafeSlow(length)),
};

/** Reproducible numbers from a 32-bit seed (mulberry32). For tests and simulation, never for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next32 = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  return {
    next: () => next32() / 0x1_0000_0000,
    below: (bound) => Math.floor((next32() / 0x1_0000_0000) * bound),
    bytes(length) {
      const out = Buffer.allocUnsafe(length);
      for (let i = 0; i < length; i++) out[i] = next32() & 0xff;
      return out;
    },
  };
}
