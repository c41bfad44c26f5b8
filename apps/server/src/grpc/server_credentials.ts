import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';

import type { ServerCredentials } from '@grpc/grpc-js';
import { Fault } from '@daos/control';

import type { TransportSection } from '../config/schema.js';

type Grpc = typeof import('@grpc/grpc-js');

const KEY_MODE_MAX = 0o400;
const CERT_MODE_MAX = 0o664;
const GUIDE =
  'create certificates with gen_certificates and name them in transport_config, or set allow_insecure: true';

/** Credentials of the control port: mutual TLS, or none when the configuration allows that. Faults 901-903. */
export function loadServerCredentials(grpc: Grpc, transport: TransportSection): ServerCredentials {
  if (transport.allow_insecure) return grpc.ServerCredentials.createInsecure();
  const ca = readPem(transport.ca_cert, CERT_MODE_MAX, 'cert');
  const cert = readPem(transport.cert, CERT_MODE_MAX, 'cert');
  const key = readPem(transport.key, KEY_MODE_MAX, 'key');
  checkCertificate(transport.ca_cert, ca);
  checkCertificate(transport.cert, cert);
  try {
    createPrivateKey(key);
  } catch (cause) {
    throw invalid(transport.key, 'it is not a private key', cause);
  }
  requireFolder(transport.client_cert_dir);
  return grpc.ServerCredentials.createSsl(ca, [{ private_key: key, cert_chain: cert }], true);
}

function readPem(path: string, modeMax: number, what: 'cert' | 'key'): Buffer {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) {
    throw new Fault({
      domain: 'security',
      code: 901,
      description: `certificates are enabled, but ${path} was not found`,
      resolution: GUIDE,
    });
  }
  const mode = stat.mode & 0o777;
  if ((mode & ~modeMax) !== 0) {
    throw new Fault({
      domain: 'security',
      code: 902,
      description: `could not load ${what}: ${path} has insecure permissions 0${mode.toString(8)}`,
      resolution: `change them with chmod 0${modeMax.toString(8)} ${path}`,
    });
  }
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new Fault({
      domain: 'security',
      code: 902,
      description: `could not read ${path}`,
      resolution: 'check its owner and permissions',
    }, { cause });
  }
}

function checkCertificate(path: string, pem: Buffer): void {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch (cause) {
    throw invalid(path, 'it is not a certificate', cause);
  }
  const now = Date.now();
  if (now > Date.parse(certificate.validTo)) throw invalid(path, `it expired on ${certificate.validTo}`);
  if (now < Date.parse(certificate.validFrom)) {
    throw invalid(path, `it is valid from ${certificate.validFrom} only`);
  }
}

function invalid(path: string, why: string, cause?: unknown): Fault {
  return new Fault({
    domain: 'security',
    code: 903,
    description: `certificate file ${path} is not valid: ${why}`,
    resolution: GUIDE,
  }, { cause });
}

function requireFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new Fault({
    domain: 'security',
    code: 901,
    description: `client_cert_dir ${path} is not a folder`,
    resolution: 'name the folder that holds agent.crt in transport_config',
  });
}
