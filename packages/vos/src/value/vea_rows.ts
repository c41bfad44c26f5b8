import type {
  VeaChunkRow,
  VeaDescriptor,
  VeaExtent,
  VeaHintRow,
  VeaStore,
  VeaWordsRow,
} from '@daos/vea';

import { getU48, setU48, viewOf } from '../layout/bytes.js';
import { IndexKey } from '../layout/index_key.js';
import { Space, VeaRow } from '../layout/spaces.js';
import type { Umem } from '../umem/umem.js';

const DESCRIPTOR_BYTES = 22;
const CHUNK_BYTES = 8;
const HINT_BYTES = 12;

/**
 * Free space of the data file as rows of the index. Values: free extent: blocks u48 | descriptor: magic u32, compat
 * u32, block bytes u32, header blocks u32, total blocks u48 | chunk: blocks u48, blocks of a unit u16 | words: u32
 * each | hint: block u48, sequence u48.
 */
export class IndexVeaStore implements VeaStore {
  private readonly key = new IndexKey();
  private readonly buffer = new Uint8Array(256);
  private readonly view = viewOf(this.buffer);

  constructor(private readonly umem: Umem) {}

  loadDescriptor(): VeaDescriptor | undefined {
    const value = this.umem.get(this.row(VeaRow.DESCRIPTOR));
    if (value === undefined) return undefined;
    const view = viewOf(value);
    return {
      magic: view.getUint32(0),
      compat: view.getUint32(4),
      blockBytes: view.getUint32(8),
      headerBlocks: view.getUint32(12),
      totalBlocks: getU48(view, 16),
    };
  }

  putDescriptor({ magic, compat, blockBytes, headerBlocks, totalBlocks }: VeaDescriptor): void {
    const { view } = this;
    view.setUint32(0, magic);
    view.setUint32(4, compat);
    view.setUint32(8, blockBytes);
    view.setUint32(12, headerBlocks);
    setU48(view, 16, totalBlocks);
    this.write(this.row(VeaRow.DESCRIPTOR), DESCRIPTOR_BYTES);
  }

  *load(): Generator<VeaExtent> {
    const from = new IndexKey().space(Space.FREE);
    const to = new IndexKey().space(Space.FREE + 1);
    for (const { key, value } of this.umem.range({ from, to })) {
      yield { offset: getU48(viewOf(key), 1), blocks: getU48(viewOf(value), 0) };
    }
  }

  put(offset: number, blocks: number): void {
    setU48(this.view, 0, blocks);
    this.write(this.key.space(Space.FREE).u48(offset), 6);
  }

  remove(offset: number): void {
    this.umem.remove(this.key.space(Space.FREE).u48(offset));
  }

  *loadChunks(): Generator<VeaChunkRow> {
    for (const { key, value } of this.rows(VeaRow.CHUNK)) {
      const view = viewOf(value);
      yield { offset: getU48(viewOf(key), 2), blocks: getU48(view, 0), unitBlocks: view.getUint16(6) };
    }
  }

  putChunk({ offset, blocks, unitBlocks }: VeaChunkRow): void {
    setU48(this.view, 0, blocks);
    this.view.setUint16(6, unitBlocks);
    this.write(this.row(VeaRow.CHUNK).u48(offset), CHUNK_BYTES);
  }

  removeChunk(offset: number): void {
    this.umem.remove(this.row(VeaRow.CHUNK).u48(offset));
  }

  *loadWords(): Generator<VeaWordsRow> {
    for (const { key, value } of this.rows(VeaRow.WORDS)) {
      const at = viewOf(key);
      const view = viewOf(value);
      const words = Uint32Array.from({ length: Math.floor(value.length / 4) }, (_, i) => view.getUint32(4 * i));
      yield { offset: getU48(at, 2), group: at.getUint16(8), words };
    }
  }

  putWords(offset: number, group: number, words: Uint32Array): void {
    for (let i = 0; i < words.length; i++) this.view.setUint32(4 * i, words[i] as number);
    this.write(this.row(VeaRow.WORDS).u48(offset).u16(group), 4 * words.length);
  }

  removeWords(offset: number, group: number): void {
    this.umem.remove(this.row(VeaRow.WORDS).u48(offset).u16(group));
  }

  loadHint(id: number): VeaHintRow | undefined {
    const value = this.umem.get(this.row(VeaRow.HINT).u48(id));
    if (value === undefined) return undefined;
    const view = viewOf(value);
    return { offset: getU48(view, 0), sequence: getU48(view, 6) };
  }

  putHint(id: number, offset: number, sequence: number): void {
    setU48(this.view, 0, offset);
    setU48(this.view, 6, sequence);
    this.write(this.row(VeaRow.HINT).u48(id), HINT_BYTES);
  }

  removeHint(id: number): void {
    this.umem.remove(this.row(VeaRow.HINT).u48(id));
  }

  private row(kind: number): IndexKey {
    return this.key.space(Space.VEA).u8(kind);
  }

  private rows(kind: number): ReturnType<Umem['range']> {
    const from = new IndexKey().space(Space.VEA).u8(kind);
    const to = new IndexKey().space(Space.VEA).u8(kind + 1);
    return this.umem.range({ from, to });
  }

  private write(key: IndexKey, bytes: number): void {
    this.umem.put(key, this.buffer.subarray(0, bytes));
  }
}
