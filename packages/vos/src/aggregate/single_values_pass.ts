import type { Epoch } from '@daos/common';

import { Availability } from '../dtx/view.js';
import type { PunchMark } from '../ilog/punch_mark.js';
import type { AkeyHead } from '../layout/head.js';
import type { ValueRecord } from '../value/value_record.js';
import type { Path } from './path.js';
import { akeyNow, type Work } from './work.js';

/** Versions that are read in one go. */
const PAGE_VERSIONS = 32;

/** What becomes of one version. */
type Verdict = 'keep' | 'remove' | 'busy';

/**
 * Removes the versions of a single value that nobody at or behind the range's end sees: all in the range but the
 * newest committed one. True when some belong to open transactions.
 */
export async function aggregateSingle(work: Work, path: Path): Promise<boolean> {
  let hasNewest = false;
  return eachVersion(work, path, (record, punch) => {
    const { view } = work;
    if (record.owner !== 0) {
      return view.availability(record.owner, false) === Availability.ABORTED ? 'remove' : 'busy';
    }
    if (hasNewest || punch.hides(record.epoch, record.minor)) return 'remove';
    hasNewest = true;
    return 'keep';
  });
}

/** Removes all versions in the range that are not being written. True when some are. */
export async function discardSingle(work: Work, path: Path): Promise<boolean> {
  return eachVersion(work, path, ({ owner }) =>
    owner === 0 || work.view.availability(owner, false) === Availability.SHOWN ? 'remove' : 'busy',
  );
}

async function eachVersion(
  work: Work,
  path: Path,
  decide: (record: ValueRecord, punch: PunchMark) => Verdict,
): Promise<boolean> {
  const { container, pacer, range } = work;
  const { heads, singles } = container.store;
  let below: Epoch = range.hi;
  let isBusy = false;
  for (;;) {
    const now = akeyNow(work, path);
    if (!now) return isBusy;
    const { head, state } = now;
    // a slice never ends within a page, so what was read stays true
    const page = firstVersions(work, head, below);
    for (const record of page) {
      const verdict = decide(record, state.punch);
      if (verdict === 'busy') isBusy = true;
      if (verdict !== 'remove') continue;
      singles.delete(head, record.epoch);
      heads.modified(head);
      pacer.spend('delete');
    }
    const last = page.at(-1);
    if (!last || page.length < PAGE_VERSIONS || last.epoch <= range.lo) return isBusy;
    below = last.epoch - 1n;
    if (pacer.spend('scan')) await pacer.pause();
  }
}

function firstVersions({ container, range }: Work, head: AkeyHead, hi: Epoch): ValueRecord[] {
  const page: ValueRecord[] = [];
  for (const record of container.store.singles.versions(head, range.lo, hi)) {
    page.push(record);
    if (page.length === PAGE_VERSIONS) break;
  }
  return page;
}
