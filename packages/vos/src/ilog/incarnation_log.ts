import { DaosError, type Epoch } from '@daos/common';

import { viewOf } from '../layout/bytes.js';
import { EntryStatus, type LogState, type LogViewer } from './log_state.js';




const ENTRY_BYTES = 16;
/** In the stored number of entries: what the log stands for is corrupt. */
const CORRUPTED = 0x8000_0000;
const COUNT_MASK = 0x7fff_ffff;
const VERSION_MASK = 0xff_ffff;

/** What logging an update or a punch would do. */
export const LogAction = {
  /** The log says so already. */
  NONE: 0,
  /** An entry of the same epoch gets the other kind as well. */
  CHANGE: 1,
  INSERT: 2,
} as const;
export type LogAction = (typeof LogAction)[keyof typeof LogAction];

/** An update or punch that is to be logged. */
export interface LogWrite {
  readonly epoch: Epoch;
  readonly minor: number;
  readonly isPunch: boolean;
  /** Local number of the transaction; 0: none, or one that is committed at once. */
  readonly owner: number;
  /** Entries below are of earlier incarnations and do not count. */
  readonly lo?: Epoch;
}

export interface LogEntry {
  readonly epoch: Epoch;
  readonly owner: number;
  readonly updateMinor: number;
  readonly punchMinor: number;
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
  private readonly owners: number[] = [];
  /** Entries of transactions that are not committed. */
  private ownedCount = 0;
  /** Counts changes, modulo 2^24. */
  version = 0;
  isCorrupted = false;

  static decode(bytes: Uint8Array, at: number, countField: number, view = viewOf(bytes)): IncarnationLog {
    const log = new IncarnationLog();
    const count = countField & COUNT_MASK;
    log.isCorrupted = countField >= CORRUPTED;
    for (let i = 0; i < count; i++) {
      const entry = at + i * ENTRY_BYTES;
      const owner = view.getUint32(entry + 12);
      log.epochs.push(view.getBigUint64(entry));
      log.minors.push(view.getUint32(entry + 8));
      log.owners.push(owner);
      if (owner !== 0) log.ownedCount++;
    }
    return log;
  }

  /** Bytes of a stored log, from its stored number of entries. */
  static bytesFor(countField: number): number {
    return (countField & COUNT_MASK) * ENTRY_BYTES;
  }

  get count(): number {
    return this.epochs.length;
  }

  /** The number of entries as it is stored. */
  get countField(): number {
    return this.isCorrupted ? (this.epochs.length | CORRUPTED) >>> 0 : this.epochs.length;
  }

  get encodedBytes(): number {
    return this.epochs.length * ENTRY_BYTES;
  }

  /** True when all entries count for everybody. */
  get isCommitted(): boolean {
    return this.ownedCount === 0;
  }

  encode(view: DataView, at: number): void {
    for (let i = 0; i < this.epochs.length; i++) {
      view.setBigUint64(at + i * ENTRY_BYTES, this.epochs[i] as Epoch);
      view.setUint32(at + i * ENTRY_BYTES + 8, this.minors[i] as number);
      view.setUint32(at + i * ENTRY_BYTES + 12, this.owners[i] as number);
    }
  }

  entry(i: number): LogEntry {
    const minors = this.minors[i] as number;
    return {
      epoch: this.epochs[i] as Epoch,
      owner: this.owners[i] as number,
      updateMinor: minors >>> 16,
      punchMinor: minors & 0xffff,
    };
  }

  entries(): LogEntry[] {
    return this.epochs.map((_, i) => this.entry(i));
  }

  /** True when there is an entry of this epoch and owner. */
  hasEntry(epoch: Epoch, owner: number): boolean {
    const at = this.find(epoch);
    return at >= 0 && this.owners[at] === owner;
  }

  /**
   * Reads the log at `hi`, newest entry first, into `out`, which has been reset to the parent. `bound` (at least
   * `hi`) is how far the reader's clock may be behind. Throws DER_TX_RESTART when a punch lies between the two,
   * DER_INPROGRESS when the viewer must wait.
   */
  parse(hi: Epoch, bound: Epoch, viewer: LogViewer, out: LogState): void {
    const { epochs, minors, owners } = this;
    const parentPunchEpoch = out.punch.epoch;
    const parentPunchMinor = out.punch.minor;
    out.wasCreatedAfterPunch = false;
    // nearly all logs: one creation, nothing punched above
    if (epochs.length === 1 && owners[0] === 0 && ((minors[0] as number) & 0xffff) === 0 && parentPunchEpoch === 0n) {
      const only = epochs[0] as Epoch;
      if (only <= hi) {
        out.create = only;
        out.isEmpty = false;
        return;
      }
    }
    for (let i = epochs.length - 1; i >= 0; i--) {
      const epoch = epochs[i] as Epoch;
      const owner = owners[i] as number;
      const status = owner === 0 ? EntryStatus.COMMITTED : viewer.status(owner, epoch);
      if (status === EntryStatus.REMOVED) continue;
      out.isEmpty = false;
      const updated = (minors[i] as number) >>> 16;
      const punched = (minors[i] as number) & 0xffff;
      const newest = updated > punched ? updated : punched;
      if (epoch < parentPunchEpoch || (epoch === parentPunchEpoch && newest <= parentPunchMinor)) break;
      if (epoch > hi) {
        behindRange(epoch, punched > 0, bound, status, out);
        continue;
      }
      if (status === EntryStatus.IN_PROGRESS) viewer.raise(owner);
      if (punched > 0 && (epoch > out.anyPunch.epoch || (epoch === out.anyPunch.epoch && punched > out.anyPunch.minor))) {
        out.anyPunch.set(epoch, punched);
      }
      if (status === EntryStatus.UNCOMMITTED) {
        if (epoch > out.uncommitted && epoch > out.create) out.uncommitted = epoch;
        continue;
      }
      if (epoch > out.uncommitted) out.uncommitted = 0n;
      if (punched > 0) {
        out.punch.set(epoch, punched);
        if (updated > punched) {
          out.create = epoch;
          out.wasCreatedAfterPunch = true;
        }
        break;
      }
      out.create = epoch;
    }
  }

