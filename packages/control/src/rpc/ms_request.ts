import { DaosError } from '@daos/common';
import type { UnaryMethod } from '@daos/proto';

import { CONNECTION_FAULTS, faultRpcTimeout } from '../client_faults.js';
import { isFault, type Fault } from '../fault.js';
import { NotLeaderError, NotReplicaError, RpcStatusError, Sentinel } from '../wire_error.js';
import { backoffMs, formatDuration, type Timing } from './timing.js';
import { CallTimeoutError, type RpcTransport } from './transport.js';

export const MS_TIMEOUT_MS_DEFAULT = 5 * 60_000;
/** So many servers are asked at once for the way to the leader. */
const HOSTS_ASKED_MAX = 5;
const FAULT_DATA_PLANE_NOT_STARTED = 611;
const GRPC_UNIMPLEMENTED = 12;

/** A request to the management service, wherever its leader is. */
export interface MsRequest<Req, Resp> {
  /** Name of the message, for the text of a timeout: `SystemQueryReq`. */
  readonly name: string;
  readonly method: UnaryMethod<Req, Resp>;
  readonly message: Req;
  /** Time for all tries together; 5 minutes when absent. */
  readonly timeoutMs?: number | undefined;
  readonly tryTimeoutMs?: number | undefined;
  /** Base of the pause between tries. */
  readonly intervalMs?: number | undefined;
  readonly triesMax?: number | undefined;
  /** Whether this failure of try number `attempt` (from 0) is worth another try, beyond what the loop itself retries. */
  readonly canRetry?: ((error: unknown, attempt: number) => boolean) | undefined;
  /** A failure of try number `attempt` that is in truth a success: its answer ends the loop. */
  readonly acceptError?: ((error: unknown, attempt: number) => Resp | undefined) | undefined;
  /** Do not wait for a management service that is not running. */
  readonly failOnUnavailable?: boolean | undefined;
}

export interface MsContext {
  readonly transport: RpcTransport;
  /** Servers of the configuration, with ports. */
  readonly hosts: readonly string[];
  readonly controlPort: number;
  readonly timing: Timing;
  readonly signal?: AbortSignal | undefined;
}

/** None of the asked servers could be reached. */
export class MsUnreachableError extends Error {
  override readonly name = 'MsUnreachableError';
  constructor(readonly fault: Fault) {
    super(`${fault.message}: unable to contact the DAOS Management Service`, { cause: fault });
  }
}

/** True when the management service exists but cannot answer yet. */
export function isUnavailable(error: unknown): boolean {
  if (isFault(error, FAULT_DATA_PLANE_NOT_STARTED)) return true;
  return hasSentence(error, Sentinel.RAFT_UNAVAILABLE) || hasSentence(error, Sentinel.STEP_UP);
}

/** True when no storage of the system has been formatted yet. */
export function isUninitialized(error: unknown): boolean {
  return hasSentence(error, Sentinel.UNINITIALIZED);
}

export function hasSentence(error: unknown, sentence: string): boolean {
  return error instanceof Error && error.message.includes(sentence);
}

/** Runs one request: finds the leader, follows redirections, retries what may pass, keeps to the deadline. */
export async function invokeMs<Req, Resp>(context: MsContext, request: MsRequest<Req, Resp>): Promise<Resp> {
  const start = pickHosts(context);
  const timeoutMs = request.timeoutMs ?? MS_TIMEOUT_MS_DEFAULT;
  const deadlineMs = context.timing.nowMs() + timeoutMs;
  const triesMax = request.triesMax ?? Number.POSITIVE_INFINITY;
  let hosts = start;
  let last: unknown;
  for (let attempt = 0; attempt < triesMax; attempt++) {
    const leftMs = deadlineMs - context.timing.nowMs();
    if (leftMs <= 0) break;
    const outcome = await askAll(context, request, hosts, leftMs);
    if ('response' in outcome) return outcome.response;
    last = outcome.error;
    const accepted = request.acceptError?.(last, attempt);
    if (accepted !== undefined) return accepted;
    const next = nextHosts(context, request, last, attempt, start, hosts);
    if (!next) throw last;
    hosts = next;
    const pauseMs = backoffMs(attempt, () => context.timing.random(), request.intervalMs);
    if (context.timing.nowMs() + pauseMs >= deadlineMs) break;
    await context.timing.sleep(pauseMs, context.signal);
  }
  if (context.timing.nowMs() < deadlineMs && Number.isFinite(triesMax)) {
    throw new Error('max retries exceeded', { cause: last });
  }
  throw faultRpcTimeout(request.name, formatDuration(timeoutMs));
}

