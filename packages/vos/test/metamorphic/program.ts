import { seededRandom } from '@daos/gurt';

import { Context, EPOCH_NEWEST, type World } from './context.js';
import { Reads, expected, observe } from './reads.js';
import { Transactions } from './transactions.js';
import { Writes } from './writes.js';

/** Epochs that are looked at after a restart. */
const EPOCHS_MAX = 5;

/** Seed of one step of a program: steps keep theirs when others are left out. */
export function stepSeed(seed: number, step: number): number {
  return (Math.imul(seed + 1, 0x9e37_79b1) ^ Math.imul(step + 1, 0x85eb_ca6b)) >>> 0;
}

/** A random program against one container, and the model beside it. */
export class Program {
  readonly context: Context;
  private readonly writes: Writes;
  private readonly reads: Reads;
  private readonly transactions: Transactions;

  constructor(
    readonly seed: number,
    world: World,
  ) {
    this.context = new Context(seed, world);
    this.writes = new Writes(this.context);
    this.reads = new Reads(this.context);
    this.transactions = new Transactions(this.context, this.writes, this.reads);
  }

  /** One random step. Throws a `Mismatch` when VOS and the model disagree. */
  async step(number: number): Promise<void> {
    const { context, writes, reads, transactions } = this;
    context.random = seededRandom(stepSeed(this.seed, number));
    context.checkUnexpected();
    const roll = context.random.below(100);
    if (roll < 28) await writes.update(context.writeEpoch());
    else if (roll < 37) await writes.punch(context.writeEpoch());
    else if (roll < 43) await writes.remove();
    else if (roll < 50) await transactions.one();
    else if (roll < 55) await transactions.several();
    else if (roll < 58) await transactions.local();
    else if (roll < 66) await transactions.decide();
    else if (roll < 84) await reads.fetch();
    else if (roll < 94) await reads.list();
    else await reads.query();
  }

  /** After a restart: the shard must be as after some number of changes that has all acknowledged ones. */
  async restarted(): Promise<number> {
    const { context } = this;
    context.ended();
    const { history } = context;
    const recent = history.unacknowledged.map(({ epoch }) => epoch).reverse();
    const epochs = [...new Set([EPOCH_NEWEST, ...recent, ...recent.filter((epoch) => epoch > 0n).map((epoch) => epoch - 1n), BigInt(context.newest >> 1)])].slice(0, EPOCHS_MAX);
    const kept = history.restarted(await observe(context, epochs), (model) => expected(context, epochs, model));
    context.open = context.transactions.filter(({ tx }) => history.model.stateOf(tx) === 'prepared');
    return kept;
  }
}
