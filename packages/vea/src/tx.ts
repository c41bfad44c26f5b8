import { DaosError } from '@daos/common';

import type { Chunk } from './chunk.js';
import type { PublishedHint } from './hint.js';
import type { Reservation } from './reservation.js';

/** What the allocator does when a transaction ends. */
export interface TxOwner {
  sealed(): void;
  settle(tx: VeaTx): void;
  undo(tx: VeaTx): void;
}

/**
 * The changes of one transaction. Begin one per index transaction, pass it to `publish` and `free`, `seal` it when all
 * its rows are written, then say how it ended: `commit` once it is durable, `abort` once its rows are rolled back.
 * Of transactions that overlap, the one begun last is aborted first.
 */
export class VeaTx {
  /** @internal */
  readonly published: Reservation[] = [];
  /** @internal Pairs of offset and blocks. */
  readonly freed: number[] = [];
  /** @internal Chunks that the store did not know before. */
  readonly chunks: Chunk[] = [];
  /** @internal What the hints said before, in order. */
  readonly hints: PublishedHint[] = [];
  private state: 'open' | 'sealed' | 'ended' = 'open';

  /** @internal */
  constructor(private readonly owner: TxOwner) {}

  /** No more changes follow; the outcome is not known yet. Until then nothing else may write rows. */
  seal(): void {
    if (this.state !== 'open') return;
    this.state = 'sealed';
    this.owner.sealed();
  }

  /** Freed blocks begin to rest. */
  commit(): void {
    this.end();
    this.owner.settle(this);
  }

  /** Published blocks are reserved again (cancel or publish them anew), freed ones allocated again. */
  abort(): void {
    this.end();
    this.owner.undo(this);
  }

  /** @internal DER_INVAL when it takes no more changes. */
  checkOpen(): void {
    if (this.state !== 'open') throw new DaosError('INVAL', `the allocator transaction is ${this.state}`);
  }

  private end(): void {
    this.seal();
    if (this.state === 'ended') throw new DaosError('INVAL', 'the allocator transaction has already ended');
    this.state = 'ended';
  }
}
