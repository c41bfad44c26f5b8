import type { IndexKey } from '../../src/layout/index_key.js';
import type { Umem, UmemEntry, UmemPeek, UmemRange } from '../../src/umem/umem.js';

/** An index in memory that counts what is asked of it. Keys are kept as strings of bytes: they sort alike. */
export class MemoryUmem implements Umem {
  private readonly values = new Map<string, Uint8Array>();
  private sorted: string[] = [];
  private isSorted = true;
  gets = 0;
  puts = 0;
  removes = 0;
  ranges = 0;
  rangeEntries = 0;

  /** Index operations since the last call. */
  takeCount(): number {
    const count = this.gets + this.puts + this.removes + this.ranges + this.rangeEntries;
    this.gets = this.puts = this.removes = this.ranges = this.rangeEntries = 0;
    return count;
  }

  get(key: IndexKey): Uint8Array | undefined {
    this.gets++;
    return this.values.get(textOf(key));
  }

  peek(key: IndexKey): UmemPeek | undefined {
    const bytes = this.get(key);
    return bytes && { bytes, view: new DataView(bytes.buffer, bytes.byteOffset), length: bytes.length };
  }

  has(key: IndexKey): boolean {
    return this.get(key) !== undefined;
  }

  touch(): void {}

  findLast(from: IndexKey, to: IndexKey): UmemEntry | undefined {
    for (const entry of this.range({ from, to, reverse: true, limit: 1 })) return entry;
    return undefined;
  }

  dependsOn(): void {
    throw new Error('this index has no data file');
  }

  sealed(): Promise<void> {
    return this.durable();
  }

  put(key: IndexKey, value: Uint8Array): void {
    this.puts++;
    const text = textOf(key);
    if (!this.values.has(text)) {
      if (this.isSorted) this.sorted.splice(this.locate(text), 0, text);
      else this.sorted.push(text);
    }
    this.values.set(text, Uint8Array.from(value));
  }

  /** Many entries with keys that are not there yet, in any order. */
  load(entries: Iterable<{ key: IndexKey; value: Uint8Array }>): void {
    this.isSorted = false;
    for (const { key, value } of entries) {
      const text = textOf(key);
      this.sorted.push(text);
      this.values.set(text, value);
    }
    this.sorted.sort((a, b) => (a < b ? -1 : 1));
    this.isSorted = true;
  }

  remove(key: IndexKey): boolean {
    this.removes++;
    const text = textOf(key);
    if (!this.values.delete(text)) return false;
    this.sorted.splice(this.locate(text), 1);
    return true;
  }

  range({ from, to, reverse = false, limit = Infinity }: UmemRange): Iterable<UmemEntry> {
    this.ranges++;
    return this.scan(this.locate(textOf(from)), this.locate(textOf(to)), reverse, limit);
  }

  private *scan(first: number, end: number, reverse: boolean, limit: number): Generator<UmemEntry> {
    const { sorted } = this;
    const count = Math.min(limit, end - first);
    for (let i = 0; i < count; i++) {
      this.rangeEntries++;
      const text = sorted[reverse ? end - 1 - i : first + i] as string;
      yield { key: Uint8Array.from(Buffer.from(text, 'latin1')), value: this.values.get(text) as Uint8Array };
    }
  }

  private locate(text: string): number {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.sorted[middle] as string) < text) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Entries of a key space. */
  countOf(space: number): number {
    const from = this.locate(String.fromCharCode(space));
    return this.locate(String.fromCharCode(space + 1)) - from;
  }

  durable(): Promise<void> {
    return Promise.resolve();
  }

  onBatchEnd(): void {}

  setCheckpointPolicy(): void {}

  usedBytes(): number {
    return 0;
  }

  pendingBytes(): number {
    return 0;
  }

  settled(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function textOf({ bytes, length }: IndexKey): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('latin1');
}
