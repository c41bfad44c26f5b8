import { DaosError } from '@daos/common';

/** What somebody does with an object for longer than one call. */
export type HoldKind = 'discard' | 'aggregate';

/**
 * Objects that are being discarded or aggregated: at most one of the two at a time. Writers keep out of a discard;
 * readers, and aggregation's writers, are not hindered.
 */
export class ObjectHolds {
  private readonly held = new Map<number, HoldKind>();

  /** DER_BUSY when the object is held. The result ends the hold. */
  hold(objectNo: number, kind: HoldKind): () => void {
    const holder = this.held.get(objectNo);
    if (holder) throw new DaosError('BUSY', `the object is held to ${holder} it`);
    this.held.set(objectNo, kind);
    return () => {
      if (this.held.get(objectNo) === kind) this.held.delete(objectNo);
    };
  }

  isDiscarding(objectNo: number): boolean {
    return this.held.size > 0 && this.held.get(objectNo) === 'discard';
  }
}
