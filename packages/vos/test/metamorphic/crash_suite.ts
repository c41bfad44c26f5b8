import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import type { Coverage } from './crash_program.js';
import { FIRST_SEED, ONLY_STEPS, PROGRAMS, share } from './settings.js';

const SOAK = fileURLToPath(new URL('./soak.js', import.meta.url));
/** Test files that share the programs, so that the workers do. */
const PARTS = 2;
/** A run with fewer programs need not come across everything. */
const PROGRAMS_TELLING = 200;
const PROGRAM_MS = 1_000;

/** A part of the suite: half of its programs also meet I/O errors. */
export function describeCrashes(part: number): void {
  const programs = share(PROGRAMS / PARTS / 2);
  const first = ONLY_STEPS ? FIRST_SEED : FIRST_SEED + (part - 1) * programs;
  const timeoutMs = 60_000 + programs * PROGRAM_MS;

  describe(`random programs on a shard whose power fails at any step, part ${part}`, () => {
    it(`lose no acknowledged operation and leave none half there in ${programs} programs`, async () => {
      const coverage = await runAll(first, programs, false);
      if (programs < PROGRAMS_TELLING) return;
      const { crashes, reopenings, interruptedRecoveries, checkpoints, changesKept, changesLost, cutOperations } = coverage;
      const met = { crashes, reopenings, interruptedRecoveries, checkpoints, changesKept, changesLost, cutOperations };
      for (const [name, count] of Object.entries(met)) expect(`${name} ${count > programs / 10}`).toBe(`${name} true`);
    }, timeoutMs);

    it(`keep what was acknowledged when log and data meet I/O errors in ${programs} programs`, async () => {
      const { faults, indexesDown } = await runAll(first, programs, true);
      if (programs < PROGRAMS_TELLING) return;
      expect(faults).toBeGreaterThan(programs / 2);
      expect(indexesDown).toBeGreaterThan(programs / 10);
    }, timeoutMs);
  });
}

/** The programs in a process of their own: in the test runner each would cost twice as much. */
async function runAll(first: number, programs: number, faults: boolean): Promise<Coverage> {
  const child = spawn(process.execPath, [SOAK, String(programs), String(first), faults ? '1' : '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [status] = (await once(child, 'close')) as [number | null];
  if (status !== 0) throw new Error(`${faults ? 'with' : 'without'} I/O errors:\n${output}`);
  const last = output.trimEnd().split('\n').at(-1) ?? '';
  return JSON.parse(last.slice(last.indexOf('{'))) as Coverage;
}
