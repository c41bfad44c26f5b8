import { DaosError, type Epoch } from '@daos/common';

import { OWNER_ABORTED, type ValueRecord } from '../value_record.js';
import { EXTENT_RECORDS_MAX, MINOR_REBUILD_MAX, MINOR_REBUILD_MIN, isSameExtent, type ExtentRef } from './extent_ref.js';

/** An extent that is about to be written. */
export interface ExtentWrite extends ExtentRef {
  /** End of the uncertainty: records from the epoch up to here refuse the write. At least the epoch. */
  readonly bound: Epoch;
  /** Bytes of a record; 0: a hole. */
  readonly size: number;
}

/** DER_NO_PERM for data that is too wide, DER_INVAL for records of another size than those of the array. */
export function checkShape({ lo, hi, size }: ExtentWrite, recordSize: number): void {
  if (size === 0) return;
  if (hi - lo >= EXTENT_RECORDS_MAX) {
    throw new DaosError('NO_PERM', `an extent of ${hi - lo + 1n} records; at most ${EXTENT_RECORDS_MAX}: write it in parts`);
  }
  if (recordSize > 0 && recordSize !== size) {
    throw new DaosError('INVAL', `records of ${size} bytes in an array of records of ${recordSize}`);
  }
}

/**
 * Checks a write against the records that overlap it, of epochs from its own to its bound. The result is the
 * minor epoch to write it with: that of the write, or for rebuild, which keeps all it writes, the next one
 * free. Throws DER_TX_RESTART when one is newer, DER_VOS_PARTIAL_UPDATE when one of the very same epoch is cut.
 */
export function checkOverlaps(write: ExtentWrite, others: readonly ValueRecord[]): number {
  // what was aborted is not there
  const present = others.filter(({ owner }) => owner !== OWNER_ABORTED);
  const newer = present.find(({ epoch }) => epoch > write.epoch);
  if (newer) {
    throw new DaosError('TX_RESTART', `${show(newer)} may be older than the write of ${show(write)}: write at a later epoch`);
  }
  const isRebuild = write.minor === MINOR_REBUILD_MIN;
  let { minor } = write;
  for (const other of present) {
    if (isRebuild && other.minor >= MINOR_REBUILD_MIN && other.minor <= MINOR_REBUILD_MAX) {
      minor = Math.max(minor, other.minor + 1);
    } else if (other.minor === write.minor && !isSameExtent(other, write)) {
      throw new DaosError('VOS_PARTIAL_UPDATE', `${show(write)} cuts ${show(other)}: write it at another epoch`);
    }
  }
  if (isRebuild && minor > MINOR_REBUILD_MAX) {
    throw new DaosError('OVERFLOW', `${show(write)} was rebuilt too often: aggregate the array first`);
  }
  return minor;
}

export function show({ lo, hi, epoch, minor }: ExtentRef): string {
  return `[${lo}, ${hi}]@${epoch}.${minor}`;
}
