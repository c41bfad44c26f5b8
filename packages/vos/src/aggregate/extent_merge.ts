import { INDEX_MAX, isSameExtent } from '../value/extent/extent_ref.js';
import type { ExtentWatch } from '../value/extent/extent_watch.js';
import type { ValueRecord } from '../value/value_record.js';
import { joinPieces, type VisiblePiece } from '../value/visibility.js';
import { note } from './extents_pass.js';
import { WINDOW_BYTES, WINDOW_PIECES, bytesOf, nameOf, planMerge, type MergeRules, type Output } from './merge_plan.js';
import type { Path } from './path.js';
import { Picture } from './picture.js';
import type { Rewrite } from './rewrite.js';
import { AggregateFlag, akeyNow, type Work } from './work.js';

/** A window that is changed all the time is left for the next time. */
const TRIES_MAX = 8;
/** Records that go on in later windows and are not done with. More of them stay as they are. */
const STRADDLING_MAX = 1024;
/** Windows of many small records become fewer each time the array is gone through. */
const ROUNDS_MAX = 4;

interface Window {
  readonly lo: bigint;
  readonly hi: bigint;
  /** Visible pieces of records of the range. */
  readonly pieces: readonly VisiblePiece[];
  readonly isLast: boolean;
  /** It ended because of the number of its pieces. */
  readonly isFull: boolean;
}

/** Outputs that have sources in common, and so take their place together. */
interface Job {
  readonly outputs: Output[];
  readonly sources: Map<string, ValueRecord>;
}

/** A source that goes on behind the window in which it was met first. */
interface Straddler {
  readonly record: ValueRecord;
  /** All that showed of it so far is in merged records. */
  isReplaced: boolean;
}

/**
 * Merges what shows of an array, window by window. A record that goes on in another window is replaced piece by piece:
 * what takes its place has the same data and lies over it, so that it does no harm until all of it is replaced.
 */
export class ExtentMerge {
  private readonly picture: Picture;
  private readonly rules: MergeRules;
  private readonly straddlers = new Map<string, Straddler>();
  /** Some straddling records are not in the map. */
  private hasForgotten = false;
  private isBusy = false;

  constructor(
    private readonly work: Work,
    private readonly path: Path,
    private readonly watch: ExtentWatch,
    private readonly rewrite: Rewrite,
  ) {
    const { data } = work.container.store;
    this.picture = new Picture(work);
    this.rules = { isForced: (work.flags & AggregateFlag.FORCE_MERGE) !== 0, takes: (bytes) => data.takes(bytes) };
  }

  /** True when the array changed too often, or is in use by open transactions. */
  async run(): Promise<boolean> {
    for (let round = 0; round < ROUNDS_MAX && !this.isBusy; round++) {
      if (!(await this.round())) break;
    }
    return this.isBusy;
  }

  /** Goes through the array once. True when another round may do more. */
  private async round(): Promise<boolean> {
    let isFull = false;
    let tries = 0;
    this.straddlers.clear();
    this.hasForgotten = false;
    for (let at: bigint | undefined = 0n; at !== undefined; ) {
      if (this.watch.isDisturbed) this.forget();
      this.watch.isDisturbed = false;
      const window: Window | undefined = await this.collect(at);
      if (!window) return false;
      const result = await this.flush(window);
      if (result === 'disturbed' && ++tries < TRIES_MAX) continue;
      if (result === 'disturbed') this.isBusy = true;
      if (this.work.outcome.isOutOfSpace) return false;
      if (result === 'merged' && window.isFull) isFull = true;
      tries = 0;
      this.finish(window.hi);
      at = window.isLast || window.hi === INDEX_MAX ? undefined : window.hi + 1n;
      if (this.work.pacer.isSpent) await this.work.pacer.pause();
    }
    return isFull;
  }

  /** Looks on from an index until a window is full; undefined: the array is gone. */
  private async collect(lo: bigint): Promise<Window | undefined> {
    const { pacer, range } = this.work;
    let pieces: VisiblePiece[] = [];
    let bytes = 0;
    for (let at = lo; ; ) {
      const part = this.picture.at(this.path, at);
      if (!part) return undefined;
      for (const piece of part.pieces) {
        if (piece.hi < at) continue;
        const seen = piece.lo < at ? { ...piece, lo: at } : piece;
        const own = seen.record.epoch < range.lo ? 0 : bytesOf(seen);
        if (pieces.length > 0 && (pieces.length >= WINDOW_PIECES || bytes + own > WINDOW_BYTES)) {
          return this.windowOf(lo, seen, pieces);
        }
        bytes += own;
        pieces.push(seen);
      }
      pieces = joinPieces(pieces);
      if (part.next === undefined || part.hi === INDEX_MAX) return this.windowOf(lo, undefined, pieces);
      at = part.hi + 1n;
      if (pacer.spend('scan')) await pacer.pause();
    }
  }

