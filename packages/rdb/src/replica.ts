import { existsSync } from 'node:fs';

import { getLogger, type Clock } from '@daos/gurt';
import { DaosError, type Uuid } from '@daos/common';

import { entryDecode } from './entry.js';
import { KvsTree, KvsTreeView } from './kvs_tree.js';
import { RDB_SPACE_RESERVED, rdbCapacityFromEnv } from './limits.js';
import type { CommittedEntry, RdbLog, RdbLogHost } from './log.js';
import { SingleReplicaLog } from './single_log.js';
import { RdbStore, type RdbReplicaId } from './store.js';
import { RdbTx } from './transaction.js';

export interface RdbParams {
  /** File of the replica. */
  readonly path: string;
  readonly uuid: Uuid;
  readonly clock?: Clock | undefined;
}

export interface RdbCreateParams extends RdbParams {
  readonly self: RdbReplicaId;
  /** Default DAOS_MD_CAP, else 1 GiB. */
  readonly capacityBytes?: number | undefined;
}

/** What the service on top is told. */
export interface RdbCallbacks {
  /**
   * This replica leads in `term` and sees all that was committed before. A rejection makes it resign, without
   * `stepDown`; with DER_SHUTDOWN it also stops.
   */
  stepUp(term: number): Promise<void>;
  stepDown(term: number): Promise<void>;
  /** The replica cannot go on and asks to be stopped. Not called from inside another callback. */
  stop(error: Error): void;
}

export interface RdbInfo {
  readonly uuid: Uuid;
  readonly self: RdbReplicaId;
  readonly term: number;
  readonly lastIndex: number;
  readonly base: number;
  readonly capacityBytes: number;
  readonly usedBytes: number;
}

const log = getLogger('rdb');

/** One replica of a replicated database. */
export class RdbReplica {
  private readonly log: RdbLog;
  private callbacks: RdbCallbacks | undefined;
  /** Term in which step-up has begun and step-down has not. */
  private upTerm: number | undefined;
  /** True between a successful `stepUp` and the `stepDown` that follows it. */
  private up = false;
  private transition: Promise<void> = Promise.resolve();
  private stopped = false;
  /** Committed state; read anew after every application. */
  private committed: KvsTreeView | undefined;

  private constructor(
    private readonly store: RdbStore,
    clock: Clock | undefined,
  ) {
    this.log = new SingleReplicaLog(store, clock);
  }

  /** Makes the file of a new replica. DER_EXIST when it is there. */
  static create(params: RdbCreateParams): RdbReplica {
    const capacity = params.capacityBytes ?? rdbCapacityFromEnv();
    return new RdbReplica(
      RdbStore.create(params.path, params.uuid, params.self, [params.self], capacity),
      params.clock,
    );
  }

  /** DER_NONEXIST, DER_DF_INVAL, DER_DF_INCOMPT, DER_ID_MISMATCH: see `RdbStore.open`. */
  static async open(params: RdbParams): Promise<RdbReplica> {
    return new RdbReplica(await RdbStore.open(params.path, params.uuid), params.clock);
  }

  static exists(path: string): boolean {
    return existsSync(path);
  }

  /** Removes the file of a closed replica; none is success. */
  static destroy(path: string): Promise<void> {
    return RdbStore.destroy(path);
  }

  get isLeader(): boolean {
    return this.log.isLeader;
  }

  get term(): number {
    return this.log.term;
  }

  leader(): { readonly replica: RdbReplicaId; readonly term: number } | undefined {
    return this.log.leader();
  }

  ranks(): number[] {
    return this.log.replicas().map(({ rank }) => rank);
  }

  info(): RdbInfo {
    const { uuid, self, capacityBytes } = this.store.superblock;
    const applied = this.store.readApplied();
    const { usedBytes } = applied.head;
    return {
      uuid,
      self,
      term: this.log.term,
      lastIndex: applied.index,
      base: applied.base,
      capacityBytes,
      usedBytes,
    };
  }

  /** Takes part in the log; the callbacks follow. */
  start(callbacks: RdbCallbacks): void {
    this.callbacks = callbacks;
    this.log.start(this.logHost);
  }

