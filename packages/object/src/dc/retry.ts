import type { CallResult, Endpoint, RpcDef } from '@daos/cart';
import { Cond, DaosError, isDaosError, type DerName } from '@daos/common';
import type { DcCont } from '@daos/container/dc';

import { ObjFlag, type ObjHead } from '../rpc.js';

/** Options of every object operation. */
export interface ObjOptions {
  readonly signal?: AbortSignal | undefined;
  /** Deadline of the whole operation with its retries, in ms. */
  readonly timeoutMs?: number | undefined;
}

export const OPERATION_TIMEOUT_MS = 60_000;
/** One attempt waits at least so long, so that a slow answer is not asked for again too early. */
const ATTEMPT_TIMEOUT_MS_MIN = 20_000;
/** A map refresh that takes longer gives way to the next attempt: the target may be there although the service is not. */
const REFRESH_TIMEOUT_MS = 5000;
/** A modification that a target calls damaged is sent so many times more: then the damage is not on the way. */
const CSUM_RETRIES_MAX = 10;
const STARVING_AFTER = 10;
const DELAY_MS_MAX = 3000;

/** Failures after which the pool map is fetched again before the next attempt. */
const REFRESH: readonly DerName[] = [
  'STALE', 'TIMEDOUT', 'EXCLUDED', 'GRPVER', 'HG', 'UNREACH', 'CANCELED', 'NOREPLY', 'OOG',
];
/** Failures that may mean that the engine listens elsewhere now. */
const UNREACHABLE: readonly DerName[] = ['UNREACH', 'HG', 'OOG'];
/** Other failures that pass. */
const TRANSIENT: readonly DerName[] = [
  'INPROGRESS', 'TX_BUSY', 'NOTLEADER', 'UPDATE_AGAIN', 'CHKPT_BUSY', 'OVERLOAD_RETRY', 'TX_RESTART', 'AGAIN',
];

/** Where one shard of an object is reached. */
export interface ShardAddress {
  readonly shard: number;
  readonly endpoint: Endpoint;
}

/** What requests go to: the groups of an object. Computed anew for each attempt, as the pool map may have changed. */
export interface ShardTarget {
  readonly cont: DcCont;
  /** For error messages. */
  readonly subject: string;
  address(group: number): ShardAddress;
  head(shard: number, flags: number, apiFlags: number, dtiHlc: bigint): ObjHead;
}

/** One request to one group of an object. `make` completes the request for a head. */
export interface ShardCall<Req, Rep> {
  readonly obj: ShardTarget;
  readonly group: number;
  readonly write: boolean;
  readonly rpc: RpcDef<Req, Rep>;
  readonly flags: number;
  readonly apiFlags: number;
  readonly make: (head: ObjHead) => Req;
  readonly data?: readonly Uint8Array[] | undefined;
  readonly sink?: Uint8Array | undefined;
  readonly options: ObjOptions;
}

/**
 * Sends a request and returns its reply, trying again after failures that pass: with the same modification id, so that
 * a target executes it once. Throws the target's error, or after the deadline the last failure with where and how
 * often it was tried.
 */
export async function callRetrying<Req, Rep extends { readonly mapVersion: number }>(
  call: ShardCall<Req, Rep>,
): Promise<CallResult<Rep>> {
  const { obj, options } = call;
  const started = performance.now();
  const dti = call.write ? newDti(obj) : 0n;
  const timeoutMs = options.timeoutMs ?? OPERATION_TIMEOUT_MS;
  try {
    const address = obj.address(call.group);
    const head = obj.head(address.shard, call.flags, call.apiFlags, dti);
    return noteVersion(obj, await attempt(call, address, head, timeoutMs, timeoutMs));
  } catch (error) {
    return retry(call, dti, started + timeoutMs, timeoutMs, error);
  }
}

function newDti({ cont }: ShardTarget): bigint {
  return cont.pool.system.hlc.get();
}

function attempt<Req, Rep>(
  call: ShardCall<Req, Rep>, address: ShardAddress, head: ObjHead, leftMs: number, totalMs: number,
): Promise<CallResult<Rep>> {
  const { signal } = call.options;
  return call.obj.cont.pool.system.cart.call(address.endpoint, call.rpc, call.make(head), {
    timeoutMs: Math.min(leftMs, Math.max(ATTEMPT_TIMEOUT_MS_MIN, totalMs / 3)),
    ...(call.data && { data: call.data }),
    ...(call.sink && { sink: call.sink }),
    ...(signal && { signal }),
  });
}

function noteVersion<Rep extends { readonly mapVersion: number }>(obj: ShardTarget, result: CallResult<Rep>): CallResult<Rep> {
  const { pool } = obj.cont;
  if (result.output.mapVersion > pool.mapVersion) pool.noteMapVersion(result.output.mapVersion);
  return result;
}

