import type { Uuid } from '@daos/common';
import { telemetry } from '@daos/gurt';
import { SCRUB_METRICS, type ScrubStatistics } from '@daos/vos';

/** Copying the statistics more often would be for nobody. */
const PUBLISH_MS = 1000;

/** The statistics of a pool's scrubber among the metrics of this target. */
export class ScrubTelemetry {
  private readonly root: string;
  private publishedMs = -Infinity;

  constructor(
    pool: Uuid,
    private readonly statistics: ScrubStatistics,
  ) {
    this.root = `pool/${pool}/scrubber`;
  }

  /** At most once per second. */
  publish(): void {
    const now = performance.now();
    if (now - this.publishedMs < PUBLISH_MS) return;
    this.publishedMs = now;
    for (const { path, type, unit, description, value } of SCRUB_METRICS) {
      const name = `${this.root}/${path}`;
      // those that begin anew with each pass are no counters here: a counter only grows
      if (type === 'timestamp') telemetry.timestamp(name, { unit, description }).record(value(this.statistics) * 1000);
      else telemetry.gauge(name, { unit, description }).set(value(this.statistics));
    }
  }

  remove(): void {
    telemetry.remove(this.root);
  }
}