  /**
   * Begins a transaction in `term`, default the present one. DER_NOTLEADER when this replica does not lead in it,
   * DER_CANCELED when it stops.
   */
  async begin(term = this.log.term): Promise<RdbTx> {
    await this.log.confirmLeadership(term);
    return new RdbTx(this.txHost, term);
  }

  /** Gives up leadership of `term`; nothing when it is not led any more. */
  resign(term: number): void {
    this.log.resign(term);
  }

  /** DER_STALE when the caller's term is older than this replica's. */
  ping(callerTerm: number): void {
    this.log.ping(callerTerm);
  }

  /** Steps down, fails what is pending and closes the file. */
  async stop(): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    this.log.stop();
    this.leave(this.log.term);
    await this.transition;
    await this.store.close();
  }

  private readonly txHost = {
    checkTerm: (term: number): void => {
      if (this.stopped) throw new DaosError('CANCELED', `RDB ${this.store.superblock.uuid} stops`);
      if (!this.log.isLeader || this.log.term !== term) {
        throw new DaosError(
          'NOTLEADER',
          `this replica of ${this.store.superblock.uuid} does not lead in term ${term}`,
        );
      }
    },
    view: (): KvsTreeView =>
      (this.committed ??= new KvsTreeView(this.store.table, this.store.readApplied().head)),
    commit: async (term: number, entry: Uint8Array, critical: boolean): Promise<void> => {
      this.checkSpace(entry.length, critical);
      await this.log.propose(term, entry);
    },
  };

  private readonly logHost: RdbLogHost = {
    apply: (entries) => this.apply(entries),
    ledBySelf: (term) => this.enter(term),
    ledByOther: (term) => this.leave(term),
    failed: (error) => {
      log.error(`RDB ${this.store.superblock.uuid} cannot go on: ${error.message}`);
      setImmediate(() => this.callbacks?.stop(error));
    },
  };

  private apply(entries: readonly CommittedEntry[]): (Error | undefined)[] {
    const applied = this.store.readApplied();
    const tree = new KvsTree(this.store.table, applied.head);
    const results = entries.map((entry) => tree.apply(entryDecode(entry.data)));
    const last = entries.at(-1);
    this.store.writeApplied({
      ...applied,
      index: last?.index ?? applied.index,
      term: last?.term ?? applied.term,
      head: tree.current,
    });
    // Not replaced here: the storage transaction around this may still fail.
    this.committed = undefined;
    return results;
  }

  private checkSpace(entryBytes: number, critical: boolean): void {
    if (critical) return;
    const { capacityBytes, usedBytes } = this.info();
    if (capacityBytes - usedBytes - entryBytes >= RDB_SPACE_RESERVED) return;
    throw new DaosError(
      'NOSPACE',
      `RDB ${this.store.superblock.uuid} is full: ${usedBytes} of ${capacityBytes} bytes used`,
    );
  }

  /** Step-up and step-down run one after another, in the order in which they were decided. */
  private enter(term: number): void {
    this.upTerm = term;
    this.transition = this.transition.then(async () => {
      if (this.upTerm !== term) return;
      try {
        await this.callbacks?.stepUp(term);
        this.up = true;
      } catch (error) {
        if (this.upTerm === term) this.upTerm = undefined;
        const shutdown = error instanceof DaosError && error.der === 'SHUTDOWN';
        log.error(`RDB ${this.store.superblock.uuid} cannot step up in term ${term}: ${String(error)}`);
        if (shutdown) setImmediate(() => this.callbacks?.stop(error));
        else this.log.resign(term);
      }
    });
  }

  private leave(term: number): void {
    if (this.upTerm === undefined) return;
    this.upTerm = undefined;
    this.transition = this.transition.then(async () => {
      if (!this.up) return;
      this.up = false;
      try {
        await this.callbacks?.stepDown(term);
      } catch (error) {
        log.error(`RDB ${this.store.superblock.uuid}: step-down in term ${term} failed: ${String(error)}`);
      }
    });
  }
}
