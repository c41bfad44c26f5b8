import type { BioFile } from '@daos/bio';
import { DaosError } from '@daos/common';
import { VEA_BLOCK_BYTES, VeaHint, type Vea, type VeaReservation, type VeaStore, type VeaTx } from '@daos/vea';

import { getU48, setU48, viewOf } from '../layout/bytes.js';
import { IndexKey } from '../layout/index_key.js';
import { Space } from '../layout/spaces.js';
import type { Umem } from '../umem/umem.js';
import type { DataPiece, ValueRecord } from './value_record.js';

/** Values of at least this size go to the data file. */
export const FILE_BYTES_MIN = 4096;

/** Windows of data that aggregation may be rewriting at a time. */
const AGGREGATION_WINDOWS = 5;
const AGGREGATION_WINDOW_BYTES = 8 * 1024 * 1024;

/** Free extents as rows of the index. */
export class IndexVeaStore implements VeaStore {
  private readonly key = new IndexKey();
  private readonly value = new Uint8Array(6);

  constructor(private readonly umem: Umem) {}

  *load(): Generator<{ offset: number; blocks: number }> {
    const from = new IndexKey().space(Space.FREE);
    const to = new IndexKey().space(Space.FREE + 1);
    for (const { key, value } of this.umem.range({ from, to })) {
      yield { offset: getU48(viewOf(key), 1), blocks: getU48(viewOf(value), 0) };
    }
  }

  put(offset: number, blocks: number): void {
    setU48(viewOf(this.value), 0, blocks);
    this.umem.put(this.key.space(Space.FREE).u48(offset), this.value);
  }

  remove(offset: number): void {
    this.umem.remove(this.key.space(Space.FREE).u48(offset));
  }
}

/**
 * The data file of a pool and its free space. A value is placed (memory only), written, made durable, and
 * then published together with the index record that points at it.
 */
export class DataStore {
  private published: VeaReservation[] = [];
  private freed: { block: number; blocks: number }[] = [];
  private readonly hint = new VeaHint();

  constructor(
    private readonly umem: Umem,
    /** Undefined: the pool has no data file, everything lives in the index. */
    private readonly file: BioFile | undefined,
    private readonly vea: Vea | undefined,
  ) {
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
    for (const reservation of reservations.toReversed()) this.open().vea.cancel(reservation);
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
