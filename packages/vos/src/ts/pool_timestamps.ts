import { uuidToBytes, type Epoch } from '@daos/common';

import type { DtxId } from '../dtx/dtx_id.js';
import type { TimestampSet } from './timestamp_set.js';
import { TS_CAPACITIES, TimestampTable, type TsCapacity } from './timestamp_table.js';

/** Pools of one target are told apart by 16 bits. */
const POOL_TAGS = 0x1_0000;

/** The timestamp cache that all pools of a target share: of fixed size, and made when the first transaction needs it. */
export class TargetTimestamps {
  private table: TimestampTable | undefined;
  private nextTag = 0;

  constructor(
    private readonly now: () => Epoch,
    private readonly capacities: readonly TsCapacity[] = TS_CAPACITIES,
  ) {}

  /**
   * The part of a pool that is being opened. A tag that comes round again finds entries of another pool, which can
   * refuse too much, never too little; what the pool's own entries of before its last close held does not matter, since
   * transactions of that time are fenced off.
   */
  forPool(): PoolTimestamps {
    const tag = this.nextTag;
    this.nextTag = (tag + 1) % POOL_TAGS;
    return new PoolTimestamps(() => (this.table ??= new TimestampTable({ start: this.now(), capacities: this.capacities })), tag);
  }
}

/** Timestamps of one pool. */
export class PoolTimestamps {
  constructor(
    private readonly table: () => TimestampTable,
    private readonly tag: number,
  ) {}

  /** The set of an operation of a transaction. Call `end` when done. */
  begin({ uuid, hlc }: DtxId): TimestampSet {
    return this.table().begin(uuidToBytes(uuid), hlc, this.tag);
  }
}
