/** What to do about an engine that ended by itself. */
export type RestartDecision = { readonly action: 'now' } | {
  readonly action: 'later';
  readonly delayMs: number;
};

/**
 * Limits how often an engine is restarted by itself: at most once per `minDelayMs` and rank. The first restart is
 * immediate; an earlier request is put off until the time has passed. A manual start or stop forgets the history.
 */
export class RestartLimit {
  private readonly lastMs = new Map<number, number>();

  constructor(private readonly minDelayMs: number) {}

  decide(rank: number, nowMs: number): RestartDecision {
    const last = this.lastMs.get(rank);
    if (last === undefined || nowMs - last >= this.minDelayMs) return { action: 'now' };
    return { action: 'later', delayMs: this.minDelayMs - (nowMs - last) };
  }

  restarted(rank: number, nowMs: number): void {
    this.lastMs.set(rank, nowMs);
  }

  forget(rank: number): void {
    this.lastMs.delete(rank);
  }
}