async function retry<Req, Rep extends { readonly mapVersion: number }>(
  call: ShardCall<Req, Rep>, firstDti: bigint, deadline: number, totalMs: number, firstError: unknown,
): Promise<CallResult<Rep>> {
  const { obj } = call;
  let error = firstError;
  let dti = firstDti;
  let resend = call.write ? ObjFlag.RESEND : 0;
  let renamed = false;
  let damaged = 0;
  for (let retries = 1; ; retries++) {
    if (isDaosError(error, 'CSUM')) damaged++;
    checkFinal(call, error, damaged);
    if (isDaosError(error, 'EP_OLD', 'TX_ID_REUSED')) {
      if (renamed) throw new DaosError('IO', `${where(call)}: the id of the modification was refused twice`, { cause: error });
      renamed = true;
      dti = newDti(obj);
      resend = 0;
    }
    const delay = isDaosError(error, ...REFRESH) && retries === 1 && !call.write ? 0 : delayMs(call.write, error, retries);
    if (performance.now() + delay >= deadline) throw gaveUp(call, error, retries, totalMs);
    await sleep(delay, call.options.signal);
    if (isDaosError(error, ...REFRESH)) await refresh(call, error, deadline);
    try {
      const starving = retries >= STARVING_AFTER ? ObjFlag.MAYBE_STARVE : 0;
      const address = obj.address(call.group);
      const head = obj.head(address.shard, call.flags | resend | starving, call.apiFlags, dti);
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw gaveUp(call, error, retries, totalMs);
      return noteVersion(obj, await attempt(call, address, head, leftMs, totalMs));
    } catch (next) {
      error = next;
      if (call.write && !isDaosError(error, 'EP_OLD', 'TX_ID_REUSED')) resend = ObjFlag.RESEND;
    }
  }
}

/** Throws the error unless another attempt may succeed. `damaged` counts the attempts that ended with DER_CSUM. */
function checkFinal<Req, Rep>(call: ShardCall<Req, Rep>, error: unknown, damaged: number): void {
  if (call.options.signal?.aborted) throw new DaosError('CANCELED', `${where(call)} was cancelled`, { cause: error });
  if (!isDaosError(error)) throw error;
  if (isDaosError(error, ...REFRESH, ...TRANSIENT)) return;
  if (call.write) {
    if (isDaosError(error, 'CSUM') && damaged <= CSUM_RETRIES_MAX) return;
    if (isDaosError(error, 'NVME_IO', 'TX_ID_REUSED')) return;
    if (isDaosError(error, 'EP_OLD') && (call.apiFlags & Cond.MASK) === 0) return;
  }
  throw error;
}

async function refresh<Req, Rep>(call: ShardCall<Req, Rep>, error: unknown, deadline: number): Promise<void> {
  const timeoutMs = Math.min(REFRESH_TIMEOUT_MS, deadline - performance.now());
  if (timeoutMs <= 0) return;
  const { pool } = call.obj.cont;
  if (isDaosError(error, ...UNREACHABLE)) await pool.system.refreshRanks?.();
  try {
    await pool.refreshMap({ timeoutMs, signal: call.options.signal });
  } catch (failure) {
    // The pool service may be down together with the target: the next attempt decides. A lost handle is final.
    if (isDaosError(failure, 'NO_HDL', 'NO_PERM', 'NONEXIST')) throw failure;
  }
}

function where<Req, Rep>(call: ShardCall<Req, Rep>): string {
  return `${call.rpc.name} of ${call.obj.subject}`;
}

function gaveUp<Req, Rep>(call: ShardCall<Req, Rep>, error: unknown, attempts: number, totalMs: number): DaosError {
  const last = error instanceof DaosError ? error : new DaosError('MISC', String(error));
  const seconds = Math.round(totalMs / 100) / 10;
  return new DaosError(last.der, `${where(call)} did not succeed within ${seconds} s (${attempts} attempts): ${last.detail}`, {
    cause: error,
  });
}

/** Random, growing with the attempts, so that many clients do not come back at once. */
function delayMs(write: boolean, error: unknown, retries: number): number {
  const baseMs = (31 + Math.random() * 992) / 1000;
  if (isDaosError(error, 'OVERLOAD_RETRY')) return 1000 + Math.random() * 2000;
  const factor = isDaosError(error, 'UPDATE_AGAIN') ? 1024 : 2 ** (write ? retries + 1 : retries - 1);
  const product = baseMs * factor;
  return retries > 10 || product > DELAY_MS_MAX ? DELAY_MS_MAX + baseMs : product;
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  if (ms === 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const aborted = (): void => {
      clearTimeout(timer);
      reject(new DaosError('CANCELED', 'cancelled while waiting for the next attempt'));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', aborted);
      resolve();
    }, ms);
    if (signal?.aborted) aborted();
    else signal?.addEventListener('abort', aborted, { once: true });
  });
}
