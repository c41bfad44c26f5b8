import { TAG_SYSTEM, type CallResult, type RpcCaller } from '@daos/cart';
import { DaosError, isDaosError, uuidGenerate, type Epoch, type Hlc, type Uuid } from '@daos/common';

import type { ServiceReply, ServiceRpc } from '../service_rpc.js';
import type { LeaderSearch } from './leader_search.js';
import type { DcOptions } from './system.js';

/** A pool's service as a client or a server calls it. */
export interface ServicePeer {
  readonly cart: RpcCaller;
  readonly hlc: Hlc;
  readonly pool: Uuid;
  readonly search: LeaderSearch;
  /** Asks the management service for the ranks of the replicas when all known ones are used up. */
  readonly findRanks?: (() => Promise<readonly number[]>) | undefined;
}

export interface ServiceAnswer<Rep> {
  readonly body: Rep;
  readonly data: Uint8Array;
  readonly mapVersion: number;
}

const TIMEOUT_MS_DEFAULT = 60_000;
/** A try that gives nothing for this long is given up in favour of another rank. */
const TRY_TIMEOUT_MS = 20_000;
const BACKOFF_MS_FIRST = 20;
const BACKOFF_MS_MAX = 2000;

/**
 * Identity of a client towards services. Operations are told apart by client and time, so each clock has an identity
 * of its own: two clocks of one process may give the same time.
 */
const clientIds = new WeakMap<Hlc, Uuid>();

function clientIdOf(hlc: Hlc): Uuid {
  let id = clientIds.get(hlc);
  if (!id) clientIds.set(hlc, (id = uuidGenerate()));
  return id;
}

/** Errors of metadata calls after which the same request is sent again: the network's, TIMEDOUT, GRPVER, EXCLUDED. */
export function isRetryable(error: unknown): error is DaosError {
  return isDaosError(error, 'TIMEDOUT', 'GRPVER', 'EXCLUDED', 'UNREACH', 'HG', 'OOG', 'NOREPLY', 'CANCELED');
}

/**
 * Calls the leader of a pool's service: finds it, and sends the same operation (same client time) again until it is
 * answered or the deadline passes. Throws the service's error, or the last one of the search.
 */
export async function dcRsvcCall<Req, Rep>(
  peer: ServicePeer,
  rpc: ServiceRpc<Req, Rep>,
  handle: Uuid,
  body: Req,
  options: DcOptions = {},
): Promise<ServiceAnswer<Rep>> {
  const call = new ServiceCall(peer, rpc, handle, body, options);
  return call.run();
}

class ServiceCall<Req, Rep> {
  private readonly clientTime: Epoch;
  private readonly deadline: number;
  private failures = 0;

  constructor(
    private readonly peer: ServicePeer,
    private readonly rpc: ServiceRpc<Req, Rep>,
    private readonly handle: Uuid,
    private readonly body: Req,
    private readonly options: DcOptions,
  ) {
    this.clientTime = peer.hlc.get();
    this.deadline = performance.now() + (options.timeoutMs ?? TIMEOUT_MS_DEFAULT);
  }

  async run(): Promise<ServiceAnswer<Rep>> {
    for (;;) {
      let failure: DaosError;
      try {
        const answer = await this.tryOnce(this.peer.search.choose());
        if (!(answer instanceof DaosError)) return answer;
        failure = answer;
      } catch (error) {
        if (!isDaosError(error, 'NOTREPLICA')) throw error;
        failure = error;
        await this.findRanks(error);
      }
      await this.backOff(failure);
    }
  }

  /** The answer, or the error after which another try makes sense. Throws the others. */
  private async tryOnce(rank: number): Promise<ServiceAnswer<Rep> | DaosError> {
    const { peer } = this;
    let result: CallResult<ServiceReply<Rep>>;
    try {
      result = await this.send(rank);
    } catch (error) {
      if (!(error instanceof DaosError) || this.options.signal?.aborted) throw error;
      if (peer.search.complete(rank, { transport: error }) === 'proceed' && !isRetryable(error)) throw error;
      return error;
    }
    const { status, message, hint, body, mapVersion } = result.output;
    const step = peer.search.complete(rank, { status, hint });
    if (status === 0 && body !== undefined) return { body, data: result.data, mapVersion };
    const error =
      status === 0
        ? new DaosError('PROTO', `${this.rpc.name}: reply of rank ${rank} has no body`)
        : DaosError.fromStatus(status, message);
    if (step === 'rechoose' || isRetryable(error)) return error;
    throw error;
  }

  private send(rank: number): Promise<CallResult<ServiceReply<Rep>>> {
    const { peer, handle, body, clientTime, options } = this;
    const remaining = this.deadline - performance.now();
    const input = { pool: peer.pool, handle, clientId: clientIdOf(peer.hlc), clientTime, body };
    return peer.cart.call({ rank, tag: TAG_SYSTEM }, this.rpc, input, {
      timeoutMs: Math.max(1, Math.min(remaining, TRY_TIMEOUT_MS)),
      ...(options.signal ? { signal: options.signal } : {}),
    });
  }

  private async findRanks(error: DaosError): Promise<void> {
    if (!this.peer.findRanks) throw error;
    this.peer.search.reset(await this.peer.findRanks());
  }

  /** Waits before the next try; throws the last failure when the deadline would pass. */
  private async backOff(failure: DaosError): Promise<void> {
    const pause = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_FIRST * 2 ** Math.min(this.failures++, 10));
    if (performance.now() + pause >= this.deadline) throw failure;
    await sleep(pause * (0.5 + Math.random() / 2), this.options.signal);
  }
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const canceled = (): void => {
      clearTimeout(timer);
      reject(new DaosError('CANCELED', 'the operation was aborted'));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', canceled);
      resolve();
    }, ms);
    if (signal?.aborted) canceled();
    else signal?.addEventListener('abort', canceled, { once: true });
  });
}
