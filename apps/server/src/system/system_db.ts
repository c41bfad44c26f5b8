import { DaosError } from '@daos/common';
import { PoolNotFoundError, Sentinel } from '@daos/control';
import { isUuid } from '@daos/common';

import type { Member } from './member.js';
import type { PoolRecord } from './pool_record.js';
import type { SystemLog } from './system_log.js';
import { SystemOp, SystemState, type SystemChange } from './system_state.js';

const ENTRIES_PER_SNAPSHOT = 32;

/**
 * The system database: every change is durable in the log before it is visible in the state. Changes are made one after
 * another; reads are synchronous and see all changes that were acknowledged.
 */
export class SystemDb {
  private tail: Promise<unknown> = Promise.resolve();
  private failed: Error | undefined;

  private constructor(
    private readonly log: SystemLog,
    readonly state: SystemState,
    private index: number,
    private snapshotIndex: number,
  ) {}

  /** Rebuilds the state from the log. */
  static open(log: SystemLog): SystemDb {
    const { snapshotIndex, snapshot, entries } = log.load();
    const state = snapshot ? SystemState.restore(snapshot) : new SystemState();
    for (const entry of entries) state.apply(entry.change);
    return new SystemDb(log, state, snapshotIndex + entries.length, snapshotIndex);
  }

  /**
   * Runs `decide` when all earlier changes are applied, and commits the change it returns (none when undefined).
   * `decide` may look at the state and throw: then nothing changes.
   */
  commit(decide: (state: SystemState) => SystemChange | undefined): Promise<void> {
    const run = this.tail.then(() => this.commitOne(decide));
    this.tail = run.catch(() => undefined);
    return run;
  }

  private async commitOne(decide: (state: SystemState) => SystemChange | undefined): Promise<void> {
    if (this.failed) throw this.failed;
    const change = decide(this.state);
    if (!change) return;
    try {
      await this.log.append(this.index + 1, { time: new Date().toISOString(), change });
    } catch (cause) {
      // What the disk holds is not known any more; going on could acknowledge what a restart forgets.
      this.failed = new DaosError(
        'IO',
        `system database cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`,
        { cause },
      );
      throw this.failed;
    }
    this.index++;
    this.state.apply(change);
    if (this.index - this.snapshotIndex >= ENTRIES_PER_SNAPSHOT) {
      await this.log.compact(this.index, this.state.snapshot());
      this.snapshotIndex = this.index;
    }
  }

  /** Number of committed changes; answers of several replicas are compared by it. */
  get version(): number {
    return this.index;
  }

  async close(): Promise<void> {
    await this.tail;
    await this.log.close();
  }

  addMember(member: Member): Promise<void> {
    return this.commit(() => ({ op: SystemOp.ADD_MEMBER, member }));
  }

  /** `change` sees the member as it is when its turn comes; returning undefined leaves it alone. */
  updateMember(rank: number, change: (member: Member) => Partial<Member> | undefined): Promise<void> {
    return this.commit((state) => {
      const member = state.memberByRank(rank);
      const fields = member && change(member);
      return fields &&
        {
          op: SystemOp.UPDATE_MEMBER,
          member: { ...member, ...fields, lastUpdate: new Date().toISOString() },
        };
    });
  }

  addPool(pool: PoolRecord): Promise<void> {
    return this.commit(() => ({ op: SystemOp.ADD_POOL, pool }));
  }

  updatePool(uuid: string, change: (pool: PoolRecord) => Partial<PoolRecord> | undefined): Promise<void> {
    return this.commit((state) => {
      const pool = state.poolByUuid(uuid);
      const fields = pool && change(pool);
      return fields &&
        { op: SystemOp.UPDATE_POOL, pool: { ...pool, ...fields, lastUpdate: new Date().toISOString() } };
    });
  }

  removePool(uuid: string): Promise<void> {
    return this.commit(() => ({ op: SystemOp.REMOVE_POOL, uuid }));
  }

  setAttributes(attributes: Readonly<Record<string, string>>): Promise<void> {
    return this.commit(() => ({ op: SystemOp.UPDATE_ATTRIBUTES, attributes }));
  }

  /** A pool by UUID, else by label. Throws `PoolNotFoundError`, or DER_INVAL for an empty id. */
  findPool(id: string): PoolRecord {
    if (id === '') throw new DaosError('INVAL', 'empty pool id');
    const pool = isUuid(id) ? this.state.poolByUuid(id) : this.state.poolByLabel(id);
    if (!pool) throw new PoolNotFoundError(isUuid(id) ? { uuid: id } : { label: id });
    return pool;
  }

  /** As `findPool`; DER_AGAIN when the pool is being created or destroyed. */
  findReadyPool(id: string): PoolRecord {
    const pool = this.findPool(id);
    if (pool.state !== 'Ready') throw new DaosError('AGAIN', `pool ${id} is ${pool.state}`);
    return pool;
  }
}

/** The database before storage is formatted, on a server that will hold it. */
export function throwUninitialized(): never {
  throw new Error(Sentinel.UNINITIALIZED);
}
