import { DaosError, EPOCH_MAX, IodType, isDaosError, type Epoch, type EpochRange } from '@daos/common';
import { assert } from '@daos/gurt';

import type { Container } from '../container_state.js';
import { Intent } from '../dtx/view.js';
import { CollapseMode, collapse } from '../ilog/collapse.js';
import { IncarnationLog } from '../ilog/incarnation_log.js';
import { PunchMark } from '../ilog/punch_mark.js';
import { viewOf } from '../layout/bytes.js';
import { AKEY_LOG_AT, AKEY_MAX_EPOCH_AT, AkeyHead, DkeyHead, KeyRecord, OBJECT_MAX_WRITE_AT, ObjectHead, type Head } from '../layout/head.js';
import { Space } from '../layout/spaces.js';
import { aggregateArray } from './extents_pass.js';
import { holdObject, removeIfEmpty } from './objects.js';
import { Pacer, type SliceLengths, type SliceOptions } from './pacer.js';
import { Path } from './path.js';
import { ChildRows } from './rows.js';
import { aggregateSingle } from './single_values_pass.js';
import { AggregateFlag, checkSoundAt, isIn, type Work } from './work.js';

export interface AggregateOptions extends SliceOptions {
  /** `AggregateFlag` bits. */
  readonly flags?: number;
}

const NO_PUNCH = new PunchMark();

/**
 * Rewrites the history of a container between two epochs, so that only what is seen at the range's end is left of it.
 * It walks objects, dkeys, akeys and values in slices; whatever it holds on to is looked up again in each slice, so
 * writers, readers and transactions go on meanwhile.
 */
export class Aggregation {
  private readonly work: Work;
  private readonly filter: Epoch;

  constructor(
    private readonly container: Container,
    range: EpochRange,
    options: AggregateOptions,
  ) {
    assert(range.lo < range.hi && range.hi < EPOCH_MAX, `aggregation of epochs ${range.lo} to ${range.hi}`);
    const flags = options.flags ?? 0;
    const pacer = new Pacer(container.store.umem, () => container.checkOpen(), options);
    const outcome = { isBusy: false, isOutOfSpace: false, checksumErrors: 0 };
    this.work = { container, range, view: container.dtx.view(Intent.PURGE), pacer, flags, outcome };
    this.filter = flags & AggregateFlag.FORCE_SCAN ? range.lo : container.hae;
  }

  /** How long its slices have held the thread. */
  get sliceLengths(): SliceLengths {
    return this.work.pacer.lengths;
  }

  /**
   * False when something was left for later (see `Outcome`). DER_BUSY beside another aggregation or a discard of these
   * epochs; DER_CSUM when data to be merged was damaged (the rest is done); DER_DATA_LOSS for what is marked corrupt;
   * DER_OP_CANCELED.
   */
  async run(): Promise<boolean> {
    const { container, work } = this;
    const release = container.exclusion.aggregate(work.range);
    try {
      await this.objects();
      const { isBusy, isOutOfSpace, checksumErrors } = work.outcome;
      container.checkOpen();
      const isComplete = !isBusy && !isOutOfSpace;
      if (isComplete) container.setHae(work.range.hi);
      await container.store.umem.durable();
      if (checksumErrors > 0) throw new DaosError('CSUM', `${checksumErrors} extents were not merged: their data does not match their checksums`);
      return isComplete;
    } finally {
      release();
    }
  }

  private async objects(): Promise<void> {
    const { container, work } = this;
    const rows = new ChildRows(container.store, Space.OBJECT, container.no);
    for (let page = rows.page(); page; page = rows.page()) {
      for (const { key, value } of page) {
        // highest write epoch, punches included
        if (viewOf(value).getBigUint64(OBJECT_MAX_WRITE_AT) > this.filter) {
          const head = container.store.heads.at(key);
          if (head) await this.held(head);
        }
        if (work.pacer.spend('scan')) await work.pacer.pause();
      }
    }
  }

  /** Keeps discards away from an object, and waits until they are done. */
  private async held(head: Head): Promise<void> {
    const release = await holdObject(this.work, head.no, 'aggregate');
    try {
      const path = new Path(this.container.store.heads, head, undefined);
      if (path.current() && (await this.level(path))) this.work.outcome.isBusy = true;
    } finally {
      release();
    }
  }

