import type { PublishedHint, VeaHint } from './hint.js';
import type { Reservation } from './reservation.js';
import type { VeaStore } from './store.js';

/** What the reservations of one stream do to its hint. */
class Move {
  count = 1;

  constructor(
    readonly hint: VeaHint,
    private sequenceMin: number,
    public sequenceMax: number,
    /** Where the reservation with the highest sequence ends. */
    public end: number,
  ) {}

  join(sequence: number, end: number): void {
    this.count++;
    this.sequenceMin = Math.min(this.sequenceMin, sequence);
    if (sequence < this.sequenceMax) return;
    this.sequenceMax = sequence;
    this.end = end;
  }

  get isForward(): boolean {
    return this.hint.moves(this.sequenceMin, this.sequenceMax, this.count);
  }
}

/** What publishing some reservations does to the hints of their streams. */
export class HintMoves {
  private readonly moves: Move[] = [];
  /** Only when there is more than one stream. */
  private byHint: Map<VeaHint, Move> | undefined;

  /** Undefined when no hint moves. DER_INVAL when a hint is ahead of what is published. */
  static of(reservations: readonly Reservation[]): HintMoves | undefined {
    let all: HintMoves | undefined;
    for (let i = 0; i < reservations.length; i++) {
      const { hint, sequence, end } = reservations[i] as Reservation;
      if (hint) (all ??= new HintMoves()).add(hint, sequence, end);
    }
    return all?.forward();
  }

  /** Notes the moves, in the store for streams that it knows, and in `undo` how to take them back. */
  apply(store: VeaStore | undefined, undo: PublishedHint[] | undefined): void {
    for (const { hint, end, sequenceMax } of this.moves) moveHint(hint, end, sequenceMax, store, undo);
  }

  private add(hint: VeaHint, sequence: number, end: number): void {
    const [first] = this.moves;
    const known = first?.hint === hint ? first : this.byHint?.get(hint);
    if (known) return known.join(sequence, end);
    const move = new Move(hint, sequence, sequence, end);
    this.moves.push(move);
    if (first) (this.byHint ??= new Map<VeaHint, Move>()).set(hint, move);
  }

  /** Without the moves that would go back. */
  private forward(): this | undefined {
    let kept = 0;
    for (const move of this.moves) if (move.isForward) this.moves[kept++] = move;
    this.moves.length = kept;
    return kept > 0 ? this : undefined;
  }
}

/** Notes where a stream's published data ends, in the store if that knows it, and in `undo` where it ended. */
export function moveHint(
  hint: VeaHint,
  end: number,
  sequence: number,
  store: VeaStore | undefined,
  undo: PublishedHint[] | undefined,
): void {
  undo?.push(hint.published());
  hint.publish(end, sequence);
  if (hint.id !== undefined) store?.putHint(hint.id, end, sequence);
}
