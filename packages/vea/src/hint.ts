/**
 * Where a stream of reservations goes on: right behind the last one, so that what is written together lies together.
 * One per stream (a container's I/O, its aggregation). `offset` undefined: nothing reserved yet, or rolled back.
 */
export class VeaHint {
  constructor(
    public offset: number | undefined = undefined,
    /** Grows with every reservation of the stream; tells whether a cancelled one was the most recent. */
    public sequence = 0,
  ) {}
}
