/** Blocks freed but not reusable yet. `settled`: the transaction that freed them can no longer be undone. */
export interface FreedExtent {
  readonly offset: number;
  readonly blocks: number;
  readonly freedAtMs: number;
  settled: boolean;
  /** The free was undone: the entry is skipped. */
  dropped: boolean;
}

/**
 * Freed extents in the order they were freed. They wait because a reader may still be fetching the old data from the
 * device, and because data written into them before the free is durable would be seen by the old index after a crash.
 */
export class Quarantine {
  private entries: FreedExtent[] = [];
  private head = 0;
  private total = 0;

  get blocks(): number {
    return this.total;
  }

  add(offset: number, blocks: number, nowMs: number, settled: boolean): FreedExtent {
    const entry = { offset, blocks, freedAtMs: nowMs, settled, dropped: false };
    this.entries.push(entry);
    this.total += blocks;
    return entry;
  }

  /** Takes an entry back whose free was undone. */
  drop(entry: FreedExtent): void {
    entry.dropped = true;
    this.total -= entry.blocks;
  }

  /** Releases up to `limit` entries that were freed at or before `untilMs` and are settled. Returns how many. */
  release(untilMs: number, limit: number, give: (offset: number, blocks: number) => void): number {
    let released = 0;
    while (this.head < this.entries.length && released < limit) {
      const entry = this.entries[this.head] as FreedExtent;
      if (!entry.dropped) {
        if (!entry.settled || entry.freedAtMs > untilMs) break;
        this.total -= entry.blocks;
        give(entry.offset, entry.blocks);
        released++;
      }
      this.head++;
    }
    if (this.head > 1024 && this.head * 2 > this.entries.length) {
      this.entries = this.entries.slice(this.head);
      this.head = 0;
    }
    return released;
  }
}
