import { DaosError } from '@daos/common';

/** Streams of one container: what clients write, and what aggregation writes. */
export const VeaIoStream = { GENERIC: 0, AGGREGATION: 1 } as const;

/**
 * Where a stream of reservations goes on: right behind the last one, so that what is written together lies together.
 * One per stream. `offset` undefined: nothing reserved yet, or rolled back.
 */
export class VeaHint {
  /** Sequence of the last reservation that was published; what the store knows, if it knows the stream. */
  private publishedSequence: number;
  private publishedOffset: number | undefined;

  constructor(
    public offset: number | undefined = undefined,
    /** Grows with every reservation of the stream; tells whether a cancelled one was the most recent. */
    public sequence = 0,
    /** Names the stream in the store; undefined: the stream ends with the process. */
    readonly id: number | undefined = undefined,
  ) {
    this.publishedSequence = sequence;
    this.publishedOffset = offset;
  }

  /** Notes a reservation that ends before `end`. Returns its sequence. */
  advance(end: number): number {
    this.offset = end;
    return ++this.sequence;
  }

  /** Only the stream's most recent reservation can be taken back without leaving a hole. */
  rollBack(sequence: number, offsetBefore: number | undefined): void {
    if (this.sequence !== sequence) return;
    this.offset = offsetBefore;
    this.sequence--;
  }

  /**
   * True when publishing these reservations moves the durable hint; false when a later one is published already.
   * DER_INVAL when one of them, by its sequence, was published before.
   */
  moves(sequenceMin: number, sequenceMax: number, count: number): boolean {
    const { publishedSequence: published } = this;
    const isRepeated = published === sequenceMin || published === sequenceMax;
    const isInterleaved = sequenceMax - sequenceMin + 1 > count;
    if (isRepeated || (published > sequenceMin && published < sequenceMax && !isInterleaved)) {
      throw new DaosError(
        'INVAL',
        `stream ${this.id ?? 'without a name'}: sequence ${published} is published already, of ${sequenceMin} to ${sequenceMax}`,
      );
    }
    return published < sequenceMax;
  }

  /** What the store says now, to come back to it. */
  published(): PublishedHint {
    return { hint: this, offset: this.publishedOffset, sequence: this.publishedSequence };
  }

  /** Notes what the store says from now on. */
  publish(end: number, sequence: number): void {
    this.publishedOffset = end;
    this.publishedSequence = sequence;
  }

  unpublish(before: PublishedHint): void {
    this.publishedOffset = before.offset;
    this.publishedSequence = before.sequence;
  }
}

/** What a hint said in the store before a transaction. */
export interface PublishedHint {
  readonly hint: VeaHint;
  readonly offset: number | undefined;
  readonly sequence: number;
}
