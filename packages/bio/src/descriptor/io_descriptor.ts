import { DaosError } from '@daos/common';
import { assert } from '@daos/gurt';

import type { BioFile, ReadRange } from '../bio_file.js';
import { BUFFER_ALIGNMENT_BYTES, BufferPool, type BufferLease } from '../buffer_pool.js';
import { Media, type MediaType } from '../media.js';
import { copySgl, type Direction } from './copy.js';

/** UPDATE writes what the caller brings, FETCH reads before the caller takes, GETBUF only lends the memory. */
export type DescriptorType = 'UPDATE' | 'FETCH' | 'GETBUF';

export interface BioAddress {
  readonly media: MediaType;
  /** Bytes from the start of the media. On NVMe the start of a block for UPDATE. */
  readonly offset: number;
  /** Nothing is there: it is skipped, the other side advances. */
  readonly hole?: boolean;
}

export interface BioRegion {
  readonly address: BioAddress;
  readonly bytes: number;
}

/** Memory beside the index, addressed by bytes. */
export interface ScmMedia {
  /** The memory itself, no copy. */
  view(offset: number, bytes: number): Uint8Array;
  /** What was put into a view belongs to the medium from now on. */
  persist(offset: number, bytes: number): void;
}

export interface DescriptorMedia {
  readonly file?: BioFile | undefined;
  readonly scm?: ScmMedia | undefined;
  /** Default: the thread's pool. */
  readonly pool?: BufferPool | undefined;
}

/** A region with the memory that stands for it. */
interface PreparedRegion extends BioRegion {
  /** Undefined for a hole. */
  readonly buffer: Uint8Array | undefined;
}

/**
 * One transfer between media and a caller. Life cycle: made with its regions; `prep` gives each region memory (the bytes
 * of SCM themselves, an aligned buffer for NVMe; FETCH reads now); the caller moves data (`copy`, or `buffer` for a
 * transport that fills and empties memory itself); `post` writes NVMe and lets go; `free`. A step out of order is DER_INVAL.
 */
export class IoDescriptor {
  private state: 'made' | 'preparing' | 'prepared' | 'posting' | 'posted' | 'freed' = 'made';
  private prepared: PreparedRegion[][] = [];
  private lease: BufferLease | undefined;
  private copied = false;

  /** `sgls`: one list of regions for each list of buffers that the caller has. DER_INVAL for a medium that is not there. */
  constructor(
    private readonly type: DescriptorType,
    private readonly media: DescriptorMedia,
    private readonly sgls: readonly (readonly BioRegion[])[],
  ) {
    for (const region of sgls.flat()) this.checkRegion(region);
  }

  /**
   * Gives every region its memory; waits for buffers in the order of the calls. DER_INVAL the second time, DER_NVME_IO
   * when FETCH cannot read, DER_NOMEM for more than the pool can ever give.
   */
  async prep(): Promise<void> {
    this.expect('made', 'prep');
    this.state = 'preparing';
    try {
      const bytes = this.leaseBytes();
      if (bytes > 0) this.lease = await this.pool().take(bytes);
      this.assignBuffers();
      if (this.type === 'FETCH') await this.fill();
      this.state = 'prepared';
    } catch (error) {
      this.letGo();
      this.state = 'made';
      throw error;
    }
  }

  /** `prep` that never waits: DER_AGAIN instead. Not for FETCH, which has to read (DER_NOTSUPPORTED). */
  tryPrep(): void {
    if (this.type === 'FETCH') throw new DaosError('NOTSUPPORTED', 'a fetch cannot be prepared without waiting: use prep');
    this.expect('made', 'prep');
    const bytes = this.leaseBytes();
    if (bytes > 0) {
      this.lease = this.pool().tryTake(bytes);
      if (!this.lease) throw new DaosError('AGAIN', `no buffer of ${bytes} bytes is free`);
    }
    this.assignBuffers();
    this.state = 'prepared';
  }

  /** Memory of a region between `prep` and `post`; undefined for a hole. DER_INVAL before `prep`. */
  buffer(sgl: number, region: number): Uint8Array | undefined {
    this.expect('prepared', 'use of a buffer');
    const found = this.prepared[sgl]?.[region];
    assert(found, `region ${sgl}.${region} of a descriptor`);
    return found.buffer;
  }

