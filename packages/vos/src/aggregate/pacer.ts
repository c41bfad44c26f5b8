import { DaosError } from '@daos/common';

import type { Umem } from '../umem/umem.js';

/** How fast background work goes on: `tight` when its result is needed soon, `slack` beside other work. */
export type Pace = 'tight' | 'slack';

/** Asked between slices; may wait. `stop` ends the work. Nothing said: `tight`. */
export type YieldHook = () => Pace | 'stop' | undefined | Promise<Pace | 'stop' | undefined>;

/** What one slice may do of each kind of step, as in DAOS: rows looked at, records removed, records rewritten. */
const CREDITS = {
  tight: { scan: 64, delete: 16, merge: 8 },
  slack: { scan: 32, delete: 4, merge: 2 },
} as const;
export type Step = keyof (typeof CREDITS)['tight'];

/** A slice ends when it has held the thread for this long, credits or not. */
const SLICE_MS = 2;
const REST_MS = 5;
/** Changes of the index that are not durable yet: the work waits for them, so that others find room. */
const PENDING_BYTES_MAX = 4 * 1024 * 1024;

/** How an aggregation or discard goes on beside other work. */
export interface SliceOptions {
  readonly yield?: YieldHook;
  readonly signal?: AbortSignal;
}

/**
 * Cuts background work into slices: what a slice changes is one batch of the index, and between slices everybody else
 * gets the thread. The work calls `spend` for each step and, when that says so, `pause` at the next place where it can
 * stand being interrupted.
 */
export class Pacer {
  /** Counts slices: what was found out in one may be wrong in the next. */
  slices = 1;
  readonly lengths = new SliceLengths();
  private pace: Pace = 'tight';
  private left = { ...CREDITS.tight } as Record<Step, number>;
  private begun = performance.now();

  constructor(
    private readonly umem: Umem,
    /** Throws when the work may not go on. Called before each slice. */
    private readonly check: () => void,
    private readonly options: SliceOptions,
  ) {}

  /** Takes a credit; true when the slice is used up. */
  spend(step: Step): boolean {
    return --this.left[step] <= 0 || this.isLate();
  }

  /** True when the slice is used up. */
  get isSpent(): boolean {
    return this.left.scan <= 0 || this.left.delete <= 0 || this.left.merge <= 0 || this.isLate();
  }

  isLate(): boolean {
    return performance.now() - this.begun >= SLICE_MS;
  }

  /**
   * Lets others work, then begins the next slice. DER_OP_CANCELED when the work is to end, and what `check` throws.
   */
  async pause(): Promise<void> {
    const { umem } = this;
    const { yield: hook, signal } = this.options;
    this.heldUntilNow();
    if (umem.pendingBytes() > PENDING_BYTES_MAX) await umem.durable();
    await new Promise((resolve) => setImmediate(resolve));
    const answer = await hook?.();
    if (answer === 'stop' || signal?.aborted) throw new DaosError('OP_CANCELED', 'the work was stopped between two slices');
    this.check();
    this.pace = answer ?? 'tight';
    this.left = { ...CREDITS[this.pace] };
    this.slices++;
    this.begun = performance.now();
  }

  /** Waits for somebody who has what the work needs, then begins the next slice. */
  async rest(): Promise<void> {
    await this.wait(new Promise((resolve) => setTimeout(resolve, REST_MS)));
    await this.pause();
  }

  /** Waits for something else; the thread is free meanwhile. */
  async wait<T>(promise: Promise<T>): Promise<T> {
    this.heldUntilNow();
    try {
      return await promise;
    } finally {
      this.slices++;
      this.begun = performance.now();
    }
  }

  private heldUntilNow(): void {
    this.lengths.add(performance.now() - this.begun);
  }
}

/** How long slices have held the thread: counted by tenths of a millisecond. */
export class SliceLengths {
  longestMs = 0;
  private readonly counts = new Uint32Array(200);
  private total = 0;

  add(ms: number): void {
    if (ms > this.longestMs) this.longestMs = ms;
    const at = Math.min(this.counts.length - 1, Math.floor(ms * 10));
    this.counts[at] = (this.counts[at] as number) + 1;
    this.total++;
  }

  /** Length in milliseconds that so many percent of the slices do not exceed; at most 20. */
  percentile(percent: number): number {
    let left = (this.total * percent) / 100;
    for (let at = 0; at < this.counts.length; at++) {
      left -= this.counts[at] as number;
      if (left <= 0) return (at + 1) / 10;
    }
    return this.counts.length / 10;
  }
}
