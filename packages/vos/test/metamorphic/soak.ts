import { newCoverage, runCrashProgram } from './crash_program.js';
import { Workshop } from './faulty_shard.js';

/**
 * `node dist/test/metamorphic/soak.js PROGRAMS [SEED [FAULTS]]`: many programs without a test runner around them, which
 * halves what they cost. FAULTS: whether they meet I/O errors, 0 or 1; else every other one does. Prints each failure,
 * shrunk, and goes on; the last line ends with what was come across, as JSON.
 */
const REPORT_MS = 30_000;

async function main(): Promise<void> {
  const [programs = 1000, first = 1, faults] = process.argv.slice(2).map(Number);
  const only = process.env['VOS_PROGRAM']?.split(',').map(Number);
  const coverage = newCoverage();
  const workshop = await Workshop.open();
  const began = Date.now();
  let reported = began;
  let failures = 0;
  try {
    for (let seed = first; seed < first + programs; seed++) {
      await runCrashProgram(workshop, seed, { faults: faults === undefined ? seed % 2 === 0 : faults === 1 }, coverage, only).catch((error: unknown) => {
        failures++;
        process.stdout.write(`${String(error)}\n\n`);
      });
      if (Date.now() < reported + REPORT_MS && seed < first + programs - 1) continue;
      reported = Date.now();
      process.stdout.write(`${Math.round((reported - began) / 1000)} s, seeds ${first} to ${seed}, ${failures} failures: ${JSON.stringify(coverage)}\n`);
    }
  } finally {
    await workshop.close();
  }
  process.exitCode = failures > 0 ? 1 : 0;
}

await main();
