import { DaosError, isDaosError, type Uuid } from '@daos/common';
import { getLogger } from '@daos/gurt';
import type { Vea } from '@daos/vea';

import { ContainerHandle } from './container.js';
import { ContainerChanges, type VosContainerChange } from './container_changes.js';
import { Container } from './container_state.js';
import type { Garbage, GcStatistics } from './garbage.js';
import { setU48, viewOf } from './layout/bytes.js';
import { ContainerRows } from './layout/container_rows.js';
import { IndexKey } from './layout/index_key.js';
import { Space } from './layout/spaces.js';
import { storeClose, type Store } from './store.js';
import type { Superblock } from './superblock.js';
import type { VosContainer, VosPool, VosPoolCtl, VosPoolInfo } from './types.js';
import type { CheckpointPolicy } from './umem/umem_options.js';

/** Larger values do not belong into the index, whatever an administrator may think. */
const DATA_THRESHOLD_MAX = 1024 * 1024;

/** What of a shard is outside of its index. */
export interface ShardFiles {
  superblock(): Superblock;
  upgrade(version: number): Promise<void>;
  setCompat(compat: bigint): Promise<void>;
  readonly freeSpace: Vea | undefined;
  /** The shard is closed. */
  closed(): Promise<void>;
}

/** An open shard of a pool. */
export class PoolHandle implements VosPool {
  /** Containers with open handles. */
  private readonly containers = new Map<Uuid, Container>();
  private readonly changes = new ContainerChanges();
  private readonly rows: ContainerRows;
  private isClosed = false;

  constructor(
    readonly store: Store,
    private readonly garbage: Garbage,
    readonly uuid: Uuid,
    private readonly files: ShardFiles,
    isReadOnly = false,
  ) {
    this.rows = new ContainerRows(store.umem);
    // after the heads, which wrote theirs before
    store.umem.onBatchEnd(() => {
      for (const container of this.containers.values()) container.writeBack();
    });
    const lastWrite = store.now();
    for (const of of this.rows.list()) this.changes.put({ uuid: of, hae: this.rows.get(of)?.hae ?? 0n, lastWrite });
    if (!isReadOnly) garbage.start();
  }

