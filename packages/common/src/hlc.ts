import { DaosError } from './error.js';
import type { Epoch } from './io.js';

/**
 * Hybrid logical clock (Kulkarni et al., "Logical Physical Clocks", 2014) in DAOS's form: 64 bits in units of 1/16 ns
 * since 2021-01-01T00:00:00Z, the low 18 bits a logical counter. Every value handed out is larger than all before it
 * and than all seen in messages.
 */
const LOGICAL_MASK = 0x3ffffn;
const PHYSICAL_MASK = ~LOGICAL_MASK & 0xffff_ffff_ffff_ffffn;
const START_UNIX_MS = Date.UTC(2021, 0, 1);
const START_UNIX_NS = BigInt(START_UNIX_MS) * 1_000_000n;
const TICKS_PER_MS = 16_000_000n;

/** Largest clock offset between two servers that is accepted, in HLC ticks (1 s). */
export const HLC_EPSILON_DEFAULT = 16_000_000_000n;

export type WallClockMs = () => number;

export class Hlc {
  private last = 0n;
  private lastMs = -1;
  private lastPhysical = 0n;

  constructor(
    private readonly nowMs: WallClockMs = Date.now,
    public epsilon: bigint = HLC_EPSILON_DEFAULT,
  ) {}

  /** A new value, larger than every value returned or received before. */
  get(): Epoch {
    const pt = this.physicalNow();
    this.last = (this.last & PHYSICAL_MASK) < pt ? pt : this.last + 1n;
    return this.last;
  }

  /**
   * Merges a value received in a message and returns a new one.
   * Throws DER_HLC_SYNC, leaving the clock unchanged, when the message is ahead of this host by more than epsilon.
   */
  receive(message: Epoch): Epoch {
    const pt = this.physicalNow();
    const messagePhysical = message & PHYSICAL_MASK;
    if (messagePhysical > pt && messagePhysical - pt > this.epsilon) {
      throw new DaosError('HLC_SYNC', `a peer's clock is ${hlcToMs(messagePhysical - pt)} ms ahead of this host`);
    }
    const lastPhysical = this.last & PHYSICAL_MASK;
    if (lastPhysical < messagePhysical) this.last = messagePhysical < pt ? pt : message + 1n;
    else if (lastPhysical < pt) this.last = pt;
    else if (pt <= messagePhysical) this.last = (this.last > message ? this.last : message) + 1n;
    else this.last += 1n;
    return this.last;
  }

  private physicalNow(): bigint {
    const ms = this.nowMs();
    if (ms !== this.lastMs) {
      this.lastMs = ms;
      this.lastPhysical = unixMsToHlc(ms);
    }
    return this.lastPhysical;
  }
}

/** HLC value (logical part 0) of a wall-clock time; 0 before 2021. */
export function unixMsToHlc(ms: number): Epoch {
  const since = Math.floor((ms - START_UNIX_MS) * 1000);
  return since <= 0 ? 0n : (BigInt(since) * (TICKS_PER_MS / 1000n)) & PHYSICAL_MASK;
}

/** HLC value of a Unix time in nanoseconds; 0 when it lies before 2021 or out of range. */
export function unixNsToHlc(ns: bigint): Epoch {
  if (ns < START_UNIX_NS) return 0n;
  const ticks = (ns - START_UNIX_NS) * 16n;
  return ticks >> 64n === 0n ? ticks : 0n;
}

/** Unix time in nanoseconds of an HLC value. */
export function hlcToUnixNs(hlc: Epoch): bigint {
  return hlc / 16n + START_UNIX_NS;
}

/** HLC ticks in a span of nanoseconds, modulo 2^64. */
export function nsToHlc(ns: bigint): Epoch {
  return BigInt.asUintN(64, ns * 16n);
}

/** HLC value of a Unix time in seconds and nanoseconds, modulo 2^64: times before 2021 wrap around. */
export function timespecToHlc(seconds: bigint, nanoseconds: bigint): Epoch {
  return nsToHlc(seconds * 1_000_000_000n + nanoseconds - START_UNIX_NS);
}

/** Nanoseconds in a span of HLC ticks. */
export function hlcToNs(hlc: Epoch): bigint {
  return hlc / 16n;
}

/** Milliseconds in a span of HLC ticks. */
export function hlcToMs(hlc: Epoch): number {
  return Number(hlc / TICKS_PER_MS);
}

/** A clock offset bound as it takes effect when it is set: rounded up to whole physical units. */
export function hlcEpsilonRound(epsilon: bigint): bigint {
  return (epsilon + LOGICAL_MASK) & PHYSICAL_MASK;
}

/** Upper bound of the values that a correct clock can have handed out by `hlc`, modulo 2^64. */
export function hlcEpsilonBound(hlc: Epoch, epsilon: bigint = HLC_EPSILON_DEFAULT): Epoch {
  return BigInt.asUintN(64, (hlc + epsilon) | LOGICAL_MASK);
}
