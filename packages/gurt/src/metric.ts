import { assert } from './assert.js';

/** Facts about a metric that do not change. */
export interface MetricInfo {
  readonly description?: string;
  readonly unit?: string;
}

export type MetricType = 'counter' | 'gauge' | 'stats_gauge' | 'timestamp';

/** A metric's value at one moment. Passes between threads. */
export interface MetricSnapshot {
  readonly path: string;
  readonly type: MetricType;
  readonly description: string;
  readonly unit: string;
  /** Count, present value, or Unix time in seconds. */
  readonly value: number;
  /** Of a stats gauge. */
  readonly stats?: MetricStats;
  /** Of a stats gauge with a histogram: values below each upper bound (the last is open), not cumulated. */
  readonly buckets?: readonly { readonly below: number; readonly count: number }[];
}

export interface MetricStats {
  readonly min: number;
  readonly max: number;
  readonly sum: number;
  readonly mean: number;
  readonly stddev: number;
  readonly sumOfSquares: number;
  readonly sampleSize: number;
}

/** What the four kinds of metrics have in common. */
export abstract class Metric {
  abstract readonly type: MetricType;

  constructor(readonly path: string, readonly info: MetricInfo) {}

  protected abstract value(): number;

  snapshot(): MetricSnapshot {
    const { description = '', unit = '' } = this.info;
    return { path: this.path, type: this.type, description, unit, value: this.value() };
  }
}

/** Only grows. */
export class Counter extends Metric {
  readonly type = 'counter';
  private count = 0;

  increment(by = 1): void {
    this.count += by;
  }

  protected value(): number {
    return this.count;
  }
}

/** Goes up and down. */
export class Gauge extends Metric {
  readonly type = 'gauge';
  private current = 0;

  set(value: number): void {
    this.current = value;
  }

  add(by: number): void {
    this.current += by;
  }

  protected value(): number {
    return this.current;
  }
}

/** A moment in wall-clock time. */
export class Timestamp extends Metric {
  readonly type = 'timestamp';
  private seconds = 0;

  record(nowMs = Date.now()): void {
    this.seconds = Math.floor(nowMs / 1000);
  }

  protected value(): number {
    return this.seconds;
  }
}

export interface HistogramShape {
  readonly buckets: number;
  readonly initialWidth: number;
  readonly multiplier: number;
}

/** A gauge that keeps statistics of all values it was set to, and counts them in buckets if asked to. */
export class StatsGauge extends Metric {
  readonly type = 'stats_gauge';
  private current = 0;
  private min = 0;
  private max = 0;
  private sum = 0;
  private sumOfSquares = 0;
  private samples = 0;
  private readonly bounds: number[] = [];
  private readonly counts: number[] = [];

  /** Buckets: [0, width), then each `multiplier` times wider than the one before, the last open-ended. */
  constructor(path: string, info: MetricInfo, histogram?: HistogramShape) {
    super(path, info);
    if (!histogram) return;
    const { buckets, initialWidth, multiplier } = histogram;
    assert(buckets > 1 && initialWidth > 0 && multiplier > 0, `${path}: a histogram needs buckets of some width`);
    let bound = 0;
    let width = initialWidth;
    for (let i = 0; i < buckets; i++, width *= multiplier) {
      bound += width;
      this.bounds.push(i === buckets - 1 ? Number.POSITIVE_INFINITY : bound);
      this.counts.push(0);
    }
  }

  set(value: number): void {
    this.current = value;
    this.min = this.samples === 0 ? value : Math.min(this.min, value);
    this.max = this.samples === 0 ? value : Math.max(this.max, value);
    this.samples++;
    this.sum += value;
    this.sumOfSquares += value * value;
    for (let i = 0; i < this.bounds.length; i++) {
      if (value < (this.bounds[i] as number)) {
        this.counts[i] = (this.counts[i] as number) + 1;
        break;
      }
    }
  }

  stats(): MetricStats {
    const { min, max, sum, sumOfSquares, samples } = this;
    const mean = samples === 0 ? 0 : sum / samples;
    const variance = samples < 2 ? 0 : Math.max(0, (sumOfSquares - samples * mean * mean) / (samples - 1));
    return { min, max, sum, mean, stddev: Math.sqrt(variance), sumOfSquares, sampleSize: samples };
  }

  override snapshot(): MetricSnapshot {
    const buckets = this.bounds.map((below, i) => ({ below, count: this.counts[i] as number }));
    return { ...super.snapshot(), stats: this.stats(), ...(buckets.length > 0 && { buckets }) };
  }

  protected value(): number {
    return this.current;
  }
}
