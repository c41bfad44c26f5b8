import { crc32 } from 'node:zlib';

import { DaosError } from '@daos/common';

/**
 * A record of the log, as it lies in the file (little endian), on sectors of its own, so that no acknowledged
 * sector is ever written again while it counts:
 *
 *   magic u32 | version u16 | 0 u16 | generation u32 | sequence u32 | durable u32 | bytes of modifications u32 |
 *   data writes u32 | crc32 of all but this field u32 | modifications | data writes
 *
 * Data write: offset f64 | bytes u32 | crc32c u32. `durable` is the highest sequence number that was known to be
 * durable, with all before it, when the record was written.
 *
 * Version 1, which is still read: magic u32 (another one) | generation u32 | sequence u32 | bytes u32 | crc u32 |
 * modifications.
 */
const MAGIC = 0x574f4156;
const VERSION = 2;
export const RECORD_HEADER_BYTES = 32;
export const DATA_WRITE_BYTES = 16;
export const SECTOR_BYTES = 512;
const CRC_AT = 28;

const MAGIC_V1 = 0x4441574c;
const HEADER_BYTES_V1 = 20;
const CRC_AT_V1 = 16;

/** Bytes in the data file that a batch depends on. */
export interface DataSum {
  /** Byte offset in the data file. */
  readonly offset: number;
  readonly bytes: number;
  /** CRC-32C of the bytes. */
  readonly crc: number;
}

export interface LogRecord {
  /** Bytes in the file. */
  readonly bytes: number;
  readonly sequence: number;
  /** Undefined: the record's version does not tell. */
  readonly durable: number | undefined;
  /** Modifications, see `replayOps`. Lent: gone when the next record is read. */
  readonly ops: Buffer;
  readonly data: readonly DataSum[];
}

export interface RecordPlace {
  readonly generation: number;
  readonly sequence: number;
}

/** Bytes that a record takes in the file: whole sectors. */
export function recordBytes(opsBytes: number, dataWrites = 0): number {
  return sectors(RECORD_HEADER_BYTES + opsBytes + dataWrites * DATA_WRITE_BYTES);
}

/**
 * Completes a record: `buffer` holds room for the header, `opsBytes` of modifications, the data writes, and room
 * to the end of the sector. The result is the record's bytes.
 */
export function recordSeal(
  buffer: Buffer,
  place: RecordPlace & { readonly durable: number },
  opsBytes: number,
  dataWrites: number,
): number {
  const used = RECORD_HEADER_BYTES + opsBytes + dataWrites * DATA_WRITE_BYTES;
  const bytes = sectors(used);
  buffer.writeUInt32LE(MAGIC, 0);
  buffer.writeUInt32LE(VERSION, 4);
  buffer.writeUInt32LE(place.generation, 8);
  buffer.writeUInt32LE(place.sequence, 12);
  buffer.writeUInt32LE(place.durable, 16);
  buffer.writeUInt32LE(opsBytes, 20);
  buffer.writeUInt32LE(dataWrites, 24);
  buffer.writeUInt32LE(crcOf(buffer, CRC_AT, RECORD_HEADER_BYTES, used), CRC_AT);
  buffer.fill(0, used, bytes);
  return bytes;
}

/**
 * Bytes in the file of the record whose header is at the start of `header`, if it is the one of this place;
 * undefined when another one, or none, is there. DER_DF_INCOMPT for a version that is not known.
 */
export function recordExtent(header: Buffer, { generation, sequence }: RecordPlace): number | undefined {
  if (header.length < RECORD_HEADER_BYTES) return undefined;
  const magic = header.readUInt32LE(0);
  if (magic === MAGIC_V1) {
    if (header.readUInt32LE(4) !== generation || header.readUInt32LE(8) !== sequence) return undefined;
    return sectors(HEADER_BYTES_V1 + header.readUInt32LE(12));
  }
  if (magic !== MAGIC || header.readUInt32LE(8) !== generation || header.readUInt32LE(12) !== sequence) return undefined;
  const version = header.readUInt16LE(4);
  if (version !== VERSION) {
    throw new DaosError('DF_INCOMPT', `the log holds records of version ${version}; this software knows up to ${VERSION}: use a newer one`);
  }
  return recordBytes(header.readUInt32LE(20), header.readUInt32LE(24));
}

/** The record that fills `bytes` (see `recordExtent`); undefined when it is not whole. */
export function recordDecode(bytes: Buffer): LogRecord | undefined {
  if (bytes.readUInt32LE(0) === MAGIC_V1) {
    const end = HEADER_BYTES_V1 + bytes.readUInt32LE(12);
    if (bytes.readUInt32LE(CRC_AT_V1) !== crcOf(bytes, CRC_AT_V1, HEADER_BYTES_V1, end)) return undefined;
    return { bytes: bytes.length, sequence: bytes.readUInt32LE(8), durable: undefined, ops: bytes.subarray(HEADER_BYTES_V1, end), data: [] };
  }
  const opsEnd = RECORD_HEADER_BYTES + bytes.readUInt32LE(20);
  const end = opsEnd + bytes.readUInt32LE(24) * DATA_WRITE_BYTES;
  if (bytes.readUInt32LE(CRC_AT) !== crcOf(bytes, CRC_AT, RECORD_HEADER_BYTES, end)) return undefined;
  const data: DataSum[] = [];
  for (let at = opsEnd; at < end; at += DATA_WRITE_BYTES) {
    data.push({ offset: bytes.readDoubleLE(at), bytes: bytes.readUInt32LE(at + 8), crc: bytes.readUInt32LE(at + 12) });
  }
  return {
    bytes: bytes.length,
    sequence: bytes.readUInt32LE(12),
    durable: bytes.readUInt32LE(16),
    ops: bytes.subarray(RECORD_HEADER_BYTES, opsEnd),
    data,
  };
}

/** Of the header up to its sum, and of what follows the header. */
function crcOf(buffer: Buffer, crcAt: number, headerBytes: number, end: number): number {
  return crc32(buffer.subarray(headerBytes, end), crc32(buffer.subarray(0, crcAt)));
}

function sectors(bytes: number): number {
  return Math.ceil(bytes / SECTOR_BYTES) * SECTOR_BYTES;
}
