import { DaosError } from '@daos/common';

import { VosFlag } from './ops/flags.js';
import type { Umem } from './umem/umem.js';

/**
 * Part of the index that updates may not use, so that punches, destroys and their bookkeeping always find
 * room.
 */
const RESERVE_SHARE = 0.05;
const RESERVE_BYTES_MIN = 256 * 1024;
const RESERVE_BYTES_MAX = 256 * 1024 * 1024;
/** What was accepted but is not durable yet is bounded: the caller must slow down. */
const PENDING_BYTES_MAX = 256 * 1024 * 1024;
/** Estimates of what a modification adds to the index, beyond keys and values. */
export const SPACE_PER_UPDATE_BYTES = 512;
export const SPACE_PER_VALUE_BYTES = 256;

/** Room in the index: `totalBytes` of pages, of which clients' updates may use all but the reserve. */
export class IndexSpace {
  private readonly reserveBytes: number;

  constructor(
    private readonly umem: Umem,
    readonly totalBytes: number,
    private readonly isReadOnly = false,
  ) {
    const share = Math.min(RESERVE_BYTES_MAX, Math.max(RESERVE_BYTES_MIN, totalBytes * RESERVE_SHARE));
    this.reserveBytes = Math.min(share, totalBytes / 2);
  }

  get freeBytes(): number {
    return Math.max(0, this.totalBytes - this.umem.usedBytes());
  }

  /** Throws DER_NOSPACE when an update of about so many bytes would not leave the reserve alone. */
  checkUpdate(bytes: number, flags: number): void {
    this.checkPending(bytes);
    if (flags & (VosFlag.CRIT | VosFlag.REMOVE)) return this.checkPunch(bytes);
    if (this.umem.usedBytes() + bytes > this.totalBytes - this.reserveBytes) {
      throw new DaosError('NOSPACE', `${this.freeBytes} of ${this.totalBytes} bytes of the index are left`);
    }
  }

  /** A punch may use the reserve. Throws DER_NOSPACE when that is used up, too. */
  checkPunch(bytes: number): void {
    this.checkPending(bytes);
    if (this.umem.usedBytes() + bytes > this.totalBytes) throw new DaosError('NOSPACE', 'the index and its reserve are full');
  }

  private checkPending(bytes: number): void {
    if (this.isReadOnly) throw new DaosError('NO_PERM', 'the shard is open to be read');
    if (this.umem.pendingBytes() + bytes > PENDING_BYTES_MAX) {
      throw new DaosError('OVERLOAD_RETRY', `${this.umem.pendingBytes()} bytes wait to become durable`);
    }
  }
}
