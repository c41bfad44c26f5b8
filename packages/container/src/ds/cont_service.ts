import { DaosError, uuidFromBytes, uuidToBytes, type Uuid } from '@daos/common';
import {
  decodeU32,
  decodeU64,
  decodeUuid,
  encodeU32,
  encodeU64,
  type PoolService,
  type PoolServiceExtension,
} from '@daos/pool/ds';
import type { PoolContainer } from '@daos/pool/rpc';
import { RDB_ROOT, rdbIntegerOf, type RdbTx } from '@daos/rdb';

import type { ContChecksum, ContInfo } from '../types.js';
import { contLabel } from './cont_props.js';
import {
  ContKey,
  ContLife,
  PATH_CONTS,
  PATH_CONT_HANDLES,
  PATH_CUUIDS,
  RootKey,
  contHandlesPath,
  contPath,
  contSnapshotsPath,
  labelKey,
} from './layout.js';
import { mdTimesDecode, mdTimesEncode, selectHandles, type MdTimes, type StoredHandle } from './records.js';

/** A handle as targets get it. */
export interface ContGrant {
  readonly pool: Uuid;
  readonly container: Uuid;
  readonly handle: Uuid;
  readonly capas: number;
  readonly checksum?: ContChecksum | undefined;
}

/** What the service needs of the engines of the pool. */
export interface ContServiceHost {
  /** Makes a handle known to all targets of the ranks. Throws the first failure, naming its rank. */
  grant(ranks: readonly number[], grant: ContGrant): Promise<void>;
  /** Takes handles away; ranks that cannot be reached are logged: they ask the leader about handles again. */
  revoke(ranks: readonly number[], pool: Uuid, handles: readonly Uuid[]): Promise<void>;
  /** Tells the targets of the ranks; those that cannot be reached find out when the container is written to again. */
  snapshotDeleted(ranks: readonly number[], pool: Uuid, container: Uuid): Promise<void>;
  /** Removes the container from all targets of the ranks. Throws the first failure, naming its rank. */
  destroy(ranks: readonly number[], pool: Uuid, container: Uuid): Promise<void>;
}

/** The containers of one pool: metadata in the pool's database, handles at every target. */
export class ContService implements PoolServiceExtension {
  constructor(
    readonly pool: PoolService,
    readonly host: ContServiceHost,
  ) {}

  bootstrap(tx: RdbTx): void {
    tx.createKvs(RDB_ROOT, RootKey.CUUIDS);
    tx.createKvs(RDB_ROOT, RootKey.CONTS);
    tx.createKvs(RDB_ROOT, RootKey.CONT_HANDLES);
  }

  async stepUp(): Promise<void> {
    // All state is in the database.
  }

  async stepDown(): Promise<void> {
    // Nothing runs in the background.
  }

  async closePoolHandles(tx: RdbTx, handles: ReadonlySet<Uuid>): Promise<void> {
    await this.closeHandles(
      tx,
      selectHandles(tx, ({ poolHandle }) => handles.has(poolHandle)),
    );
  }

  listContainers(tx: RdbTx): PoolContainer[] {
    const all = [...tx.childKeys(PATH_CONTS)].map(uuidFromBytes);
    return all
      .filter((uuid) => !this.isDestroying(tx, uuid))
      .map((uuid) => ({ uuid, label: contLabel(tx, uuid) }));
  }

  /** DER_NONEXIST for an unknown container. */
  checkExists(tx: RdbTx, container: Uuid): void {
    if (!tx.exists(contPath(container)))
      throw new DaosError('NONEXIST', `pool ${this.pool.uuid} has no container ${container}`);
  }

  /** UUID of a label. DER_NONEXIST when no container has it. */
  uuidOfLabel(tx: RdbTx, label: string): Uuid {
    const uuid = this.findLabel(tx, label);
    if (!uuid) throw new DaosError('NONEXIST', `pool ${this.pool.uuid} has no container "${label}"`);
    return uuid;
  }

  findLabel(tx: RdbTx, label: string): Uuid | undefined {
    if (label === '') throw new DaosError('INVAL', 'a container label must not be empty');
    const bytes = tx.lookup(PATH_CUUIDS, labelKey(label));
    return bytes && decodeUuid(bytes);
  }

  isDestroying(tx: RdbTx, container: Uuid): boolean {
    const flags = tx.lookup(contPath(container), ContKey.GHCE);
    return flags !== undefined && (decodeU64(flags) & ContLife.DESTROYING) !== 0n;
  }

  info(tx: RdbTx, container: Uuid, changes: Partial<ContInfo> = {}): ContInfo {
    const { open, modify } = this.times(tx, container);
    const latest = tx.queryKeyMax(contSnapshotsPath(container));
    return {
      uuid: container,
      label: contLabel(tx, container),
      latestSnapshot: latest ? rdbIntegerOf(latest) : 0n,
      snapshotCount: this.counter(tx, container, ContKey.NSNAPSHOTS),
      handleCount: this.counter(tx, container, ContKey.NHANDLES),
      openTime: open,
      modifyTime: modify,
      ...changes,
    };
  }

  counter(tx: RdbTx, container: Uuid, key: Uint8Array): number {
    const value = tx.lookup(contPath(container), key);
    return value ? decodeU32(value) : 0;
  }

  setCounter(tx: RdbTx, container: Uuid, key: Uint8Array, value: number): void {
    tx.update(contPath(container), key, encodeU32(value));
  }

  times(tx: RdbTx, container: Uuid): MdTimes {
    const value = tx.lookup(contPath(container), ContKey.MD_TIMES);
    return value ? mdTimesDecode(value) : { open: 0n, modify: 0n };
  }

  setTimes(tx: RdbTx, container: Uuid, times: MdTimes): void {
    tx.update(contPath(container), ContKey.MD_TIMES, mdTimesEncode(times));
  }

  /** Notes a change of the container's metadata. */
  touch(tx: RdbTx, container: Uuid): void {
    this.setTimes(tx, container, { ...this.times(tx, container), modify: this.pool.host.hlc.get() });
  }

  setDestroying(tx: RdbTx, container: Uuid): void {
    tx.updateCritical(contPath(container), ContKey.GHCE, encodeU64(ContLife.DESTROYING));
  }

  /** Ranks that serve the pool. */
  ranks(): number[] {
    return this.pool.map.enabledRanks();
  }

  /**
   * Takes handles away from all targets and queues their removal. `counted`: containers whose handle counter the
   * caller writes itself, because a transaction's queries do not see its own changes.
   */
  async closeHandles(
    tx: RdbTx,
    handles: readonly StoredHandle[],
    counted: ReadonlySet<Uuid> = new Set(),
  ): Promise<void> {
    if (handles.length === 0) return;
    await this.host.revoke(
      this.ranks(),
      this.pool.uuid,
      handles.map(({ uuid }) => uuid),
    );
    const closed = new Map<Uuid, number>();
    for (const { uuid, record } of handles) {
      tx.delete(PATH_CONT_HANDLES, uuidToBytes(uuid));
      tx.delete(contHandlesPath(record.container), uuidToBytes(uuid));
      closed.set(record.container, (closed.get(record.container) ?? 0) + 1);
    }
    for (const [container, count] of closed) {
      if (counted.has(container)) continue;
      this.setCounter(tx, container, ContKey.NHANDLES, this.counter(tx, container, ContKey.NHANDLES) - count);
    }
  }
}
