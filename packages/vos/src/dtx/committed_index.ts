/** What the index asks of the entries that it refers to by slot. */
export interface IndexedEntries {
  /** Hash of the entry in a slot: 32 bits, unsigned. */
  hashOf(slot: number): number;
}

/** Parts of the index. Each grows and shrinks on its own, so that no single call pays for all entries. */
const PART_BITS = 6;
const PART_SHIFT = 32 - PART_BITS;
const PLACES_MIN = 16;
/** A part doubles when it is filled to 3/4 and halves below 3/16. */
const GROW_QUARTERS = 3;
const SHRINK_SIXTEENTHS = 3;

/** Places of one part: slot plus one, 0 where none is. Linear probing from the place that the hash says. */
class Part {
  places = new Uint32Array(PLACES_MIN);
  count = 0;
}

/** Hash index of slots: open addressing without tombstones, 5 to 21 bytes per entry. */
export class CommittedIndex {
  private readonly parts = new Array<Part | undefined>(1 << PART_BITS).fill(undefined);

  constructor(private readonly entries: IndexedEntries) {}

  /** Bytes of memory in use. */
  get bytes(): number {
    return this.parts.reduce((sum, part) => sum + (part?.places.byteLength ?? 0), 0);
  }

  /** The slot with this hash for which `matches` is true; -1 when there is none. */
  find(hash: number, matches: (slot: number) => boolean): number {
    const places = this.parts[hash >>> PART_SHIFT]?.places;
    if (!places) return -1;
    const mask = places.length - 1;
    for (let at = hash & mask; places[at] !== 0; at = (at + 1) & mask) {
      const slot = (places[at] as number) - 1;
      if (matches(slot)) return slot;
    }
    return -1;
  }

  /** Adds a slot that is not in the index. */
  add(hash: number, slot: number): void {
    const part = this.partOf(hash);
    if (part.count * 4 >= part.places.length * GROW_QUARTERS) this.resize(part, part.places.length * 2);
    place(part.places, hash, slot);
    part.count++;
  }

  /** Removes a slot that is in the index. Later ones move up, so that every probe ends at the first gap. */
  remove(hash: number, slot: number): void {
    const part = this.partOf(hash);
    const { places } = part;
    const mask = places.length - 1;
    let gap = hash & mask;
    while (places[gap] !== slot + 1) gap = (gap + 1) & mask;
    for (let at = (gap + 1) & mask; places[at] !== 0; at = (at + 1) & mask) {
      const home = this.entries.hashOf((places[at] as number) - 1) & mask;
      // an entry may move to the gap when that lies between its home and its place
      if (((at - home) & mask) < ((at - gap) & mask)) continue;
      places[gap] = places[at] as number;
      gap = at;
    }
    places[gap] = 0;
    part.count--;
    const { length } = places;
    if (length > PLACES_MIN && part.count * 16 < length * SHRINK_SIXTEENTHS) this.resize(part, length / 2);
  }

  private partOf(hash: number): Part {
    return (this.parts[hash >>> PART_SHIFT] ??= new Part());
  }

  private resize(part: Part, length: number): void {
    const places = new Uint32Array(length);
    for (let i = 0; i < part.places.length; i++) {
      const slot = (part.places[i] as number) - 1;
      if (slot >= 0) place(places, this.entries.hashOf(slot), slot);
    }
    part.places = places;
  }
}

function place(places: Uint32Array, hash: number, slot: number): void {
  const mask = places.length - 1;
  let at = hash & mask;
  while (places[at] !== 0) at = (at + 1) & mask;
  places[at] = slot + 1;
}
