import { hash32 } from '../layout/bytes.js';
import type { IndexKey } from '../layout/index_key.js';
import { Slab } from './slab.js';

/** A modification that is not in LMDB yet. `value` undefined: the key is removed. */
export interface OverlayEntry {
  readonly key: Uint8Array;
  value: Uint8Array | undefined;
}

interface Node extends OverlayEntry {
  /** Another entry with the same hash. */
  readonly next: Node | undefined;
}

const BLOCK_ENTRIES_MAX = 128;
/** What an entry takes in a page beyond its bytes. */
const ENTRY_BYTES = 16;

/**
 * Modifications over LMDB, in memory: found by hash, and by order for scans. The order is kept up only when a
 * scan asks for it: entries wait in a list and are then filed into sorted blocks.
 */
export class Overlay {
  private readonly byHash = new Map<number, Node>();
  private readonly blocks: OverlayEntry[][] = [];
  private unsorted: OverlayEntry[] = [];
  private readonly slab = new Slab();
  private heldBytes = 0;
  private entries = 0;

  get count(): number {
    return this.entries;
  }

  /** What the entries will take in LMDB's pages if none of them replaces another. */
  get bytes(): number {
    return this.heldBytes;
  }

  put(key: IndexKey, value: Uint8Array | undefined): void {
    const copy = value && this.copyOf(value, value.length);
    const hash = hashOf(key);
    const first = this.byHash.get(hash);
    for (let node = first; node !== undefined; node = node.next) {
      if (!isKey(node.key, key)) continue;
      this.heldBytes += (copy?.length ?? 0) - (node.value?.length ?? 0);
      node.value = copy;
      return;
    }
    const node: Node = { key: this.copyOf(key.bytes, key.length), value: copy, next: first };
    this.byHash.set(hash, node);
    this.unsorted.push(node);
    this.entries++;
    this.heldBytes += ENTRY_BYTES + key.length + (copy?.length ?? 0);
  }

  /** The entry of a key; undefined: this overlay says nothing about it. */
  find(key: IndexKey): OverlayEntry | undefined {
    if (this.entries === 0) return undefined;
    for (let node = this.byHash.get(hashOf(key)); node !== undefined; node = node.next) {
      if (isKey(node.key, key)) return node;
    }
    return undefined;
  }

  /** Entries from `from` to before `to`, in order (or the reverse). Nothing may be put meanwhile. */
  *range(from: IndexKey, to: IndexKey, reverse: boolean): Generator<OverlayEntry> {
    this.sort();
    const first = this.locate(from);
    const end = this.locate(to);
    if (reverse) {
      for (let block = end.block; block >= first.block; block--) {
        const entries = this.blocks[block] ?? [];
        const top = block === end.block ? end.at : entries.length;
        const bottom = block === first.block ? first.at : 0;
        for (let at = top - 1; at >= bottom; at--) yield entries[at] as OverlayEntry;
      }
      return;
    }
    for (let block = first.block; block <= end.block; block++) {
      const entries = this.blocks[block] ?? [];
      const top = block === end.block ? end.at : entries.length;
      for (let at = block === first.block ? first.at : 0; at < top; at++) yield entries[at] as OverlayEntry;
    }
  }

  /** The entry (a removal, too) with the greatest key from `from` to before `to`. */
  findLast(from: IndexKey, to: IndexKey): OverlayEntry | undefined {
    if (this.entries === 0) return undefined;
    this.sort();
    const { block, at } = this.locate(to);
    const last = at > 0 ? this.blocks[block]?.[at - 1] : this.blocks[block - 1]?.at(-1);
    return last && compare(last.key, from.bytes, from.length) >= 0 ? last : undefined;
  }

  /** True when nothing lies from `from` to before `to`. */
  isEmptyBetween(from: IndexKey, to: IndexKey): boolean {
    if (this.entries === 0) return true;
    this.sort();
    const first = this.locate(from);
    const end = this.locate(to);
    return first.block === end.block && first.at === end.at;
  }

  /** Files up to so many entries that wait to be; false: there are more. So a scan of all need not hold up the thread. */
  sortSome(entriesMax: number): boolean {
    const first = Math.max(0, this.unsorted.length - entriesMax);
    for (const entry of this.unsorted.splice(first)) this.file(entry);
    return this.unsorted.length === 0;
  }

  /** All entries in order. Nothing may be put meanwhile. */
  *sorted(): Generator<OverlayEntry> {
    this.sort();
    for (const block of this.blocks) yield* block;
  }

  private copyOf(bytes: Uint8Array, length: number): Uint8Array {
    const copy = this.slab.take(length);
    if (length <= 64) for (let i = 0; i < length; i++) copy[i] = bytes[i] as number;
    else copy.set(length === bytes.length ? bytes : bytes.subarray(0, length));
    return copy;
  }

  private sort(): void {
    if (this.unsorted.length === 0) return;
    const { unsorted } = this;
    this.unsorted = [];
    for (const entry of unsorted) this.file(entry);
  }

  private file(entry: OverlayEntry): void {
    const { key } = entry;
    const { block, at } = this.locateBytes(key, key.length);
    const entries = this.blocks[block];
    if (!entries) {
      this.blocks.push([entry]);
      return;
    }
    entries.splice(at, 0, entry);
    if (entries.length > BLOCK_ENTRIES_MAX) {
      // appending is the common order: leave the left block full
      const keep = at === entries.length - 1 ? BLOCK_ENTRIES_MAX : BLOCK_ENTRIES_MAX / 2;
      this.blocks.splice(block + 1, 0, entries.splice(keep));
    }
  }

  private locate(key: IndexKey): { block: number; at: number } {
    return this.locateBytes(key.bytes, key.length);
  }

  /** The place of the first entry that is not below the key, in the block where it would be filed. */
  private locateBytes(key: Uint8Array, length: number): { block: number; at: number } {
    const { blocks } = this;
    let low = 0;
    let high = blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare((blocks[middle]?.[0] as OverlayEntry).key, key, length) <= 0) low = middle + 1;
      else high = middle;
    }
    const block = Math.max(0, low - 1);
    const entries = blocks[block] ?? [];
    low = 0;
    high = entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare((entries[middle] as OverlayEntry).key, key, length) < 0) low = middle + 1;
      else high = middle;
    }
    return { block, at: low };
  }
}

/** As memcmp, the shorter first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return compare(a, b, b.length);
}

function compare(a: Uint8Array, b: Uint8Array, bLength: number): number {
  const length = a.length < bLength ? a.length : bLength;
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - bLength;
}

function isKey(bytes: Uint8Array, key: IndexKey): boolean {
  return bytes.length === key.length && compare(bytes, key.bytes, key.length) === 0;
}

function hashOf({ bytes, length }: IndexKey): number {
  return hash32(bytes, length, length);
}
