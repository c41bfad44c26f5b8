import {
  faultBadHost,
  faultClosed,
  faultConnectTimeout,
  faultInvalidCertificate,
  faultNoRoute,
  faultRefused,
} from '../client_faults.js';
import type { Fault } from '../fault.js';

type FaultMaker = (address: string, cause?: unknown) => Fault;

/** What the texts of the operating system, TLS and HTTP/2 layers mean, first match wins. */
const PATTERNS: readonly (readonly [RegExp, FaultMaker])[] = [
  [/ECONNREFUSED|connection refused/i, faultRefused],
  [/ENOTFOUND|EAI_AGAIN|no such host|Name resolution failed/i, faultBadHost],
  [/EHOSTUNREACH|ENETUNREACH|no route to host/i, faultNoRoute],
  [/CERT_HAS_EXPIRED|certificate has expired/i, (address, cause) => faultInvalidCertificate(`${address}: certificate has expired`, cause)],
  [/certificate|CERT_|SSL|TLS/i, (address, cause) => faultInvalidCertificate(`connection to ${address}: ${textOf(cause)}`, cause)],
  [/ETIMEDOUT|i\/o timeout|Failed to connect before the deadline/i, faultConnectTimeout],
  [/ECONNRESET|EPIPE|connection closed|transport is closing|closed the connection|Connection dropped|Received RST_STREAM|GOAWAY|closed network connection/i, faultClosed],
  [/No connection established|unavailable/i, faultRefused],
];

/** The fault of domain `client` behind a transport's error text, or undefined when the text tells of something else. */
export function connectionFault(address: string, text: string, cause?: unknown): Fault | undefined {
  for (const [pattern, make] of PATTERNS) {
    if (pattern.test(text)) return make(address, cause);
  }
  return undefined;
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : 'verification failed';
}
