import { ContLayout, ContProp, DaosError, containerLayoutByName, type Uuid } from '@daos/common';
import { dcContCreate, dcContDestroy, dcContList, dcContOpen } from '@daos/container/dc';
import { ContOpenFlag } from '@daos/container/rpc';
import type { DcPool } from '@daos/pool/dc';
import type { PoolQueryResult, PropEntry } from '@daos/pool/rpc';

import { ClientContainer, allFound } from './container.js';
import { propEntries } from './properties.js';
import type { Container, OpOptions, Pool, PoolInfo } from './types.js';

type ContCreateOptions = NonNullable<Parameters<Pool['contCreate']>[0]>;

/** An open pool. */
export class ClientPool implements Pool {
  private closed = false;
  private readonly containers = new Set<ClientContainer>();

  constructor(
    readonly dc: DcPool,
    private readonly onClose: (pool: ClientPool) => void,
  ) {}

  get uuid(): Uuid {
    return this.dc.uuid;
  }

  get label(): string | undefined {
    return this.dc.label;
  }

  async query(options?: OpOptions): Promise<PoolInfo> {
    this.check();
    return infoOf(await this.dc.query(options));
  }

  async contCreate(options: ContCreateOptions = {}): Promise<Uuid> {
    this.check();
    const layout = containerLayoutByName(options.type ?? 'unknown') ?? ContLayout.UNKNOWN;
    const props: PropEntry[] = [...propEntries(options.props ?? {}), { number: ContProp.LAYOUT_TYPE, value: layout }];
    const { signal, timeoutMs, uuid, label, attrs } = options;
    const created = await dcContCreate(this.dc, { signal, timeoutMs, uuid, label, props });
    if (attrs && Object.keys(attrs).length > 0) await this.setFirstAttrs(created, attrs);
    return created;
  }

  async contOpen(labelOrUuid: string, options: { mode?: 'ro' | 'rw' } & OpOptions = {}): Promise<Container> {
    this.check();
    const { mode = 'ro', ...op } = options;
    const flags = mode === 'rw' ? ContOpenFlag.RW : ContOpenFlag.RO;
    const container = new ClientContainer(await dcContOpen(this.dc, labelOrUuid, { ...op, flags }), (closed) => {
      this.containers.delete(closed);
    });
    this.containers.add(container);
    return container;
  }

  async contDestroy(labelOrUuid: string, options: { force?: boolean } & OpOptions = {}): Promise<void> {
    this.check();
    await dcContDestroy(this.dc, labelOrUuid, options);
  }

  async contList(options?: OpOptions): Promise<{ uuid: Uuid; label: string | undefined }[]> {
    this.check();
    return dcContList(this.dc, options);
  }

  async getAttrs(names: readonly string[], options?: OpOptions): Promise<Uint8Array[]> {
    this.check();
    return allFound(names, await this.dc.getAttrs(names, options), `pool ${this.label ?? this.uuid}`);
  }

  async setAttrs(attrs: Readonly<Record<string, Uint8Array>>, options?: OpOptions): Promise<void> {
    this.check();
    await this.dc.setAttrs(attrs, options);
  }

  async listAttrs(options?: OpOptions): Promise<string[]> {
    this.check();
    return this.dc.listAttrs(options);
  }

  async delAttrs(names: readonly string[], options?: OpOptions): Promise<void> {
    this.check();
    await this.dc.delAttrs(names, options);
  }

  /** Closes the pool and the containers opened through it. */
  async close(): Promise<void> {
    this.check();
    this.closed = true;
    this.onClose(this);
    const open = await Promise.allSettled([...this.containers].map((container) => container.close()));
    await this.dc.disconnect();
    for (const outcome of open) if (outcome.status === 'rejected') throw outcome.reason;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.closed) await this.close();
  }

  private check(): void {
    if (this.closed) throw new DaosError('NO_HDL', `pool ${this.label ?? this.uuid} was closed`);
  }

  /** A container that cannot get its attributes is taken back. */
  private async setFirstAttrs(uuid: Uuid, attrs: Readonly<Record<string, Uint8Array>>): Promise<void> {
    try {
      await using container = await this.contOpen(uuid, { mode: 'rw' });
      await container.setAttrs(attrs);
    } catch (error) {
      await this.contDestroy(uuid, { force: true });
      throw error;
    }
  }
}

function infoOf(found: PoolQueryResult): PoolInfo {
  return {
    uuid: found.uuid,
    label: found.label,
    targetCount: found.targetCount,
    activeTargetCount: found.targetCount - found.disabledTargetCount,
    disabledTargetCount: found.disabledTargetCount,
    mapVersion: found.mapVersion,
    layoutVersion: found.layoutVersion,
    upgradeLayoutVersion: found.upgradeLayoutVersion,
    leaderRank: found.leaderRank,
    serviceRanks: found.serviceRanks,
    enabledRanks: found.enabledRanks,
    state: found.disabledTargetCount > 0 ? 'Degraded' : 'Ready',
    rebuildState: found.rebuild.state,
    tiers: found.tiers.map((tier) => ({
      mediaType: tier.mediaType,
      totalBytes: tier.totalBytes,
      freeBytes: tier.freeBytes,
      minBytes: tier.minFreeBytes,
      maxBytes: tier.maxFreeBytes,
      meanBytes: tier.meanFreeBytes,
    })),
  };
}