  containerCreate(uuid: Uuid): Promise<void> {
    try {
      this.checkOpen();
      if (this.rows.get(uuid)) throw new DaosError('EXIST', `container ${uuid} exists`);
      this.store.space.checkUpdate(64, 0, 0);
      this.rows.put(uuid, { no: this.store.heads.takeNo(), hae: 0n, objectCount: 0, globalStable: 0n });
      return this.store.umem.durable();
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  containerOpen(uuid: Uuid): VosContainer {
    this.checkOpen();
    const known = uuid.toLowerCase();
    let container = this.containers.get(known);
    if (!container) {
      const row = this.rows.get(uuid);
      if (!row) throw new DaosError('NONEXIST', `container ${uuid} is not in pool ${this.uuid}`);
      container = new Container(this.store, known, this.rows, row, this.garbage, this.changes.take(known));
      this.containers.set(known, container);
    }
    const state = container;
    state.openCount++;
    return new ContainerHandle(state, () => {
      state.openCount--;
      if (state.openCount > 0) return;
      this.containers.delete(known);
      this.changes.put({ uuid: known, hae: state.hae, lastWrite: state.lastWrite });
      this.writeLast(state);
    });
  }

  /** DER_NONEXIST, DER_BUSY while handles of it are open. */
  async containerDestroy(uuid: Uuid): Promise<void> {
    this.checkOpen();
    const row = this.rows.get(uuid);
    if (!row) throw new DaosError('NONEXIST', `container ${uuid} is not in pool ${this.uuid}`);
    if (this.containers.has(uuid.toLowerCase())) throw new DaosError('BUSY', `container ${uuid} is open`);
    const no = new Uint8Array(6);
    setU48(viewOf(no), 0, row.no);
    this.store.space.checkPunch(64);
    this.store.heads.writeBack();
    this.rows.remove(uuid);
    this.changes.forget(uuid.toLowerCase());
    this.store.umem.put(new IndexKey().space(Space.DYING).raw(no), new Uint8Array(0));
    await this.store.umem.durable();
    this.garbage.start();
  }

  containerList(): Uuid[] {
    this.checkOpen();
    return this.rows.list();
  }

  containersChanged(): VosContainerChange[] {
    this.checkOpen();
    const open = [...this.containers.values()].filter(({ lastWrite, hae }) => lastWrite > hae);
    return [...this.changes.list(), ...open.map(({ uuid, hae, lastWrite }) => ({ uuid, hae, lastWrite }))];
  }

  setCheckpointPolicy(policy: CheckpointPolicy): void {
    this.checkOpen();
    this.store.umem.setCheckpointPolicy(policy);
  }

  query(): VosPoolInfo {
    const { space, data } = this.store;
    const { layoutVersion, formatVersion, compat, incompat } = this.files.superblock();
    const { systemBytes: system, rebuildBytes: rebuild } = space;
    const { freeSpace } = this.files;
    return {
      uuid: this.uuid,
      scm: { totalBytes: space.totalBytes, freeBytes: space.freeBytes, systemBytes: system.index, rebuildBytes: rebuild.index },
      nvme: { totalBytes: data.totalBytes, freeBytes: data.freeBytes, systemBytes: system.file, rebuildBytes: rebuild.file },
      vea: freeSpace && { attributes: freeSpace.attributes, statistics: freeSpace.statistics() },
      containerCount: this.rows.list().length,
      layoutVersion,
      formatVersion,
      compat,
      incompat,
    };
  }

  async upgrade(version: number): Promise<void> {
    this.checkOpen();
    await this.files.upgrade(version);
  }

  ctl(setting: VosPoolCtl): void {
    this.checkOpen();
    const { space, data } = this.store;
    switch (setting.op) {
      case 'setDataThreshold': {
        const { bytes } = setting;
        if (!Number.isInteger(bytes) || bytes < 1 || bytes > DATA_THRESHOLD_MAX) {
          throw new DaosError('INVAL', `a threshold of ${bytes} bytes for the data file; give 1 to ${DATA_THRESHOLD_MAX}`);
        }
        return data.setThreshold(bytes);
      }
      case 'setSpaceRebuild':
        return space.setRebuildPercent(setting.percent);
      case 'setSpaceSystem':
        return space.setSystemExtra(setting.scmBytes, setting.nvmeBytes);
    }
  }

  async setCompat(compat: bigint): Promise<void> {
    this.checkOpen();
    await this.files.setCompat(compat);
  }

  /** @internal Undefined: the shard has no data file. */
  get freeSpace(): Vea | undefined {
    this.checkOpen();
    return this.files.freeSpace;
  }

  /**
   * Another handle of the same shard, which is closed on its own: it sees all of this one, but its end. `onClose` is
   * called when it ends.
   */
  share(onClose: () => Promise<void>): PoolHandle {
    const handle = Object.create(this) as PoolHandle;
    handle.isClosed = false;
    handle.close = async () => {
      if (handle.isClosed) return;
      handle.isClosed = true;
      await onClose();
    };
    return handle;
  }

  flush(): Promise<void> {
    return this.store.umem.durable();
  }

  gcStatistics(): GcStatistics {
    return this.garbage.statistics;
  }

  gcReset(): void {
    this.garbage.reset();
  }

  /**
   * Resolves when the space of what was deleted is free again, and no other work goes on in the
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
      await Promise.all([...this.containers.values()].map((container) => container.stop()));
      await this.garbage.stop();
    } finally {
      await storeClose(this.store).finally(() => this.files.closed());
    }
  }

  /** What waits for the batch's end is written now: nobody asks the container then. */
  private writeLast(container: Container): void {
    try {
      container.writeBack();
    } catch (error) {
      if (!isDaosError(error)) throw error;
      // an index that has failed: it has told those who wait, and there is nothing that a close could do about it
      getLogger('vos').warn(`container ${container.uuid} is closed with its last state unwritten: ${error.message}`);
    }
  }

  private checkOpen(): void {
    if (this.isClosed) throw new DaosError('NO_HDL', `pool ${this.uuid} is closed`);
  }
}