  /** `next` is the first piece behind the window. Records that are older than the range only separate others. */
  private windowOf(lo: bigint, next: VisiblePiece | undefined, pieces: VisiblePiece[]): Window {
    const isFull = pieces.length >= WINDOW_PIECES;
    let hi = next ? next.lo - 1n : INDEX_MAX;
    // one that goes on behind the window is looked at as a whole in the next one
    const last = pieces.at(-1);
    if (next && last && pieces.length > 1 && isSameExtent(last.record, next.record) && last.hi + 1n === next.lo) {
      pieces.pop();
      hi = last.lo - 1n;
    }
    const own = pieces.filter(({ record }) => record.epoch >= this.work.range.lo);
    return { lo, hi, pieces: own, isLast: next === undefined, isFull };
  }

  private async flush(window: Window): Promise<'merged' | 'disturbed' | 'nothing'> {
    const outputs = planMerge(window.pieces, this.rules);
    this.meetStraddlers(window, outputs);
    let answer: 'merged' | 'nothing' = 'nothing';
    for (const job of jobsOf(outputs)) {
      // what goes on elsewhere stays for now
      const inside = [...job.sources].filter(([name, record]) => !this.straddlers.has(name) && isInside(window, record));
      const result = await this.rewrite.run(job.outputs, inside.map(([, record]) => record));
      if (result === 'disturbed') {
        this.forget();
        return 'disturbed';
      }
      if (result === 'done') answer = 'merged';
      else {
        note(this.work, result);
        for (const name of job.sources.keys()) this.keep(name);
      }
      if (this.work.pacer.isSpent) await this.work.pacer.pause();
    }
    return answer;
  }

  /** Remembers the records that show in this window and reach out of it, and whether all that shows is replaced. */
  private meetStraddlers(window: Window, outputs: readonly Output[]): void {
    const replaced = new Set(outputs.flatMap(({ parts }) => parts.map(({ record }) => nameOf(record))));
    for (const { record } of window.pieces) {
      const name = nameOf(record);
      if (!replaced.has(name)) this.keep(name);
      if (isInside(window, record) || this.straddlers.has(name)) continue;
      if (this.straddlers.size >= STRADDLING_MAX) {
        this.hasForgotten = true;
        continue;
      }
      // one that began before the window and was not met there showed nothing there
      const isKnown = record.lo >= window.lo || !this.hasForgotten;
      this.straddlers.set(name, { record, isReplaced: replaced.has(name) && isKnown });
    }
  }

  /** What was found out about straddling records may be wrong now: they stay. */
  private forget(): void {
    this.hasForgotten ||= this.straddlers.size > 0;
    this.straddlers.clear();
  }

  private keep(name: string): void {
    const straddler = this.straddlers.get(name);
    if (straddler) straddler.isReplaced = false;
  }

  /** Removes what ended and was replaced in all windows. */
  private finish(hi: bigint): void {
    const { extents, heads } = this.work.container.store;
    for (const [name, { record, isReplaced }] of this.straddlers) {
      if (record.hi > hi) continue;
      this.straddlers.delete(name);
      const now = isReplaced && !this.watch.isDisturbed ? akeyNow(this.work, this.path) : undefined;
      if (!now || !extents.delete(now.head, record)) continue;
      heads.modified(now.head);
      this.watch.isDisturbed = false;
      this.work.pacer.spend('delete');
    }
  }
}

function isInside({ lo, hi }: Window, record: ValueRecord): boolean {
  return record.lo >= lo && record.hi <= hi;
}

/** Groups outputs that have sources in common. */
function jobsOf(outputs: readonly Output[]): Set<Job> {
  const jobs = new Set<Job>();
  const users = new Map<string, Job>();
  for (const output of outputs) {
    const joined: Job = { outputs: [], sources: new Map(output.parts.map(({ record }) => [nameOf(record), record])) };
    for (const name of [...joined.sources.keys()]) {
      const other = users.get(name);
      if (!other || !jobs.delete(other)) continue;
      joined.outputs.push(...other.outputs);
      for (const [theirs, record] of other.sources) joined.sources.set(theirs, record);
    }
    joined.outputs.push(output);
    joined.outputs.sort((a, b) => (a.lo < b.lo ? -1 : 1));
    for (const name of joined.sources.keys()) users.set(name, joined);
    jobs.add(joined);
  }
  return jobs;
}
