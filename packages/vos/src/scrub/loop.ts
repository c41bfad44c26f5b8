import { isDaosError } from '@daos/common';
import { getLogger } from '@daos/gurt';

import type { Scrubber, ScrubberOptions } from './scrubber.js';

/** Set in the engine's environment: its targets are not scrubbed. */
export const SCRUB_DISABLED_VARIABLE = 'DAOS_CSUM_SCRUB_DISABLED';

const CHECK_INTERVAL_MS = 1000;
const RETRY_INTERVAL_MS = 60_000;

const log = getLogger('csum');

/**
 * Runs a scrubber until its pool stops: looks every second whether a pass is due, and rests for a minute after a pass
 * that failed. Resolves when the source is stopping or the scrubber has shut itself down.
 */
export async function scrubLoop(scrubber: Scrubber, { source, sleep }: Pick<ScrubberOptions, 'source' | 'sleep'>): Promise<void> {
  while (!source.isStopping()) {
    let restMs = CHECK_INTERVAL_MS;
    try {
      await scrubber.run();
    } catch (error) {
      if (isDaosError(error, 'SHUTDOWN')) return;
      log.error('a pass of the scrubber failed', { error: String(error) });
      restMs = RETRY_INTERVAL_MS;
    }
    for (; restMs > 0 && !source.isStopping(); restMs -= CHECK_INTERVAL_MS) await sleep(CHECK_INTERVAL_MS);
  }
}
