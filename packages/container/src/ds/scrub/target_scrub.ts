import { objectIdToString, type Uuid } from '@daos/common';
import { IdleWatch, RasId, RasSeverity, RasType, raiseRas, type Xstream } from '@daos/engine';
import { POOL_CHILDREN, type DsPoolChild } from '@daos/pool/ds';
import { SCRUB_DISABLED_VARIABLE, type ScrubValue } from '@daos/vos';

import type { ContHistory } from '../aggregate/pool_aggregator.js';
import { ContTargetOp, type ContUuids } from '../target_op.js';
import { PoolScrub } from './pool_scrub.js';

/** Scrubbers of all pools on one target: each begins and ends with its pool's shard. */
export class TargetScrub {
  private readonly pools = new Map<Uuid, PoolScrub>();
  private readonly idle: IdleWatch;

  constructor(
    private readonly xs: Xstream,
    private readonly departing: ReadonlySet<Uuid>,
  ) {
    this.idle = new IdleWatch(xs);
  }

  begin(child: DsPoolChild): void {
    const { xs, idle } = this;
    const { uuid: pool, vos } = child;
    const scrub = new PoolScrub({
      vos,
      settings: () => child.props.scrub,
      isIdle: () => idle.isIdle(),
      isDeparting: (container) => this.departing.has(container),
      history: (container) =>
        xs.onSystem<ContUuids, ContHistory>(ContTargetOp.HISTORY, { pool, container }),
      corrupted: (container, value) => {
        const objId = textOf(value);
        if (value.media === 'nvme') child.device?.mediaError('checksum', `object ${objId} of pool ${pool}`);
        raiseCorruption(xs, { pool, container }, value, objId);
      },
    });
    this.pools.set(pool, scrub);
    scrub.start();
  }

  async end(pool: Uuid): Promise<void> {
    const scrub = this.pools.get(pool);
    this.pools.delete(pool);
    await scrub?.stop();
  }

  /** Lets go of a container that is about to be destroyed. */
  async leave(pool: Uuid, container: Uuid): Promise<void> {
    await this.pools.get(pool)?.leave(container);
  }
}

function textOf({ where: { oid } }: ScrubValue): string {
  return `${objectIdToString(oid.oid)}.${oid.shard}`;
}

function raiseCorruption(xs: Xstream, { pool, container }: ContUuids, { where }: ScrubValue, objId: string): void {
  raiseRas(xs, {
    id: RasId.POOL_CORRUPTION_DETECTED,
    type: RasType.INFO,
    severity: RasSeverity.ERROR,
    msg: `data corruption detected on target ${xs.target}: object ${objId}, epoch ${where.epoch}`,
    poolUuid: pool,
    contUuid: container,
    objId,
  });
}

/** Undefined where the environment switches scrubbing off. */
export function startScrub(xs: Xstream, departing: ReadonlySet<Uuid>): TargetScrub | undefined {
  if (isSet(process.env[SCRUB_DISABLED_VARIABLE])) return undefined;
  const scrub = new TargetScrub(xs, departing);
  const children = xs.tls(POOL_CHILDREN);
  children.onStart((child) => scrub.begin(child));
  children.onStop((pool) => scrub.end(pool));
  return scrub;
}

function isSet(text: string | undefined): boolean {
  return text !== undefined && text !== '' && text !== '0';
}
