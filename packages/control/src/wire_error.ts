import { DaosError } from '@daos/common';
import { Any } from '@daos/proto/google/protobuf/any';
import { ErrorInfo, Status } from '@daos/proto/google/rpc/status';

import { rootCause } from './error_text.js';
import { Fault } from './fault.js';

/** Sentences that stand for a condition and are recognised by the other side: never reword them. */
export const Sentinel = {
  EMPTY_GROUP_MAP: 'empty group map (all ranks excluded?)',
  RAFT_UNAVAILABLE: 'raft service unavailable (not started yet?)',
  UNINITIALIZED: 'system is uninitialized (storage format required?)',
  STEP_UP: 'leader step-up in progress (try again)',
} as const;

const GRPC_INTERNAL = 13;
const ERROR_INFO_URL = 'type.googleapis.com/google.rpc.ErrorInfo';
const REASON_FAULT = 'proto.fault.Fault';
const REASON_STATUS = 'proto.daos.DaosStatus';
const REASON_NOT_LEADER = 'proto.system.ErrNotLeader';
const REASON_NOT_REPLICA = 'proto.system.ErrNotReplica';
const REASON_POOL_NOT_FOUND = 'proto.system.ErrPoolNotFound';

/** The asked server knows the management service but does not lead it. */
export class NotLeaderError extends Error {
  override readonly name = 'NotLeaderError';
  constructor(
    readonly leaderHint: string,
    readonly replicas: readonly string[],
  ) {
    super(`not the leader of the management service (leader: ${leaderHint === '' ? 'unknown' : leaderHint})`);
  }
}

/** The asked server runs no replica of the management service. */
export class NotReplicaError extends Error {
  override readonly name = 'NotReplicaError';
  constructor(readonly replicas: readonly string[]) {
    super(`not a replica of the management service (replicas: ${replicas.join(',') || 'unknown'})`);
  }
}

/** The management service knows no such pool. */
export class PoolNotFoundError extends Error {
  override readonly name = 'PoolNotFoundError';
  constructor(readonly key: { readonly uuid?: string; readonly label?: string; readonly rank?: number }) {
    super(poolNotFoundText(key));
  }
}

/** A gRPC failure that is none of the typed errors. */
export class RpcStatusError extends Error {
  override readonly name = 'RpcStatusError';
  constructor(
    /** gRPC status code. */
    readonly code: number,
    /** Text from the server, without decoration. */
    readonly details: string,
  ) {
    super(`rpc error: code = ${grpcCodeName(code)} desc = ${details}`);
  }
}

/** Status code, text and trailing details for gRPC of a handler's failure. `details` goes to `grpc-status-details-bin`. */
export interface AnnotatedError {
  readonly code: number;
  readonly message: string;
  readonly details: Buffer | undefined;
}

/** Turns a failure into what a gRPC server sends, so that `decodeWireError` rebuilds it at the client. */
export function annotateError(failure: unknown): AnnotatedError {
  const error = rootCause(failure);
  const info = errorInfoOf(error);
  if (!info) {
    if (error instanceof RpcStatusError) return { code: error.code, message: error.details, details: undefined };
    return { code: 2, message: error instanceof Error ? error.message : String(error), details: undefined };
  }
  const message = error instanceof Error ? error.message : String(error);
  const status = Status.fromPartial({
    code: GRPC_INTERNAL,
    message,
    details: [Any.fromPartial({ typeUrl: ERROR_INFO_URL, value: Buffer.from(ErrorInfo.encode(info).finish()) })],
  });
  return { code: GRPC_INTERNAL, message, details: Buffer.from(Status.encode(status).finish()) };
}

