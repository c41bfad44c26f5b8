import type { Epoch } from '@daos/common';

import type { AkeyHead } from '../layout/head.js';
import type { PunchMark } from '../ilog/punch_mark.js';
import { isSameExtent, maxOf, minOf } from './extent/extent_ref.js';
import type { ExtentWindow, Extents } from './extents.js';
import { SEES_COMMITTED, type ValueViewer, type VisiblePiece } from './visibility.js';

/** Rows of the index that are read beyond those wanted: pieces may need several, holes are skipped. */
const EXTRA_ROWS = 2;

/** Visible extents without holes, from one end on. */
export interface ExtentScan {
  readonly head: AkeyHead;
  readonly epoch: Epoch;
  readonly punch: PunchMark;
  readonly viewer?: ValueViewer;
  /** Index to begin with, in the direction of the scan. */
  readonly from: bigint;
  readonly descending: boolean;
  /** Pieces wanted; the result may hold more. */
  readonly limit: number;
}

/**
 * Reads rows from the index on until enough pieces were found: O(log n + pieces), and what holes and hidden
 * records lie between them.
 */
export function scanExtents(extents: Extents, scan: ExtentScan): VisiblePiece[] {
  const { head, descending, limit, epoch, punch, viewer = SEES_COMMITTED } = scan;
  const found: VisiblePiece[] = [];
  let rows = limit + EXTRA_ROWS;
  for (let at: bigint | undefined = scan.from; at !== undefined; rows *= 2) {
    const window = extents.window(head, at, descending, rows, { epoch, punch, viewer });
    const pieces = window.pieces.filter(({ record }) => !record.isHole);
    for (const piece of descending ? pieces.reverse() : pieces) join(found, piece);
    if (found.length > limit || (found.length === limit && !mayGoOn(found, window, descending))) break;
    at = window.next;
  }
  return found;
}

/** A piece that touches the window's far end may go on behind it. */
function mayGoOn(found: readonly VisiblePiece[], window: ExtentWindow, descending: boolean): boolean {
  const last = found.at(-1);
  if (!last || window.next === undefined) return false;
  return descending ? last.lo === window.lo : last.hi === window.hi;
}

/** Adds a piece; one that continues the last across a window's edge becomes one with it. */
function join(found: VisiblePiece[], piece: VisiblePiece): void {
  const last = found.at(-1);
  const touches = last !== undefined && (last.hi + 1n === piece.lo || piece.hi + 1n === last.lo);
  if (last && touches && isSameExtent(last.record, piece.record)) {
    found[found.length - 1] = { record: last.record, lo: minOf(last.lo, piece.lo), hi: maxOf(last.hi, piece.hi) };
  } else found.push(piece);
}
