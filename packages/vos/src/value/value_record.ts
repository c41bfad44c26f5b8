import type { Epoch } from '@daos/common';
import { assert } from '@daos/gurt';

import { EMPTY, getU48, setU48, viewOf } from '../layout/bytes.js';
import type { IodChecksums } from '../types.js';

/** Bits of a record's flags. */
const HOLE = 1;
const EXTENT = 2;
const IN_FILE = 4;
const CHECKSUMS = 8;
/** Single value in an akey head, extent in a LIVE row: the record itself stands in the VALUE space. */
const APART = 16;
/** Not committed: the owner follows the fixed part. */
const OWNED = 32;
const CORRUPTED = 64;
/** In the data file, in several pieces. */
const GANG = 128;

const FIXED_BYTES = 16;
const EXTENT_BYTES = 16;
const ADDRESS_BYTES = 6;
const OWNER_BYTES = 4;
const PIECE_BYTES = 10;
const CHECKSUM_HEAD_BYTES = 10;

/** Owners that are no transaction. */
export const OWNER_COMMITTED = 0;
export const OWNER_ABORTED = 1;
/** Pieces that a large single value may be stored in. */
export const PIECES_MAX = 255;

/** A run of blocks of the data file. */
export interface DataPiece {
  readonly block: number;
  readonly bytes: number;
}

/** What a record has beyond its value; each of it is rare. */
export interface RecordState {
  /** Local id of the transaction that it waits for, or an `OWNER_`. */
  readonly owner?: number;
  readonly isCorrupted?: boolean;
  /** Where the value is, when the data file holds it in several pieces; `block` is that of the first. */
  readonly pieces?: readonly DataPiece[];
}

/** Larger records are encoded into buffers of their own. */
const LENT_BYTES_MAX = 4096;
const lent = new Uint8Array(LENT_BYTES_MAX);
const lentView = viewOf(lent);

const PLAIN: RecordState = {};

