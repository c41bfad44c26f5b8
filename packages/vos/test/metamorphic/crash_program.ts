import { seededRandom, type Random } from '@daos/gurt';

import type { VosContainer } from '../../src/index.js';
import { turn } from '../umem/faulty_disk.js';
import type { World } from './context.js';
import { FaultyShard, type Workshop } from './faulty_shard.js';
import { Program, stepSeed } from './program.js';
import { shrink, type Failure } from './shrink.js';

/** Fewer than a program's 30 operations prove little; more are better spent on another seed. */
export const STEPS = 40;
const CONTAINER = '5f3a2c1e-8f5b-4a55-9d7c-2f1de4a8b001';
const PROGRAM_MS_MAX = 20_000;

/** What many programs together came across: a run that met none of these would prove little. */
export interface Coverage {
  programs: number;
  steps: number;
  crashes: number;
  reopenings: number;
  interruptedRecoveries: number;
  checkpoints: number;
  changesKept: number;
  changesLost: number;
  cutOperations: number;
  faults: number;
  indexesDown: number;
}

export function newCoverage(): Coverage {
  return {
    programs: 0, steps: 0, crashes: 0, reopenings: 0, interruptedRecoveries: 0, checkpoints: 0,
    changesKept: 0, changesLost: 0, cutOperations: 0, faults: 0, indexesDown: 0,
  };
}

/** `faults`: I/O errors come, too. */
export interface CrashOptions {
  readonly faults: boolean;
}

/** Random numbers that begin anew with every step, so that a step does the same without the steps before it. */
class SteppedRandom implements Random {
  private random: Random;

  constructor(private readonly seed: number) {
    this.random = seededRandom(seed ^ 0x5bd1_e995);
  }

  at(step: number): void {
    this.random = seededRandom(stepSeed(this.seed, step) ^ 0x5bd1_e995);
  }

  next(): number {
    return this.random.next();
  }

  below(bound: number): number {
    return this.random.below(bound);
  }

  bytes(length: number): Buffer {
    return this.random.bytes(length);
  }
}

/** A program whose machine crashes, is restarted and meets I/O errors at random steps. */
class CrashProgram implements World {
  readonly crashes = true;
  container: VosContainer;
  private readonly program: Program;

  constructor(
    seed: number,
    private readonly shard: FaultyShard,
    private readonly random: SteppedRandom,
    private readonly options: CrashOptions,
    private readonly coverage: Coverage,
  ) {
    this.container = shard.pool.containerOpen(CONTAINER);
    this.program = new Program(seed, this);
  }

  get isFaulty(): boolean {
    return this.shard.isFaulty;
  }

  get isDataLost(): boolean {
    return this.shard.isDataLost;
  }

  get isIndexDown(): boolean {
    return this.shard.isIndexDown;
  }

  async run(steps: readonly number[]): Promise<void> {
    const { random, program, coverage } = this;
    for (const step of steps) {
      random.at(step);
      await this.disturb();
      await program.step(step);
      coverage.steps++;
      if (program.context.wantsCrash) {
        coverage.cutOperations++;
        await this.crash();
      }
    }
    if (random.below(3) === 0) await this.reopen();
    else await this.crash();
  }

  get trace(): string {
    const { flavours, trace } = this.program.context;
    return `program (${JSON.stringify(flavours)}):\n${trace.join('\n')}`;
  }

  private async disturb(): Promise<void> {
    const { random, shard, options } = this;
    for (let turns = random.below(6) - 2; turns > 0; turns--) await turn();
    const roll = random.below(shard.isFaulty ? 30 : 100);
    if (roll < 4) await this.crash();
    else if (roll < 6) await this.reopen();
    else if (options.faults && !shard.isFaulty && roll < 12) {
      this.program.context.note(`fault: ${shard.arm()}`);
      this.coverage.faults++;
    }
  }

  private async crash(): Promise<void> {
    const { random, shard, coverage, program } = this;
    const { context } = program;
    context.note('crash');
    context.ended();
    if (shard.isIndexDown) coverage.indexesDown++;
    await shard.crash();
    const interruptions = random.below(6) === 0 ? 1 + random.below(2) : 0;
    await shard.open(interruptions);
    coverage.crashes++;
    coverage.interruptedRecoveries += interruptions;
    await this.restarted();
  }

  private async reopen(): Promise<void> {
    const { shard, coverage, program } = this;
    const { context } = program;
    context.note('reopen');
    await context.settle();
    this.container.close();
    await shard.close();
    if (!shard.isIndexDown) context.history.acknowledgeAll();
    else coverage.indexesDown++;
    await shard.open();
    coverage.reopenings++;
    await this.restarted();
  }

  private async restarted(): Promise<void> {
    const { coverage, program } = this;
    this.container = this.shard.pool.containerOpen(CONTAINER);
    const before = program.context.history.unacknowledged.length;
    const kept = await program.restarted();
    coverage.changesKept += kept;
    coverage.changesLost += before - kept;
    coverage.checkpoints += this.shard.checkpoints;
    this.shard.checkpoints = 0;
  }
}

/** Runs one program; what it fails with says all that it did. */
async function runSteps(workshop: Workshop, seed: number, steps: readonly number[], options: CrashOptions, coverage: Coverage): Promise<void> {
  const random = new SteppedRandom(seed);
  const shard = await FaultyShard.create(workshop, random);
  let program: CrashProgram | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    await shard.pool.containerCreate(CONTAINER);
    const running = (program = new CrashProgram(seed, shard, random, options, coverage));
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('hangs: a step does not end')), PROGRAM_MS_MAX);
    });
    await Promise.race([running.run(steps), late]);
    await shard.pool.close();
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${program?.trace ?? ''}`, { cause: error });
  } finally {
    clearTimeout(timer);
    await shard.destroy();
  }
}

/** Runs the program of a seed, and shrinks it when it fails. `only`: these steps of it. */
export async function runCrashProgram(
  workshop: Workshop,
  seed: number,
  options: CrashOptions,
  coverage: Coverage,
  only: readonly number[] = Array.from({ length: STEPS }, (_, i) => i),
): Promise<void> {
  const run = async (steps: readonly number[]): Promise<Error | undefined> => {
    try {
      await runSteps(workshop, seed, steps, options, coverage);
      return undefined;
    } catch (error) {
      return error as Error;
    }
  };
  coverage.programs++;
  const error = await run(only);
  if (!error) return;
  const failure: Failure = { steps: only, error };
  const least = await shrink(failure, run);
  throw new Error(`VOS_SEED=${seed} VOS_PROGRAM=${least.steps.join()}\n${least.error.message}`, { cause: least.error.cause });
}
