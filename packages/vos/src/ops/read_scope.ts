import { DaosError, isDaosError, type Epoch } from '@daos/common';

import type { Container } from '../container_state.js';
import type { DtxHandle } from '../dtx/handle.js';
import { Intent, type DtxView } from '../dtx/view.js';
import type { LogState } from '../ilog/log_state.js';
import type { Head } from '../layout/head.js';
import type { TimestampSet } from '../ts/timestamp_set.js';
import { TsLevel } from '../ts/ts_level.js';
import { checkSound } from './sound.js';

/** How one read stands to transactions: what it sees, and what it leaves for writers to find out. */
export class ReadScope {
  view: DtxView;
  epoch: Epoch = 0n;
  bound: Epoch = 0n;
  private set: TimestampSet | undefined;

  constructor(private readonly container: Container) {
    this.view = container.dtx.view(Intent.READ);
  }

  get isTracked(): boolean {
    return this.set !== undefined;
  }

  begin(epoch: Epoch, handle: DtxHandle | undefined): void {
    const { dtx, no } = this.container;
    this.epoch = epoch;
    this.bound = epoch;
    this.view = dtx.view(handle?.isMigration ? Intent.MIGRATION : Intent.READ, handle);
    this.set = undefined;
    if (!handle) return;
    if (epoch !== handle.epoch) throw new DaosError('INVAL', `epoch ${epoch} in a transaction of epoch ${handle.epoch}`);
    this.bound = handle.bound;
    if (!handle.id) return;
    this.set = this.container.timestampSet(handle.id);
    this.set.add(TsLevel.CONTAINER, no, no);
  }

  /** An entity on the path, below the one touched last; undefined: it does not exist. */
  touch(level: TsLevel, head: Head | undefined, hash: number): void {
    this.set?.add(level, head?.no, hash);
  }

  /** Entities of this level are read as a whole. */
  reads(level: TsLevel): void {
    this.set?.markRead(level);
  }

  /** DER_TX_RESTART when a write that may be older than the read is not seen by it. */
  checkCertain(): void {
    if (this.set?.checkUncertainty(this.epoch, this.bound)) throw this.uncertain();
  }

  /** Reads a level's log into `state`, which was reset to its parent. True when it exists. DER_DATA_LOSS. */
  sees(head: Head | undefined, state: LogState): boolean {
    if (!head) return false;
    checkSound(head);
    head.log.parse(this.epoch, this.bound, this.view, state);
    if (state.create !== 0n) return true;
    if (state.uncertainCreate !== 0n) throw this.uncertain();
    return false;
  }

  succeed(): void {
    const { set } = this;
    if (!set) return;
    set.updateReads(this.epoch);
    set.end();
    this.set = undefined;
  }

  /** What the caller has to be told. */
  fail(error: unknown): unknown {
    const { set } = this;
    if (!set) return error;
    let answer = error;
    if (isDaosError(error, 'NONEXIST', 'INPROGRESS') && set.checkUncertainty(this.epoch, this.bound)) answer = this.uncertain();
    else if (isDaosError(error, 'NONEXIST')) set.updateReads(this.epoch);
    set.end();
    this.set = undefined;
    return answer;
  }

  private uncertain(): DaosError {
    return new DaosError('TX_RESTART', `a write up to epoch ${this.bound} may be older than ${this.epoch}`);
  }
}
