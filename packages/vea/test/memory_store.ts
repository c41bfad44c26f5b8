import { isDaosError } from '@daos/common';

import {
  Vea,
  type VeaChunkRow,
  type VeaDescriptor,
  type VeaFormat,
  type VeaHintRow,
  type VeaOptions,
  type VeaStore,
  type VeaWordsRow,
} from '../src/index.js';

/** All rows of a store at one moment. */
export interface Rows {
  descriptor: VeaDescriptor | undefined;
  extents: Map<number, number>;
  chunks: Map<number, VeaChunkRow>;
  words: Map<string, VeaWordsRow>;
  hints: Map<number, VeaHintRow>;
}

export function emptyRows(): Rows {
  return { descriptor: undefined, extents: new Map(), chunks: new Map(), words: new Map(), hints: new Map() };
}

/** Rows as VOS keeps them, with a count of row changes and a transaction that can be rolled back. */
export class MemoryStore implements VeaStore {
  changes = 0;
  private saved: Rows | undefined;

  constructor(public rows: Rows = emptyRows()) {}

  loadDescriptor(): VeaDescriptor | undefined {
    return this.rows.descriptor;
  }
  putDescriptor(descriptor: VeaDescriptor): void {
    this.rows.descriptor = descriptor;
    this.changes++;
  }

  load(): { offset: number; blocks: number }[] {
    return [...this.rows.extents].map(([offset, blocks]) => ({ offset, blocks })).sort((a, b) => a.offset - b.offset);
  }
  put(offset: number, blocks: number): void {
    this.rows.extents.set(offset, blocks);
    this.changes++;
  }
  remove(offset: number): void {
    if (!this.rows.extents.delete(offset)) throw new Error(`no free extent at ${offset}`);
    this.changes++;
  }

  loadChunks(): VeaChunkRow[] {
    return [...this.rows.chunks.values()].sort((a, b) => a.offset - b.offset);
  }
  putChunk(chunk: VeaChunkRow): void {
    this.rows.chunks.set(chunk.offset, { ...chunk });
    this.changes++;
  }
  removeChunk(offset: number): void {
    if (!this.rows.chunks.delete(offset)) throw new Error(`no chunk at ${offset}`);
    this.changes++;
  }

  loadWords(): VeaWordsRow[] {
    return [...this.rows.words.values()];
  }
  putWords(offset: number, group: number, words: Uint32Array): void {
    this.rows.words.set(`${offset} ${group}`, { offset, group, words: words.slice() });
    this.changes++;
  }
  removeWords(offset: number, group: number): void {
    if (!this.rows.words.delete(`${offset} ${group}`)) throw new Error(`no words at ${offset} ${group}`);
    this.changes++;
  }

  loadHint(id: number): VeaHintRow | undefined {
    return this.rows.hints.get(id);
  }
  putHint(id: number, offset: number, sequence: number): void {
    this.rows.hints.set(id, { offset, sequence });
    this.changes++;
  }
  removeHint(id: number): void {
    this.rows.hints.delete(id);
    this.changes++;
  }

  /** A copy of all rows: what a crash would leave now. */
  copy(): Rows {
    const { descriptor, extents, chunks, words, hints } = this.rows;
    return { descriptor, extents: new Map(extents), chunks: new Map(chunks), words: new Map(words), hints: new Map(hints) };
  }
  begin(): void {
    this.saved = this.copy();
  }
  rollback(): void {
    this.rows = this.saved ?? this.rows;
  }
}

export interface TestVea {
  readonly vea: Vea;
  readonly store: MemoryStore;
  readonly clock: { now: number };
}

export const KIB = 1024;
export const MIB = 1024 * KIB;
export const GIB = 1024 * MIB;

/** A formatted space. By default nothing rests, and rested blocks are looked for at every call. */
export function makeVea(format: number | VeaFormat, options: VeaOptions = {}): TestVea {
  const store = new MemoryStore();
  const clock = { now: 0 };
  Vea.format(store, format);
  const vea = Vea.load(store, { quarantineMs: 0, flushIntervalMs: 0, nowMs: () => clock.now, ...options });
  return { vea, store, clock };
}

/** The same without bitmaps, of so many usable blocks. */
export function makeExtentVea(blocks: number, options: VeaOptions = {}): TestVea {
  return makeVea({ capacityBytes: (blocks + 1) * 4096, bitmaps: false }, options);
}

/** Name of the error that a call throws; `none` when it does not. */
export function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isDaosError(error)) return error.der;
    throw error;
  }
  return 'none';
}

/** Repeatable numbers below a limit (numerical recipes' generator). */
export function randomOf(seed: number): (limit: number) => number {
  let state = (Math.imul(seed, 2654435761) + 12345) >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
