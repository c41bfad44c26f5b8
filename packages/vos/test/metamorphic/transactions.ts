import { DaosError, type Epoch } from '@daos/common';

import { DtxHandle } from '../../src/index.js';
import { turn } from '../umem/faulty_disk.js';
import type { Context, OpenTransaction } from './context.js';
import { Mismatch, type Change } from './history.js';
import type { Reads } from './reads.js';
import { shuffled } from './values.js';
import type { InTransaction, Writes } from './writes.js';

const OPEN_MAX = 4;

/** Transactions of one or several modifications, and what becomes of them. */
export class Transactions {
  constructor(
    private readonly context: Context,
    private readonly writes: Writes,
    private readonly reads: Reads,
  ) {}

  /** One modification, prepared with it; sometimes of this target alone, and then committed with it. */
  async one(): Promise<void> {
    const { context } = this;
    const { random } = context;
    const isSolo = random.below(4) === 0;
    await this.run(context.newTransactionEpoch(), 1, isSolo);
  }

  /** Several modifications, each of keys of its own; one that is refused takes the others back. */
  async several(): Promise<void> {
    const { context } = this;
    await this.run(context.newTransactionEpoch(), 2 + context.random.below(2), context.random.below(5) === 0);
  }

  /** Several modifications that nobody else can decide on. */
  async local(): Promise<void> {
    const { context } = this;
    const { random, container } = context;
    const epoch = context.newEpoch();
    const handle = container.dtxLocalBegin(epoch);
    const tx = context.takeTx(epoch);
    context.note(`local transaction ${tx} @${epoch}`);
    const isMade = await this.modify({ tx, handle, end: 'none' }, 1 + random.below(3));
    if (context.wantsCrash) return;
    const isCommitted = isMade && random.below(3) > 0;
    const settled = container.dtxLocalEnd(handle, isCommitted);
    await this.end(`${isCommitted ? 'end' : 'take back'} local transaction ${tx}`, [tx], epoch, isCommitted, settled);
  }

  /** Commits or aborts some that are open. */
  async decide(): Promise<void> {
    const { context } = this;
    const { random, container } = context;
    if (context.open.length === 0) return;
    const isCommitted = random.below(3) > 0;
    const chosen = shuffled(random, context.open).slice(0, isCommitted ? 1 + random.below(2) : 1);
    const [first] = chosen as [OpenTransaction];
    const done = isCommitted
      ? container.dtxCommit(chosen.map(({ id }) => id)).then((count) => {
          if (count === chosen.length) return;
          // An index that went down on the way commits no more: the commit counts as refused.
          if (context.world.isIndexDown) throw new DaosError('NVME_IO', 'the index is down');
          throw new Mismatch(`commit: ${count} of ${chosen.length} were committed`);
        })
      : container.dtxAbort(first.id, first.epoch);
    const numbers = chosen.map(({ tx }) => tx);
    const isDone = await this.end(`${isCommitted ? 'commit' : 'abort'} ${numbers.join()}`, numbers, first.epoch, isCommitted, done);
    if (isDone) context.open = context.open.filter((other) => !chosen.includes(other));
  }

  private async run(epoch: Epoch, count: number, isSolo: boolean): Promise<void> {
    const { context } = this;
    if (context.open.length >= OPEN_MAX) return;
    const id = context.newId(epoch);
    const handle = new DtxHandle({ id, epoch, modificationCount: count, isSolo });
    const tx = context.takeTx(epoch);
    const entry = { tx, id, epoch };
    context.transactions.push(entry);
    context.note(`transaction ${tx} @${epoch} of ${count}${isSolo ? ', alone' : ''}`);
    const isMade = await this.modify({ tx, handle, end: isSolo ? 'commit' : 'prepare' }, count);
    if (isMade && !isSolo && !context.wantsCrash) context.open.push(entry);
  }

  /** False: one was refused, and nothing is left. */
  private async modify(within: InTransaction, count: number): Promise<boolean> {
    const { context } = this;
    context.isTransactionUnderWay = true;
    const isMade = await this.modifyAll(within, count);
    context.isTransactionUnderWay = false;
    return isMade;
  }

  private async modifyAll(within: InTransaction, count: number): Promise<boolean> {
    const { context, writes } = this;
    const { random } = context;
    const keys = count === 1 ? [] : shuffled(random, context.dkeys);
    for (let i = 0; i < count; i++) {
      const isLast = i === count - 1;
      const dkey = keys[i];
      const step: InTransaction = { ...within, end: isLast ? within.end : 'none', isPicky: count > 1, ...(dkey ? { dkey } : {}) };
      const isMade = await (random.below(4) > 0 ? writes.update(within.handle.epoch, step) : writes.punch(within.handle.epoch, step));
      if (!isMade) {
        if (i > 0) this.takenBack(within);
        return false;
      }
      if (isLast || context.wantsCrash) break;
      await this.pause(within);
    }
    return true;
  }

  /** Between two modifications of a transaction. */
  private async pause(within: InTransaction): Promise<void> {
    const { context } = this;
    const { random } = context;
    for (let turns = random.below(3); turns > 0; turns--) await turn();
    if (within.handle.isReal && random.below(3) === 0) await this.reads.fetch(within);
    if (random.below(4) === 0) await this.reads.fetch();
    if (context.world.crashes && random.below(12) === 0) context.wantsCrash = true;
  }

  private takenBack({ tx, handle }: InTransaction): void {
    const { context } = this;
    context.note(`  transaction ${tx} is taken back`);
    context.history.accepted(this.decision(`taken back ${tx}`, [tx], handle.epoch, false), () => new Set());
  }

  private async end(text: string, txs: readonly number[], epoch: Epoch, isCommitted: boolean, done: Promise<unknown>): Promise<boolean> {
    const { context } = this;
    context.note(text);
    return context.issue(done, this.decision(text, txs, epoch, isCommitted), () => new Set());
  }

  private decision(text: string, txs: readonly number[], epoch: Epoch, isCommitted: boolean): Change {
    return {
      text,
      tx: 0,
      epoch,
      apply: (model) => {
        for (const tx of txs) model.decide(tx, isCommitted);
      },
    };
  }
}
