import type { Epoch } from '@daos/common';

import type { AggregatorTiming } from './aggregate/pool_aggregator.js';

/** How the container module works, where that is not as the environment says. For tests. */
export interface ContModuleOptions {
  /** Default: `DAOS_VOS_AGG_GAP`. */
  readonly gap?: Epoch;
  readonly timing?: Partial<Omit<AggregatorTiming, 'gap'>>;
}
