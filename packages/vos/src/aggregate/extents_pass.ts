import { Availability } from '../dtx/view.js';
import type { AkeyHead } from '../layout/head.js';
import { MINOR_REMOVE, isSameExtent, type ExtentRef } from '../value/extent/extent_ref.js';
import type { ExtentWatch } from '../value/extent/extent_watch.js';
import type { ExtentEntry } from '../value/extent/sweep.js';
import type { ValueRecord } from '../value/value_record.js';
import { ExtentMerge } from './extent_merge.js';
import { remainsOf } from './merge_plan.js';
import type { Path } from './path.js';
import { Picture } from './picture.js';
import { Rewrite, type RewriteResult } from './rewrite.js';
import { akeyNow, type AkeyNow, type Work } from './work.js';

/** Records that are read in one go, and those looked at for them. */
const PAGE_RECORDS = 32;
const EXAMINED_MAX = 256;
/** An array that is changed in its past all the time is left for the next time. */
const TRIES_MAX = 8;

/**
 * Aggregates the extents of one array: first the covered records go, then removals with what they removed, then what
 * is left is merged. True when some of it belongs to open transactions, or changed too often.
 */
export async function aggregateArray(work: Work, path: Path): Promise<boolean> {
  const now = akeyNow(work, path);
  if (!now) return false;
  const { extents, heads } = work.container.store;
  if (extents.upgrade(now.head)) heads.modified(now.head);
  const watch = extents.watch(now.head, work.range.hi);
  try {
    return await new ArrayPass(work, path, watch).run();
  } finally {
    watch.end();
  }
}

/** Removes all records in the range that are not being written. True when some are. */
export async function discardArray(work: Work, path: Path): Promise<boolean> {
  let isBusy = false;
  const { extents, heads } = work.container.store;
  await eachRecord(work, path, (record, { head }) => {
    if (record.owner !== 0 && work.view.availability(record.owner, false) !== Availability.SHOWN) isBusy = true;
    else if (extents.delete(head, record)) heads.modified(head);
    return Promise.resolve();
  });
  return isBusy;
}

class ArrayPass {
  private readonly picture: Picture;
  private readonly rewrite: Rewrite;
  private isBusy = false;
  private hasRemovals = false;

  constructor(
    private readonly work: Work,
    private readonly path: Path,
    private readonly watch: ExtentWatch,
  ) {
    this.picture = new Picture(work);
    this.rewrite = new Rewrite(work, path, watch);
  }

  async run(): Promise<boolean> {
    await eachRecord(this.work, this.path, (record, now) => this.prune(record, now));
    if (this.hasRemovals) {
      let isLeft = false;
      await eachRecord(this.work, this.path, async (record) => {
        if (record.minor === MINOR_REMOVE && record.owner === 0 && !(await this.resolve(record))) isLeft = true;
      });
      // a merged record could get under a removal of its epoch
      if (isLeft) return true;
    }
    if (this.isBusy) return true;
    return new ExtentMerge(this.work, this.path, this.watch, this.rewrite).run();
  }

  /** Removes a record that shows nowhere. */
  private async prune(record: ValueRecord, { state }: AkeyNow): Promise<void> {
    if (record.owner !== 0) {
      if (this.work.view.availability(record.owner, false) === Availability.ABORTED) this.delete(record);
      else this.isBusy = true;
      return;
    }
    if (state.punch.hides(record.epoch, record.minor)) this.delete(record);
    else if (record.minor === MINOR_REMOVE) this.hasRemovals = true;
    else {
      this.watch.isDisturbed = false;
      if (await this.picture.shows(this.path, record)) return;
      if (this.watch.isDisturbed) this.isBusy = true;
      else this.delete(record);
    }
  }

  /**
   * Cuts what a removal undoes out of the records of its epoch, and then removes it. False when it has to stay.
   */
  private async resolve(removal: ValueRecord): Promise<boolean> {
    const { extents } = this.work.container.store;
    const { epoch } = removal;
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const now = akeyNow(this.work, this.path);
      if (!now) return true;
      this.watch.isDisturbed = false;
      const [target] = extents
        .overlapping(now.head, removal, { lo: epoch, hi: epoch })
        .filter((record) => record.minor !== MINOR_REMOVE);
      if (!target) {
        this.delete(removal);
        return true;
      }
      if (target.owner !== 0) return false;
      const result = await this.cut(now, target);
      // the next target
      if (result === 'done') tries = -1;
      else if (result === 'gone') return true;
      else if (result !== 'disturbed') return note(this.work, result);
    }
    return false;
  }

  /** Rewrites what shows of a record, without what a removal takes of it. */
  private async cut({ head, state }: AkeyNow, record: ValueRecord): Promise<RewriteResult> {
    const { extents } = this.work.container.store;
    const pieces = extents.visible(head, record.lo, record.hi, this.work.range.hi, state.punch);
    return this.rewrite.run(remainsOf(record, pieces.filter((piece) => isSameExtent(piece.record, record))), [record]);
  }

  private delete(ref: ExtentRef): void {
    const { extents, heads } = this.work.container.store;
    const head = this.path.current() as AkeyHead | undefined;
    if (!head || !extents.delete(head, ref)) return;
    heads.modified(head);
    // our own change
    this.watch.isDisturbed = false;
    this.work.pacer.spend('delete');
  }
}

/** Counts what could not be done, for the outcome of the whole. Always false. */
export function note({ outcome }: Work, result: RewriteResult): false {
  if (result === 'damaged') outcome.checksumErrors++;
  if (result === 'no space') outcome.isOutOfSpace = true;
  return false;
}

/** Calls back for each record of the range, whatever happens to the array meanwhile. */
async function eachRecord(work: Work, path: Path, visit: (record: ValueRecord, now: AkeyNow) => Promise<void>): Promise<void> {
  const { container, pacer, range: epr } = work;
  let from: ExtentRef | undefined;
  do {
    const page = readPage();
    if (!page) return;
    const { slices } = pacer;
    for (const entry of page.entries) {
      if (pacer.spend('scan') || pacer.isSpent) await pacer.pause();
      const now = akeyNow(work, path);
      if (!now) return;
      // others may have committed it, or taken it away
      const record = pacer.slices === slices ? entry.record : container.store.extents.find(now.head, entry.record);
      if (record) await visit(record, now);
    }
    from = page.next;
    if (pacer.isSpent) await pacer.pause();
  } while (from);

  function readPage(): { entries: ExtentEntry[]; next: ExtentRef | undefined } | undefined {
    const now = akeyNow(work, path);
    return now && container.store.extents.records(now.head, { epr, from, limit: PAGE_RECORDS, examinedMax: EXAMINED_MAX, isResumable: true });
  }
}
