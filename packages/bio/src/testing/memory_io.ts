import type { BlockIo, WriteRun } from '../block_io.js';

const PAGE_BYTES = 4096;
const NOTHING = new Uint8Array(PAGE_BYTES);

/** A device in memory, sparse. Everything written is durable at once: put a `FaultyIo` over it to lose something. */
export class MemoryIo implements BlockIo {
  private readonly pages = new Map<number, Uint8Array>();
  private bytes = 0;

  constructor(readonly path = 'memory') {}

  async size(): Promise<number> {
    return this.bytes;
  }

  async resize(bytes: number): Promise<void> {
    this.bytes = bytes;
  }

  async write(runs: readonly WriteRun[], _sync: boolean): Promise<void> {
    for (const run of runs) this.writeNow(run);
  }

  async read(offset: number, into: Uint8Array): Promise<number> {
    return this.readNow(offset, into);
  }

  readNow(offset: number, into: Uint8Array): number {
    const length = Math.max(0, Math.min(into.length, this.bytes - offset));
    forEachPage(offset, length, (page, from, start, end) => {
      into.set((this.pages.get(page) ?? NOTHING).subarray(from, from + end - start), start);
    });
    return length;
  }

  async close(): Promise<void> {
    // what is in memory stays, so that it can be opened again
  }

  private writeNow(run: WriteRun): void {
    let offset = run.offset;
    for (const buffer of run.buffers) {
      forEachPage(offset, buffer.length, (page, from, start, end) => {
        let bytes = this.pages.get(page);
        if (!bytes) this.pages.set(page, (bytes = new Uint8Array(PAGE_BYTES)));
        bytes.set(buffer.subarray(start, end), from);
      });
      offset += buffer.length;
    }
    this.bytes = Math.max(this.bytes, offset);
  }
}

/** The parts of a range by page: page number, first byte in the page, start and end in the range. */
export function forEachPage(
  offset: number,
  length: number,
  visit: (page: number, from: number, start: number, end: number) => void,
): void {
  for (let start = 0; start < length; ) {
    const from = (offset + start) % PAGE_BYTES;
    const end = Math.min(length, start + PAGE_BYTES - from);
    visit((offset + start - from) / PAGE_BYTES, from, start, end);
    start = end;
  }
}
