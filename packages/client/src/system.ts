import { cartClient, type CartContext, type GroupMember } from '@daos/cart';
import { DaosError, Hlc } from '@daos/common';
import { dcMgmtPoolFind, dcMgmtPoolList } from '@daos/mgmt/dc';
import type { DcOptions, DcSystem, FoundPool } from '@daos/pool/dc';

import { Agent, type AttachInfo } from './agent.js';
import type { OpOptions, SystemInfo } from './types.js';

/** The engines' addresses are asked for again at most so often. */
const REFRESH_INTERVAL_MS = 500;

/** A system that this process is attached to: its engines, reached over CaRT, and the agent that introduced them. */
export class ClientSystem implements DcSystem {
  readonly hlc = new Hlc();
  readonly cart: CartContext;
  private refreshing: Promise<void> | undefined;
  private refreshedAt = 0;
  private groupVersion = 0;

  private constructor(
    readonly name: string,
    private readonly agent: Agent,
    private readonly attached: AttachInfo,
  ) {
    this.cart = cartClient();
    this.setMembers(attached.members);
  }

  /** DER_AGENT_COMM without an agent; DER_UNREACH when the system has no engine. */
  static async attach(name: string, agentDir: string, options: OpOptions = {}): Promise<ClientSystem> {
    const agent = new Agent(agentDir);
    const info = await agent.attachInfo(name, options.signal);
    if (info.members.length === 0) {
      throw new DaosError('UNREACH', `system "${info.system}" has no engine that has joined; see: dmg system query`);
    }
    return new ClientSystem(info.system, agent, info);
  }

  ranks(): readonly number[] {
    return this.cart.groupMembers().map(({ rank }) => rank);
  }

  info(): SystemInfo {
    const { provider, serverVersion, managementRanks } = this.attached;
    const rankUris = this.cart.groupMembers().map(({ rank, uri }) => ({ rank, uri }));
    return { name: this.name, provider, agentPath: this.agent.path, serverVersion, rankUris, accessPointRanks: managementRanks };
  }

  credential(): Promise<Uint8Array> {
    return this.agent.credential();
  }

  findPool(labelOrUuid: string, options: DcOptions = {}): Promise<FoundPool> {
    return dcMgmtPoolFind(this.cart, this.ranks(), labelOrUuid, options);
  }

  async listPools(options: OpOptions): Promise<{ uuid: string; label: string; serviceRanks: number[] }[]> {
    const pools = await dcMgmtPoolList(this.cart, this.ranks(), options);
    return pools.map(({ uuid, label, serviceRanks }) => ({ uuid, label: label ?? '', serviceRanks: [...serviceRanks] }));
  }

  /** Engines may have been started elsewhere, or joined. Fails silently: the known addresses stay. */
  refreshRanks(): Promise<void> {
    if (!this.refreshing && performance.now() - this.refreshedAt < REFRESH_INTERVAL_MS) return Promise.resolve();
    this.refreshing ??= this.refresh().finally(() => {
      this.refreshing = undefined;
      this.refreshedAt = performance.now();
    });
    return this.refreshing;
  }

  close(): Promise<void> {
    return this.cart.close();
  }

  private async refresh(): Promise<void> {
    try {
      const { members } = await this.agent.attachInfo(this.name);
      if (members.length > 0) this.setMembers(members);
    } catch {
      // The operation that needed it reports what it could not reach.
    }
  }

  private setMembers(members: readonly GroupMember[]): void {
    const known = this.cart.groupMembers();
    const same = known.length === members.length
      && members.every(({ rank, uri }) => known.some((member) => member.rank === rank && member.uri === uri));
    if (!same) this.cart.setGroup(members, ++this.groupVersion);
  }
}
