import { DaosError, type Epoch } from '@daos/common';

import type { IncarnationLog, LogEntry } from './incarnation_log.js';
import { EntryStatus, type LogViewer } from './log_state.js';
import type { PunchMark } from './punch_mark.js';

/** What to take out of a log. */
export const CollapseMode = {
  /** What no reader at or behind the range's end can tell. */
  AGGREGATE: 0,
  /** Everything in the range that is not being written. */
  DISCARD: 1,
  /** What is not committed in the range. */
  DISCARD_UNCOMMITTED: 2,
} as const;
export type CollapseMode = (typeof CollapseMode)[keyof typeof CollapseMode];

export interface CollapseRange {
  readonly lo: Epoch;
  readonly hi: Epoch;
}

/** What the scan remembers, oldest entry first. */
class Scan {
  /** Index of the entry that survives just below; -1: none. */
  previous = -1;
  /** A surviving punch below the previous entry, which a removed pair uncovers again; -1: none. */
  priorPunch = -1;
}

/**
 * Takes entries out of a log that aggregation or discard over the range makes useless. `punch` is the punch in
 * force above. Returns true when the log is empty afterwards: what it stands for can go. Throws DER_TX_BUSY when
 * aggregation meets an entry of an open transaction; what was taken out before stays out.
 */
export function collapse(log: IncarnationLog, mode: CollapseMode, range: CollapseRange, punch: PunchMark, viewer: LogViewer): boolean {
  if (mode !== CollapseMode.AGGREGATE) return discard(log, mode, range, viewer);
  const scan = new Scan();
  for (let at = 0; at < log.count; ) {
    const entry = log.entry(at);
    if (entry.epoch > range.hi) break;
    at = aggregateEntry(log, at, entry, range.lo, punch, viewer, scan);
  }
  return log.count === 0;
}

function discard(log: IncarnationLog, mode: CollapseMode, { lo, hi }: CollapseRange, viewer: LogViewer): boolean {
  for (let at = log.count - 1; at >= 0; at--) {
    const { epoch, owner } = log.entry(at);
    if (epoch < lo || epoch > hi) continue;
    // what a transaction is writing right now stays with it
    const isBeingWritten = owner !== 0 && viewer.status(owner, epoch) === EntryStatus.UNCOMMITTED;
    if ((mode === CollapseMode.DISCARD || owner !== 0) && !isBeingWritten) log.removeAt(at);
  }
  return log.count === 0;
}

/** Decides about the entry at `at`; returns the index of the next one. */
function aggregateEntry(
  log: IncarnationLog,
  at: number,
  entry: LogEntry,
  lo: Epoch,
  punch: PunchMark,
  viewer: LogViewer,
  scan: Scan,
): number {
  const status = entry.owner === 0 ? EntryStatus.COMMITTED : viewer.status(entry.owner, entry.epoch);
  if (status === EntryStatus.REMOVED) return take(log, at);
  if (status !== EntryStatus.COMMITTED) throw new DaosError('TX_BUSY', `the transaction of epoch ${entry.epoch} is open`);
  const isPunch = isPunchEntry(entry);
  const isPunchedAbove = punch.hides(entry.epoch, Math.max(entry.updateMinor, entry.punchMinor));
  if (entry.epoch < lo) {
    if (isPunchedAbove) return at + 1;
    scan.priorPunch = isPunch ? at : -1;
    scan.previous = at;
    return at + 1;
  }
  if (isPunchedAbove) return take(log, at);
  const previous = scan.previous < 0 ? undefined : log.entry(scan.previous);
  if (!isPunch && entry.punchMinor > 0) return newIncarnation(log, at, previous, lo, scan);
  if (previous ? isPunchEntry(previous) === isPunch : isPunch) return take(log, at);
  if (!isPunch || (previous && previous.epoch < lo)) {
    // data below the range still needs the punch; an update begins an incarnation
    if (isPunch) scan.priorPunch = at;
    scan.previous = at;
    return at + 1;
  }
  // creation and punch in one range: nobody can see what lay between
  log.removeAt(at);
  log.removeAt(scan.previous);
  const next = at - 1;
  scan.previous = scan.priorPunch;
  return next;
}

/** An entry that punches and then creates again: nobody can see a creation in the range that it ends. */
function newIncarnation(log: IncarnationLog, at: number, previous: LogEntry | undefined, lo: Epoch, scan: Scan): number {
  let own = at;
  if (previous && previous.epoch >= lo) {
    log.removeAt(scan.previous);
    own--;
  }
  scan.previous = own;
  scan.priorPunch = -1;
  return own + 1;
}

function take(log: IncarnationLog, at: number): number {
  log.removeAt(at);
  return at;
}

/** An entry that is both shows what came last; one that was updated after its punch keeps the punch's effect. */
function isPunchEntry({ updateMinor, punchMinor }: LogEntry): boolean {
  return punchMinor > updateMinor;
}
