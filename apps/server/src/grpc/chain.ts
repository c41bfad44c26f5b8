import type { Metadata, ServerUnaryCall, StatusObject } from '@grpc/grpc-js';
import { DaosError } from '@daos/common';
import {
  RpcStatusError,
  annotateError,
  formatStatus,
  isUnavailable,
  isUninitialized,
  type ControlLog,
} from '@daos/control';

import { faultWrongSystem } from '../faults.js';
import { componentOfCommonName, mayCall } from './authorization.js';
import { checkVersion, splitSystemName, type Component, type Version } from './version_check.js';

const GRPC_PERMISSION_DENIED = 7;
const GRPC_UNAUTHENTICATED = 16;
const GRPC_UNKNOWN = 2;
const DETAILS_TRAILER = 'grpc-status-details-bin';

/** What a handler knows about its call. */
export interface CallContext {
  readonly path: string;
  /** IP address and port of the caller. */
  readonly peer: string;
  /** Who calls: from the certificate, else from the header; undefined when neither says so. */
  readonly component: Component | undefined;
  /** Aborts when the caller gives up or its deadline passes. */
  readonly signal: AbortSignal;
  /** Unix ms until when the caller waits; Infinity when it did not say. */
  readonly deadlineMs: number;
}

export type UnaryHandler<Req, Resp> = (request: Req, context: CallContext) => Promise<Resp>;

/** What the checks before every handler need. */
export interface ChainOptions {
  readonly systemName: string;
  readonly self: Version;
  readonly secure: boolean;
  readonly log: ControlLog;
}

export interface UnaryReply<Resp> {
  readonly response?: Resp;
  readonly error?: Partial<StatusObject>;
}

/**
 * Runs one call through all checks, in DAOS's order: authorisation, version, system name, handler, and a response whose
 * `status` is not 0 becomes that DAOS error. Failures come back as gRPC statuses with typed details.
 */
export async function runUnary<Req, Resp>(
  call: ServerUnaryCall<Req, Resp>,
  handler: UnaryHandler<Req, Resp>,
  options: ChainOptions,
  makeMetadata: () => Metadata,
): Promise<UnaryReply<Resp>> {
  const path = call.getPath();
  const started = performance.now();
  try {
    const component = authorise(call, options, path);
    checkCaller(call, options, component);
    checkSystem(call.request, options.systemName);
    const response = await handler(call.request, contextOf(call, path, component));
    throwStatus(response);
    return { response };
  } catch (error) {
    const elapsed = (performance.now() - started).toFixed(1);
    const line = `gRPC handler for ${path.slice(1)} failed: ${logText(error)} (elapsed: ${elapsed}ms)`;
    // Clients ask again and again while the service starts; that is no news.
    if (isUnavailable(error) || isUninitialized(error)) options.log.debug(line);
    else options.log.error(line);
    return { error: toGrpcStatus(error, makeMetadata) };
  }
}

/** The component that the certificate names; with certificates, one that may not call `path` is refused. */
function authorise(
  call: ServerUnaryCall<unknown, unknown>,
  options: ChainOptions,
  path: string,
): Component | undefined {
  if (!options.secure) return undefined;
  const certificate = call.getAuthContext().sslPeerCertificate;
  if (!certificate?.subject) throw new RpcStatusError(GRPC_UNAUTHENTICATED, 'the caller has no certificate');
  const commonName = String(certificate.subject.CN);
  const component = componentOfCommonName(commonName);
  if (component && mayCall(component, path)) return component;
  throw new RpcStatusError(
    GRPC_PERMISSION_DENIED,
    `${component ?? 'undefined component'} does not have permission to call ${path}`,
  );
}

function checkCaller(
  call: ServerUnaryCall<unknown, unknown>,
  options: ChainOptions,
  component: Component | undefined,
): void {
  checkVersion({
    self: options.self,
    secure: options.secure,
    peerComponent: component,
    componentHeader: header(call.metadata, 'x-daos-component'),
    versionHeader: header(call.metadata, 'x-daos-version'),
    sys: systemOf(call.request),
  });
}

function header(metadata: Metadata, key: string): string | undefined {
  const [value] = metadata.get(key);
  return value?.toString();
}

function systemOf(request: unknown): string | undefined {
  const sys = (request as { sys?: unknown } | null)?.sys;
  return typeof sys === 'string' ? sys : undefined;
}

function checkSystem(request: unknown, own: string): void {
  const sys = systemOf(request);
  if (sys === undefined) return;
  const { name } = splitSystemName(sys);
  // A system whose own name ends like a version is also named without a suffix.
  if (name !== own && sys !== own) throw faultWrongSystem(name, own);
}

function throwStatus(response: unknown): void {
  const status = (response as { status?: unknown } | null)?.status;
  if (typeof status === 'number' && status !== 0) throw DaosError.fromStatus(status);
}

function contextOf(
  call: ServerUnaryCall<unknown, unknown>,
  path: string,
  component: Component | undefined,
): CallContext {
  const abort = new AbortController();
  call.on('cancelled', () => {
    abort.abort();
  });
  const deadline = call.getDeadline();
  const deadlineMs = deadline instanceof Date ? deadline.getTime() : deadline;
  const named = header(call.metadata, 'x-daos-component');
  const fromHeader = named === undefined ? undefined : componentOfCommonName(named);
  return { path, peer: call.getPeer(), component: component ?? fromHeader, signal: abort.signal, deadlineMs };
}

/** gRPC's form of a failure; details go into a trailer. */
export function toGrpcStatus(error: unknown, makeMetadata: () => Metadata): Partial<StatusObject> {
  const { code, message, details } = annotateError(error);
  const status: Partial<StatusObject> = { code: code === 0 ? GRPC_UNKNOWN : code, details: message };
  if (!details) return status;
  const metadata = makeMetadata();
  metadata.set(DETAILS_TRAILER, details);
  return { ...status, metadata };
}

function logText(error: unknown): string {
  if (error instanceof DaosError) return `${formatStatus(error)} (${error.detail})`;
  return error instanceof Error ? error.message : String(error);
}
