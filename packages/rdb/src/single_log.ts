import { systemClock, type Clock, type Timer } from '@daos/gurt';
import { DaosError } from '@daos/common';

import { RDB_BATCH_MAX, RDB_COMPACT_THRESHOLD_DEFAULT, RDB_QUEUE_MAX, RDB_RECAMPAIGN_MS } from './limits.js';
import type { RdbLog, RdbLogHost } from './log.js';
import type { RdbReplicaId, RdbStore } from './store.js';

interface Proposal {
  readonly data: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** An entry without operations: the first of a term, after which the state of all terms before it is known. */
const DEBUT = Buffer.alloc(4);

/**
 * A log with one replica, which is a majority by itself. Entries proposed in one turn of the event loop share one
 * transaction (append, apply, position) and one flush.
 */
export class SingleReplicaLog implements RdbLog {
  private host: RdbLogHost | undefined;
  private queue: Proposal[] = [];
  private flushScheduled = false;
  private currentTerm: number;
  private leading = false;
  private stopped = false;
  private recampaign: Timer | undefined;

  constructor(
    private readonly store: RdbStore,
    private readonly clock: Clock = systemClock,
  ) {
    this.currentTerm = store.readTerm().term;
  }

  get term(): number {
    return this.currentTerm;
  }

  get isLeader(): boolean {
    return this.leading && !this.stopped;
  }

  leader(): { readonly replica: RdbReplicaId; readonly term: number } | undefined {
    return this.isLeader ? { replica: this.store.superblock.self, term: this.currentTerm } : undefined;
  }

  replicas(): readonly RdbReplicaId[] {
    return [this.store.superblock.self];
  }

  start(host: RdbLogHost): void {
    this.host = host;
    this.campaign();
  }

  async propose(term: number, data: Uint8Array): Promise<void> {
    this.checkLeader(term);
    if (this.queue.length >= RDB_QUEUE_MAX)
      throw new DaosError('BUSY', `${RDB_QUEUE_MAX} RDB entries wait for their commit`);
    return new Promise((resolve, reject) => {
      this.queue.push({ data, resolve, reject });
      this.scheduleFlush();
    });
  }

  async confirmLeadership(term: number): Promise<void> {
    this.checkLeader(term);
  }

  resign(term: number): void {
    if (!this.isLeader || term !== this.currentTerm) return;
    this.stepDown();
    this.recampaign = this.clock.setTimer(RDB_RECAMPAIGN_MS, () => this.campaign());
  }

  ping(callerTerm: number): void {
    if (callerTerm < this.currentTerm) {
      throw new DaosError(
        'STALE',
        `the caller acts in term ${callerTerm}, the replica is in ${this.currentTerm}`,
      );
    }
    if (callerTerm === this.currentTerm) return;
    const led = this.isLeader;
    if (led) this.stepDown();
    this.adoptTerm(callerTerm);
    if (led) this.recampaign = this.clock.setTimer(RDB_RECAMPAIGN_MS, () => this.campaign());
  }

  stop(): void {
    this.stopped = true;
    this.recampaign?.cancel();
    const pending = this.queue.splice(0);
    for (const { reject } of pending) reject(new DaosError('CANCELED', 'the RDB replica stops'));
  }

  /** A sole replica elects itself: a new durable term, then its debut entry. */
  private campaign(): void {
    if (this.stopped) return;
    this.adoptTerm(this.currentTerm + 1);
    this.leading = true;
    const term = this.currentTerm;
    this.propose(term, DEBUT).then(
      () => this.host?.ledBySelf(term),
      (error: unknown) => {
        if (!this.stopped) this.host?.failed(error instanceof Error ? error : new Error(String(error)));
      },
    );
  }

  private adoptTerm(term: number): void {
    this.store.transaction(() => this.store.writeTerm({ term, vote: this.store.superblock.self }));
    this.currentTerm = term;
  }

  private stepDown(): void {
    this.leading = false;
    const pending = this.queue.splice(0);
    for (const { reject } of pending) reject(this.notLeader());
    this.host?.ledByOther(this.currentTerm);
  }

  private scheduleFlush(): void {
    if (this.flushScheduled) return;
    this.flushScheduled = true;
    setImmediate(() => {
      this.flushScheduled = false;
      this.flush();
      if (this.queue.length > 0) this.scheduleFlush();
    });
  }

  private flush(): void {
    const batch = this.queue.splice(0, RDB_BATCH_MAX);
    if (batch.length === 0 || !this.host) return;
    const host = this.host;
    let results: (Error | undefined)[];
    try {
      results = this.store.transaction(() => this.appendAndApply(host, batch));
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      for (const { reject } of batch) reject(failure);
      if (!(failure instanceof DaosError && failure.der === 'NOSPACE')) host.failed(failure);
      return;
    }
    batch.forEach(({ resolve, reject }, i) => {
      const error = results[i];
      if (error) reject(error);
      else resolve();
    });
  }

  private appendAndApply(host: RdbLogHost, batch: readonly Proposal[]): (Error | undefined)[] {
    const { index } = this.store.readApplied();
    const entries = batch.map(({ data }, i) => ({ index: index + 1 + i, term: this.currentTerm, data }));
    for (const entry of entries) this.store.logPut(entry.index, entry.term, entry.data);
    const results = host.apply(entries);
    this.compact();
    return results;
  }

  /** Cuts the older half of the log when it has grown to the threshold. */
  private compact(): void {
    const applied = this.store.readApplied();
    const kept = applied.index - applied.base;
    if (kept < RDB_COMPACT_THRESHOLD_DEFAULT) return;
    const base = applied.base + Math.floor(kept / 2);
    const baseTerm = this.store.logGet(base)?.term ?? applied.baseTerm;
    this.store.logCut(applied.base + 1, base);
    this.store.writeApplied({ ...applied, base, baseTerm });
  }

  private checkLeader(term: number): void {
    if (this.stopped) throw new DaosError('CANCELED', 'the RDB replica stops');
    if (!this.leading || term !== this.currentTerm) throw this.notLeader();
  }

  private notLeader(): DaosError {
    return new DaosError('NOTLEADER', `this replica of ${this.store.superblock.uuid} does not lead`);
  }
}
