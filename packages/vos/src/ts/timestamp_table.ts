import type { Epoch } from '@daos/common';
import { assert } from '@daos/gurt';

import { NO_SLOT } from './slot_list.js';
import { TimestampLevel } from './timestamp_level.js';
import { TimestampSet } from './timestamp_set.js';
import { keyUpperWord, type TsLevel } from './ts_level.js';

/** Entries of one level; `negative` is a power of two. */
export interface TsCapacity {
  readonly positive: number;
  readonly negative: number;
}

/** Containers share one negative entry: it keeps what is known of those that fell out. */
export const TS_CAPACITIES: readonly TsCapacity[] = [
  { positive: 1024, negative: 1 },
  { positive: 32_768, negative: 65_536 },
  { positive: 131_072, negative: 65_536 },
  { positive: 524_288, negative: 65_536 },
];

export interface TimestampTableOptions {
  /** Clock when the engine started: nothing is known of earlier reads, so earlier writes are refused. 0 in offline tools. */
  readonly start: Epoch;
  /** One per level. */
  readonly capacities?: readonly TsCapacity[];
}

/** Sets that are kept for the next operation. */
const SPARE_SETS_MAX = 64;

/**
 * The timestamp cache of a target: which transaction read what and when, so that a write that would change
 * what a serializable reader saw is refused. In memory only, of fixed size, and never wrong to the unsafe
 * side: what no longer fits is merged into entries that several entities share, which can refuse too much,
 * never too little.
 *
 * Use, per operation of a transaction (other operations neither ask nor tell):
 * 1. `begin`, and `add` the entities on the path: container, object, dkey, akeys;
 * 2. a write: `checkWrite`, a read: `markRead`; where the result rests on what is not there, `checkUncertainty`;
 * 3. at success, and when the answer was DER_NONEXIST or DER_EXIST, `updateReads`; after a write, `updateWrites`;
 * 4. when it created entities, `markCreated` for each and `upgrade` at the commit; `end`.
 */
export class TimestampTable {
  private readonly levels: readonly TimestampLevel[];
  private readonly spareSets: TimestampSet[] = [];

  constructor({ start, capacities = TS_CAPACITIES }: TimestampTableOptions) {
    assert(capacities.length === TS_CAPACITIES.length, 'one capacity per level');
    this.levels = capacities.map(({ positive, negative }) => new TimestampLevel(positive, negative, start));
  }

  /**
   * The set of an operation of the transaction `uuid` (16 bytes), `hlc`. `poolTag` tells pools of one table
   * apart, whose entities have equal numbers (0..65535). Call `end` when done: the set is used again.
   */
  begin(uuid: Uint8Array, hlc: Epoch, poolTag = 0): TimestampSet {
    const set = this.spareSets.pop() ?? new TimestampSet(this);
    set.open(uuid, hlc, poolTag);
    return set;
  }

  level(level: TsLevel): TimestampLevel {
    return this.levels[level] as TimestampLevel;
  }

  /** True when the entity has an entry of its own, which becomes the most recently used. */
  lookup(level: TsLevel, no: number, poolTag = 0): boolean {
    return this.level(level).find(keyUpperWord(no, poolTag), no >>> 0) !== NO_SLOT;
  }

  /** Gives up the entry of an entity; what it holds stays known. False when there is none. */
  evict(level: TsLevel, no: number, poolTag = 0): boolean {
    return this.level(level).evict(keyUpperWord(no, poolTag), no >>> 0);
  }

  /** For sets: `end` brings them back. */
  giveBack(set: TimestampSet): void {
    if (this.spareSets.length < SPARE_SETS_MAX) this.spareSets.push(set);
  }
}
