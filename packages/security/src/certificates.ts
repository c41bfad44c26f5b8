// the certificate library builds its registry with decorators, and wants this loaded first
import 'reflect-metadata';

import { webcrypto } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { DaosError } from '@daos/common';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  X509CertificateGenerator,
  cryptoProvider,
  type X509Certificate,
} from '@peculiar/x509';

const DAY_MS = 24 * 3600 * 1000;
const VALID_DAYS = 1095;
const ALGORITHM = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-512', publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 3072 };
const KEY_MODE = 0o400;
const CERT_MODE = 0o644;
const SECRET_DIR_MODE = 0o700;
const DIR_MODE = 0o755;
/** A certificate is valid a little earlier than made: the clocks of a cluster differ. */
const BACKDATE_MS = 5 * 60 * 1000;

/** The programs that hold a certificate; servers look at its common name. */
export type Component = 'server' | 'agent' | 'admin';

const COMPONENTS: readonly Component[] = ['server', 'agent', 'admin'];
/** Whose certificates a server keeps to prove what they sign. */
const CLIENTS: readonly Component[] = ['agent', 'admin'];

/** Files of one component, as `transport_config` names them. */
export interface CertificatePaths {
  readonly ca_cert: string;
  readonly cert: string;
  readonly key: string;
}

/** Where `generateCertificates` puts what belongs to a component. */
export function certificatePaths(dir: string, component: Component): CertificatePaths {
  return { ca_cert: join(dir, 'daosCA.crt'), cert: join(dir, `${component}.crt`), key: join(dir, `${component}.key`) };
}

/** Folder of the clients' certificates (`client_cert_dir` of the server's configuration). */
export function clientCertificateDir(dir: string): string {
  return join(dir, 'clients');
}

interface Identity {
  readonly keys: webcrypto.CryptoKeyPair;
  readonly certificate: X509Certificate;
}

/**
 * Makes a certificate authority and certificates of server, agent and administrator, RSA of 3072 bits with SHA-512,
 * valid for three years: `daosCA.crt`, `<component>.crt`, `<component>.key` (mode 0400), `clients/`, and the
 * authority's key in `private/`. Throws DER_EXIST when the folder holds an authority already.
 */
export async function generateCertificates(dir: string): Promise<void> {
  cryptoProvider.set(webcrypto as unknown as Parameters<typeof cryptoProvider.set>[0]);
  await mkdir(dir, { recursive: true, mode: DIR_MODE });
  const authority = await makeAuthority();
  const privateDir = join(dir, 'private');
  await mkdir(privateDir, { recursive: true, mode: SECRET_DIR_MODE });
  await mkdir(clientCertificateDir(dir), { recursive: true, mode: DIR_MODE });
  await writeNew(join(dir, 'daosCA.crt'), `${authority.certificate.toString('pem')}\n`, CERT_MODE);
  await writeNew(join(privateDir, 'daosCA.key'), await keyPem(authority.keys.privateKey), KEY_MODE);
  for (const component of COMPONENTS) {
    const { keys, certificate } = await makeComponent(component, authority);
    const paths = certificatePaths(dir, component);
    const pem = `${certificate.toString('pem')}\n`;
    await writeNew(paths.cert, pem, CERT_MODE);
    await writeNew(paths.key, await keyPem(keys.privateKey), KEY_MODE);
    if (CLIENTS.includes(component)) await writeNew(join(clientCertificateDir(dir), `${component}.crt`), pem, CERT_MODE);
  }
}

async function makeAuthority(): Promise<Identity> {
  const keys = await makeKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    ...validity(),
    serialNumber: '01',
    name: subject('DAOS CA'),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 1, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign | KeyUsageFlags.digitalSignature, true),
    ],
  });
  return { keys, certificate };
}

async function makeComponent(component: Component, authority: Identity): Promise<Identity> {
  const keys = await makeKeys();
  const usages = component === 'server' ? [ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth] : [ExtendedKeyUsage.clientAuth];
  const certificate = await X509CertificateGenerator.create({
    ...validity(),
    serialNumber: String(2 + COMPONENTS.indexOf(component)).padStart(2, '0'),
    subject: subject(component),
    issuer: authority.certificate.subject,
    publicKey: keys.publicKey,
    signingKey: authority.keys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment, true),
      new ExtendedKeyUsageExtension(usages),
    ],
  });
  return { keys, certificate };
}

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;
}

function subject(commonName: string): string {
  return `O=DAOS, CN=${commonName}`;
}

function validity(): { notBefore: Date; notAfter: Date } {
  const notBefore = new Date(Date.now() - BACKDATE_MS);
  return { notBefore, notAfter: new Date(notBefore.getTime() + VALID_DAYS * DAY_MS) };
}

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  return `${PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;
}

async function writeNew(path: string, text: string, mode: number): Promise<void> {
  await writeFile(path, text, { mode, flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
    throw new DaosError('EXIST', `${path} exists; certificates are not overwritten`, { cause: error });
  });
}
