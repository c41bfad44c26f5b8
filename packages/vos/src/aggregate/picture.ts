import { INDEX_MAX, isSameExtent } from '../value/extent/extent_ref.js';
import type { ExtentWindow } from '../value/extents.js';
import type { ValueRecord } from '../value/value_record.js';
import { SEES_COMMITTED, type VisiblePiece } from '../value/visibility.js';
import type { Path } from './path.js';
import { akeyNow, type Work } from './work.js';

/** Rows of the index that one look takes in. */
const LOOK_ROWS = 32;

/** What shows of an array at the end of the range, part by part. Records are asked about in ascending order. */
export class Picture {
  private part: ExtentWindow | undefined;
  private akeyNo = 0;
  private slice = 0;

  constructor(private readonly work: Work) {}

  /** True when some of a record shows, or the array is gone. */
  async shows(path: Path, record: ValueRecord): Promise<boolean> {
    for (let at = record.lo; at <= record.hi; ) {
      const part = this.at(path, at);
      if (!part) return true;
      if (showsIn(part.pieces, record)) return true;
      if (part.next === undefined || part.hi === INDEX_MAX) return false;
      at = part.hi + 1n;
      if (this.work.pacer.spend('scan')) await this.work.pacer.pause();
    }
    return false;
  }

  /** What shows from `at` on; undefined: the array is gone. */
  at(path: Path, at: bigint): ExtentWindow | undefined {
    const { container, range, pacer } = this.work;
    const { part } = this;
    const isKnown = part && this.akeyNo === path.no && this.slice === pacer.slices;
    if (isKnown && part.lo <= at && (at <= part.hi || part.next === undefined)) return part;
    const now = akeyNow(this.work, path);
    if (!now) return undefined;
    this.akeyNo = path.no;
    this.slice = pacer.slices;
    const view = { epoch: range.hi, punch: now.state.punch, viewer: SEES_COMMITTED };
    return (this.part = container.store.extents.window(now.head, at, false, LOOK_ROWS, view));
  }
}

/** Pieces are in ascending order and disjoint. */
function showsIn(pieces: readonly VisiblePiece[], record: ValueRecord): boolean {
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((pieces[middle] as VisiblePiece).hi < record.lo) low = middle + 1;
    else high = middle;
  }
  for (let i = low; i < pieces.length; i++) {
    const piece = pieces[i] as VisiblePiece;
    if (piece.lo > record.hi) return false;
    if (isSameExtent(piece.record, record)) return true;
  }
  return false;
}
