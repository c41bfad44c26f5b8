import { DaosError } from '@daos/common';

import { VosFlag } from './ops/flags.js';
import { scmReserve } from './space_reserve.js';
import type { Umem } from './umem/umem.js';
import type { DataStore } from './value/data_store.js';

/** What was accepted but is not durable yet is bounded: the caller must slow down. */
const PENDING_BYTES_MAX = 256 * 1024 * 1024;
/** Estimates of what a modification adds to the index, beyond keys and values. */
export const SPACE_PER_UPDATE_BYTES = 512;
export const SPACE_PER_VALUE_BYTES = 256;
const REBUILD_PERCENT_MAX = 99;
/** These may use what is set aside. */
const SYSTEM_FLAGS = VosFlag.CRIT | VosFlag.REMOVE;

export interface IndexSpaceOptions {
  readonly isReadOnly?: boolean;
  readonly isSmall?: boolean;
}

/**
 * Room in a shard: `totalBytes` of pages of the index, and the data file. Of both, clients may use all but the system's
 * share, and all but a rebuild's share unless they are one.
 */
export class IndexSpace {
  private readonly reserveBytes: number;
  private readonly isReadOnly: boolean;
  private extraIndexBytes = 0;
  private extraFileBytes = 0;
  private rebuildPercent = 0;

  constructor(
    private readonly umem: Umem,
    private readonly data: DataStore,
    readonly totalBytes: number,
    { isReadOnly = false, isSmall = false }: IndexSpaceOptions = {},
  ) {
    this.isReadOnly = isReadOnly;
    this.reserveBytes = scmReserve(totalBytes, isSmall);
  }

  get freeBytes(): number {
    return Math.max(0, this.totalBytes - this.umem.usedBytes());
  }

  /** What only the system may use, of the index and of the data file. */
  get systemBytes(): { readonly index: number; readonly file: number } {
    return { index: this.reserveBytes + this.extraIndexBytes, file: this.data.reserveBytes + this.extraFileBytes };
  }

  /** What only rebuilds may use. */
  get rebuildBytes(): { readonly index: number; readonly file: number } {
    return { index: this.rebuildShare(this.totalBytes), file: this.rebuildShare(this.data.totalBytes) };
  }

  /** Sets the share of the space that only rebuilds may use. DER_INVAL above 99 percent. */
  setRebuildPercent(percent: number): void {
    if (!Number.isInteger(percent) || percent < 0 || percent > REBUILD_PERCENT_MAX) {
      throw new DaosError('INVAL', `${percent} % of the space for rebuilds; give 0 to ${REBUILD_PERCENT_MAX}`);
    }
    this.rebuildPercent = percent;
  }

  /** Sets more aside for the system, beyond its share. DER_INVAL when there is not so much. */
  setSystemExtra(indexBytes: number, fileBytes: number): void {
    const indexMax = this.totalBytes - this.reserveBytes;
    const fileMax = this.data.totalBytes - this.data.reserveBytes;
    if (!(indexBytes >= 0 && indexBytes <= indexMax && fileBytes >= 0 && fileBytes <= fileMax)) {
      throw new DaosError('INVAL', `${indexBytes} and ${fileBytes} bytes more for the system; there are ${indexMax} and ${fileMax}`);
    }
    this.extraIndexBytes = indexBytes;
    this.extraFileBytes = fileBytes;
  }

  /** Throws DER_NOSPACE when an update of about so many bytes would not leave the shares of others alone. */
  checkUpdate(indexBytes: number, fileBytes: number, flags: number): void {
    if (flags & SYSTEM_FLAGS) return this.checkPunch(indexBytes);
    this.checkPending(indexBytes);
    const isRebuild = (flags & VosFlag.REBUILD) !== 0;
    const index = this.systemBytes.index + (isRebuild ? 0 : this.rebuildShare(this.totalBytes));
    if (this.umem.usedBytes() + indexBytes > this.totalBytes - index) {
      throw new DaosError('NOSPACE', `${this.freeBytes} of ${this.totalBytes} bytes of the index are left, ${index} are set aside`);
    }
    if (fileBytes === 0) return;
    const { freeBytes, totalBytes } = this.data;
    const file = this.systemBytes.file + (isRebuild ? 0 : this.rebuildShare(totalBytes));
    if (freeBytes - file < fileBytes) {
      throw new DaosError('NOSPACE', `${freeBytes} of ${totalBytes} bytes of the data file are left, ${file} are set aside`);
    }
  }

  /** A punch may use the reserve. Throws DER_NOSPACE when that is used up, too; DER_NO_PERM when nothing may change. */
  checkPunch(bytes: number): void {
    this.checkPending(bytes);
    if (this.umem.usedBytes() + bytes > this.totalBytes) throw new DaosError('NOSPACE', 'the index and its reserve are full');
  }

  private rebuildShare(bytes: number): number {
    return Math.floor((bytes * this.rebuildPercent) / 100);
  }

  private checkPending(bytes: number): void {
    if (this.isReadOnly) throw new DaosError('NO_PERM', 'the shard is open to be read');
    if (this.umem.pendingBytes() + bytes > PENDING_BYTES_MAX) {
      throw new DaosError('OVERLOAD_RETRY', `${this.umem.pendingBytes()} bytes wait to become durable`);
    }
  }
}
