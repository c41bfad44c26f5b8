import { AssertionError } from './assert.js';
import { Counter, Gauge, StatsGauge, Timestamp, type HistogramShape, type Metric, type MetricInfo, type MetricSnapshot } from './metric.js';

const PATH_LENGTH_MAX = 256;
/** Metrics of one registry: 1024 for the engine, 128 per target, as DAOS sizes its region. */
const METRICS_MAX = 1024 + 128 * 128;
const PATH_RE = /^[A-Za-z0-9_.:-]+(\/[A-Za-z0-9_.:-]+)*$/;

/**
 * Metrics by path, `/` between the levels as in DAOS: `pool/<uuid>/ops/pool_connect`, `io/ops/update/active/tgt_0`.
 * Asking for a path again gives the same metric. One registry per thread; snapshots travel.
 */
export class Telemetry {
  private readonly metrics = new Map<string, Metric>();

  counter(path: string, info: MetricInfo = {}): Counter {
    return this.obtain(path, Counter, () => new Counter(path, info));
  }

  gauge(path: string, info: MetricInfo = {}): Gauge {
    return this.obtain(path, Gauge, () => new Gauge(path, info));
  }

  timestamp(path: string, info: MetricInfo = {}): Timestamp {
    return this.obtain(path, Timestamp, () => new Timestamp(path, info));
  }

  statsGauge(path: string, info: MetricInfo = {}, histogram?: HistogramShape): StatsGauge {
    return this.obtain(path, StatsGauge, () => new StatsGauge(path, info, histogram));
  }

  /** Removes a metric, or all below a directory, such as those of a pool that is gone. */
  remove(path: string): void {
    const below = `${path}/`;
    for (const known of this.metrics.keys()) if (known === path || known.startsWith(below)) this.metrics.delete(known);
  }

  /** All metrics in the order of their paths. */
  snapshot(): MetricSnapshot[] {
    return [...this.metrics.values()].map((metric) => metric.snapshot()).sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  private obtain<M extends Metric>(path: string, type: new (...args: never[]) => M, make: () => M): M {
    const known = this.metrics.get(path);
    if (known instanceof type) return known;
    if (known) throw new AssertionError(`metric ${path} is a ${known.type}`);
    if (!PATH_RE.test(path) || path.length > PATH_LENGTH_MAX) throw new AssertionError(`"${path}" cannot name a metric`);
    if (this.metrics.size >= METRICS_MAX) throw new AssertionError(`more than ${METRICS_MAX} metrics`);
    const metric = make();
    this.metrics.set(path, metric);
    return metric;
  }
}

/** The registry of this thread. */
export const telemetry = new Telemetry();
