import type { Epoch } from '@daos/common';

import type { AkeyHead } from '../layout/head.js';
import type { PunchMark } from '../layout/incarnation_log.js';
import { INDEX_MAX, type Extents } from './extents.js';
import type { VisiblePiece } from './visibility.js';

/**
 * Visible extents without holes, from one end on. The array is looked at through windows that double in
 * width, so that neither dense nor sparse arrays are read much beyond what is returned.
 */
export interface ExtentScan {
  readonly head: AkeyHead;
  readonly epoch: Epoch;
  readonly punch: PunchMark;
  /** Index to begin with, in the direction of the scan. */
  readonly from: bigint;
  readonly descending: boolean;
  /** Pieces wanted; the result may hold more. */
  readonly limit: number;
}

export function scanExtents(extents: Extents, scan: ExtentScan): VisiblePiece[] {
  const { head, from, descending, limit } = scan;
  const bounds = extents.bounds(head);
  if (!bounds) return [];
  let at = descending ? min(from, bounds.hi) : max(from, bounds.lo);
  let width = head.isSpilled ? firstWidth(head) * BigInt(limit) : INDEX_MAX;
  const found: VisiblePiece[] = [];
  while (at >= bounds.lo && at <= bounds.hi) {
    const lo = descending ? max(at - width + 1n, 0n) : at;
    const hi = descending ? at : min(at + width - 1n, INDEX_MAX);
    const seen = extents.visible(head, lo, hi, scan.epoch, scan.punch).filter(({ record }) => !record.isHole);
    for (const piece of descending ? seen.reverse() : seen) join(found, piece);
    // a piece that touches the window's far end may go on behind it
    const last = found.at(-1);
    const isOpen = last !== undefined && (descending ? last.lo === lo && lo > 0n : last.hi === hi && hi < INDEX_MAX);
    if (found.length > limit || (found.length === limit && !isOpen)) break;
    at = descending ? lo - 1n : hi + 1n;
    width *= 2n;
  }
  return found;
}

/** Adds a piece; one that continues the last across a window's edge becomes one with it. */
function join(found: VisiblePiece[], piece: VisiblePiece): void {
  const last = found.at(-1);
  const touches = last !== undefined && (last.hi + 1n === piece.lo || piece.hi + 1n === last.lo);
  if (last && touches && isSameExtent(last, piece)) {
    found[found.length - 1] = { record: last.record, lo: min(last.lo, piece.lo), hi: max(last.hi, piece.hi) };
  } else found.push(piece);
}

/** Two windows read a stored extent twice: told by its contents. */
function isSameExtent({ record: a }: VisiblePiece, { record: b }: VisiblePiece): boolean {
  return a.epoch === b.epoch && a.minor === b.minor && a.lo === b.lo && a.hi === b.hi;
}

/** Twice the width of the narrowest extents. */
function firstWidth(head: AkeyHead): bigint {
  const lowest = head.widthClasses & -head.widthClasses;
  return lowest > 0n ? lowest * 2n : 1n;
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
