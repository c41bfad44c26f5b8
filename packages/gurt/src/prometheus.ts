import type { Registry } from 'prom-client';

import type { MetricSnapshot } from './metric.js';

/** Metrics of one thread and what tells them apart from those of the others. */
export interface MetricSource {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly metrics: readonly MetricSnapshot[];
}

/** Last level of a path that names a part of the engine rather than the metric. */
const PART_LABELS: Readonly<Record<string, string>> = { tgt: 'target', xs: 'xstream', ctx: 'context' };
const STATS = ['min', 'max', 'sum', 'mean', 'stddev', 'sample_size', 'sum_of_squares'] as const;

interface Sample {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly labels: Record<string, string>;
  readonly value: number;
}

/**
 * Prometheus text of metrics, named as daos_server names them: `engine_`, the path's levels joined by `_`, without
 * the pool's UUID and the target, which become labels. Statistics of a gauge get a name of their own each.
 */
export async function prometheusText(sources: readonly MetricSource[]): Promise<string> {
  const prom = await import('prom-client');
  const registry: Registry = new prom.Registry();
  for (const [name, samples] of groupByName(sources)) {
    const first = samples[0];
    if (!first) continue;
    const labelNames = [...new Set(samples.flatMap(({ labels }) => Object.keys(labels)))];
    const config = { name, help: first.help || name, labelNames, registers: [registry] };
    if (first.type === 'counter') {
      const counter = new prom.Counter(config);
      for (const { labels, value } of samples) counter.inc(labels, value);
    } else {
      const gauge = new prom.Gauge(config);
      for (const { labels, value } of samples) gauge.set(labels, value);
    }
  }
  return registry.metrics();
}

function groupByName(sources: readonly MetricSource[]): Map<string, Sample[]> {
  const groups = new Map<string, Sample[]>();
  for (const { labels, metrics } of sources) {
    for (const sample of metrics.flatMap((metric) => samplesOf(metric, labels))) {
      const group = groups.get(sample.name);
      if (group) group.push(sample);
      else groups.set(sample.name, [sample]);
    }
  }
  return groups;
}

function samplesOf(metric: MetricSnapshot, common: MetricSource['labels']): Sample[] {
  const { name, labels } = nameOf(metric.path);
  for (const [key, value] of Object.entries(common)) labels[key] = String(value);
  const { description: help } = metric;
  const type = metric.type === 'counter' ? 'counter' : 'gauge';
  const samples: Sample[] = [{ name, type, help, labels, value: metric.value }];
  const { stats } = metric;
  if (stats) {
    const values = [stats.min, stats.max, stats.sum, stats.mean, stats.stddev, stats.sampleSize, stats.sumOfSquares];
    STATS.forEach((suffix, i) => samples.push({ name: `${name}_${suffix}`, type: 'gauge', help, labels, value: values[i] ?? 0 }));
  }
  metric.buckets?.forEach(({ count }, i) => {
    samples.push({ name: `${name}_bucket_${i}`, type: 'counter', help, labels, value: count });
  });
  return samples;
}

function nameOf(path: string): { name: string; labels: Record<string, string> } {
  const labels: Record<string, string> = {};
  const words: string[] = [];
  let previous = '';
  for (const level of path.split('/')) {
    const part = /^(tgt|xs|ctx)_(\d+)$/.exec(level);
    const label = part?.[1] === undefined ? undefined : PART_LABELS[part[1]];
    if (label !== undefined) labels[label] = part?.[2] ?? '';
    else if (previous === 'pool' && level.length === 36) labels['pool'] = level;
    else words.push(level.replace(/[^A-Za-z0-9_]/g, '_'));
    previous = level;
  }
  return { name: `engine_${words.join('_')}`, labels };
}
