import type { BioDevice, BioFile } from '@daos/bio';
import { crc32c } from '@daos/native';
import { VEA_BLOCK_BYTES, VeaIoStream, type Vea, type VeaHint, type VeaReservation, type VeaTx } from '@daos/vea';

import type { VosLoan } from '../types.js';
import type { Umem } from '../umem/umem.js';
import type { DataPiece, ValueRecord } from './value_record.js';

/** Values of at least this size go to the data file. */
export const FILE_BYTES_MIN = 4096;

/** Windows of data that aggregation may be rewriting at a time. */
const AGGREGATION_WINDOWS = 5;
const AGGREGATION_WINDOW_BYTES = 8 * 1024 * 1024;

/**
 * The data file of a pool and its free space. A value is placed (memory only), written, made durable, and
 * then published together with the index record that points at it.
 */
export class DataStore {
  private fileBytesMin = FILE_BYTES_MIN;
  private published: VeaReservation[] = [];
  private freed: { block: number; blocks: number }[] = [];
  /** All containers write into one stream. */
  private readonly hint: VeaHint | undefined;

  constructor(
    private readonly umem: Umem,
    /** Undefined: the pool has no data file, everything lives in the index. */
    private readonly file: BioFile | undefined,
    private readonly vea: Vea | undefined,
    private readonly device?: BioDevice,
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

  /** From now on values of at least this size go to the data file. */
  setThreshold(bytes: number): void {
    this.fileBytesMin = bytes;
  }

  takes(bytes: number): boolean {
    return bytes >= this.fileBytesMin && this.vea !== undefined;
  }

  /** DER_NVME_IO when the device does not serve. */
  checkDevice(bytes: number): void {
    const refusal = this.device?.refusal(`an update of ${bytes} bytes`);
    if (refusal) throw refusal;
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

  /** Writes beside the batch that is being collected: that is durable only when these bytes are. */
  writeAlongside(reservation: VeaReservation, bytes: Uint8Array): void {
    const { file } = this.open();
    // an index that takes nothing more says so before something is on its way that nobody waits for
    this.umem.touch();
    const offset = reservation.offset * VEA_BLOCK_BYTES;
    const written = file.write(offset, [bytes]);
    const done = Promise.all([written, file.flush()]).then(() => undefined);
    this.umem.dependsOn({ offset, bytes: bytes.length, crc: crc32c(bytes), done });
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

  /**
   * Bytes of a record from `from` bytes into it; at once when they are in memory. With `loans` what comes from the data
   * file is in a buffer on loan, added there.
   */
  read(record: ValueRecord, from: number, bytes: number, loans?: VosLoan[]): Uint8Array | Promise<Uint8Array> {
    if (record.block < 0) return record.data.subarray(from, from + bytes);
    if (record.pieces) return this.readPieces(record.pieces, from, bytes);
    const { file } = this.open();
    const offset = record.block * VEA_BLOCK_BYTES + from;
    if (!loans) return file.readNow(offset, bytes) ?? file.read(offset, bytes);
    const lease = file.readLeaseNow(offset, bytes);
    if (!lease) return this.readOnLoan(offset, bytes, loans);
    loans.push(lease);
    return lease.bytes;
  }

  private async readOnLoan(offset: number, bytes: number, loans: VosLoan[]): Promise<Uint8Array> {
    const lease = await this.open().file.readLease(offset, bytes);
    loans.push(lease);
    return lease.bytes;
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
    // a block may be written again only when no recovery looks at its old content any more
    const done = freed.length > 0 ? this.umem.sealed() : this.umem.durable();
    // after a failed batch the pool takes no more modifications, so nothing has to be undone
    done.then(
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