  /** Aggregates what is below a key, then its own log. True when some of it is in use by open transactions. */
  private async level(path: Path): Promise<boolean> {
    const head = path.current();
    if (!head) return false;
    checkSoundAt(nameOfLevel(head), path);
    if (this.detachIfPunched(path)) return false;
    const isBusy = head instanceof AkeyHead ? await this.values(path, head) : await this.children(path, head);
    return this.finish(path, isBusy) || isBusy;
  }

  private async children(path: Path, head: Head): Promise<boolean> {
    const { work } = this;
    const space = head instanceof ObjectHead ? Space.DKEY : Space.AKEY;
    const rows = new ChildRows(work.container.store, space, path.no);
    let isBusy = false;
    for (let page = rows.page(); page; page = rows.page()) {
      for (const { key, value } of page) {
        if (!path.current()) return isBusy;
        if (space === Space.DKEY || this.mayNeedWork(path, value)) {
          const child = work.container.store.heads.at(key);
          if (child && (await this.level(new Path(work.container.store.heads, child, path)))) isBusy = true;
        }
        if (work.pacer.spend('scan')) await work.pacer.pause();
      }
    }
    return isBusy;
  }

  /** False when an akey was not changed since the last aggregation, and nothing above it was punched. */
  private mayNeedWork(parent: Path, value: Uint8Array): boolean {
    const { filter, work } = this;
    const view = viewOf(value);
    if (view.getBigUint64(AKEY_MAX_EPOCH_AT) > filter) return true;
    const log = IncarnationLog.decode(value, AKEY_LOG_AT, KeyRecord.logCount(view), view);
    if (log.count === 0 || log.isCorrupted || log.entry(log.count - 1).epoch > filter) return true;
    return parent.stateAt(work.range.hi, work.view).punch.epoch > filter;
  }

  private async values(path: Path, { kind }: AkeyHead): Promise<boolean> {
    if (kind === IodType.SINGLE) return aggregateSingle(this.work, path);
    return kind === IodType.ARRAY && aggregateArray(this.work, path);
  }

  /** What was made and punched in the range, and has nothing newer, goes as a whole to garbage collection. */
  private detachIfPunched(path: Path): boolean {
    const head = path.current();
    const { range, view } = this.work;
    if (!head || head.log.count === 0 || !head.log.isCommitted) return false;
    const oldest = head.log.entry(0);
    const newest = head.log.entry(head.log.count - 1);
    if (!isIn(range, oldest.epoch) || !isIn(range, newest.epoch)) return false;
    const above = path.parent?.stateAt(range.hi, view).punch ?? NO_PUNCH;
    const isPunched = newest.punchMinor > newest.updateMinor || above.hides(newest.epoch, newest.updateMinor);
    if (!isPunched || (head instanceof ObjectHead && head.maxWrite > maxOf(newest.epoch, above.epoch))) return false;
    this.container.detach(head);
    return true;
  }

  /** Collapses a log; a key without a past and without children goes. True when an open transaction is in it. */
  private finish(path: Path, isBusy: boolean): boolean {
    const { range, view } = this.work;
    const head = path.current();
    if (!head || isBusy) return false;
    const { heads } = this.container.store;
    const above = path.parent?.stateAt(range.hi, view).punch ?? NO_PUNCH;
    const { version } = head.log;
    try {
      const isEmpty = collapse(head.log, CollapseMode.AGGREGATE, range, above, view);
      if (head.log.version !== version) heads.modified(head);
      if (isEmpty) removeIfEmpty(this.container, head);
      return false;
    } catch (error) {
      if (head.log.version !== version) heads.modified(head);
      if (isDaosError(error, 'TX_BUSY')) return true;
      throw error;
    }
  }
}

function nameOfLevel(head: Head): string {
  if (head instanceof ObjectHead) return 'an object';
  return head instanceof DkeyHead ? 'a dkey' : 'an akey';
}

function maxOf(a: Epoch, b: Epoch): Epoch {
  return a > b ? a : b;
}

