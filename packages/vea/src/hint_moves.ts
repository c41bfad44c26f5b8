import type { PublishedHint, VeaHint } from './hint.js';
import type { Reservation } from './reservation.js';
import type { VeaStore } from './store.js';

interface Move {
  readonly hint: VeaHint;
  sequenceMin: number;
  sequenceMax: number;
  count: number;
  /** Where the reservation with the highest sequence ends. */
  end: number;
}

/** What publishing some reservations does to the hints of their streams. */
export class HintMoves {
  private constructor(private readonly moves: Move[]) {}

  /** Undefined when no stream is concerned. DER_INVAL when a hint is ahead of what is published. */
  static of(reservations: readonly Reservation[]): HintMoves | undefined {
    let byHint: Map<VeaHint, Move> | undefined;
    for (const { hint, sequence, end } of reservations) {
      if (!hint) continue;
      byHint ??= new Map<VeaHint, Move>();
      const move = byHint.get(hint);
      if (move) join(move, sequence, end);
      else byHint.set(hint, { hint, sequenceMin: sequence, sequenceMax: sequence, count: 1, end });
    }
    if (!byHint) return undefined;
    return new HintMoves([...byHint.values()].filter((move) => move.hint.moves(move.sequenceMin, move.sequenceMax, move.count)));
  }

  /** Notes the moves, in the store for streams that it knows, and in `undo` how to take them back. */
  apply(store: VeaStore | undefined, undo: PublishedHint[] | undefined): void {
    for (const { hint, end, sequenceMax } of this.moves) {
      const before = hint.publish(end, sequenceMax);
      undo?.push(before);
      if (hint.id !== undefined) store?.putHint(hint.id, end, sequenceMax);
    }
  }
}

function join(move: Move, sequence: number, end: number): void {
  move.count++;
  move.sequenceMin = Math.min(move.sequenceMin, sequence);
  if (sequence < move.sequenceMax) return;
  move.sequenceMax = sequence;
  move.end = end;
}