/**
 * One version of a value: a single value, or an extent of records. Stored as: epoch u64 | minor u16 | flags
 * u8 | checksum type u8 | size u32 | not committed: owner u32 | extent: lo u64, nr u64 | in the data file:
 * first block u48, or pieces u8 and for each block u48, bytes u32 | checksums: length u16, chunk bytes u32,
 * total u32, bytes | data when it is here. Records never change; a new one takes the place.
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
    private readonly state = PLAIN,
  ) {}

  /** A hole, or with a minor epoch of `MINOR_REMOVE` a removal. */
  static hole(epoch: Epoch, minor: number, lo: bigint, hi: bigint, owner = OWNER_COMMITTED): ValueRecord {
    return new ValueRecord(epoch, minor, 0, lo, hi, true, -1, undefined, EMPTY, false, owner === 0 ? PLAIN : { owner });
  }

  get owner(): number {
    return this.state.owner ?? OWNER_COMMITTED;
  }

  /** The stored value is known to be damaged. */
  get isCorrupted(): boolean {
    return this.state.isCorrupted === true;
  }

  get pieces(): readonly DataPiece[] | undefined {
    return this.state.pieces;
  }

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
    if (this.owner !== 0) bytes += OWNER_BYTES;
    const { pieces } = this;
    if (pieces) bytes += 1 + PIECE_BYTES * pieces.length;
    else if (this.block >= 0) bytes += ADDRESS_BYTES;
    if (this.checksums) bytes += CHECKSUM_HEAD_BYTES + this.checksums.bytes.length;
    return bytes;
  }

  /** The stand-in for a record that is stored apart; that of an extent only names it. */
  asApart(): ValueRecord {
    const { epoch, minor, size, lo, hi, isExtent, owner, isCorrupted } = this;
    if (isExtent) return new ValueRecord(epoch, minor, size, lo, hi, true, -1, undefined, EMPTY, true);
    const state = owner !== 0 || isCorrupted ? { owner, isCorrupted } : PLAIN;
    return new ValueRecord(epoch, minor, size, 0n, 0n, false, -1, this.checksums, EMPTY, true, state);
  }

  /** The record with another owner, other addresses, or marked corrupted. */
  with(change: RecordState): ValueRecord {
    const { epoch, minor, size, lo, hi, isExtent, block, checksums, data, isApart, state } = this;
    return new ValueRecord(epoch, minor, size, lo, hi, isExtent, block, checksums, data, isApart, { ...state, ...change });
  }

  /** Writes the record; the result is where the next one begins. */
  encode(into: Uint8Array, view: DataView, start: number): number {
    let at = start + FIXED_BYTES;
    const { checksums, owner, pieces } = this;
    view.setBigUint64(start, this.epoch);
    view.setUint16(start + 8, this.minor);
    into[start + 10] = this.flags;
    into[start + 11] = checksums?.type ?? 0;
    view.setUint32(start + 12, this.size);
    if (owner !== 0) {
      view.setUint32(at, owner);
      at += OWNER_BYTES;
    }
    if (this.isExtent) {
      view.setBigUint64(at, this.lo);
      view.setBigUint64(at + 8, this.nr);
      at += EXTENT_BYTES;
    }
    if (pieces) at = encodePieces(pieces, into, view, at);
    else if (this.block >= 0) {
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

  private get flags(): number {
    return (
      (this.size === 0 ? HOLE : 0) |
      (this.isExtent ? EXTENT : 0) |
      (this.pieces ? GANG : this.block >= 0 ? IN_FILE : 0) |
      (this.checksums ? CHECKSUMS : 0) |
      (this.isApart ? APART : 0) |
      (this.owner !== 0 ? OWNED : 0) |
      (this.isCorrupted ? CORRUPTED : 0)
    );
  }

  /** The record in a buffer of its own. */
  toBytes(): Uint8Array {
    const bytes = new Uint8Array(this.encodedBytes);
    this.encode(bytes, viewOf(bytes), 0);
    return bytes;
  }

  /** The record's bytes, lent until the next call: for whoever copies them at once. */
  lendBytes(): Uint8Array {
    const length = this.encodedBytes;
    if (length > LENT_BYTES_MAX) return this.toBytes();
    this.encode(lent, lentView, 0);
    return lent.subarray(0, length);
  }

  /** Reads a record; checksums and data are views of `bytes`. */
  static decode(bytes: Uint8Array, start = 0, view = viewOf(bytes)): ValueRecord {
    let at = start + FIXED_BYTES;
    const flags = bytes[start + 10] as number;
    const size = view.getUint32(start + 12);
    const isExtent = (flags & EXTENT) !== 0;
    let state = PLAIN;
    if (flags & (OWNED | CORRUPTED)) {
      state = { owner: flags & OWNED ? view.getUint32(at) : 0, isCorrupted: (flags & CORRUPTED) !== 0 };
      if (flags & OWNED) at += OWNER_BYTES;
    }
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
    } else if (flags & GANG) {
      const pieces = decodePieces(bytes, view, at);
      at += 1 + PIECE_BYTES * pieces.length;
      block = pieces[0]?.block ?? -1;
      state = { ...state, pieces };
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
      state,
    );
  }
}

function encodePieces(pieces: readonly DataPiece[], into: Uint8Array, view: DataView, start: number): number {
  assert(pieces.length > 0 && pieces.length <= PIECES_MAX, `a value in ${pieces.length} pieces`);
  let at = start;
  into[at++] = pieces.length;
  for (const { block, bytes } of pieces) {
    setU48(view, at, block);
    view.setUint32(at + 6, bytes);
    at += PIECE_BYTES;
  }
  return at;
}

function decodePieces(bytes: Uint8Array, view: DataView, start: number): DataPiece[] {
  const pieces: DataPiece[] = [];
  let at = start + 1;
  for (let left = bytes[start] as number; left > 0; left--) {
    pieces.push({ block: getU48(view, at), bytes: view.getUint32(at + 6) });
    at += PIECE_BYTES;
  }
  return pieces;
}
