import { newCoverage, runCrashProgram } from './crash_program.js';

/** `UMEM_PROGRAMS=n` runs more, `UMEM_SEED=s` begins with another seed: a failure names the one to give. */
const PROGRAMS = Number(process.env['UMEM_PROGRAMS'] ?? 300);
const SEED = Number(process.env['UMEM_SEED'] ?? 1);
const TIMEOUT_MS = 30_000 + PROGRAMS * 100;

describe('a crash of the operating system at any step', () => {
  it('loses no acknowledged batch and leaves none half there', async () => {
    const coverage = newCoverage();
    for (let seed = SEED; seed < SEED + PROGRAMS; seed++) await runCrashProgram(seed, coverage);
    if (process.env['UMEM_PROGRAMS']) process.stdout.write(`${JSON.stringify(coverage)}\n`);
    if (PROGRAMS < 100) return;
    for (const [name, count] of Object.entries(coverage)) expect(`${name} ${count > PROGRAMS / 100}`).toBe(`${name} true`);
  }, TIMEOUT_MS);

  it('without durability leaves the state of some earlier moment', async () => {
    const coverage = newCoverage();
    for (let seed = SEED; seed < SEED + PROGRAMS / 5; seed++) await runCrashProgram(seed, coverage, 'none');
    if (PROGRAMS >= 100) expect(coverage.unacknowledgedLost).toBeGreaterThan(PROGRAMS / 10);
  }, TIMEOUT_MS);
});
