import { DaosError } from '@daos/common';

import type { Chunk } from './chunk.js';
import type { VeaHint } from './hint.js';
import type { VeaExtent } from './store.js';

/** Blocks set aside for one write. In memory only: a crash forgets it. */
export type VeaReservation = VeaExtent;

export class Reservation implements VeaReservation {
  state: 'reserved' | 'published' | 'cancelled' = 'reserved';

  constructor(
    readonly offset: number,
    readonly blocks: number,
    /** The chunk of which it is a unit. */
    readonly chunk: Chunk | undefined,
    /** The stream it belongs to, where that would have gone on, and its place in it. */
    readonly hint: VeaHint | undefined,
    readonly hintOffset: number | undefined,
    readonly sequence: number,
  ) {}

  get end(): number {
    return this.offset + this.blocks;
  }
}

/** DER_INVAL when one of them is not an open reservation, or there twice. */
export function openReservations(given: VeaReservation | readonly VeaReservation[]): Reservation[] {
  if (!Array.isArray(given)) return [openReservation(given as VeaReservation)];
  const open = (given as readonly VeaReservation[]).map(openReservation);
  open.sort((x, y) => x.offset - y.offset);
  for (let i = 1; i < open.length; i++) {
    if (open[i] === open[i - 1]) throw new DaosError('INVAL', `the reservation of block ${open[i]?.offset} is given twice`);
  }
  return open;
}

function openReservation(reservation: VeaReservation): Reservation {
  if (!(reservation instanceof Reservation) || reservation.state !== 'reserved') {
    throw new DaosError('INVAL', `not an open reservation: ${reservation.blocks} blocks at ${reservation.offset}`);
  }
  return reservation;
}
