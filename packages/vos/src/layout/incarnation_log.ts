import { DaosError, type Epoch } from '@daos/common';

import { viewOf } from './bytes.js';

/** Minor epoch of every write outside of a transaction. */
export const MINOR_MAX = 16_383;
const ENTRY_BYTES = 16;

/**
 * The newest punch in force at some level: hides everything at or below it. Reused, so that checks allocate
 * nothing.
 */
export class PunchMark {
  epoch: Epoch = 0n;
  minor = 0;

  reset(): this {
    this.epoch = 0n;
    this.minor = 0;
    return this;
  }

  hides(epoch: Epoch, minor: number): boolean {
    return epoch < this.epoch || (epoch === this.epoch && minor <= this.minor);
  }
}

/**
 * Answers whether an object, dkey or akey exists at an epoch: creations and punches, one entry per epoch,
 * oldest first. An entry has the minor epoch of its update and of its punch (0: none); it is a punch when the
 * punch came last. Stored as: epoch u64 | update minor u16 | punch minor u16 | owning transaction u32 (0:
 * committed).
 */
export class IncarnationLog {
  private readonly epochs: Epoch[] = [];
  /** Update minor in the upper, punch minor in the lower 16 bits. */
  private readonly minors: number[] = [];

  static decode(bytes: Uint8Array, at: number, count: number): IncarnationLog {
    const log = new IncarnationLog();
    const view = viewOf(bytes);
    for (let i = 0; i < count; i++) {
      log.epochs.push(view.getBigUint64(at + i * ENTRY_BYTES));
      log.minors.push(view.getUint32(at + i * ENTRY_BYTES + 8));
    }
    return log;
  }

  static bytesFor(count: number): number {
    return count * ENTRY_BYTES;
  }

  get count(): number {
    return this.epochs.length;
  }

  encode(view: DataView, at: number): void {
    for (let i = 0; i < this.epochs.length; i++) {
      view.setBigUint64(at + i * ENTRY_BYTES, this.epochs[i] as Epoch);
      view.setUint32(at + i * ENTRY_BYTES + 8, this.minors[i] as number);
      view.setUint32(at + i * ENTRY_BYTES + 12, 0);
    }
  }

  /**
   * Epoch at which the incarnation that is visible at `hi` began; 0 when nothing exists then. `punch` comes
   * in as the parent's punch and leaves as the one in force here.
   */
  visibleAt(hi: Epoch, punch: PunchMark): Epoch {
    const { epochs, minors } = this;
    // nearly all logs: one creation, nothing punched above
    if (epochs.length === 1 && punch.epoch === 0n && ((minors[0] as number) & 0xffff) === 0) {
      const only = epochs[0] as Epoch;
      return only <= hi ? only : 0n;
    }
    let created = 0n;
    for (let i = epochs.length - 1; i >= 0; i--) {
      const epoch = epochs[i] as Epoch;
      if (epoch > hi) continue;
      const updated = (minors[i] as number) >>> 16;
      const punched = (minors[i] as number) & 0xffff;
      if (punch.hides(epoch, Math.max(updated, punched))) break;
      if (punched > 0) {
        punch.epoch = epoch;
        punch.minor = punched;
        return updated > punched ? epoch : created;
      }
      created = epoch;
    }
    return created;
  }

  /**
   * Throws DER_NO_PERM when an entry of the other kind holds this epoch with a minor epoch that is not
   * smaller.
   */
  checkUpdate(epoch: Epoch, minor: number): void {
    this.check(epoch, minor, true);
  }

  checkPunch(epoch: Epoch, minor: number): void {
    this.check(epoch, minor, false);
  }

  /** Logs a creation. Call only when nothing is visible at `epoch`. */
  update(epoch: Epoch, minor: number): void {
    this.log(epoch, minor << 16);
  }

  punch(epoch: Epoch, minor: number): void {
    this.log(epoch, minor);
  }

  /** False when `checkPunch` would refuse. */
  mayPunch(epoch: Epoch, minor: number): boolean {
    return this.allows(epoch, minor, false);
  }

  private check(epoch: Epoch, minor: number, isUpdate: boolean): void {
    if (this.allows(epoch, minor, isUpdate)) return;
    const what = isUpdate ? 'an update' : 'a punch';
    throw new DaosError('NO_PERM', `${what} at epoch ${epoch}, at which there is the opposite already`);
  }

  private allows(epoch: Epoch, minor: number, isUpdate: boolean): boolean {
    const last = this.epochs.length - 1;
    if (last < 0 || (this.epochs[last] as Epoch) < epoch) return true;
    const at = this.epochs.indexOf(epoch);
    if (at < 0) return true;
    const updated = (this.minors[at] as number) >>> 16;
    const punched = (this.minors[at] as number) & 0xffff;
    return isUpdate === updated > punched || minor > Math.max(updated, punched);
  }

  private log(epoch: Epoch, minors: number): void {
    let at = this.epochs.length;
    while (at > 0 && (this.epochs[at - 1] as Epoch) > epoch) at--;
    if (at > 0 && this.epochs[at - 1] === epoch) {
      this.minors[at - 1] = ((this.minors[at - 1] as number) | minors) >>> 0;
      return;
    }
    this.epochs.splice(at, 0, epoch);
    this.minors.splice(at, 0, minors >>> 0);
  }
}
