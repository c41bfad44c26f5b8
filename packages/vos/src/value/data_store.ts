import type { BioFile } from '@daos/bio';
import { VEA_BLOCK_BYTES, VeaHint, type Vea, type VeaReservation, type VeaStore, type VeaTx } from '@daos/vea';

import { getU48, setU48, viewOf } from '../layout/bytes.js';
import { IndexKey } from '../layout/index_key.js';
import { Space } from '../layout/spaces.js';
import type { Umem } from '../umem/umem.js';
import type { ValueRecord } from './value_record.js';

/** Values of at least this size go to the data file. */
export const FILE_BYTES_MIN = 4096;

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

  get freeBytes(): number {
    return (this.vea?.freeBlocks ?? 0) * VEA_BLOCK_BYTES;
  }

  takes(bytes: number): boolean {
    return bytes >= FILE_BYTES_MIN && this.vea !== undefined;
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
    this.freed.push({ block: record.block, blocks: blocksFor(record.dataBytes) });
    this.umem.touch();
  }

  /** Bytes of a record from `from` bytes into it; at once when they are in memory. */
  read(record: ValueRecord, from: number, bytes: number): Uint8Array | Promise<Uint8Array> {
    if (record.block < 0) return record.data.subarray(from, from + bytes);
    const { file } = this.open();
    const offset = record.block * VEA_BLOCK_BYTES + from;
    return file.readNow(offset, bytes) ?? file.read(offset, bytes);
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