/** At most five different servers, at random: no server is everybody's first. */
function pickHosts(context: MsContext): readonly string[] {
  const left = [...context.hosts];
  const picked: string[] = [];
  while (left.length > 0 && picked.length < HOSTS_ASKED_MAX) {
    picked.push(...left.splice(Math.floor(context.timing.random() * left.length), 1));
  }
  return picked;
}

type Outcome<Resp> = { readonly response: Resp } | { readonly error: unknown };

async function askAll<Req, Resp>(
  context: MsContext,
  request: MsRequest<Req, Resp>,
  hosts: readonly string[],
  leftMs: number,
): Promise<Outcome<Resp>> {
  const timeoutMs = Math.min(leftMs, request.tryTimeoutMs ?? leftMs);
  const options = { timeoutMs, signal: context.signal };
  const results = await Promise.allSettled(
    hosts.map(async (host) => checkStatus(await context.transport.call(host, request.method, request.message, options))),
  );
  context.signal?.throwIfAborted();
  return pickOutcome(results);
}

/** Servers fail a call whose response carries a status; a response that still has one is treated alike. */
function checkStatus<Resp>(response: Resp): Resp {
  const status = (response as { status?: unknown }).status;
  if (typeof status === 'number' && status !== 0) throw DaosError.fromStatus(status);
  return response;
}

/** The newest success; without one the most telling failure: what a server said before how one could not be reached. */
function pickOutcome<Resp>(results: readonly PromiseSettledResult<Resp>[]): Outcome<Resp> {
  let best: { response: Resp; version: bigint } | undefined;
  let answered: unknown;
  let unreachable: unknown;
  for (const result of results) {
    if (result.status === 'fulfilled') {
      const version = (result.value as { dataVersion?: bigint }).dataVersion ?? 0n;
      if (!best || version > best.version) best = { response: result.value, version };
    } else if (isFault(result.reason, ...CONNECTION_FAULTS) || result.reason instanceof CallTimeoutError) {
      unreachable = result.reason;
    } else answered = preferRedirect(answered, result.reason);
  }
  if (best) return { response: best.response };
  return { error: answered ?? unreachable ?? new Error('no server to ask') };
}

/** The way to the leader is worth more than any other failure, a known leader more than a list of replicas. */
function preferRedirect(before: unknown, next: unknown): unknown {
  if (before instanceof NotLeaderError && before.leaderHint !== '') return before;
  if (before instanceof NotLeaderError && !(next instanceof NotLeaderError)) return before;
  if (before instanceof NotReplicaError && !(next instanceof NotLeaderError)) return before;
  return next;
}

/** Whom to ask next after a failure, or undefined when it is final. Throws what is final in other words. */
function nextHosts<Req, Resp>(
  context: MsContext,
  request: MsRequest<Req, Resp>,
  error: unknown,
  attempt: number,
  start: readonly string[],
  hosts: readonly string[],
): readonly string[] | undefined {
  if (request.canRetry?.(error, attempt)) return start;
  if (error instanceof NotLeaderError) {
    return withPorts(context, error.leaderHint === '' ? error.replicas : [error.leaderHint], hosts);
  }
  if (error instanceof NotReplicaError) return withPorts(context, error.replicas, hosts);
  if (error instanceof CallTimeoutError) return hosts;
  if (error instanceof RpcStatusError && error.code === GRPC_UNIMPLEMENTED) return undefined;
  if (isUnavailable(error)) return request.failOnUnavailable ? undefined : hosts;
  if (isFault(error, ...CONNECTION_FAULTS)) {
    // A redirection may have led to a dead server; the configured ones may know better.
    if (!sameHosts(hosts, start)) return start;
    throw new MsUnreachableError(error);
  }
  return undefined;
}

function withPorts(context: MsContext, addresses: readonly string[], otherwise: readonly string[]): readonly string[] {
  if (addresses.length === 0) return otherwise;
  return addresses.map((address) => (/:\d+$/.test(address) ? address : `${address}:${context.controlPort}`));
}

function sameHosts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((host) => b.includes(host));
}
