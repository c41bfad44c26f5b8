import type { RpcCaller } from '@daos/cart';
import type { Hlc, Uuid } from '@daos/common';

/** A pool as the management service knows it. */
export interface FoundPool {
  readonly uuid: Uuid;
  readonly label: string | undefined;
  readonly serviceRanks: readonly number[];
}

/** What the client halves of the services need of the system they talk to. */
export interface DcSystem {
  readonly name: string;
  readonly cart: RpcCaller;
  readonly hlc: Hlc;
  /** Ranks of the system's engines. */
  ranks(): readonly number[];
  /** Asks the agent again where the engines are; calls close together share one request. Never fails. */
  refreshRanks?(): Promise<void>;
  /** Signed credential of the calling user, from the agent. */
  credential(): Promise<Uint8Array>;
  /** Asks the management service. DER_NONEXIST when there is no such pool. */
  findPool(labelOrUuid: string, options?: DcOptions): Promise<FoundPool>;
}

/** Options of every call that may wait. */
export interface DcOptions {
  readonly signal?: AbortSignal | undefined;
  /** Deadline of the whole operation with its retries, in ms. Default 60 s. */
  readonly timeoutMs?: number | undefined;
}
