import { EXTENT_RECORDS_MAX, maxOf, type ExtentRef, type IndexRange } from '../value/extent/extent_ref.js';
import { MINOR_MAX } from '../ilog/punch_mark.js';
import { blocksFor } from '../value/data_store.js';
import type { ValueRecord } from '../value/value_record.js';
import type { VisiblePiece } from '../value/visibility.js';

/** Merged extents are at most this large. */
export const WINDOW_BYTES = 8 * 1024 * 1024;
/** Pieces that are looked at together; as many records at most become one. */
export const WINDOW_PIECES = 256;
/** Fewer small records stay as they are. */
const RECORDS_MIN = 15;
/** Records of the data file are merged into ones of so many blocks (1 MiB) or more. */
const FILE_BLOCKS_MIN = 256;

/** A record that takes the place of one or several that meet. */
export interface Output extends IndexRange {
  readonly epoch: bigint;
  readonly minor: number;
  /** What it is made of: ascending, without gaps. */
  readonly parts: readonly VisiblePiece[];
}

export interface MergeRules {
  /** Merges whatever meets. */
  readonly isForced: boolean;
  /** Whether data of this size goes to the data file. */
  readonly takes: (bytes: number) => boolean;
}

/** What meets and is of one kind: data or holes. */
type Run = readonly VisiblePiece[];

/**
 * What is worth rewriting of the visible pieces (ascending) of a window. A rewrite is worth it when it gives space
 * back (of records that are covered in part), when it moves small records to the data file, or when it makes
 * noticeably fewer records. DAOS decides so (need_flush of its merge window), but for a whole window.
 */
export function planMerge(pieces: readonly VisiblePiece[], rules: MergeRules): Output[] {
  const runs = runsOf(pieces);
  const chosen = new Set(runs.filter((run) => isWorthwhile(run, rules)));
  // a record is rewritten as a whole or not at all
  const names = new Set<string>();
  let known = -1;
  while (names.size > known) {
    known = names.size;
    for (const run of runs) {
      if (!chosen.has(run) && !run.some(({ record }) => names.has(nameOf(record)))) continue;
      chosen.add(run);
      for (const { record } of run) names.add(nameOf(record));
    }
  }
  return runs.filter((run) => chosen.has(run)).flatMap(outputsOf);
}

/** Tells one record of an array from all others. */
export function nameOf({ lo, hi, epoch, minor }: ExtentRef): string {
  return `${lo} ${hi} ${epoch} ${minor}`;
}

export function isPartial({ record, lo, hi }: VisiblePiece): boolean {
  return lo !== record.lo || hi !== record.hi;
}

export function bytesOf({ record, lo, hi }: VisiblePiece): number {
  return Number(hi - lo + 1n) * record.size;
}

function runsOf(pieces: readonly VisiblePiece[]): Run[] {
  const runs: VisiblePiece[][] = [];
  let last: VisiblePiece | undefined;
  let size = 0;
  for (const piece of pieces) {
    const run = runs.at(-1);
    const isMeeting = last !== undefined && last.hi + 1n === piece.lo && last.record.isHole === piece.record.isHole;
    // holes count by their width, which has a limit, too
    const own = piece.record.isHole ? Number(piece.hi - piece.lo + 1n) : bytesOf(piece);
    const limit = piece.record.isHole ? Number(EXTENT_RECORDS_MAX - 1n) : WINDOW_BYTES;
    if (run && isMeeting && size + own <= limit) {
      run.push(piece);
      size += own;
    } else {
      runs.push([piece]);
      size = own;
    }
    last = piece;
  }
  return runs;
}

function isWorthwhile(run: Run, { isForced, takes }: MergeRules): boolean {
  const [first] = run;
  if (!first) return false;
  const isSeveral = run.length > 1;
  // a hole that is covered in part costs nothing; two that meet become one
  if (first.record.isHole) return isSeveral;
  if (run.some(isPartial)) return true;
  if (!isSeveral) return false;
  if (isForced) return true;
  const bytes = run.reduce((sum, piece) => sum + bytesOf(piece), 0);
  const isMany = run.length >= RECORDS_MIN;
  if (!takes(bytes)) return isMany;
  if (run.some(({ record }) => record.block < 0)) return true;
  const blocks = blocksFor(bytes);
  return blocks >= FILE_BLOCKS_MIN && (isMany || blocks % FILE_BLOCKS_MIN === 0);
}

/** The record that a run becomes; several when a single piece is larger than a window. */
function outputsOf(run: Run): Output[] {
  const epoch = run.reduce((newest, { record }) => maxOf(newest, record.epoch), 0n);
  return inWindows(run, epoch, MINOR_MAX);
}

/** What shows of one record, as records of the same age. */
export function remainsOf(record: ValueRecord, pieces: readonly VisiblePiece[]): Output[] {
  return pieces.flatMap((piece) => inWindows([piece], record.epoch, record.minor));
}

function inWindows(run: Run, epoch: bigint, minor: number): Output[] {
  const first = run[0] as VisiblePiece;
  const last = run.at(-1) as VisiblePiece;
  const { record } = first;
  const perWindow = record.isHole ? EXTENT_RECORDS_MAX - 1n : BigInt(Math.max(1, Math.floor(WINDOW_BYTES / record.size)));
  if (run.length > 1 || last.hi - first.lo < perWindow) return [{ lo: first.lo, hi: last.hi, epoch, minor, parts: run }];
  const outputs: Output[] = [];
  for (let lo = first.lo; lo <= first.hi; lo += perWindow) {
    const end = lo + perWindow - 1n;
    const hi = end < first.hi ? end : first.hi;
    outputs.push({ lo, hi, epoch, minor, parts: [{ record, lo, hi }] });
  }
  return outputs;
}
