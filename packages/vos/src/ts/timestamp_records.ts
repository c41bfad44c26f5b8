import type { Epoch } from '@daos/common';

import { compareWords, lowerWord, upperWord } from './u64_words.js';

/** Words of a reader's identity: uuid (4), hlc (2). Kept whole: two readers never look like one. */
export const READER_WORDS = 6;

/**
 * Words of a record: read-low epoch (2), its reader (6) | read-high epoch (2), its reader (6) | newest write
 * epoch (2) | second newest (2). An epoch of 0 stands for the start of the cache, so that records need no
 * initialisation: memory that was never written holds no page.
 */
const RECORD_WORDS = 20;
const LOW = 0;
const HIGH = LOW + 2 + READER_WORDS;
const NEWEST = HIGH + 2 + READER_WORDS;
const SECOND = NEWEST + 2;

/** Timestamps of one kind of entity: who read it last, and its two newest writes. Epochs come in words. */
export class TimestampRecords {
  private readonly words: Uint32Array;
  private readonly startHi: number;
  private readonly startLo: number;

  constructor(
    readonly count: number,
    start: Epoch,
  ) {
    this.words = new Uint32Array(count * RECORD_WORDS);
    this.startHi = upperWord(start);
    this.startLo = lowerWord(start);
  }

  /** Notes a read of the entity as a whole. Older reads change nothing; at the same epoch the last reader stays. */
  raiseLow(record: number, hi: number, lo: number, reader: Uint32Array): void {
    this.raise(record * RECORD_WORDS + LOW, hi, lo, reader, 0);
  }

  /** Notes a read of the entity or of something below it. */
  raiseHigh(record: number, hi: number, lo: number, reader: Uint32Array): void {
    this.raise(record * RECORD_WORDS + HIGH, hi, lo, reader, 0);
  }

  /** True when a write by `writer` below the entity would change what somebody read of the whole. */
  conflictsLow(record: number, hi: number, lo: number, writer: Uint32Array): boolean {
    return this.conflicts(record * RECORD_WORDS + LOW, hi, lo, writer);
  }

  /** True when a write by `writer` of the entity itself would change what somebody read of it or below. */
  conflictsHigh(record: number, hi: number, lo: number, writer: Uint32Array): boolean {
    return this.conflicts(record * RECORD_WORDS + HIGH, hi, lo, writer);
  }

  /** Notes a write: the two highest epochs stay. */
  noteWrite(record: number, hi: number, lo: number): void {
    const newest = record * RECORD_WORDS + NEWEST;
    const order = this.compare(hi, lo, newest);
    if (order === 0) return;
    const second = record * RECORD_WORDS + SECOND;
    if (order > 0) {
      this.words[second] = this.words[newest] as number;
      this.words[second + 1] = this.words[newest + 1] as number;
      this.setEpoch(newest, hi, lo);
    } else if (this.compare(hi, lo, second) > 0) {
      this.setEpoch(second, hi, lo);
    }
  }

  /**
   * True when a read at an epoch may miss a write that came before it in real time: one up to `bound`, the
   * latest time that the reader's clock may have meant. When the epoch lies before the second newest write,
   * the writes between are forgotten, and the answer is true to be safe.
   */
  isUncertain(record: number, hi: number, lo: number, boundHi: number, boundLo: number): boolean {
    if (compareWords(boundHi, boundLo, hi, lo) <= 0) return false;
    const newest = record * RECORD_WORDS + NEWEST;
    if (this.compare(hi, lo, newest) >= 0) return false;
    return this.compare(hi, lo, record * RECORD_WORDS + SECOND) < 0 || this.compare(boundHi, boundLo, newest) >= 0;
  }

  copyFrom(record: number, from: TimestampRecords, fromRecord: number): void {
    const at = record * RECORD_WORDS;
    const fromAt = fromRecord * RECORD_WORDS;
    for (let i = 0; i < RECORD_WORDS; i++) this.words[at + i] = from.words[fromAt + i] as number;
  }

  /** Keeps the later of both for each timestamp. */
  mergeFrom(record: number, from: TimestampRecords, fromRecord: number): void {
    const at = record * RECORD_WORDS;
    const fromAt = fromRecord * RECORD_WORDS;
    this.mergeRead(at + LOW, from.words, fromAt + LOW);
    this.mergeRead(at + HIGH, from.words, fromAt + HIGH);
    this.mergeWrite(record, from.words, fromAt + SECOND);
    this.mergeWrite(record, from.words, fromAt + NEWEST);
  }

  private mergeRead(at: number, words: Uint32Array, from: number): void {
    this.raise(at, words[from] as number, words[from + 1] as number, words, from + 2);
  }

  private mergeWrite(record: number, words: Uint32Array, from: number): void {
    this.noteWrite(record, words[from] as number, words[from + 1] as number);
  }

  private raise(at: number, hi: number, lo: number, reader: Uint32Array, readerAt: number): void {
    if (this.compare(hi, lo, at) < 0) return;
    this.setEpoch(at, hi, lo);
    for (let i = 0; i < READER_WORDS; i++) this.words[at + 2 + i] = reader[readerAt + i] as number;
  }

  private conflicts(at: number, hi: number, lo: number, writer: Uint32Array): boolean {
    const order = this.compare(hi, lo, at);
    return order === 0 ? !this.isReader(at, writer) : order < 0;
  }

  private isReader(at: number, reader: Uint32Array): boolean {
    for (let i = 0; i < READER_WORDS; i++) if (this.words[at + 2 + i] !== reader[i]) return false;
    return true;
  }

  /** Order of an epoch to the one in the record, which is the start where nothing was noted. */
  private compare(hi: number, lo: number, at: number): number {
    const ownHi = this.words[at] as number;
    const ownLo = this.words[at + 1] as number;
    if (ownHi === 0 && ownLo === 0) return compareWords(hi, lo, this.startHi, this.startLo);
    return compareWords(hi, lo, ownHi, ownLo);
  }

  private setEpoch(at: number, hi: number, lo: number): void {
    this.words[at] = hi;
    this.words[at + 1] = lo;
  }
}
