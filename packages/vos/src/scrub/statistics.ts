/** A metric as it appears below `scrubber/` of a pool's target. */
export interface ScrubMetric {
  readonly path: string;
  readonly type: 'counter' | 'gauge' | 'timestamp';
  readonly unit: string;
  readonly description: string;
  readonly value: (statistics: ScrubStatistics) => number;
}

/** One number over three spans: this pass, the last complete one, since the scrubber started. */
export class ScrubCount {
  current = 0;
  prev = 0;
  total = 0;

  add(by: number): void {
    this.current += by;
    this.total += by;
  }

  beginPass(): void {
    this.current = 0;
  }

  completePass(): void {
    this.prev = this.current;
  }
}

/** What a scrubber has done. Only the scrubber writes it. */
export class ScrubStatistics {
  scrubsCompleted = 0;
  /** Start of the current or last pass, Unix time in ms; 0 before the first. */
  startedWallMs = 0;
  nextCsumMs = 0;
  nextTreeSeconds = 0;
  busySeconds = 0;
  prevDurationMs = 0;
  readonly csums = new ScrubCount();
  readonly bytes = new ScrubCount();
  /** `total` includes values that were found corrupted by an earlier run of the engine. */
  readonly corruption = new ScrubCount();

  beginPass(wallMs: number): void {
    this.startedWallMs = wallMs;
    for (const count of [this.csums, this.bytes, this.corruption]) count.beginPass();
    // until one pass has seen everything, each attempt counts anew what earlier ones have marked
    if (this.scrubsCompleted === 0) this.corruption.total = 0;
  }

  /** The pass has seen everything: only such a pass says how many checksums there are. */
  completePass(durationMs: number): void {
    this.scrubsCompleted++;
    this.prevDurationMs = durationMs;
    for (const count of [this.csums, this.bytes, this.corruption]) count.completePass();
  }
}

const metric = (
  path: string, type: ScrubMetric['type'], unit: string, description: string, value: ScrubMetric['value'],
): ScrubMetric => ({ path, type, unit, description, value });

/** The statistics under DAOS's names, for whoever publishes them. */
export const SCRUB_METRICS: readonly ScrubMetric[] = [
  metric('scrubs_completed', 'counter', '', 'Passes over all values that ended', (s) => s.scrubsCompleted),
  metric('scrubber_started', 'timestamp', 's', 'Start of the current or last pass', (s) => Math.trunc(s.startedWallMs / 1000)),
  metric('next_csum_scrub', 'gauge', 'ms', 'Time until the next checksum is computed', (s) => s.nextCsumMs),
  metric('next_tree_scrub', 'gauge', 's', 'Time until the next pass may start', (s) => s.nextTreeSeconds),
  metric('busy_time', 'gauge', 's', 'How long client I/O has held up the scrubber', (s) => s.busySeconds),
  metric('prev_duration', 'gauge', 'us', 'How long the last pass took', (s) => Math.round(s.prevDurationMs * 1000)),
  metric('csums/current', 'counter', '', 'Checksums computed in this pass', (s) => s.csums.current),
  metric('csums/prev', 'counter', '', 'Checksums computed in the last pass', (s) => s.csums.prev),
  metric('csums/total', 'counter', '', 'Checksums computed since the scrubber started', (s) => s.csums.total),
  metric('bytes_scrubbed/current', 'counter', 'bytes', 'Bytes verified in this pass', (s) => s.bytes.current),
  metric('bytes_scrubbed/prev', 'counter', 'bytes', 'Bytes verified in the last pass', (s) => s.bytes.prev),
  metric('bytes_scrubbed/total', 'counter', 'bytes', 'Bytes verified since the scrubber started', (s) => s.bytes.total),
  metric('corruption/current', 'counter', '', 'Corrupted values found in this pass', (s) => s.corruption.current),
  metric('corruption/total', 'counter', '', 'Corrupted values known on this target', (s) => s.corruption.total),
];
