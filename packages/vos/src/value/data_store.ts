import type { BioFile } from '@daos/bio';
import { DaosError } from '@daos/common';
import {
  VEA_BLOCK_BYTES,
  VeaIoStream,
  type Vea,
  type VeaChunkRow,
  type VeaDescriptor,
  type VeaExtent,
  type VeaHint,
  type VeaHintRow,
  type VeaReservation,
  type VeaStore,
  type VeaTx,
  type VeaWordsRow,
} from '@daos/vea';

import { getU48, setU48, viewOf } from '../layout/bytes.js';
import { IndexKey } from '../layout/index_key.js';
import { Space, VeaRow } from '../layout/spaces.js';
import type { Umem } from '../umem/umem.js';
import type { DataPiece, ValueRecord } from './value_record.js';

/** Values of at least this size go to the data file. */
export const FILE_BYTES_MIN = 4096;

/** Windows of data that aggregation may be rewriting at a time. */
const AGGREGATION_WINDOWS = 5;
const AGGREGATION_WINDOW_BYTES = 8 * 1024 * 1024;
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

/**
 * The data file of a pool and its free space. A value is placed (memory only), written, made durable, and
 * then published together with the index record that points at it.
 */
export class DataStore {
  private published: VeaReservation[] = [];
  private freed: { block: number; blocks: number }[] = [];
  /** All containers write into one stream. */
  private readonly hint: VeaHint | undefined;

  constructor(
    private readonly umem: Umem,
    /** Undefined: the pool has no data file, everything lives in the index. */
    private readonly file: BioFile | undefined,
    private readonly vea: Vea | undefined,
  ) {
    this.hint = vea?.hint(VeaIoStream.GENERIC);
    umem.onBatchEnd(() => this.endBatch());
  }

  get totalBytes(): number {
    return (this.vea?.totalBlocks ?? 0) * VEA_BLOCK_BYTES;
  }

  /** What aggregation needs to rewrite data: not for clients. */
  get reserveBytes(): number {
    const wanted = AGGREGATION_WINDOWS * AGGREGATION_WINDOW_BYTES;
    return this.totalBytes >= 2 * wanted ? wanted : 0;
  }

  get freeBytes(): number {
    return (this.vea?.freeBlocks ?? 0) * VEA_BLOCK_BYTES;
  }

  takes(bytes: number): boolean {
    return bytes >= FILE_BYTES_MIN && this.vea !== undefined;
  }

  /** DER_NOSPACE when so many bytes would not leave the system's share alone. */
  checkRoom(bytes: number, isSystem: boolean): void {
    if (isSystem || this.freeBytes - this.reserveBytes >= bytes) return;
    throw new DaosError('NOSPACE', `${this.freeBytes} of ${this.totalBytes} bytes of the data file are free, ${this.reserveBytes} of them for the system`);
  }

  /** Sets space aside. DER_NOSPACE. */
  reserve(bytes: number): VeaReservation {
    return this.open().vea.reserve(blocksFor(bytes), this.hint);
  }

  cancel(reservations: readonly VeaReservation[]): void {
    this.open().vea.cancel(reservations);
  }

  write(reservation: VeaReservation, bytes: Uint8Array): Promise<void> {
    return this.open().file.write(reservation.offset * VEA_BLOCK_BYTES, [bytes]);
  }

  /** Resolves when what was written before is durable. */
  flush(): Promise<void> {
    return this.open().file.flush();
  }

  /** What was reserved belongs to the index from this batch on. */
  publish(reservation: VeaReservation): void {
    this.published.push(reservation);
    this.umem.touch();
  }

  /** Gives back the space of a record that leaves the index in this batch. */
  free(record: ValueRecord): void {
    if (record.block < 0) return;
    const pieces = record.pieces ?? [{ block: record.block, bytes: record.dataBytes }];
    for (const { block, bytes } of pieces) this.freed.push({ block, blocks: blocksFor(bytes) });
    this.umem.touch();
  }

  /** Bytes of a record from `from` bytes into it; at once when they are in memory. */
  read(record: ValueRecord, from: number, bytes: number): Uint8Array | Promise<Uint8Array> {
    if (record.block < 0) return record.data.subarray(from, from + bytes);
    if (record.pieces) return this.readPieces(record.pieces, from, bytes);
    const { file } = this.open();
    const offset = record.block * VEA_BLOCK_BYTES + from;
    return file.readNow(offset, bytes) ?? file.read(offset, bytes);
  }

  /** Reads what lies in several places into one buffer. */
  private async readPieces(pieces: readonly DataPiece[], from: number, bytes: number): Promise<Uint8Array> {
    const { file } = this.open();
    const into = Buffer.allocUnsafeSlow(bytes);
    const reads: Promise<unknown>[] = [];
    let start = 0;
    for (const piece of pieces) {
      const lo = Math.max(from, start);
      const hi = Math.min(from + bytes, start + piece.bytes);
      if (lo < hi) reads.push(file.read(piece.block * VEA_BLOCK_BYTES + (lo - start), hi - lo, into.subarray(lo - from, hi - from)));
      start += piece.bytes;
    }
    await Promise.all(reads);
    return into;
  }

  async close(): Promise<void> {
    await this.file?.close();
  }

  private endBatch(): void {
    if (!this.vea || (this.published.length === 0 && this.freed.length === 0)) return;
    const { published, freed } = this;
    this.published = [];
    this.freed = [];
    const tx: VeaTx = this.vea.begin();
    if (published.length > 0) this.vea.publish(published, tx);
    for (const { block, blocks } of freed) this.vea.free(block, blocks, tx);
    tx.seal();
    // after a failed batch the pool takes no more modifications, so nothing has to be undone
    this.umem.durable().then(
      () => tx.commit(),
      () => undefined,
    );
  }

  private open(): { file: BioFile; vea: Vea } {
    const { file, vea } = this;
    if (!file || !vea) throw new Error('the pool has no data file');
    return { file, vea };
  }
}

export function blocksFor(bytes: number): number {
  return Math.ceil(bytes / VEA_BLOCK_BYTES);
}
