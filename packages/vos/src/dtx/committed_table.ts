import type { Epoch } from '@daos/common';

import type { DtxId } from './handle.js';

/** Ids of committed transactions with their epochs, in memory. */
export class CommittedTable {
  private readonly byHlc = new Map<bigint, Map<string, Epoch>>();
  size = 0;

  add(id: DtxId, epoch: Epoch, _seconds: number): void {
    let uuids = this.byHlc.get(id.hlc);
    if (!uuids) this.byHlc.set(id.hlc, (uuids = new Map()));
    if (!uuids.has(id.uuid)) this.size++;
    uuids.set(id.uuid, epoch);
  }

  has(id: DtxId): boolean {
    return this.epochOf(id) !== undefined;
  }

  epochOf(id: DtxId): Epoch | undefined {
    return this.byHlc.get(id.hlc)?.get(id.uuid);
  }

  remove(id: DtxId): void {
    const uuids = this.byHlc.get(id.hlc);
    if (!uuids?.delete(id.uuid)) return;
    this.size--;
    if (uuids.size === 0) this.byHlc.delete(id.hlc);
  }
}
