import { assert } from '@daos/gurt';

/** Parts of the limit that starts are told apart by: the age is known to an eighth. */
const PARTS = 8;
const SLOTS = 2 * PARTS + 2;

/**
 * Tells whether a transfer has been under way for too long, without an object or a timer per transfer: starts are
 * counted by the part of time in which they fell.
 */
export class StallWatch {
  private readonly pending = new Uint32Array(SLOTS);
  private readonly epochs = new Float64Array(SLOTS).fill(-1);

  constructor(private readonly limitMs: number) {}

  /** A transfer starts; the result goes to `end`. `nowMs` is monotonic. */
  begin(nowMs: number): number {
    const epoch = this.epochOf(nowMs);
    const slot = epoch % SLOTS;
    // A slot whose transfers never ended stays theirs: newer ones count as older, and they are stalled anyway.
    if (this.pending[slot] === 0) this.epochs[slot] = epoch;
    this.pending[slot] = (this.pending[slot] ?? 0) + 1;
    return slot;
  }

  end(slot: number): void {
    assert((this.pending[slot] ?? 0) > 0, 'a transfer ends once');
    this.pending[slot] = (this.pending[slot] ?? 0) - 1;
  }

  get active(): boolean {
    return this.pending.some((count) => count > 0);
  }

  /** Whether any transfer has been under way for longer than the limit (and at most an eighth more). */
  stalled(nowMs: number): boolean {
    const newest = this.epochOf(nowMs) - PARTS - 1;
    return this.pending.some((count, slot) => count > 0 && (this.epochs[slot] ?? 0) <= newest);
  }

  private epochOf(nowMs: number): number {
    return Math.floor((nowMs * PARTS) / this.limitMs);
  }
}