  /**
   * What `write` would do. Throws DER_NO_PERM when an entry of the other kind holds this epoch with a minor epoch
   * that is not smaller, DER_TX_RESTART when another open transaction or one of the other kind has it.
   */
  decide({ epoch, minor, isPunch, owner, lo = 0n }: LogWrite): LogAction {
    const { epochs } = this;
    let at = epochs.length - 1;
    while (at >= 0 && (epochs[at] as Epoch) > epoch) at--;
    if (at < 0 || (epochs[at] as Epoch) < lo) return LogAction.INSERT;
    const updated = (this.minors[at] as number) >>> 16;
    const punched = (this.minors[at] as number) & 0xffff;
    const theirs = this.owners[at] as number;
    if (epochs[at] !== epoch) {
      return !isPunch && theirs === 0 && updated > punched ? LogAction.NONE : LogAction.INSERT;
    }
    const isSameKind = isPunch ? punched >= updated : updated > punched;
    const isOurs = owner === 0 || theirs === owner;
    if (!isOurs) {
      if (theirs === 0 && isSameKind) return LogAction.NONE;
      throw new DaosError('TX_RESTART', `epoch ${epoch} is taken by another transaction`);
    }
    if (isSameKind) return LogAction.NONE;
    if (minor <= updated || minor <= punched) {
      const what = isPunch ? 'a punch' : 'an update';
      throw new DaosError('NO_PERM', `${what} at epoch ${epoch}, at which there is the opposite already`);
    }
    return LogAction.CHANGE;
  }

  /** Logs an update or a punch. What `decide` throws. */
  write(write: LogWrite): LogAction {
    const action = this.decide(write);
    if (action === LogAction.NONE) return action;
    const { epoch, minor, isPunch, owner } = write;
    const bits = isPunch ? minor : minor << 16;
    let at = this.epochs.length;
    while (at > 0 && (this.epochs[at - 1] as Epoch) > epoch) at--;
    if (action === LogAction.CHANGE) {
      const kept = (this.minors[at - 1] as number) & (isPunch ? 0xffff_0000 : 0xffff);
      this.minors[at - 1] = (kept | bits) >>> 0;
    } else {
      this.epochs.splice(at, 0, epoch);
      this.minors.splice(at, 0, bits >>> 0);
      this.owners.splice(at, 0, owner);
      if (owner !== 0) this.ownedCount++;
    }
    this.changed();
    return action;
  }

  /** True when `decide` would not refuse. */
  mayWrite(write: LogWrite): boolean {
    try {
      this.decide(write);
      return true;
    } catch {
      return false;
    }
  }

  /** An entry of a transaction counts from now on. DER_NONEXIST when there is none. */
  persist(epoch: Epoch, owner: number): void {
    const at = this.entryOf(epoch, owner);
    this.owners[at] = 0;
    this.ownedCount--;
    this.changed();
  }

  /** Removes an entry of a transaction. DER_NONEXIST when there is none. */
  abort(epoch: Epoch, owner: number): void {
    this.removeAt(this.entryOf(epoch, owner));
  }

  /** @internal For collapsing: takes one entry out. */
  removeAt(at: number): void {
    if (this.owners[at] !== 0) this.ownedCount--;
    this.epochs.splice(at, 1);
    this.minors.splice(at, 1);
    this.owners.splice(at, 1);
    this.changed();
  }

  /** Marks what the log stands for as corrupt; true when it was not before. */
  markCorrupted(): boolean {
    if (this.isCorrupted) return false;
    this.isCorrupted = true;
    this.changed();
    return true;
  }

  private entryOf(epoch: Epoch, owner: number): number {
    const at = this.find(epoch);
    if (at < 0 || this.owners[at] !== owner || owner === 0) {
      throw new DaosError('NONEXIST', `no entry of transaction ${owner} at epoch ${epoch}`);
    }
    return at;
  }

  private find(epoch: Epoch): number {
    return this.epochs.lastIndexOf(epoch);
  }

  private changed(): void {
    this.version = (this.version + 1) & VERSION_MASK;
  }
}

/** An entry newer than what is read: it matters when the reader cannot be sure that it is newer. */
function behindRange(epoch: Epoch, isPunch: boolean, bound: Epoch, status: EntryStatus, out: LogState): void {
  if (isPunch) {
    if (epoch <= bound) throw new DaosError('TX_RESTART', `a punch at epoch ${epoch} may be older than this operation`);
    if (status === EntryStatus.COMMITTED) out.nextPunch = epoch;
  } else if (epoch <= bound) out.uncertainCreate = epoch;
}
