import type { Epoch } from '@daos/common';
import { assert } from '@daos/gurt';

import { NO_SLOT } from './slot_list.js';
import type { TimestampLevel } from './timestamp_level.js';
import { READER_WORDS } from './timestamp_records.js';
import type { TimestampTable } from './timestamp_table.js';
import { POOL_TAG_MAX, TsLevel, keyUpperWord } from './ts_level.js';
import { lowerWord, upperWord } from './u64_words.js';

/** An entity on the path of an operation. */
interface PathEntry {
  level: TsLevel;
  /** Slot of the positive entry; `NO_SLOT`: the entity does not exist. */
  slot: number;
  keyHi: number;
  keyLo: number;
  negative: number;
  /** The operation makes the entity; its key stands here already. */
  isCreated: boolean;
}

/** Path entries that a set keeps for the next operation. */
const SPARE_ENTRIES_MAX = 64;

/**
 * The entities that one operation of a transaction touches, and what it does to them. Made by
 * `TimestampTable.begin`. A set may live across turns of the event loop: where a positive entry fell out
 * meanwhile, its negative one, which took its timestamps over, stands in.
 */
export class TimestampSet {
  private readonly reader = new Uint32Array(READER_WORDS);
  private poolTag = 0;
  private isOpen = false;
  private readonly entries: PathEntry[] = [];
  private count = 0;
  /** Identity of the newest entity of each level, for the one below. */
  private readonly identities = [0, 0, 0, 0];
  private deepest: TsLevel = TsLevel.CONTAINER;
  /** Levels that are read as a whole, one bit each. */
  private readLevels = 0;

  constructor(private readonly table: TimestampTable) {}

  /** For the table. */
  open(uuid: Uint8Array, hlc: Epoch, poolTag: number): void {
    assert(uuid.length === 16, 'a transaction has a UUID of 16 bytes');
    assert(poolTag >= 0 && poolTag <= POOL_TAG_MAX, 'a pool tag has 16 bits');
    for (let i = 0; i < 4; i++) this.reader[i] = wordAt(uuid, 4 * i);
    this.reader[4] = upperWord(hlc);
    this.reader[5] = lowerWord(hlc);
    this.poolTag = poolTag;
    this.isOpen = true;
    this.count = 0;
    this.deepest = TsLevel.CONTAINER;
    this.readLevels = 0;
  }

  /**
   * Adds an entity below the one of the level above that was added last. `no` is its number, unique in its
   * pool and level and never used again; undefined: it does not exist. `hash` is any integer made from its
   * key (of a container: from its UUID), the same whether it exists or not. Returns its place in the set.
   */
  add(level: TsLevel, no: number | undefined, hash: number): number {
    assert(this.isOpen, 'the set has ended');
    assert(level === TsLevel.CONTAINER ? this.count === 0 : this.count > 0 && level <= this.deepest + 1, 'an entity is added below its parent');
    const parent = level === TsLevel.CONTAINER ? 0 : (this.identities[level - 1] as number);
    const entry = this.nextEntry();
    const levelTable = this.table.level(level);
    entry.level = level;
    entry.negative = levelTable.negativeOf(hash, parent);
    entry.isCreated = false;
    entry.slot = NO_SLOT;
    // the one negative entry of containers tells nothing apart: their hash does
    this.identities[level] = level === TsLevel.CONTAINER ? hash | 0 : entry.negative;
    if (level > this.deepest) this.deepest = level;
    if (no === undefined) return this.count++;
    entry.keyHi = keyUpperWord(no, this.poolTag);
    entry.keyLo = no >>> 0;
    entry.slot = levelTable.findOrAdd(entry.keyHi, entry.keyLo, entry.negative);
    return this.count++;
  }

  /** The operation reads entities of this level as a whole. Adds up over calls. */
  markRead(level: TsLevel): void {
    this.readLevels |= 1 << level;
  }

  /**
   * Notes the marked reads at `epoch`: entities above a level that is read were read in part, those on it as
   * a whole.
   */
  updateReads(epoch: Epoch): void {
    assert(this.isOpen, 'the set has ended');
    if (this.readLevels === 0) return;
    const hi = upperWord(epoch);
    const lo = lowerWord(epoch);
    for (let i = 0; i < this.count; i++) {
      const entry = this.entries[i] as PathEntry;
      const below = this.readLevels >>> entry.level;
      if (below === 0) continue;
      const level = this.table.level(entry.level);
      const isPositive = holdsSlot(level, entry);
      const records = isPositive ? level.positive : level.negative;
      const record = isPositive ? entry.slot : entry.negative;
      records.raiseHigh(record, hi, lo, this.reader);
      if ((below & 1) === 1) records.raiseLow(record, hi, lo, this.reader);
    }
  }

