import { LruMap } from '@daos/gurt';
import { ContCapability, DaosError, isDaosError, type Uuid } from '@daos/common';
import { tlsKey, type Xstream } from '@daos/engine';
import { POOL_CHILDREN, dsPoolChildLookup, type DsPoolChild } from '@daos/pool/ds';
import type { VosContainer, VosObjects } from '@daos/vos';

import { startAggregation, type TargetAggregation } from './aggregate/target_aggregation.js';
import type { ContGrant } from './cont_service.js';
import type { DsContHandle } from './handle.js';
import type { ContModuleOptions } from './options.js';
import { startScrub, type TargetScrub } from './scrub/target_scrub.js';
import { ContTargetOp, type ContUuids } from './target_op.js';

export interface HandleUuids {
  readonly pool: Uuid;
  readonly handles: readonly Uuid[];
}

export interface HandleUuid {
  readonly pool: Uuid;
  readonly handle: Uuid;
}

/** Closed handles that are remembered, so that a late answer of the leader does not bring one back. */
const REVOKED_MAX = 4096;
/** Unknown handles that are refused without asking again, and for how long. */
const UNKNOWN_MAX = 1024;
const UNKNOWN_MS = 1000;

/** What goes on in containers of its own accord. */
interface Background {
  readonly aggregation: TargetAggregation;
  readonly scrub: TargetScrub | undefined;
  /** Containers that are being destroyed: nothing begins in them. */
  readonly departing: Set<Uuid>;
}

interface OpenContainer {
  readonly pool: Uuid;
  readonly uuid: Uuid;
  readonly vos: VosContainer;
  handles: number;
}

/** An open container on this target under one handle. */
class TargetHandle implements DsContHandle {
  readonly canRead: boolean;
  readonly canWrite: boolean;
  readonly containerUuid: Uuid;
  readonly poolUuid: Uuid;
  readonly handle: Uuid;
  readonly container: VosObjects;

  constructor(
    private readonly child: DsPoolChild,
    readonly open: OpenContainer,
    readonly grant: ContGrant,
  ) {
    this.canRead = (grant.capas & ContCapability.READ_DATA) !== 0;
    this.canWrite = (grant.capas & ContCapability.WRITE_DATA) !== 0;
    this.containerUuid = grant.container;
    this.poolUuid = grant.pool;
    this.handle = grant.handle;
    this.container = open.vos;
  }

  get poolMapVersion(): number {
    return this.child.mapVersion;
  }

  get checksum(): ContGrant['checksum'] {
    return this.grant.checksum;
  }
}

/** Containers that are open on one target, and the handles that were granted there. */
export class ContTarget {
  private readonly handles = new Map<Uuid, TargetHandle>();
  /** By pool and container UUID. */
  private readonly containers = new Map<string, Promise<OpenContainer>>();
  private readonly fetching = new Map<Uuid, Promise<DsContHandle>>();
  private readonly revoked = new LruMap<Uuid, true>(REVOKED_MAX);
  private readonly unknown = new LruMap<Uuid, number>(UNKNOWN_MAX);

  constructor(
    private readonly xs: Xstream,
    private readonly background: Background,
  ) {}

  /** See `dsContHandleLookup`. */
  lookup(pool: Uuid, handle: Uuid): DsContHandle | Promise<DsContHandle> {
    const known = this.handles.get(handle);
    if (known && known.poolUuid === pool) return known;
    if (known || this.revoked.has(handle) || this.isUnknown(handle)) throw noHandle(handle);
    const running = this.fetching.get(handle);
    if (running) return running;
    const fetch = this.fetch(pool, handle).finally(() => this.fetching.delete(handle));
    this.fetching.set(handle, fetch);
    return fetch;
  }

  /** The leader lets a handle in: also one that was taken away when its open failed half way. */
  async grant(grant: ContGrant): Promise<void> {
    this.revoked.delete(grant.handle);
    await this.admit(grant);
  }

  /** Opens the container here, making it when it is new, and lets the handle in. */
  private async admit(grant: ContGrant): Promise<DsContHandle> {
    const known = this.handles.get(grant.handle);
    if (known) return known;
    const child = dsPoolChildLookup(this.xs, grant.pool);
    const open = await this.openContainer(child, grant.container);
    // A close or another grant may have come meanwhile.
    const now = this.handles.get(grant.handle);
    if (now) return now;
    if (this.revoked.has(grant.handle)) {
      this.releaseIfUnused(open);
      throw noHandle(grant.handle);
    }
    open.handles++;
    this.unknown.delete(grant.handle);
    const handle = new TargetHandle(child, open, grant);
    this.handles.set(grant.handle, handle);
    return handle;
  }

