import { randomInt } from 'node:crypto';

import { DaosError, type Epoch } from '@daos/common';
import { assert } from '@daos/gurt';

import { CommittedIndex } from './committed_index.js';
import { DTX_ID_WORDS, dtxIdToWords } from './dtx_id.js';

const { imul } = Math;

/** A committed transaction. */
export interface CommittedDtx {
  readonly uuid: Uint8Array;
  readonly hlc: Epoch;
  readonly epoch: Epoch;
  /** When it was committed, seconds since 1970. */
  readonly commitTime: number;
}

/** Words of an entry: id (6), epoch (2), commit time (1). */
const ENTRY_WORDS = DTX_ID_WORDS + 3;
const EPOCH_AT = DTX_ID_WORDS;
const TIME_AT = DTX_ID_WORDS + 2;
/** Entries of a segment: 36 KiB, so that a container with few transactions stays small. */
const SEGMENT_BITS = 10;
const SEGMENT_ENTRIES = 1 << SEGMENT_BITS;
/** The year 2106. */
const TIME_MAX = 0xffff_ffff;

/**
 * The transactions that are known to be committed, in the order of their commits. Memory comes in segments and
 * goes back when the oldest entries are removed: 41 to 57 bytes per entry (36 and its place in a hash index),
 * so 3.6 million entries, where the service removes old ones, take 150 to 210 MB. No call moves more
 * than 1/64 of the index.
 */
export class CommittedTable {
  /** Segments by number; a number is used again when its segment is gone. */
  private readonly segments: (Uint32Array | undefined)[] = [];
  private readonly freeNumbers: number[] = [];
  /** Numbers of the segments, oldest first. */
  private readonly order: number[] = [];
  /** Place of the oldest entry in the oldest segment, and of the next one in the newest. */
  private first = 0;
  private next = SEGMENT_ENTRIES;
  private entryCount = 0;
  private readonly index: CommittedIndex;
  private readonly seed: number;
  private readonly id = new Uint32Array(DTX_ID_WORDS);
  private readonly view = new DataView(new ArrayBuffer(8));
  private readonly isId = (slot: number): boolean => this.holdsId(slot);
  private newestRemoved = 0;

  /** The seed of the hash is chance, so that no client can choose ids that collide. */
  constructor({ seed = randomInt(2 ** 32) }: { readonly seed?: number } = {}) {
    this.seed = seed;
    this.index = new CommittedIndex({ hashOf: (slot) => this.hashOf(slot) });
  }

  get count(): number {
    return this.entryCount;
  }

  /** Bytes of memory in use for entries and index. */
  get bytes(): number {
    return this.order.length * SEGMENT_ENTRIES * ENTRY_WORDS * 4 + this.index.bytes;
  }

  /** Latest commit time of the entries that were removed; 0 when none was. */
  get newestRemovedTime(): number {
    return this.newestRemoved;
  }

  /** Commit time of the oldest entry; undefined when there is none. */
  get oldestTime(): number | undefined {
    return this.entryCount === 0 ? undefined : this.wordAt(this.oldestSlot(), TIME_AT);
  }

  has(uuid: Uint8Array, hlc: Epoch): boolean {
    return this.find(uuid, hlc) >= 0;
  }

  /** The epoch of a committed transaction; undefined when it is not here. */
  epochOf(uuid: Uint8Array, hlc: Epoch): Epoch | undefined {
    const slot = this.find(uuid, hlc);
    return slot < 0 ? undefined : this.epochAt(slot);
  }

  /**
   * Appends a transaction. False, without a change, when it is here already. Times are whole seconds;
   * entries of one table come in about their order, which is the order in which they are removed.
   */
  add(uuid: Uint8Array, hlc: Epoch, epoch: Epoch, commitTime: number): boolean {
    if (hlc === 0n || uuid.length !== 16) throw new DaosError('INVAL', 'a transaction id has a UUID of 16 bytes and a clock');
    assert(commitTime >= 0 && commitTime <= TIME_MAX, 'a commit time in seconds has 32 bits');
    if (this.find(uuid, hlc) >= 0) return false;
    if (this.next === SEGMENT_ENTRIES) this.addSegment();
    const slot = ((this.order.at(-1) as number) << SEGMENT_BITS) | this.next;
    const words = this.segmentOf(slot);
    const at = this.next * ENTRY_WORDS;
    words.set(this.id, at);
    this.view.setBigUint64(0, epoch);
    words[at + EPOCH_AT] = this.view.getUint32(0);
    words[at + EPOCH_AT + 1] = this.view.getUint32(4);
    words[at + TIME_AT] = commitTime;
    this.next++;
    this.entryCount++;
    this.index.add(this.hash(this.id, 0), slot);
    return true;
  }

