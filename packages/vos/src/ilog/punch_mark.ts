import type { Epoch } from '@daos/common';

/** Minor epoch of every write outside of a transaction, and of aggregated extents. */
export const MINOR_MAX = 16_383;
/** Minor epoch of a replayed punch: an update of the same epoch survives it. */
export const MINOR_REPLAY = 16_382;

/**
 * The newest punch in force at some level: hides everything at or below it. Reused, so that checks allocate
 * nothing.
 */
export class PunchMark {
  epoch: Epoch = 0n;
  minor = 0;

  reset(): this {
    this.epoch = 0n;
    this.minor = 0;
    return this;
  }

  assign(other: PunchMark): this {
    this.epoch = other.epoch;
    this.minor = other.minor;
    return this;
  }

  set(epoch: Epoch, minor: number): this {
    this.epoch = epoch;
    this.minor = minor;
    return this;
  }

  hides(epoch: Epoch, minor: number): boolean {
    return epoch < this.epoch || (epoch === this.epoch && minor <= this.minor);
  }
}