function errorInfoOf(error: unknown): ErrorInfo | undefined {
  if (error instanceof Fault) {
    return {
      reason: REASON_FAULT,
      domain: error.domain,
      metadata: {
        Domain: error.domain,
        Code: String(error.code),
        Description: error.description,
        Reason: error.reason,
        Resolution: error.resolution,
      },
    };
  }
  if (error instanceof DaosError) return { reason: REASON_STATUS, domain: 'DAOS', metadata: { Status: String(error.status) } };
  if (error instanceof NotLeaderError) {
    const metadata = { LeaderHint: error.leaderHint, Replicas: JSON.stringify(error.replicas) };
    return { reason: REASON_NOT_LEADER, domain: 'DAOS', metadata };
  }
  if (error instanceof NotReplicaError) {
    return { reason: REASON_NOT_REPLICA, domain: 'DAOS', metadata: { Replicas: JSON.stringify(error.replicas) } };
  }
  if (error instanceof PoolNotFoundError) {
    return { reason: REASON_POOL_NOT_FOUND, domain: 'DAOS', metadata: { PoolInfo: JSON.stringify(poolKeyToWire(error.key)) } };
  }
  return undefined;
}

/** Rebuilds the failure that a server sent: code and text of the gRPC status, and its details when there were any. */
export function decodeWireError(code: number, message: string, details: Uint8Array | undefined): Error {
  const info = details ? firstErrorInfo(details) : undefined;
  return (info && typedError(info, message)) ?? new RpcStatusError(code, message);
}

function firstErrorInfo(details: Uint8Array): ErrorInfo | undefined {
  try {
    const found = Status.decode(details).details.find((detail) => detail.typeUrl.endsWith('/google.rpc.ErrorInfo'));
    return found ? ErrorInfo.decode(found.value) : undefined;
  } catch {
    // Details that cannot be read are as good as none: the status' own text is still shown.
    return undefined;
  }
}

function typedError(info: ErrorInfo, message: string): Error | undefined {
  const data = info.metadata;
  switch (info.reason) {
    case REASON_FAULT:
      return new Fault({
        domain: data.Domain ?? info.domain,
        code: wholeNumber(data.Code),
        description: data.Description ?? message,
        reason: data.Reason ?? '',
        resolution: data.Resolution ?? '',
      });
    case REASON_STATUS:
      return DaosError.fromStatus(wholeNumber(data.Status), statusDetail(message));
    case REASON_NOT_LEADER:
      return new NotLeaderError(data.LeaderHint ?? '', stringList(data.Replicas));
    case REASON_NOT_REPLICA:
      return new NotReplicaError(stringList(data.Replicas));
    case REASON_POOL_NOT_FOUND:
      return new PoolNotFoundError(poolKeyFromWire(data.PoolInfo));
    default:
      return undefined;
  }
}

/** What a server says about a status, behind the status' own name: which rank, how much. */
function statusDetail(message: string): string | undefined {
  return /^DER_\w+\(-?\d+\): (.+)$/s.exec(message)?.[1];
}

function wholeNumber(text: string | undefined): number {
  const value = Number((text ?? '').replaceAll('"', ''));
  return Number.isInteger(value) ? value : 0;
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

function stringList(text: string | undefined): string[] {
  const value = parseJson(text);
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** DAOS's own key names, as it writes the looked-up key. */
function poolKeyToWire(key: PoolNotFoundError['key']): Record<string, unknown> {
  return { ByRank: key.rank ?? null, ByUUID: key.uuid ?? '', ByLabel: key.label ?? null };
}

function poolKeyFromWire(text: string | undefined): PoolNotFoundError['key'] {
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null) return {};
  const found: { uuid?: string; label?: string; rank?: number } = {};
  for (const [name, item] of Object.entries(value)) {
    const lower = name.toLowerCase();
    if (lower.includes('uuid') && typeof item === 'string' && item !== '' && !/^[0-]+$/.test(item)) found.uuid = item;
    else if (lower.includes('label') && typeof item === 'string' && item !== '') found.label = item;
    else if (lower.includes('rank') && typeof item === 'number') found.rank = item;
  }
  return found;
}

function poolNotFoundText(key: PoolNotFoundError['key']): string {
  if (key.label !== undefined) return `unable to find pool service with label ${JSON.stringify(key.label)}`;
  if (key.uuid !== undefined) return `unable to find pool service with uuid ${key.uuid}`;
  if (key.rank !== undefined) return `unable to find pool service with rank ${key.rank}`;
  return 'unable to find pool service';
}

const GRPC_CODE_NAMES = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
];

function grpcCodeName(code: number): string {
  return GRPC_CODE_NAMES[code] ?? `Code(${code})`;
}
