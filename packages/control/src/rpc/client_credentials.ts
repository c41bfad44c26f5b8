import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, type PeerCertificate } from 'node:tls';
import type { ChannelCredentials } from '@grpc/grpc-js';

import { faultMissingCertificate, faultUnreadableCertificate } from '../client_faults.js';
import type { TransportConfig } from './transport.js';

type Grpc = typeof import('@grpc/grpc-js');

/** The one subject name that a server's certificate carries; host names play no part. */
const SERVER_COMMON_NAME = 'server';
/** A key may be read by its owner (and group) only; a certificate may not be written by others. */
const KEY_MODE_MAX = 0o440;
const CERT_MODE_MAX = 0o664;
/** DAOS's own components offer only static-RSA AES-256-GCM; ours prefer the forward-secret suites of TLS 1.2. */
const CIPHERS = 'ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384:AES256-GCM-SHA384';

/** Credentials for calls to servers. Throws fault 901 or 902, or an error that names a file with a bad mode. */
export function loadClientCredentials(grpc: Grpc, config: TransportConfig): ChannelCredentials {
  if (config.allow_insecure) return grpc.credentials.createInsecure();
  const context = createSecureContext({
    ca: readPem(config.ca_cert, 'CA certificate', CERT_MODE_MAX),
    cert: readPem(config.cert, 'cert', CERT_MODE_MAX),
    key: readPem(config.key, 'key', KEY_MODE_MAX),
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.2',
    ciphers: CIPHERS,
  });
  return grpc.credentials.createFromSecureContext(context, { checkServerIdentity: checkServer });
}

function checkServer(_host: string, certificate: PeerCertificate): Error | undefined {
  const name = certificate.subject.CN;
  if (name === SERVER_COMMON_NAME) return undefined;
  return new Error(`certificate is for "${String(name)}", not for "${SERVER_COMMON_NAME}"`);
}

function readPem(path: string, what: string, modeMax: number): Buffer {
  try {
    const mode = statSync(path).mode & 0o777;
    if ((mode & ~modeMax) !== 0) {
      const suggested = what === 'key' ? '0400' : '0664';
      throw new Error(`could not load ${what}: ${path} has insecure permissions 0${mode.toString(8)} (suggested: ${suggested})`);
    }
    return readFileSync(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') throw faultMissingCertificate(path, error);
    if (code === 'EACCES' || code === 'EPERM') throw faultUnreadableCertificate(path, error);
    throw error;
  }
}