  /**
   * True when a write at `epoch` of entities of `writeLevel` (or the deepest in the set) would change what
   * another transaction read: refuse it with DER_TX_RESTART.
   */
  checkWrite(writeLevel: TsLevel, epoch: Epoch): boolean {
    assert(this.isOpen, 'the set has ended');
    const cap = Math.min(writeLevel, this.deepest);
    const hi = upperWord(epoch);
    const lo = lowerWord(epoch);
    for (let i = 0; i < this.count; i++) {
      const entry = this.entries[i] as PathEntry;
      if (entry.level <= cap && this.conflicts(entry, entry.level === cap, hi, lo)) return true;
    }
    return false;
  }

  /** Notes that the transaction wrote at `epoch` here and so in everything above. */
  updateWrites(epoch: Epoch): void {
    assert(this.isOpen, 'the set has ended');
    const hi = upperWord(epoch);
    const lo = lowerWord(epoch);
    for (let i = 0; i < this.count; i++) {
      const entry = this.entries[i] as PathEntry;
      const level = this.table.level(entry.level);
      if (holdsSlot(level, entry)) level.positive.noteWrite(entry.slot, hi, lo);
      else level.negative.noteWrite(entry.negative, hi, lo);
    }
  }

  /**
   * True when there may be a write to the deepest entities in (`epoch`, `bound`], or one that is forgotten:
   * the operation cannot know whether it came before it, and must restart with DER_TX_RESTART.
   */
  checkUncertainty(epoch: Epoch, bound: Epoch): boolean {
    assert(this.isOpen, 'the set has ended');
    if (bound <= epoch) return false;
    const hi = upperWord(epoch);
    const lo = lowerWord(epoch);
    const boundHi = upperWord(bound);
    const boundLo = lowerWord(bound);
    for (let i = 0; i < this.count; i++) {
      const entry = this.entries[i] as PathEntry;
      if (entry.level !== this.deepest) continue;
      const level = this.table.level(entry.level);
      const isUncertain = holdsSlot(level, entry)
        ? level.positive.isUncertain(entry.slot, hi, lo, boundHi, boundLo)
        : level.negative.isUncertain(entry.negative, hi, lo, boundHi, boundLo);
      if (isUncertain) return true;
    }
    return false;
  }

  /** The operation creates the entity at a place that `add` returned, under the number `no`. */
  markCreated(place: number, no: number): void {
    assert(this.isOpen, 'the set has ended');
    assert(place >= 0 && place < this.count, 'a place that add returned');
    const entry = this.entries[place] as PathEntry;
    assert(entry.slot === NO_SLOT, 'the entity exists already');
    entry.keyHi = keyUpperWord(no, this.poolTag);
    entry.keyLo = no >>> 0;
    entry.isCreated = true;
  }

  /** Gives the entities that were created entries of their own. Call it when the creation is committed. */
  upgrade(): void {
    assert(this.isOpen, 'the set has ended');
    for (let i = 0; i < this.count; i++) {
      const entry = this.entries[i] as PathEntry;
      if (!entry.isCreated) continue;
      entry.slot = this.table.level(entry.level).findOrAdd(entry.keyHi, entry.keyLo, entry.negative);
      entry.isCreated = false;
    }
  }

  /** The operation is over; the set goes back to the table and must not be used any more. */
  end(): void {
    assert(this.isOpen, 'the set has ended');
    this.isOpen = false;
    if (this.entries.length > SPARE_ENTRIES_MAX) this.entries.length = SPARE_ENTRIES_MAX;
    this.table.giveBack(this);
  }

  /**
   * A positive entry's negative one is asked too: reads by sets that do not know yet that the entity exists
   * stand there. Not for containers: theirs is about all that fell out.
   */
  private conflicts(entry: PathEntry, isWritten: boolean, hi: number, lo: number): boolean {
    const level = this.table.level(entry.level);
    const { positive, negative } = level;
    if (holdsSlot(level, entry)) {
      const conflicts = isWritten
        ? positive.conflictsHigh(entry.slot, hi, lo, this.reader)
        : positive.conflictsLow(entry.slot, hi, lo, this.reader);
      if (conflicts || entry.level === TsLevel.CONTAINER) return conflicts;
    }
    return isWritten
      ? negative.conflictsHigh(entry.negative, hi, lo, this.reader)
      : negative.conflictsLow(entry.negative, hi, lo, this.reader);
  }

  private nextEntry(): PathEntry {
    const spare = this.entries[this.count];
    if (spare) return spare;
    const entry: PathEntry = { level: TsLevel.CONTAINER, slot: NO_SLOT, keyHi: 0, keyLo: 0, negative: 0, isCreated: false };
    this.entries.push(entry);
    return entry;
  }
}

function holdsSlot(level: TimestampLevel, entry: PathEntry): boolean {
  return entry.slot !== NO_SLOT && level.holds(entry.slot, entry.keyHi, entry.keyLo);
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}
