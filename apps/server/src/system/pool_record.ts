export type PoolState = 'Creating' | 'Ready' | 'Destroying';

/** A pool as the management service knows it; its own service holds everything else. */
export interface PoolRecord {
  readonly uuid: string;
  readonly label: string;
  readonly state: PoolState;
  /** Ranks of the pool service's replicas. */
  readonly replicas: readonly number[];
  /** Term of the report that `replicas` come from; an older report changes nothing. */
  readonly replicasVersion: number;
  /** Ranks that it was created on, and the bytes it takes on each of them, per tier. */
  readonly ranks: readonly number[];
  readonly tierBytes: readonly number[];
  /** RFC 3339. */
  readonly lastUpdate: string;
}
