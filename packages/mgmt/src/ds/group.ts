import { TAG_SYSTEM, type GroupMember } from '@daos/cart';
import type { Xstream } from '@daos/engine';
import { getLogger } from '@daos/gurt';

import { MGMT_TGT_MAP_UPDATE } from '../rpc.js';

const log = getLogger('mgmt');
const MAP_UPDATE_TIMEOUT_MS = 5_000;

/**
 * Spreads the group map from the engine beside the management service's leader to all others.
 *
 * 1. GROUP_UPDATE applies the map here and asks for distribution.
 * 2. One round at a time tells every member; what came meanwhile makes one more round.
 * 3. A member that did not hear it is told again with the next change; the leader's periodic update brings one.
 */
export class GroupDistribution {
  private wanted: { version: number; members: readonly GroupMember[] } | undefined;
  private running: Promise<void> | undefined;
  private stopped = false;

  constructor(private readonly xs: Xstream) {}

  /** False when the version is not newer than what this engine has. */
  async update(version: number, members: readonly GroupMember[]): Promise<boolean> {
    const applied = await this.xs.updateGroup(version, members);
    if (applied) {
      this.wanted = { version, members };
      this.running ??= this.distribute();
    }
    return applied;
  }

  /** Resolves when no round is running. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  private async distribute(): Promise<void> {
    try {
      for (let next = this.wanted; next && !this.stopped; next = this.wanted) {
        this.wanted = undefined;
        await this.round(next.version, next.members);
      }
    } finally {
      this.running = undefined;
    }
  }

  private async round(version: number, members: readonly GroupMember[]): Promise<void> {
    const others = members.filter((member) => member.rank !== this.xs.engine.rank);
    await Promise.all(
      others.map(async ({ rank }) => {
        try {
          const input = {
            version,
            members: members.map((member) => ({ rank: member.rank, uri: member.uri })),
          };
          await this.xs.cart.call({ rank, tag: TAG_SYSTEM }, MGMT_TGT_MAP_UPDATE, input, {
            timeoutMs: MAP_UPDATE_TIMEOUT_MS,
          });
        } catch (error) {
          log.warn(
            `group map ${version} did not reach rank ${rank}: ${
              error instanceof Error ? error.message : String(error)
            }`,
          );
        }
      }),
    );
  }
}
