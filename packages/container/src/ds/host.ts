import { TAG_SYSTEM, type RpcDef } from '@daos/cart';
import { DaosError, type Uuid } from '@daos/common';
import { getLogger } from '@daos/gurt';
import type { PoolSystem } from '@daos/pool/ds';

import { CONT_TGT_CLOSE, CONT_TGT_DESTROY, CONT_TGT_OPEN, CONT_TGT_SNAPSHOT_DELETED } from '../rpc.js';
import type { ContGrant, ContServiceHost } from './cont_service.js';

const RANK_TIMEOUT_MS = 15_000;
const log = getLogger('cont');

/** Reaches all engines of a pool, each by one RPC to its system xstream. */
export class ContRanks implements ContServiceHost {
  constructor(private readonly system: PoolSystem) {}

  async grant(ranks: readonly number[], grant: ContGrant): Promise<void> {
    try {
      await this.all(ranks, CONT_TGT_OPEN, grant);
    } catch (error) {
      await this.revoke(ranks, grant.pool, [grant.handle]);
      throw error;
    }
  }

  async revoke(ranks: readonly number[], pool: Uuid, handles: readonly Uuid[]): Promise<void> {
    const answers = await Promise.allSettled(
      ranks.map((rank) => this.one(rank, CONT_TGT_CLOSE, { pool, handles })),
    );
    answers.forEach((answer, i) => {
      if (answer.status === 'rejected')
        log.warn(
          `rank ${ranks[i]} did not close ${handles.length} container handles: ${String(answer.reason)}`,
        );
    });
  }

  async snapshotDeleted(ranks: readonly number[], pool: Uuid, container: Uuid): Promise<void> {
    const answers = await Promise.allSettled(
      ranks.map((rank) => this.one(rank, CONT_TGT_SNAPSHOT_DELETED, { pool, container })),
    );
    answers.forEach((answer, i) => {
      if (answer.status === 'rejected')
        log.warn(`rank ${ranks[i]} does not know that a snapshot was deleted: ${String(answer.reason)}`);
    });
  }

  async destroy(ranks: readonly number[], pool: Uuid, container: Uuid): Promise<void> {
    await this.all(ranks, CONT_TGT_DESTROY, { pool, container });
  }

  /** Waits for all, then throws the first failure. */
  private async all<Req, Rep>(ranks: readonly number[], rpc: RpcDef<Req, Rep>, input: Req): Promise<void> {
    const answers = await Promise.allSettled(ranks.map((rank) => this.one(rank, rpc, input)));
    const failed = answers.findIndex(({ status }) => status === 'rejected');
    const answer = answers[failed];
    if (answer?.status !== 'rejected') return;
    const { reason } = answer as { reason: unknown };
    if (!(reason instanceof DaosError)) throw reason;
    throw new DaosError(reason.der, `rank ${ranks[failed]}: ${reason.detail}`, { cause: reason });
  }

  private async one<Req, Rep>(rank: number, rpc: RpcDef<Req, Rep>, input: Req): Promise<void> {
    await this.system.caller.call({ rank, tag: TAG_SYSTEM }, rpc, input, { timeoutMs: RANK_TIMEOUT_MS });
  }
}