  revoke({ handles }: HandleUuids): void {
    for (const handle of handles) {
      this.revoked.set(handle, true);
      this.forget(handle);
    }
  }

  /** Removes the container and its data from this target. Nothing there is success. */
  async destroy({ pool, container }: ContUuids): Promise<void> {
    for (const [uuid, { poolUuid, containerUuid }] of this.handles) {
      if (poolUuid === pool && containerUuid === container) this.forget(uuid);
    }
    const { aggregation, scrub, departing } = this.background;
    departing.add(container);
    try {
      await Promise.all([aggregation.leave(pool, container), scrub?.leave(pool, container)]);
      await dsPoolChildLookup(this.xs, pool).vos.containerDestroy(container);
    } catch (error) {
      if (!isDaosError(error, 'NONEXIST')) throw error;
    } finally {
      departing.delete(container);
    }
  }

  /** Before the pool's shard is closed. */
  closePool(pool: Uuid): void {
    for (const [uuid, { poolUuid }] of this.handles) if (poolUuid === pool) this.forget(uuid);
  }

  private async fetch(pool: Uuid, handle: Uuid): Promise<DsContHandle> {
    try {
      return await this.admit(
        await this.xs.onSystem<HandleUuid, ContGrant>(ContTargetOp.FETCH, { pool, handle }),
      );
    } catch (error) {
      if (isDaosError(error, 'NO_HDL')) this.unknown.set(handle, performance.now() + UNKNOWN_MS);
      throw error;
    }
  }

  private isUnknown(handle: Uuid): boolean {
    const until = this.unknown.peek(handle);
    return until !== undefined && performance.now() < until;
  }

  private async openContainer(child: DsPoolChild, uuid: Uuid): Promise<OpenContainer> {
    const key = `${child.uuid}/${uuid}`;
    let open = this.containers.get(key);
    if (!open) {
      open = openOrCreate(child, uuid);
      this.containers.set(key, open);
      open.catch(() => this.containers.delete(key));
    }
    return open;
  }

  private forget(handle: Uuid): void {
    const known = this.handles.get(handle);
    if (!known) return;
    this.handles.delete(handle);
    known.open.handles--;
    this.releaseIfUnused(known.open);
  }

  private releaseIfUnused(open: OpenContainer): void {
    if (open.handles > 0) return;
    this.containers.delete(`${open.pool}/${open.uuid}`);
    open.vos.close();
  }
}

async function openOrCreate(child: DsPoolChild, uuid: Uuid): Promise<OpenContainer> {
  const { vos } = child;
  const open = (): OpenContainer => ({ pool: child.uuid, uuid, vos: vos.containerOpen(uuid), handles: 0 });
  try {
    return open();
  } catch (error) {
    if (!isDaosError(error, 'NONEXIST')) throw error;
  }
  await vos.containerCreate(uuid);
  return open();
}

function noHandle(handle: Uuid): DaosError {
  return new DaosError('NO_HDL', `container handle ${handle} is not known: it was closed or evicted`);
}

const CONT_TARGET = tlsKey<ContTarget>('cont.target');

/**
 * The handle on this target: at once when it is known here, after asking the pool's service otherwise (the engine was
 * restarted since the open). Call it in a target xstream. DER_NO_HDL when the handle was closed, evicted or never
 * existed; DER_NONEXIST when the pool is not on this target.
 */
export function dsContHandleLookup(
  xs: Xstream,
  poolUuid: Uuid,
  handle: Uuid,
): DsContHandle | Promise<DsContHandle> {
  return xs.tls(CONT_TARGET).lookup(poolUuid, handle);
}

export function startContTarget(xs: Xstream, options: ContModuleOptions): void {
  const departing = new Set<Uuid>();
  const aggregation = startAggregation(xs, options, departing);
  const target = new ContTarget(xs, { aggregation, scrub: startScrub(xs, departing), departing });
  xs.provide(CONT_TARGET, target);
  xs.operation(ContTargetOp.GRANT, (grant: ContGrant) => target.grant(grant));
  xs.operation(ContTargetOp.REVOKE, (args: HandleUuids) => target.revoke(args));
  xs.operation(ContTargetOp.DESTROY, (args: ContUuids) => target.destroy(args));
  xs.operation(ContTargetOp.SNAPSHOT_DELETED, ({ pool, container }: ContUuids) =>
    aggregation.snapshotDeleted(pool, container),
  );
  xs.tls(POOL_CHILDREN).onStop((pool) => target.closePool(pool));
}
