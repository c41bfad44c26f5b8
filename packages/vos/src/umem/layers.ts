import { EMPTY, viewOf } from '../layout/bytes.js';
import type { IndexKey } from '../layout/index_key.js';
import type { LmdbStore } from './lmdb_store.js';
import { mergeEntries } from './merge.js';
import { Overlay, compareBytes, type OverlayEntry } from './overlay.js';
import { Slab } from './slab.js';
import { StoreSeek } from './store_seek.js';
import type { UmemEntry, UmemPeek, UmemRange } from './umem.js';

/** LMDB and what lies over it, seen as one: modifications, over those that a checkpoint is writing, over LMDB. */
export class Layers {
  active = new Overlay();
  /** On its way to LMDB. Never modified. */
  private frozenOverlay: Overlay | undefined;
  private readonly slab = new Slab();
  private readonly seek: StoreSeek;
  private readonly peeked: { source: Uint8Array; bytes: Uint8Array; view: DataView; length: number } = {
    source: EMPTY,
    bytes: EMPTY,
    view: viewOf(EMPTY),
    length: 0,
  };

  constructor(private readonly store: LmdbStore) {
    this.seek = new StoreSeek(store);
  }

  get frozen(): Overlay | undefined {
    return this.frozenOverlay;
  }

  /** What was modified up to now goes to LMDB. */
  freeze(): Overlay {
    const frozen = this.active;
    this.frozenOverlay = frozen;
    this.active = new Overlay();
    return frozen;
  }

  /** What was frozen is in LMDB. */
  thaw(): void {
    this.store.resetReadTxn();
    this.frozenOverlay = undefined;
  }

  get(key: IndexKey): Uint8Array | undefined {
    const entry = this.overlaid(key);
    if (entry) return entry.value;
    const found = this.peekStore(key);
    if (found === undefined) return undefined;
    const { bytes, length } = found;
    const copy = this.slab.take(length);
    if (length <= 64) for (let i = 0; i < length; i++) copy[i] = bytes[i] as number;
    else copy.set(bytes.subarray(0, length));
    return copy;
  }

  peek(key: IndexKey): UmemPeek | undefined {
    const entry = this.overlaid(key);
    if (!entry) return this.peekStore(key);
    const { value } = entry;
    return value && { bytes: value, view: viewOf(value), length: value.length };
  }

  has(key: IndexKey): boolean {
    const entry = this.overlaid(key);
    return entry ? entry.value !== undefined : this.store.getBinaryFast(key) !== undefined;
  }

  range({ from, to, reverse = false, limit = Infinity }: UmemRange): Iterable<UmemEntry> {
    const overlays = [this.active, this.frozenOverlay].filter((overlay) => overlay?.isEmptyBetween(from, to) === false);
    if (overlays.length === 0) return this.seek.range(from, to, reverse, limit);
    const sources: Iterable<OverlayEntry>[] = overlays.map((overlay) => (overlay as Overlay).range(from, to, reverse));
    sources.push(this.seek.range(from, to, reverse, Infinity));
    return mergeEntries(sources, reverse, limit);
  }

  findLast(from: IndexKey, to: IndexKey): UmemEntry | undefined {
    const above = newer(this.active.findLast(from, to), this.frozenOverlay?.findLast(from, to));
    const below = this.seek.findLast(from, to);
    if (!above) return below;
    if (below && compareBytes(above.key, below.key) < 0) return below;
    if (above.value) return { key: above.key, value: above.value };
    // the last key was removed: what is left is found by a scan that leaves removed ones out
    for (const entry of this.range({ from, to, reverse: true, limit: 1 })) return entry;
    return undefined;
  }

  private overlaid(key: IndexKey): OverlayEntry | undefined {
    return this.active.find(key) ?? this.frozenOverlay?.find(key);
  }

  private peekStore(key: IndexKey): UmemPeek | undefined {
    const found = this.store.getBinaryFast(key);
    if (found === undefined) return undefined;
    // lmdb hands out one shared buffer, which it replaces to grow
    const { peeked } = this;
    if (peeked.source !== found) {
      peeked.source = found;
      peeked.bytes = new Uint8Array(found.buffer, found.byteOffset);
      peeked.view = new DataView(found.buffer, found.byteOffset);
    }
    peeked.length = found.length;
    return peeked;
  }
}

/** Of two last entries the greater; of one key the first. */
function newer(first: OverlayEntry | undefined, second: OverlayEntry | undefined): OverlayEntry | undefined {
  if (!first || !second) return first ?? second;
  return compareBytes(first.key, second.key) >= 0 ? first : second;
}
