import { seededRandom } from '@daos/gurt';

import { BUSY_TUNING, TestPool } from './fixture.js';
import { Program } from './program.js';

const POOLS = 20;
const PROGRAMS_PER_POOL = 16;
const STEPS = 55;

/** `VOS_PROGRAMS=n` runs more pools of programs, `VOS_SEED=s` begins elsewhere. */
const pools = process.env['VOS_PROGRAMS'] ? Math.ceil(Number(process.env['VOS_PROGRAMS']) / PROGRAMS_PER_POOL) : POOLS;
const firstSeed = Number(process.env['VOS_SEED'] ?? 1);

describe('random programs against the model', () => {
  it(
    `agree in ${pools * PROGRAMS_PER_POOL} programs, across reopening and crashes`,
    async () => {
      for (let i = 0; i < pools; i++) await runPool(firstSeed + i);
    },
    Math.max(30_000, pools * 5_000),
  );
});

/** Programs interleaved in one pool, each in a container of its own. */
async function runPool(seed: number): Promise<void> {
  const random = seededRandom(seed);
  // every other pool makes checkpoints all the time
  const test = await TestPool.create({}, seed % 2 === 0 ? BUSY_TUNING : undefined);
  try {
    const programs: Program[] = [];
    for (let i = 0; i < PROGRAMS_PER_POOL; i++) programs.push(new Program(random, await test.newContainer()));
    for (let step = 0; step < STEPS; step++) {
      for (const program of programs) await program.step();
      if (random.below(STEPS / 3) > 0) continue;
      for (const program of programs) await program.settle();
      const isCrash = random.below(2) === 0;
      const uuids = programs.map(({ container }) => container.uuid);
      await (isCrash ? test.crash() : test.reopen());
      programs.forEach((program, at) => {
        program.note(isCrash ? 'crash' : 'reopen');
        program.container = test.pool.containerOpen(uuids[at] as string);
      });
    }
    for (const program of programs) await program.settle();
  } catch (error) {
    throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
  } finally {
    await test.destroy();
  }
}
