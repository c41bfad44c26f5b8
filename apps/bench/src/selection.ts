import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { LocalSystem } from '@daos/local-app';

import { runDaosPerf } from './daos_perf.js';
import { figureTable, type Figure } from './report.js';
import { runVosPerf, vosPerfProgram } from './vos_perf.js';

/**
 * DAOS 2.9 itself, C engine, on a machine of this class with data in memory, nothing durable, checksums off, through
 * daos_perf at 16 in flight: thousands of operations per second (1 MiB: MB/s).
 */
const DAOS_FIGURES: readonly [pattern: RegExp, figure: string][] = [
  [/vos_perf update 64 B/, '99-177 k/s'],
  [/vos_perf fetch 64 B/, '760-890 k/s'],
  [/update 64 B single/, '30-50 k/s'],
  [/fetch 64 B single/, '63-83 k/s'],
  [/update 4096 B single/, '27-33 k/s'],
  [/fetch 4096 B single/, '46-64 k/s'],
  [/update 1048576 B array/, '2.0-2.2 GB/s'],
  [/fetch 1048576 B array/, '2.1-2.6 GB/s'],
];

const COMMON = { pool: 'tank', objects: 1, class: 'LARGE', type: 'daos', run: 'U;p F;p', reference: true } as const;
const WORKLOADS = [
  { ...COMMON, dkeys: 256, akeys: 16, values: 8, size: 64, credits: 32 },
  { ...COMMON, dkeys: 256, akeys: 16, values: 4, size: 4096, credits: 32 },
  { ...COMMON, dkeys: 256, akeys: 4, values: 1, size: 4096, credits: 1 },
  { ...COMMON, dkeys: 64, akeys: 1, values: 16, size: 1 << 20, credits: 16, array: true },
] as const;

/** The one-minute selection: daos_perf against a system of its own, printed beside DAOS's figures. */
const work = await mkdtemp(join(tmpdir(), 'daos-bench-'));
const system = new LocalSystem({ dir: join(work, 'system') });
try {
  await system.start();
  const figures = await runVosPerf(vosPerfProgram().parse(['node', 'vos_perf', '-D', work, '-s', '64']).opts());
  for (const workload of WORKLOADS) figures.push(...(await runDaosPerf({ ...workload, agentDir: system.agentDir })));
  const daosFigure = (figure: Figure) => DAOS_FIGURES.find(([pattern]) => pattern.test(figure.name))?.[1] ?? '';
  process.stdout.write(`${figureTable(figures, { title: 'DAOS 2.9 (not durable)', of: daosFigure })}\n`);
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await system.stop();
  await rm(work, { recursive: true, force: true });
}
