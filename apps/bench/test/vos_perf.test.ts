import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { figureJson } from '../src/report.js';
import { runVosPerf, vosPerfProgram } from '../src/vos_perf.js';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vos-perf-test-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

function options(...args: string[]): Parameters<typeof runVosPerf>[0] {
  return vosPerfProgram()
    .parse(['node', 'vos_perf', '-D', dir, '-P', '64M', '-d', '8', '-a', '2', '-n', '3', ...args])
    .opts();
}

describe('vos_perf', () => {
  it('runs every command on single values and on arrays, and leaves nothing behind', async () => {
    for (const shape of [[], ['-A'], ['-A', 'R'], ['-i', '-s', '5000', '-N', '16M']]) {
      const figures = await runVosPerf(options('-R', 'U;p F;p V;p Q;p I;p P;p P;d F;D=2;n=1', '--no-reference', ...shape));
      expect(figures).toHaveLength(6);
      for (const figure of figures) expect(figure.opsPerSecond).toBeGreaterThan(0);
    }
    expect(await readdir(dir)).toEqual([]);
  });

  it('tells the ratio to plain LMDB as JSON', async () => {
    const [figure] = await runVosPerf(options('-R', 'U;p'));
    const line = JSON.parse(figureJson(figure as NonNullable<typeof figure>)) as Record<string, unknown>;
    expect(Object.keys(line)).toEqual(['name', 'ops_per_s', 'mb_per_s', 'p50_us', 'p99_us', 'reference', 'reference_ops_per_s', 'ratio']);
    expect(line['ratio']).toBeGreaterThan(0);
  });

  it('aggregates, discards and collects garbage, on single values and on arrays', async () => {
    for (const shape of [[], ['-A'], ['-s', '5000', '-N', '16M']]) {
      const figures = await runVosPerf(options('-R', 'U U A;p U A;f;m;p P;d U D;p G;p', '--no-reference', ...shape));
      expect(figures.map(({ name }) => name.split(' ')[1])).toEqual(['aggregate', 'aggregate', 'discard', 'garbage']);
      for (const { name, opsPerSecond } of figures) {
        // Garbage is also collected beside the discard, which may leave none.
        if (name.includes('garbage')) expect(opsPerSecond).toBeGreaterThanOrEqual(0);
        else expect(opsPerSecond).toBeGreaterThan(0);
      }
    }
  });

  it('refuses parameters that a command does not have', async () => {
    await expect(runVosPerf(options('-R', 'U;f'))).rejects.toThrow(/does not take f/);
  });
});
