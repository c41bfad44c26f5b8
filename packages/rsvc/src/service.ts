import { assert, getLogger } from '@daos/gurt';
import { DaosError, type Uuid } from '@daos/common';
import type { RdbReplica } from '@daos/rdb';

import { NotLeaderError, type LeaderHint } from './not_leader.js';

/** DOWN -> STEPPING_UP -> UP or UP_EMPTY (the database holds no metadata yet) -> STEPPING_DOWN -> DOWN. */
export type RsvcState = 'down' | 'stepping up' | 'up' | 'up empty' | 'stepping down';

/** What a class of services does when its leader comes and goes. */
export interface RsvcLeader {
  /** Reads the metadata. `empty`: there is none yet, only a bootstrap is served. */
  stepUp(term: number): Promise<'up' | 'empty'>;
  /** Refuses new work and ends what runs in the background. */
  drain(): Promise<void>;
  stepDown(term: number): Promise<void>;
}

const log = getLogger('rsvc');

/** One replica of one service on this rank. */
export class RsvcService<L extends RsvcLeader = RsvcLeader> {
  private current: RsvcState = 'down';
  private references = 0;
  private released: (() => void) | undefined;
  private stopping = false;

  constructor(
    readonly id: Uuid,
    readonly name: string,
    readonly rdb: RdbReplica,
    readonly leader: L,
    private readonly onFailure: (error: Error) => void,
  ) {}

  get state(): RsvcState {
    return this.current;
  }

  /** The leader that this replica knows of. */
  hint(): LeaderHint | undefined {
    const known = this.rdb.leader();
    return known && { rank: known.replica.rank, term: known.term };
  }

  /** Takes part; resolves when the first step-up has ended or failed. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      this.rdb.start({
        stepUp: (term) => this.stepUp(term).finally(resolve),
        stepDown: (term) => this.stepDown(term),
        stop: (error) => {
          resolve();
          this.onFailure(error);
        },
      });
    });
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.rdb.stop();
  }

  /**
   * Runs one operation on the leader; step-down waits for it. DER_NOTLEADER with a hint unless the service is up
   * (`up empty` where only a bootstrap will do).
   */
  async serve<T>(
    work: (leader: L, term: number) => T | Promise<T>,
    state: 'up' | 'up empty' = 'up',
  ): Promise<T> {
    if (this.current !== state || this.stopping) throw new NotLeaderError(this.name, this.hint());
    this.references++;
    try {
      return await work(this.leader, this.rdb.term);
    } finally {
      this.references--;
      if (this.references === 0) this.released?.();
    }
  }

  /** From `up empty`, after the bootstrap is committed. An error goes back to `up empty` and resigns. */
  async stepUpAfterBootstrap(term: number): Promise<void> {
    assert(this.current === 'up empty', 'a bootstrap ends in an empty service');
    this.current = 'stepping up';
    try {
      const result = await this.leader.stepUp(term);
      assert(result === 'up', 'a bootstrapped service has metadata');
      this.current = 'up';
    } catch (error) {
      this.current = 'up empty';
      this.rdb.resign(term);
      throw error;
    }
  }

  private async stepUp(term: number): Promise<void> {
    this.current = 'stepping up';
    try {
      this.current = (await this.leader.stepUp(term)) === 'up' ? 'up' : 'up empty';
      log.info(`${this.name}: ${this.current} in term ${term}`);
    } catch (error) {
      this.current = 'down';
      if (error instanceof DaosError && error.der === 'DF_INCOMPT') {
        throw new DaosError('SHUTDOWN', `${this.name}: metadata of an unknown version`, { cause: error });
      }
      throw error;
    }
  }

  private async stepDown(term: number): Promise<void> {
    const wasUp = this.current === 'up';
    this.current = 'stepping down';
    if (wasUp) await this.leader.drain();
    if (this.references > 0) await new Promise<void>((resolve) => (this.released = resolve));
    this.released = undefined;
    if (wasUp) await this.leader.stepDown(term);
    this.current = 'down';
    log.info(`${this.name}: down after term ${term}`);
  }
}
