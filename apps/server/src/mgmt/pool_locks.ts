import { randomUUID } from 'node:crypto';

import { faultPoolLocked } from '../faults.js';

/** One modifying operation per pool at a time; the second taker is told to try again (fault 402). */
export class PoolLocks {
  private readonly held = new Map<string, { id: string; since: string }>();

  async with<T>(poolUuid: string, run: () => Promise<T>): Promise<T> {
    const holder = this.held.get(poolUuid);
    if (holder) throw faultPoolLocked(poolUuid, holder.id, holder.since);
    this.held.set(poolUuid, { id: randomUUID(), since: new Date().toISOString() });
    try {
      return await run();
    } finally {
      this.held.delete(poolUuid);
    }
  }

  isHeld(poolUuid: string): boolean {
    return this.held.has(poolUuid);
  }
}
