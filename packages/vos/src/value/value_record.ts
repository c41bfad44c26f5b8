import type { Epoch } from '@daos/common';

import { EMPTY, getU48, setU48, viewOf } from '../layout/bytes.js';
import type { IodChecksums } from '../types.js';

/** Bits of a record's flags. */
const HOLE = 1;
const EXTENT = 2;
const IN_FILE = 4;
const CHECKSUMS = 8;
/** In an akey head: the value itself stands in the VALUE space. */
const APART = 16;

const FIXED_BYTES = 16;
const EXTENT_BYTES = 16;
const ADDRESS_BYTES = 6;
const CHECKSUM_HEAD_BYTES = 10;

/**
 * One version of a value: a single value, or an extent of records. Stored as: epoch u64 | minor u16 | flags
 * u8 | checksum type u8 | size u32 | extent: lo u64, nr u64 | in the data file: first block u48 | checksums:
 * length u16, chunk bytes u32, total u32, bytes | data when it is here. Records never change; a new one takes
 * the place.
 */
export class ValueRecord {
  constructor(
    readonly epoch: Epoch,
    readonly minor: number,
    /** Record size of an extent, length of a single value; 0: punched. */
    readonly size: number,
    /** First and last record index; 0 for a single value. */
    readonly lo: bigint,
    readonly hi: bigint,
    readonly isExtent: boolean,
    /** First block in the data file; -1 when the data is in `data`. */
    readonly block: number,
    readonly checksums: IodChecksums | undefined,
    /** The data when it is here and not in the data file. */
    readonly data: Uint8Array,
    /** The data stands in a record of its own. */
    readonly isApart = false,
  ) {}

  get isHole(): boolean {
    return this.size === 0;
  }

  get nr(): bigint {
    return this.hi - this.lo + 1n;
  }

  /** Bytes of the value, wherever they are. */
  get dataBytes(): number {
    if (this.size === 0) return 0;
    return this.isExtent ? Number(this.nr) * this.size : this.size;
  }

  get encodedBytes(): number {
    let bytes = FIXED_BYTES + (this.isApart ? 0 : this.data.length);
    if (this.isExtent) bytes += EXTENT_BYTES;
    if (this.block >= 0) bytes += ADDRESS_BYTES;
    if (this.checksums) bytes += CHECKSUM_HEAD_BYTES + this.checksums.bytes.length;
    return bytes;
  }

  /** The head's stand-in for a value that is stored apart. */
  asApart(): ValueRecord {
    return new ValueRecord(this.epoch, this.minor, this.size, 0n, 0n, false, -1, this.checksums, EMPTY, true);
  }

  /** Writes the record; the result is where the next one begins. */
  encode(into: Uint8Array, view: DataView, start: number): number {
    let at = start;
    view.setBigUint64(at, this.epoch);
    view.setUint16(at + 8, this.minor);
    const { checksums } = this;
    into[at + 10] =
      (this.size === 0 ? HOLE : 0) |
      (this.isExtent ? EXTENT : 0) |
      (this.block >= 0 ? IN_FILE : 0) |
      (checksums ? CHECKSUMS : 0) |
      (this.isApart ? APART : 0);
    into[at + 11] = checksums?.type ?? 0;
    view.setUint32(at + 12, this.size);
    at += FIXED_BYTES;
    if (this.isExtent) {
      view.setBigUint64(at, this.lo);
      view.setBigUint64(at + 8, this.nr);
      at += EXTENT_BYTES;
    }
    if (this.block >= 0) {
      setU48(view, at, this.block);
      at += ADDRESS_BYTES;
    }
    if (checksums) {
      view.setUint16(at, checksums.length);
      view.setUint32(at + 2, checksums.chunkBytes);
      view.setUint32(at + 6, checksums.bytes.length);
      into.set(checksums.bytes, at + CHECKSUM_HEAD_BYTES);
      at += CHECKSUM_HEAD_BYTES + checksums.bytes.length;
    }
    if (!this.isApart) {
      into.set(this.data, at);
      at += this.data.length;
    }
    return at;
  }

  /** The record in a buffer of its own. */
  toBytes(): Uint8Array {
    const bytes = new Uint8Array(this.encodedBytes);
    this.encode(bytes, viewOf(bytes), 0);
    return bytes;
  }

  /** Reads a record; checksums and data are views of `bytes`. */
  static decode(bytes: Uint8Array, start = 0, view = viewOf(bytes)): ValueRecord {
    let at = start + FIXED_BYTES;
    const flags = bytes[start + 10] as number;
    const size = view.getUint32(start + 12);
    const isExtent = (flags & EXTENT) !== 0;
    let lo = 0n;
    let nr = 1n;
    if (isExtent) {
      lo = view.getBigUint64(at);
      nr = view.getBigUint64(at + 8);
      at += EXTENT_BYTES;
    }
    let block = -1;
    if (flags & IN_FILE) {
      block = getU48(view, at);
      at += ADDRESS_BYTES;
    }
    let checksums: IodChecksums | undefined;
    if (flags & CHECKSUMS) {
      const total = view.getUint32(at + 6);
      const from = at + CHECKSUM_HEAD_BYTES;
      checksums = {
        type: bytes[start + 11] as number,
        length: view.getUint16(at),
        chunkBytes: view.getUint32(at + 2),
        bytes: bytes.subarray(from, from + total),
      };
      at = from + total;
    }
    const isApart = (flags & APART) !== 0;
    const here = block < 0 && !isApart && size > 0 ? (isExtent ? Number(nr) * size : size) : 0;
    const data = here === 0 ? EMPTY : bytes.subarray(at, at + here);
    return new ValueRecord(
      view.getBigUint64(start),
      view.getUint16(start + 8),
      size,
      lo,
      lo + nr - 1n,
      isExtent,
      block,
      checksums,
      data,
      isApart,
    );
  }
}
