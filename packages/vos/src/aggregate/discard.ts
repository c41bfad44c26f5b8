import { DaosError, EPOCH_MAX, IodType, type EpochRange, type UnitOid } from '@daos/common';

import type { Container } from '../container_state.js';
import { Intent } from '../dtx/view.js';
import { CollapseMode, collapse } from '../ilog/collapse.js';
import { IncarnationLog } from '../ilog/incarnation_log.js';
import { PunchMark } from '../ilog/punch_mark.js';
import { viewOf } from '../layout/bytes.js';
import { AKEY_LOG_AT, AKEY_MAX_EPOCH_AT, AkeyHead, KeyRecord, OBJECT_MAX_WRITE_AT, ObjectHead, type Head } from '../layout/head.js';
import { Space } from '../layout/spaces.js';
import { discardArray } from './extents_pass.js';
import { holdObject, removeIfEmpty } from './objects.js';
import { Pacer, type SliceOptions } from './pacer.js';
import { Path } from './path.js';
import { ChildRows } from './rows.js';
import { discardSingle } from './single_values_pass.js';
import { isIn, type Work } from './work.js';

const NO_PUNCH = new PunchMark();

/**
 * Removes all versions between two epochs, of one object or of all, as if they had never been: for rollback, and before
 * data is brought back to a target. Only what transactions are writing at that moment stays.
 */
export class Discard {
  private readonly work: Work;

  constructor(
    private readonly container: Container,
    range: EpochRange,
    options: SliceOptions,
  ) {
    if (range.lo < 0n || range.lo > range.hi) throw new DaosError('INVAL', `cannot discard epochs ${range.lo} to ${range.hi}`);
    const pacer = new Pacer(container.store.umem, () => container.checkOpen(), options);
    const outcome = { isBusy: false, isOutOfSpace: false, checksumErrors: 0 };
    this.work = { container, range, view: container.dtx.view(Intent.DISCARD), pacer, flags: 0, outcome };
  }

  /** All objects. DER_BUSY beside another discard, or an aggregation of these epochs; DER_OP_CANCELED. */
  async run(): Promise<void> {
    const { container, work } = this;
    const release = container.exclusion.discard(work.range);
    try {
      const rows = new ChildRows(container.store, Space.OBJECT, container.no);
      for (let page = rows.page(); page; page = rows.page()) {
        for (const { key, value } of page) {
          if (viewOf(value).getBigUint64(OBJECT_MAX_WRITE_AT) >= work.range.lo) await this.object(container.store.heads.at(key));
          if (work.pacer.spend('scan')) await work.pacer.pause();
        }
      }
      await container.store.umem.durable();
    } finally {
      release();
    }
  }

  /** One object; nothing when it is not there. DER_BUSY beside a discard of the container; DER_OP_CANCELED. */
  async runFor(oid: UnitOid): Promise<void> {
    const { container } = this;
    const release = container.exclusion.discardObject();
    try {
      await this.object(container.heads.findObject(container.no, oid));
      await container.store.umem.durable();
    } finally {
      release();
    }
  }

  private async object(head: Head | undefined): Promise<void> {
    if (!head) return;
    const release = await holdObject(this.work, head.no, 'discard');
    try {
      const path = new Path(this.container.heads, head, undefined);
      if (path.current()) await this.level(path);
    } finally {
      release();
    }
  }

  private async level(path: Path): Promise<boolean> {
    const { container, work } = this;
    const head = path.current();
    if (!head) return false;
    if (head instanceof ObjectHead && this.isAll()) {
      container.detach(head);
      return false;
    }
    const isBusy = head instanceof AkeyHead ? await this.values(path, head) : await this.children(path, head);
    const now = path.current();
    if (!now) return isBusy;
    const { version } = now.log;
    const isEmpty = collapse(now.log, CollapseMode.DISCARD, work.range, NO_PUNCH, work.view);
    const isChanged = now.log.version !== version;
    if (isChanged) container.heads.modified(now);
    if (now instanceof ObjectHead && !isBusy && isIn(work.range, now.maxWrite)) this.lowerMaxWrite(now);
    if (isEmpty && !isBusy) removeIfEmpty(container, now);
    return isBusy;
  }

  /** Everything of the object, and no transaction that could be writing to it. */
  private isAll(): boolean {
    const { lo, hi } = this.work.range;
    return lo === 0n && hi === EPOCH_MAX && this.container.dtx.openCount === 0;
  }

  private lowerMaxWrite(object: ObjectHead): void {
    const { lo } = this.work.range;
    object.maxWrite = lo > 0n ? lo - 1n : 0n;
    this.container.heads.modified(object);
  }

  private async children(path: Path, head: Head): Promise<boolean> {
    const { container, work } = this;
    const space = head instanceof ObjectHead ? Space.DKEY : Space.AKEY;
    const rows = new ChildRows(container.store, space, path.no);
    let isBusy = false;
    for (let page = rows.page(); page; page = rows.page()) {
      for (const { key, value } of page) {
        if (!path.current()) return isBusy;
        if (space === Space.DKEY || this.mayHold(value)) {
          const child = container.heads.at(key);
          if (child && (await this.level(new Path(container.heads, child, path)))) isBusy = true;
        }
        if (work.pacer.spend('scan')) await work.pacer.pause();
      }
    }
    return isBusy;
  }

  /** False when nothing of an akey is as new as the range. */
  private mayHold(value: Uint8Array): boolean {
    const view = viewOf(value);
    const { lo } = this.work.range;
    if (view.getBigUint64(AKEY_MAX_EPOCH_AT) >= lo) return true;
    const log = IncarnationLog.decode(value, AKEY_LOG_AT, KeyRecord.logCount(view), view);
    return log.count === 0 || log.entry(log.count - 1).epoch >= lo;
  }

  private async values(path: Path, { kind }: AkeyHead): Promise<boolean> {
    if (kind === IodType.SINGLE) return discardSingle(this.work, path);
    return kind === IodType.ARRAY && discardArray(this.work, path);
  }
}
