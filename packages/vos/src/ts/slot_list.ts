/** No slot: the end of a list, or nothing found. */
export const NO_SLOT = -1;

/** Links of slots that are in at most one list each. */
export interface SlotLinks {
  readonly next: Int32Array;
  readonly prev: Int32Array;
}

/** A doubly linked list of slot numbers. Several lists share one pair of arrays. */
export class SlotList {
  first = NO_SLOT;
  last = NO_SLOT;

  constructor(private readonly links: SlotLinks) {}

  pushFirst(slot: number): void {
    const { next, prev } = this.links;
    next[slot] = this.first;
    prev[slot] = NO_SLOT;
    if (this.first === NO_SLOT) this.last = slot;
    else prev[this.first] = slot;
    this.first = slot;
  }

  remove(slot: number): void {
    const { next, prev } = this.links;
    const after = next[slot] as number;
    const before = prev[slot] as number;
    if (before === NO_SLOT) this.first = after;
    else next[before] = after;
    if (after === NO_SLOT) this.last = before;
    else prev[after] = before;
  }
}
