import { TAG_SYSTEM, type CallOptions, type RpcCaller, type RpcDef } from '@daos/cart';
import { DaosError, isDaosError, isUuid, type Uuid } from '@daos/common';

import { MGMT_POOL_FIND, MGMT_POOL_GET_SVCRANKS, MGMT_POOL_LIST } from '../rpc.js';

const TIMEOUT_MS_DEFAULT = 60_000;
const BACKOFF_MS_FIRST = 50;
const BACKOFF_MS_MAX = 1000;

/** A pool as the management service knows it. */
export interface MgmtPool {
  readonly uuid: Uuid;
  /** Undefined when it was found by UUID, or has none. */
  readonly label: string | undefined;
  readonly serviceRanks: readonly number[];
}

export interface DcMgmtOptions {
  readonly signal?: AbortSignal | undefined;
  /** Deadline over all tries, in ms; default 60 s. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Finds a pool by label or UUID. Any engine can answer: it asks its own daos_server. Engines that do not answer are
 * passed over until the deadline. DER_NONEXIST when there is no such pool; DER_INVAL for an empty id.
 */
export async function dcMgmtPoolFind(
  cart: RpcCaller,
  ranks: readonly number[],
  labelOrUuid: string,
  options: DcMgmtOptions = {},
): Promise<MgmtPool> {
  if (labelOrUuid === '') throw new DaosError('INVAL', 'empty pool label');
  const input = isUuid(labelOrUuid) ? { uuid: labelOrUuid.toLowerCase() } : { label: labelOrUuid };
  const found = await callAnyRank(cart, ranks, MGMT_POOL_FIND, input, options);
  return { uuid: found.uuid, label: found.label, serviceRanks: found.svcRanks };
}

/** All pools that are ready. */
export async function dcMgmtPoolList(
  cart: RpcCaller,
  ranks: readonly number[],
  options: DcMgmtOptions = {},
): Promise<MgmtPool[]> {
  const { pools } = await callAnyRank(cart, ranks, MGMT_POOL_LIST, {}, options);
  return pools.map((pool) => ({ uuid: pool.uuid, label: pool.label, serviceRanks: pool.svcRanks }));
}

/** Ranks of a pool's service replicas, from the management service. DER_NONEXIST when there is no such pool. */
export async function dcMgmtPoolGetSvcRanks(
  cart: RpcCaller,
  ranks: readonly number[],
  poolUuid: Uuid,
  options: DcMgmtOptions = {},
): Promise<readonly number[]> {
  const { svcRanks } = await callAnyRank(cart, ranks, MGMT_POOL_GET_SVCRANKS, { poolUuid }, options);
  return svcRanks;
}

/** Errors that say that this engine, or its daos_server, cannot answer now; another one may. */
function mayAskAnother(error: unknown): boolean {
  return isDaosError(
    error,
    'UNREACH',
    'TIMEDOUT',
    'HG',
    'OOG',
    'EXCLUDED',
    'AGAIN',
    'BUSY',
    'IO',
    'AGENT_COMM',
    'SHUTDOWN',
    'CANCELED',
  );
}

/** Asks the ranks one after another, from a random one on, round and round with growing pauses. */
async function callAnyRank<Req, Rep>(
  cart: RpcCaller,
  ranks: readonly number[],
  rpc: RpcDef<Req, Rep>,
  input: Req,
  options: DcMgmtOptions,
): Promise<Rep> {
  if (ranks.length === 0) throw new DaosError('UNREACH', 'the system has no engine to ask');
  const deadline = Date.now() + (options.timeoutMs ?? TIMEOUT_MS_DEFAULT);
  const start = Math.floor(Math.random() * ranks.length);
  for (let attempt = 0;; attempt++) {
    const rank = ranks[(start + attempt) % ranks.length] ?? 0;
    const call: CallOptions = {
      timeoutMs: Math.max(1, deadline - Date.now()),
      ...(options.signal ? { signal: options.signal } : {}),
    };
    try {
      return (await cart.call({ rank, tag: TAG_SYSTEM }, rpc, input, call)).output;
    } catch (error) {
      if (options.signal?.aborted || !mayAskAnother(error)) throw error;
      const roundDone = (attempt + 1) % ranks.length === 0;
      const pause = roundDone
        ? Math.min(BACKOFF_MS_MAX, BACKOFF_MS_FIRST * 2 ** Math.floor(attempt / ranks.length))
        : 0;
      if (Date.now() + pause >= deadline) throw error;
      await sleep(pause);
    }
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
