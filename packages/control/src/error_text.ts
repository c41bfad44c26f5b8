import { DER, DaosError, derDescription, type DerName } from '@daos/common';

import { Fault } from './fault.js';

/** Texts that DAOS's tools print for the statuses that users meet; scripts match on them. */
const STATUS_TEXT: Partial<Record<DerName, string>> = {
  NO_PERM: 'Operation not permitted',
  NO_HDL: 'Invalid handle',
  INVAL: 'Invalid parameters',
  EXIST: 'Entity already exists',
  NONEXIST: 'The specified entity does not exist',
  UNREACH: 'Unreachable node',
  NOSPACE: 'No space on storage target',
  ALREADY: 'Operation already performed',
  NOMEM: 'Out of memory',
  NOSYS: 'Function not implemented',
  TIMEDOUT: 'Time out',
  BUSY: 'Device or resource busy',
  AGAIN: 'Try again',
  PROTO: 'Incompatible protocol',
  UNINIT: 'Device or resource not initialized',
  TRUNC: 'Value truncated',
  OVERFLOW: 'Data too long for defined data type or buffer size',
  CANCELED: 'Operation canceled',
  OOG: 'Out of group or member list',
  HG: 'Transport layer mercury error',
  MISC: 'Miscellaneous error',
  NOTDIR: 'Not a directory',
  EXCLUDED: 'Excluded from group',
  IO: 'I/O error',
  STALE: 'Stale pool map version',
  NOTLEADER: 'Not service leader',
  REC2BIG: 'Record is too large',
  INPROGRESS: 'Operation now in progress',
  CSUM: 'Checksum error',
  DF_INCOMPT: 'Incompatible durable format',
  AGENT_COMM: 'Agent communication error',
  NOTSUPPORTED: 'Operation not supported',
};

/** Statuses whose text says everything once the command has named its subject. */
const SELF_EVIDENT = new Set<string>(['NO_PERM', 'NONEXIST', 'EXIST', 'BUSY', 'ALREADY']);

/** `The specified entity does not exist`. */
export function statusText(error: DaosError): string {
  if (error.der === 'UNKNOWN') return `Unknown error code ${error.status}`;
  return STATUS_TEXT[error.der] ?? derDescription(error.der);
}

/** `DER_NONEXIST(-1005): The specified entity does not exist`. */
export function formatStatus(error: DaosError): string {
  return `DER_${error.der}(${error.status}): ${statusText(error)}`;
}

/**
 * One line for users: the message with DAOS statuses in DAOS's words. The detail of a status (which socket, which
 * rank) follows in brackets where the status alone would leave the user guessing.
 */
export function describeError(error: unknown): string {
  if (error instanceof ContextError) return `${error.context}: ${describeError(error.cause)}`;
  if (error instanceof DaosError) return formatStatus(error) + detailOf(error);
  if (error instanceof Error) return oneLine(error.message === '' ? error.name : error.message);
  return oneLine(String(error));
}

function detailOf(error: DaosError): string {
  if (SELF_EVIDENT.has(error.der)) return '';
  const plain = error.der === 'UNKNOWN' ? 'unknown error' : derDescription(error.der);
  return [plain, statusText(error), ''].includes(error.detail) ? '' : ` (${oneLine(error.detail)})`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ').trim();
}

/** What was being done when `cause` happened; printed as `context: cause`. */
export class ContextError extends Error {
  override readonly name = 'ContextError';
  readonly context: string;

  constructor(context: string, cause: unknown) {
    super(`${context}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.context = context;
  }
}

/** The error at the bottom of the chain of contexts. */
export function rootCause(error: unknown): unknown {
  let at = error;
  for (let depth = 0; depth < 16 && at instanceof ContextError; depth++) at = at.cause;
  return at;
}

/** What was advised against a failure: one line, or undefined. */
export function resolutionOf(error: unknown): string | undefined {
  const root = rootCause(error);
  return root instanceof Fault ? root.resolutionText : undefined;
}

/** Number for the `status` of JSON output: the DAOS status, else DER_MISC. */
export function jsonStatus(error: unknown): number {
  const root = rootCause(error);
  return root instanceof DaosError ? root.status : -DER.MISC;
}
