import { seededRandom } from '@daos/gurt';

import type { VosContainer } from '../../src/index.js';
import { BUSY_TUNING, TestPool } from '../fixture.js';
import type { World } from './context.js';
import { Program } from './program.js';
import { FIRST_SEED, share } from './settings.js';

const POOLS = 6;
const PROGRAMS_PER_POOL = 16;
const STEPS = 55;

const pools = Math.ceil(share(POOLS * PROGRAMS_PER_POOL) / PROGRAMS_PER_POOL);

describe('random programs on files of the operating system', () => {
  it(
    `agree with the model in ${pools * PROGRAMS_PER_POOL} programs, across reopening and crashes`,
    async () => {
      for (let i = 0; i < pools; i++) await runPool(FIRST_SEED + i);
    },
    60_000 + pools * 10_000,
  );
});

/** Containers of a pool whose processes end only when nothing is under way. */
class QuietWorld implements World {
  readonly crashes = false;
  readonly isFaulty = false;
  readonly isDataLost = false;
  readonly isIndexDown = false;

  constructor(public container: VosContainer) {}
}

/** Programs interleaved in one pool, each in a container of its own. */
async function runPool(seed: number): Promise<void> {
  const random = seededRandom(seed);
  // every other pool makes checkpoints all the time
  const test = await TestPool.create({}, seed % 2 === 0 ? BUSY_TUNING : undefined);
  const programs: { world: QuietWorld; program: Program }[] = [];
  try {
    for (let i = 0; i < PROGRAMS_PER_POOL; i++) {
      const world = new QuietWorld(await test.newContainer());
      programs.push({ world, program: new Program(seed * PROGRAMS_PER_POOL + i, world) });
    }
    for (let step = 0; step < STEPS; step++) {
      for (const { program } of programs) await named(program, () => program.step(step));
      if (random.below(STEPS / 3) > 0 && step < STEPS - 1) continue;
      for (const { program } of programs) await program.context.settle();
      const isCrash = random.below(2) === 0;
      await (isCrash ? test.crash() : test.reopen());
      for (const { program, world } of programs) {
        program.context.note(isCrash ? 'crash' : 'reopen');
        program.context.history.acknowledgeAll();
        world.container = test.pool.containerOpen(world.container.uuid);
        await named(program, () => program.restarted());
      }
    }
  } finally {
    await test.destroy();
  }
}

async function named(program: Program, run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
  } catch (error) {
    const { flavours, trace } = program.context;
    throw new Error(`program ${program.seed} ${JSON.stringify(flavours)}: ${String(error)}\n${trace.join('\n')}`, { cause: error });
  }
}
