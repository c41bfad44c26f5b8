import { prometheusText, Telemetry } from '../src/index.js';

describe('telemetry', () => {
  it('gives the same metric for the same path and refuses another type', () => {
    const t = new Telemetry();
    t.counter('events/dead_ranks').increment();
    t.counter('events/dead_ranks').increment(2);
    expect(t.snapshot()).toMatchObject([{ path: 'events/dead_ranks', type: 'counter', value: 3 }]);
    expect(() => t.gauge('events/dead_ranks')).toThrow(/is a counter/);
    expect(() => t.gauge('no//path')).toThrow(/cannot name/);
    expect(() => t.gauge('x'.repeat(300))).toThrow(/cannot name/);
  });

  it('keeps statistics and a histogram', () => {
    const t = new Telemetry();
    const gauge = t.statsGauge('io/latency', { unit: 'us' }, { buckets: 3, initialWidth: 10, multiplier: 2 });
    for (const value of [0, 9, 10, 29, 30, 1000]) gauge.set(value);
    const [snapshot] = t.snapshot();
    expect(snapshot?.stats).toMatchObject({ min: 0, max: 1000, sum: 1078, sampleSize: 6 });
    expect(snapshot?.stats?.stddev).toBeCloseTo(402.055, 1);
    expect(snapshot?.buckets).toEqual([
      { below: 10, count: 2 }, { below: 30, count: 2 }, { below: Number.POSITIVE_INFINITY, count: 2 },
    ]);
  });

  it('removes a directory', () => {
    const t = new Telemetry();
    t.counter('pool/a/ops/x');
    t.counter('pool/ab/ops/x');
    t.remove('pool/a');
    expect(t.snapshot().map((m) => m.path)).toEqual(['pool/ab/ops/x']);
  });

  it('speaks Prometheus with names and labels as in DAOS', async () => {
    const t = new Telemetry();
    t.counter('events/dead_ranks', { description: 'Number of dead rank events received' }).increment(4);
    t.gauge('io/ops/update/active/tgt_1', { description: 'number of active object RPCs' }).set(2);
    t.counter('pool/9f1c2f6e-58d1-4ad5-8c6a-3f6d6f1c0a77/ops/pool_connect').increment();
    t.statsGauge('dmabuff/grab_retries/tgt_0').set(7);
    t.timestamp('started_at').record(5000);
    const text = await prometheusText([{ labels: { rank: 3 }, metrics: t.snapshot() }]);
    expect(text).toContain('# HELP engine_events_dead_ranks Number of dead rank events received');
    expect(text).toContain('engine_events_dead_ranks{rank="3"} 4');
    expect(text).toContain('engine_io_ops_update_active{target="1",rank="3"} 2');
    expect(text).toContain('engine_pool_ops_pool_connect{pool="9f1c2f6e-58d1-4ad5-8c6a-3f6d6f1c0a77",rank="3"} 1');
    expect(text).toContain('engine_dmabuff_grab_retries_max{target="0",rank="3"} 7');
    expect(text).toContain('engine_started_at{rank="3"} 5');
  });
});
