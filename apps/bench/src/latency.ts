/** Latencies of a run, kept whole up to a bound and sampled evenly beyond it (reservoir of the newest per slot). */
const SAMPLES_MAX = 1 << 20;

export class LatencyRecorder {
  private readonly samples = new Float64Array(SAMPLES_MAX);
  private count = 0;

  /** Adds one latency in microseconds. */
  add(us: number): void {
    this.samples[this.count % SAMPLES_MAX] = us;
    this.count++;
  }

  /** Percentile 0-100 in microseconds; 0 when nothing was recorded. */
  percentile(percent: number): number {
    const length = Math.min(this.count, SAMPLES_MAX);
    if (length === 0) return 0;
    const sorted = this.samples.slice(0, length).sort();
    return sorted[Math.min(length - 1, Math.floor((percent / 100) * length))] ?? 0;
  }
}

export interface Measured {
  readonly operations: number;
  readonly seconds: number;
  readonly latency: LatencyRecorder;
}

/**
 * Runs `operation(i)` for i = 0 .. count-1 with at most `inFlight` at a time and measures it. Stops early after
 * `secondsMax` when given; the count in the result says how many ran.
 */
export async function measure(count: number, inFlight: number, operation: (i: number) => Promise<unknown>, secondsMax = Infinity): Promise<Measured> {
  const latency = new LatencyRecorder();
  const started = performance.now();
  const deadline = started + secondsMax * 1000;
  let next = 0;
  let done = 0;
  const worker = async () => {
    while (next < count) {
      const begun = performance.now();
      if (begun > deadline) return;
      await operation(next++);
      latency.add((performance.now() - begun) * 1000);
      done++;
    }
  };
  await Promise.all(Array.from({ length: Math.min(inFlight, count) }, worker));
  return { operations: done, seconds: (performance.now() - started) / 1000, latency };
}
