import { assert } from '@daos/gurt';

interface Waiter {
  readonly bytes: number;
  readonly grant: () => void;
}

/** Memory that pulled data may take, handed out in order of asking. */
export class BulkBudget {
  private used = 0;
  private readonly waiters = new Set<Waiter>();

  constructor(readonly limit: number) {}

  get usedBytes(): number {
    return this.used;
  }

  /**
   * Takes `bytes` at once and returns undefined, or returns a function that gives up waiting; `grant` is called when
   * it is this caller's turn. More than the whole budget is granted when nothing else is held.
   */
  take(bytes: number, grant: () => void): (() => void) | undefined {
    if (this.waiters.size === 0 && this.fits(bytes)) {
      this.used += bytes;
      return undefined;
    }
    const waiter = { bytes, grant };
    this.waiters.add(waiter);
    return () => {
      this.waiters.delete(waiter);
      this.grantNext();
    };
  }

  release(bytes: number): void {
    this.used -= bytes;
    assert(this.used >= 0, 'more bulk memory released than taken');
    this.grantNext();
  }

  private grantNext(): void {
    for (const waiter of this.waiters) {
      if (!this.fits(waiter.bytes)) return;
      this.waiters.delete(waiter);
      this.used += waiter.bytes;
      waiter.grant();
    }
  }

  private fits(bytes: number): boolean {
    return this.used === 0 || this.used + bytes <= this.limit;
  }
}
