import { DaosError, uuidFromBytes, uuidToBytes, type Uuid } from '@daos/common';

import { ContainerHandle } from './container.js';
import type { Garbage } from './garbage.js';
import { getU48, setU48, viewOf } from './layout/bytes.js';
import { IndexKey } from './layout/index_key.js';
import { Space } from './layout/spaces.js';
import type { Store } from './store.js';
import type { VosContainer, VosPool, VosPoolInfo } from './types.js';

/** An open shard of a pool. */
export class PoolHandle implements VosPool {
  /** Open handles per container. */
  private readonly openContainers = new Map<Uuid, number>();
  private isClosed = false;

  constructor(
    private readonly store: Store,
    private readonly garbage: Garbage,
    readonly uuid: Uuid,
    private readonly onClose: () => void,
  ) {
    garbage.start();
  }

  containerCreate(uuid: Uuid): Promise<void> {
    try {
      const key = this.containerKey(uuid);
      if (this.store.umem.has(key)) throw new DaosError('EXIST', `container ${uuid} exists`);
      this.store.space.checkUpdate(key.length);
      const no = new Uint8Array(6);
      setU48(viewOf(no), 0, this.store.heads.takeNo());
      this.store.umem.put(this.containerKey(uuid), no);
      return this.store.umem.durable();
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  containerOpen(uuid: Uuid): VosContainer {
    const stored = this.store.umem.get(this.containerKey(uuid));
    if (!stored) throw new DaosError('NONEXIST', `container ${uuid} is not in pool ${this.uuid}`);
    const known = uuid.toLowerCase();
    this.openContainers.set(known, (this.openContainers.get(known) ?? 0) + 1);
    return new ContainerHandle(this.store, known, getU48(viewOf(stored), 0), () => {
      const left = (this.openContainers.get(known) ?? 1) - 1;
      if (left > 0) this.openContainers.set(known, left);
      else this.openContainers.delete(known);
    });
  }

  /** DER_NONEXIST, DER_BUSY while handles of it are open. */
  async containerDestroy(uuid: Uuid): Promise<void> {
    const key = this.containerKey(uuid);
    const stored = this.store.umem.get(key);
    if (!stored) throw new DaosError('NONEXIST', `container ${uuid} is not in pool ${this.uuid}`);
    if (this.openContainers.has(uuid.toLowerCase())) throw new DaosError('BUSY', `container ${uuid} is open`);
    this.store.heads.writeBack();
    this.store.umem.remove(key);
    this.store.umem.put(new IndexKey().space(Space.DYING).raw(stored), new Uint8Array(0));
    await this.store.umem.durable();
    this.garbage.start();
  }

  containerList(): Uuid[] {
    this.checkOpen();
    const from = new IndexKey().space(Space.CONTAINER);
    const to = new IndexKey().space(Space.CONTAINER).toPrefixEnd();
    return [...this.store.umem.range({ from, to })].map(({ key }) => uuidFromBytes(key.subarray(1)));
  }

  query(): VosPoolInfo {
    const { space, data } = this.store;
    return {
      uuid: this.uuid,
      scm: { totalBytes: space.totalBytes, freeBytes: space.freeBytes },
      nvme: { totalBytes: data.totalBytes, freeBytes: data.freeBytes },
      containerCount: this.containerList().length,
    };
  }

  flush(): Promise<void> {
    return this.store.umem.durable();
  }

  /**
   * Resolves when the space of destroyed containers is free again, and no other work goes on in the
   * background.
   */
  async settled(): Promise<void> {
    await this.garbage.idle();
    await this.store.umem.settled();
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    try {
      await this.garbage.stop();
      await this.store.umem.close();
      await this.store.data.close();
    } finally {
      this.onClose();
    }
  }

  private containerKey(uuid: Uuid): IndexKey {
    this.checkOpen();
    return new IndexKey().space(Space.CONTAINER).raw(uuidToBytes(uuid));
  }

  private checkOpen(): void {
    if (this.isClosed) throw new DaosError('NO_HDL', `pool ${this.uuid} is closed`);
  }
}