  /**
   * Removes the oldest entries, up to `limit` of them, as long as their commit time is not later than
   * `untilTime` (seconds; undefined: all). Returns how many were removed.
   */
  removeOldest(untilTime: number | undefined, limit: number): number {
    let removed = 0;
    while (removed < limit && this.entryCount > 0) {
      const slot = this.oldestSlot();
      const time = this.wordAt(slot, TIME_AT);
      if (untilTime !== undefined && time > untilTime) break;
      this.index.remove(this.hashOf(slot), slot);
      if (time > this.newestRemoved) this.newestRemoved = time;
      this.entryCount--;
      removed++;
      this.first++;
      if (this.first === SEGMENT_ENTRIES || this.entryCount === 0) this.removeSegment();
    }
    return removed;
  }

  /** The entries, oldest first. Ends when the table changes. */
  *entries(): Generator<CommittedDtx> {
    for (let i = 0; i < this.order.length; i++) {
      const from = i === 0 ? this.first : 0;
      const to = i === this.order.length - 1 ? this.next : SEGMENT_ENTRIES;
      for (let at = from; at < to; at++) {
        yield this.entryAt(((this.order[i] as number) << SEGMENT_BITS) | at);
      }
    }
  }

  private entryAt(slot: number): CommittedDtx {
    const words = this.segmentOf(slot);
    const at = (slot & (SEGMENT_ENTRIES - 1)) * ENTRY_WORDS;
    const uuid = Buffer.alloc(16);
    for (let i = 0; i < 4; i++) uuid.writeUInt32BE(words[at + i] as number, 4 * i);
    const hlc = (BigInt(words[at + 4] as number) << 32n) | BigInt(words[at + 5] as number);
    return { uuid, hlc, epoch: this.epochAt(slot), commitTime: words[at + TIME_AT] as number };
  }

  private epochAt(slot: number): Epoch {
    this.view.setUint32(0, this.wordAt(slot, EPOCH_AT));
    this.view.setUint32(4, this.wordAt(slot, EPOCH_AT + 1));
    return this.view.getBigUint64(0);
  }

  /** The slot of a transaction, -1 when there is none. Leaves its id in `id`. */
  private find(uuid: Uint8Array, hlc: Epoch): number {
    dtxIdToWords(uuid, hlc, this.id, this.view);
    return this.index.find(this.hash(this.id, 0), this.isId);
  }

  private holdsId(slot: number): boolean {
    const words = this.segmentOf(slot);
    const at = (slot & (SEGMENT_ENTRIES - 1)) * ENTRY_WORDS;
    for (let i = DTX_ID_WORDS - 1; i >= 0; i--) if (words[at + i] !== this.id[i]) return false;
    return true;
  }

  private hashOf(slot: number): number {
    return this.hash(this.segmentOf(slot), (slot & (SEGMENT_ENTRIES - 1)) * ENTRY_WORDS);
  }

  /** MurmurHash3 (32 bits) over the words of an id. */
  private hash(words: Uint32Array, at: number): number {
    let h = this.seed;
    for (let i = 0; i < DTX_ID_WORDS; i++) {
      const k = imul(words[at + i] as number, 0xcc9e2d51);
      h ^= imul((k << 15) | (k >>> 17), 0x1b873593);
      h = (imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
    }
    h = imul(h ^ (h >>> 16), 0x85ebca6b);
    h = imul(h ^ (h >>> 13), 0xc2b2ae35);
    return (h ^ (h >>> 16)) >>> 0;
  }

  private wordAt(slot: number, word: number): number {
    return this.segmentOf(slot)[(slot & (SEGMENT_ENTRIES - 1)) * ENTRY_WORDS + word] as number;
  }

  private oldestSlot(): number {
    return ((this.order[0] as number) << SEGMENT_BITS) | this.first;
  }

  private segmentOf(slot: number): Uint32Array {
    const segment = this.segments[slot >>> SEGMENT_BITS];
    assert(segment, 'a slot of a segment in memory');
    return segment;
  }

  private addSegment(): void {
    const no = this.freeNumbers.pop() ?? this.segments.length;
    this.segments[no] = new Uint32Array(SEGMENT_ENTRIES * ENTRY_WORDS);
    this.order.push(no);
    this.next = 0;
  }

  private removeSegment(): void {
    const no = this.order.shift();
    assert(no !== undefined, 'the oldest segment');
    this.segments[no] = undefined;
    this.freeNumbers.push(no);
    this.first = 0;
    if (this.order.length === 0) this.next = SEGMENT_ENTRIES;
  }
}
