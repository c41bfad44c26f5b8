import { DaosError } from '../error.js';
import type { IodChecksums } from './iod_checksums.js';

/**
 * Stored form of checksums: type u16 | length u16 | chunk bytes u32 | number u32, little-endian, then the checksums.
 * For what carries checksums beside data: pages of a listing, migrating values.
 */
const HEAD_BYTES = 12;
/** A list holds at most this much: 2 GiB of data with the longest checksums and the default chunk. */
export const CHECKSUM_LIST_BYTES_MAX = 4 * 1024 * 1024;
const LIST_BYTES_START = 256;

/** Bytes that `checksumInfoWrite` needs. */
export function checksumInfoBytes(info: IodChecksums): number {
  return HEAD_BYTES + info.bytes.length;
}

/** Number of checksums. */
export function checksumInfoCount(info: IodChecksums): number {
  return info.bytes.length / info.length;
}

/** The checksum with number `index`, a view. Throws DER_INVAL when there is none. */
export function checksumInfoAt(info: IodChecksums, index: number): Uint8Array {
  const from = index * info.length;
  if (index < 0 || from + info.length > info.bytes.length) {
    throw new DaosError('INVAL', `checksum ${index} of ${checksumInfoCount(info)}`);
  }
  return info.bytes.subarray(from, from + info.length);
}

/** Writes checksums at `at`; returns where the next ones go. Throws DER_REC2BIG, with nothing written, without room. */
export function checksumInfoWrite(info: IodChecksums, into: Uint8Array, at: number): number {
  const end = at + checksumInfoBytes(info);
  if (end > into.length) {
    throw new DaosError('REC2BIG', `checksums need ${checksumInfoBytes(info)} bytes, ${Math.max(0, into.length - at)} are left`);
  }
  const view = new DataView(into.buffer, into.byteOffset, into.length);
  view.setUint16(at, info.type, true);
  view.setUint16(at + 2, info.length, true);
  view.setUint32(at + 4, info.chunkBytes, true);
  view.setUint32(at + 8, checksumInfoCount(info), true);
  into.set(info.bytes, at + HEAD_BYTES);
  return end;
}

/** Reads what `checksumInfoWrite` wrote; the checksums are a view. Throws DER_INVAL when the bytes end early. */
export function checksumInfoRead(bytes: Uint8Array, at: number): { info: IodChecksums; next: number } {
  if (at + HEAD_BYTES > bytes.length) throw new DaosError('INVAL', 'stored checksums end within their head');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = view.getUint16(at + 2, true);
  const from = at + HEAD_BYTES;
  const next = from + length * view.getUint32(at + 8, true);
  if (next > bytes.length) throw new DaosError('INVAL', `stored checksums end ${next - bytes.length} bytes early`);
  const info = {
    type: view.getUint16(at, true), chunkBytes: view.getUint32(at + 4, true), length, bytes: bytes.subarray(from, next),
  };
  return { info, next };
}

/** Checksums of many values, one after the other in one buffer that grows. */
export class ChecksumInfoList {
  private buffer = new Uint8Array(LIST_BYTES_START);
  private end = 0;
  private readonly starts: number[] = [];

  get count(): number {
    return this.starts.length;
  }

  /** Copies checksums to the end. Throws DER_REC2BIG beyond CHECKSUM_LIST_BYTES_MAX. */
  append(info: IodChecksums): void {
    const end = this.end + checksumInfoBytes(info);
    if (end > CHECKSUM_LIST_BYTES_MAX) {
      throw new DaosError('REC2BIG', `a list of checksums takes ${CHECKSUM_LIST_BYTES_MAX} bytes at most`);
    }
    if (end > this.buffer.length) {
      const grown = new Uint8Array(Math.max(end, 2 * this.buffer.length));
      grown.set(this.buffer.subarray(0, this.end));
      this.buffer = grown;
    }
    this.starts.push(this.end);
    this.end = checksumInfoWrite(info, this.buffer, this.end);
  }

  /** Entry `index`; it stays what it is while the list grows. Throws DER_INVAL when there is none. */
  at(index: number): IodChecksums {
    const start = this.starts[index];
    if (start === undefined) throw new DaosError('INVAL', `entry ${index} of ${this.count} checksum lists`);
    return checksumInfoRead(this.buffer, start).info;
  }

  /** The stored form of all entries, a view that further entries do not change. */
  bytes(): Uint8Array {
    return this.buffer.subarray(0, this.end);
  }

  /** Reads the stored form. Throws DER_INVAL when it ends early, DER_REC2BIG when it is too long. */
  static read(bytes: Uint8Array): ChecksumInfoList {
    const list = new ChecksumInfoList();
    for (let at = 0; at < bytes.length;) {
      const { info, next } = checksumInfoRead(bytes, at);
      list.append(info);
      at = next;
    }
    return list;
  }
}
