import type { Epoch, Uuid } from '@daos/common';

/** A container that was written to after its highest aggregated epoch. */
export interface VosContainerChange {
  readonly uuid: Uuid;
  /** Highest aggregated epoch. */
  readonly hae: Epoch;
  /** Highest epoch of a write. */
  readonly lastWrite: Epoch;
}

/**
 * The containers of a pool that aggregation has something to do in, of those that are not open: an idle pool costs
 * nothing to look through. What was written before the pool was opened is not known, so every container counts as
 * written then.
 */
export class ContainerChanges {
  private readonly changed = new Map<Uuid, VosContainerChange>();

  /** Takes over a container that is opened; its highest write epoch, 0 when nothing is to be done. */
  take(uuid: Uuid): Epoch {
    const lastWrite = this.changed.get(uuid)?.lastWrite ?? 0n;
    this.changed.delete(uuid);
    return lastWrite;
  }

  /** A container is closed, or its pool opened. */
  put(change: VosContainerChange): void {
    if (change.lastWrite > change.hae) this.changed.set(change.uuid, change);
  }

  forget(uuid: Uuid): void {
    this.changed.delete(uuid);
  }

  list(): VosContainerChange[] {
    return [...this.changed.values()];
  }
}
