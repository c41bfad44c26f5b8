import type { Random } from '@daos/gurt';

import type { LmdbStore } from '../../src/umem/lmdb_store.js';
import { turn, type FaultyDisk } from './faulty_disk.js';

/** A commit takes up to so many turns of the event loop, before and after it is durable. */
const COMMIT_TURNS_MAX = 4;

/** Thrown in the middle of a recovery. */
export class PowerCut extends Error {}

/**
 * The process and its disk from one start to its end. Commits of LMDB run on this thread and take a random number of
 * turns, so that a seed replays them.
 */
export class Machine {
  isRunning = true;
  /** Synchronous transactions until the power is cut in front of one. */
  transactionsLeft = Infinity;
  readonly life: number;
  private store: LmdbStore | undefined;

  constructor(
    private readonly disk: FaultyDisk,
    private readonly random: Random,
  ) {
    this.life = disk.currentLife;
  }

  /** LMDB whose commits stop with the machine: each is durable as a whole or not at all. */
  guard(store: LmdbStore): LmdbStore {
    this.store = store;
    const batch = async (action: () => void): Promise<boolean> => {
      await this.pass();
      // the machine may have stopped between the last turn and now
      if (this.isRunning) store.transactionSync(action);
      await this.pass();
      if (!this.isRunning) await new Promise(() => undefined);
      return true;
    };
    const transactionSync = (action: () => unknown): unknown => {
      if (this.transactionsLeft-- <= 0) throw new PowerCut('power cut');
      return store.transactionSync(action);
    };
    return new Proxy(store, {
      get: (target, name) => {
        if (name === 'batch') return batch;
        if (name === 'transactionSync') return transactionSync;
        const member: unknown = Reflect.get(target, name);
        return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      },
    });
  }

  async writeData(bytes: Uint8Array, at: number): Promise<void> {
    const file = await this.disk.open('data');
    await file.writeDurably(bytes, bytes.length, at);
  }

  /** The power fails: what is under way never ends. */
  async crash(): Promise<void> {
    this.stop();
    this.disk.crash();
    await this.store?.close();
  }

  stop(): void {
    this.isRunning = false;
  }

  private async pass(): Promise<void> {
    for (let turns = this.random.below(COMMIT_TURNS_MAX + 1); turns > 0 && this.isRunning; turns--) await turn();
  }
}
