import type { Uuid } from '@daos/common';
import { IdleWatch, type Xstream } from '@daos/engine';
import { POOL_CHILDREN, type DsPoolChild } from '@daos/pool/ds';

import type { ContModuleOptions } from '../options.js';
import { ContTargetOp, type ContUuids } from '../target_op.js';
import { aggregationGap } from './gap.js';
import { AGGREGATOR_TIMING, PoolAggregator, type AggregatorTiming, type ContHistory } from './pool_aggregator.js';

/** Aggregation of all pools on one target: it begins and ends with each pool's shard. */
export class TargetAggregation {
  private readonly pools = new Map<Uuid, PoolAggregator>();
  private readonly idle: IdleWatch;

  constructor(
    private readonly xs: Xstream,
    private readonly timing: AggregatorTiming,
    private readonly departing: ReadonlySet<Uuid>,
  ) {
    this.idle = new IdleWatch(xs);
  }

  begin(child: DsPoolChild): void {
    const { xs } = this;
    const { uuid: pool, vos } = child;
    const history = (container: Uuid): Promise<ContHistory> =>
      xs.onSystem<ContUuids, ContHistory>(ContTargetOp.HISTORY, { pool, container });
    const aggregator = new PoolAggregator(
      {
        vos,
        history,
        reclaim: () => child.props.reclaim,
        isIdle: () => this.idle.isIdle(),
        now: () => xs.hlc.get(),
        isDeparting: (container) => this.departing.has(container),
      },
      this.timing,
    );
    this.pools.set(pool, aggregator);
    aggregator.start();
  }

  async end(pool: Uuid): Promise<void> {
    const aggregator = this.pools.get(pool);
    this.pools.delete(pool);
    await aggregator?.stop();
  }

  snapshotDeleted(pool: Uuid, container: Uuid): void {
    this.pools.get(pool)?.snapshotDeleted(container);
  }

  /** Lets go of a container that is about to be destroyed. */
  async leave(pool: Uuid, container: Uuid): Promise<void> {
    await this.pools.get(pool)?.leave(container);
  }
}

export function startAggregation(
  xs: Xstream,
  { gap, timing: given }: ContModuleOptions,
  departing: ReadonlySet<Uuid>,
): TargetAggregation {
  const timing = { ...AGGREGATOR_TIMING, ...given, gap: gap ?? aggregationGap() };
  const aggregation = new TargetAggregation(xs, timing, departing);
  const children = xs.tls(POOL_CHILDREN);
  children.onStart((child) => aggregation.begin(child));
  children.onStop((pool) => aggregation.end(pool));
  return aggregation;
}
