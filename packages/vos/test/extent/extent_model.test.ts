import { seededRandom } from '@daos/gurt';

import { ExtentProgram } from './extent_program.js';

const PROGRAMS = 150;
const STEPS = 25;

/** `VOS_PROGRAMS=n` runs more programs, `VOS_SEED=s` begins elsewhere. */
const programs = Number(process.env['VOS_PROGRAMS'] ?? PROGRAMS);
const firstSeed = Number(process.env['VOS_SEED'] ?? 1);

function run(seed: number, isSpilled: boolean): void {
  const program = new ExtentProgram(seededRandom(seed), isSpilled);
  try {
    for (let step = 0; step < STEPS; step++) program.step();
    program.end();
  } catch (error) {
    throw new Error(`seed ${seed}: ${String(error)}\n${program.story.join('\n')}`, { cause: error });
  }
}

describe('random programs on one array, against a model that looks at every index', () => {
  it('agree in the head of the akey, and when it spills', () => {
    for (let i = 0; i < programs; i++) run(firstSeed + i, false);
  });

  it('agree in the LIVE and HISTORY spaces from the first record on', () => {
    for (let i = 0; i < programs; i++) run(firstSeed + i, true);
  });
});