  /**
   * Moves data: media to user for FETCH, user to media for UPDATE (SCM is persisted). The result is how many bytes of
   * each user list were passed, holes included. DER_INVAL before `prep`, for another number of lists, and for a missing
   * or empty user buffer; DER_REC2BIG when a user list is too small.
   */
  copy(users: readonly (readonly (Uint8Array | null | undefined)[])[]): number[] {
    this.expect('prepared', 'copy');
    if (this.type === 'GETBUF') throw new DaosError('INVAL', 'a descriptor that only lends memory copies nothing');
    if (users.length !== this.prepared.length) {
      throw new DaosError('INVAL', `${users.length} user lists for a descriptor of ${this.prepared.length}`);
    }
    const direction: Direction = this.type === 'FETCH' ? 'toUser' : 'fromUser';
    const passed = this.prepared.map((regions, i) => copySgl(regions, users[i] ?? [], direction));
    if (direction === 'fromUser') this.persistScm();
    this.copied = true;
    return passed;
  }

  /**
   * Ends the transfer and lets its memory go. UPDATE: the NVMe regions are with the operating system when the promise
   * resolves (`BioFile.flush` makes them durable). With `error` nothing is written and that error is thrown. DER_INVAL
   * without `prep`, DER_NVME_IO.
   */
  async post(error?: Error): Promise<void> {
    this.expect('prepared', 'post');
    this.state = 'posting';
    try {
      if (error) throw error;
      if (this.type === 'UPDATE') await this.write();
    } finally {
      this.letGo();
      this.state = 'posted';
    }
  }

  /** Ends the descriptor; one that was prepared and not posted writes nothing. */
  free(): void {
    assert(this.state !== 'preparing' && this.state !== 'posting', 'a descriptor is not freed under its own I/O');
    this.letGo();
    this.state = 'freed';
  }

  [Symbol.dispose](): void {
    this.free();
  }

  private checkRegion({ address, bytes }: BioRegion): void {
    const { media, offset, hole } = address;
    if (!Number.isSafeInteger(offset) || offset < 0 || !Number.isSafeInteger(bytes) || bytes < 0) {
      throw new DaosError('INVAL', `a region of ${bytes} bytes at ${offset}`);
    }
    if (hole) return;
    if (media === Media.SCM ? !this.media.scm : !this.media.file) {
      throw new DaosError('INVAL', `a region on ${media === Media.SCM ? 'SCM' : 'NVMe'}, which this descriptor has not`);
    }
  }

  private expect(state: 'made' | 'prepared', what: string): void {
    if (this.state === state) return;
    throw new DaosError('INVAL', `${what} of a descriptor that is ${this.state}`);
  }

  private pool(): BufferPool {
    return this.media.pool ?? BufferPool.ofThread();
  }

  /** One buffer for all NVMe regions, each on a page: a second one could wait for descriptors that wait for this one. */
  private leaseBytes(): number {
    let bytes = 0;
    for (const region of this.sgls.flat()) if (isNvme(region)) bytes += wholePages(region.bytes);
    return bytes;
  }

  private assignBuffers(): void {
    let at = 0;
    this.prepared = this.sgls.map((regions) => regions.map((region) => {
      const { address, bytes } = region;
      if (address.hole) return { ...region, buffer: undefined };
      if (!isNvme(region)) return { ...region, buffer: this.media.scm?.view(address.offset, bytes) };
      const buffer = this.lease?.bytes.subarray(at, at + bytes);
      at += wholePages(bytes);
      return { ...region, buffer };
    }));
  }

  private nvmeRegions(): ReadRange[] {
    const ranges: ReadRange[] = [];
    for (const region of this.prepared.flat()) {
      if (isNvme(region) && region.buffer) ranges.push({ offset: region.address.offset, into: region.buffer });
    }
    return ranges;
  }

  private async fill(): Promise<void> {
    const ranges = this.nvmeRegions();
    if (ranges.length > 0) await this.media.file?.readMany(ranges);
  }

  /** All in one tick: one batch at the device, and one report when it fails. */
  private async write(): Promise<void> {
    if (!this.copied) this.persistScm();
    const { file } = this.media;
    if (!file) return;
    const writes = this.nvmeRegions().map(({ offset, into }) => file.write(offset, [into]));
    // the memory stays ours until the last of them has ended
    const results = await Promise.allSettled(writes);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  private persistScm(): void {
    for (const { address, bytes } of this.prepared.flat()) {
      if (address.media === Media.SCM && !address.hole) this.media.scm?.persist(address.offset, bytes);
    }
  }

  private letGo(): void {
    this.lease?.release();
    this.lease = undefined;
    this.prepared = [];
  }
}

function isNvme({ address }: BioRegion): boolean {
  return address.media === Media.NVME && !address.hole;
}

function wholePages(bytes: number): number {
  return Math.ceil(bytes / BUFFER_ALIGNMENT_BYTES) * BUFFER_ALIGNMENT_BYTES;
}
