/**
 * Log records that may be on their way to the disk at a time. More of them raise the rate of flushes, but each
 * costs processor time that the updates need: see "The log" in the README for what was measured.
 */
export const FLUSHES_MAX = 4;
/** Into so many batches those who wait are split, so that one batch is executed while another is flushed. */
const BATCHES_WANTED = 2;
/** Fewer callers than this are not worth a flush before the turn has ended: more may come in it. */
const CALLERS_MIN = 4;
/** How fast the estimate of those who usually wait follows when fewer do: by this share per batch. */
const DECAY = 1 / 16;

/**
 * Decides when the batch that is being collected is worth a flush. Callers in one flush wait for the slowest of them;
 * callers that always wait together execute nothing while the disk works. So a batch is closed
 *  - in the middle of a turn of the event loop, when it has its share of those who usually wait;
 *  - at the end of a turn, when nothing is being flushed, or when it has half of its share;
 *  - else when a flush ends.
 */
export class FlushRule {
  private flushing = 0;
  /** Callers of batches that are not acknowledged. */
  private waiting = 0;
  private usuallyWaiting = 1;

  get flushes(): number {
    return this.flushing;
  }

  /** `callers`: those who wait for the batch so far. */
  isDueNow(callers: number): boolean {
    return this.flushing < FLUSHES_MAX && callers >= CALLERS_MIN && callers >= this.share;
  }

  isDueAtTurnEnd(callers: number): boolean {
    if (this.flushing === 0) return true;
    return this.flushing < FLUSHES_MAX && callers * 2 >= this.share;
  }

  closed(callers: number): void {
    this.flushing++;
    this.waiting += callers;
    const usual = this.usuallyWaiting;
    this.usuallyWaiting = this.waiting > usual ? this.waiting : usual + (this.waiting - usual) * DECAY;
  }

  acknowledged(callers: number): void {
    this.flushing--;
    this.waiting -= callers;
  }

  private get share(): number {
    return Math.max(1, Math.floor(this.usuallyWaiting / BATCHES_WANTED));
  }
}
