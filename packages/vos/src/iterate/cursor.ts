import { SLICE_ITEMS_MAX, type Item, type Level, type Slice } from './level.js';
import { PLACE_END, PLACE_START, placeAfter, type Place } from './place.js';

/** Entries that are read in one turn of the event loop. */
const ENTRIES_PER_TURN = 1024;
const SLICE_ITEMS_MIN = 2;

/** Counts when others may have changed the store under an iteration, and lets them have their turn. */
export class Turn {
  count = 0;
  private entries = 0;

  /** What was read ahead may be out of date. */
  passed(): void {
    this.count++;
    this.entries = 0;
  }

  async reads(count: number): Promise<void> {
    if ((this.entries += count) < ENTRIES_PER_TURN) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.passed();
  }
}

/** Goes through one level, entry by entry; reads slices ahead, and anew when the turn has passed. */
export class Cursor {
  current: Item | undefined;
  private slice: Slice = { items: [], next: PLACE_START };
  private at = 0;
  private readAt = -1;
  /** Entries to read ahead: fewer when they have to be read again. */
  private ahead = SLICE_ITEMS_MIN;

  constructor(
    private readonly level: Level,
    start: Place,
    private readonly turn: Turn,
  ) {
    this.slice = { items: [], next: start };
  }

  /** Where the level goes on: with the present entry, or behind the last one. */
  get place(): Place {
    return this.current?.place ?? this.slice.next ?? PLACE_END;
  }

  restart(place = PLACE_START): void {
    this.current = undefined;
    this.slice = { items: [], next: place };
    this.at = 0;
  }

  /** The next entry; undefined at the end. */
  async next(): Promise<Item | undefined> {
    const { current, turn } = this;
    if (current && this.readAt !== turn.count) {
      if (this.at < this.slice.items.length) this.ahead = Math.max(SLICE_ITEMS_MIN, this.ahead >>> 1);
      this.restart(placeAfter(current.place));
    }
    for (;;) {
      const item = this.slice.items[this.at];
      if (item) {
        this.at++;
        return (this.current = item);
      }
      if (!this.slice.next) {
        this.current = undefined;
        return undefined;
      }
      await turn.reads(this.ahead);
      this.readAt = turn.count;
      this.slice = this.level.slice(this.slice.next, this.ahead);
      this.ahead = Math.min(SLICE_ITEMS_MAX, this.ahead * 2);
      this.at = 0;
    }
  }
}
