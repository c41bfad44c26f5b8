import { constants, createHash, createPublicKey, sign, verify, timingSafeEqual, type KeyObject, type SignKeyObjectInput } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { DaosError } from '@daos/common';
import { encodeMessage } from '@daos/proto';
import { Flavor, Token, type Credential } from '@daos/proto/security/auth';

import { authSysFromToken, authSysToToken, type AuthSys } from './auth.js';

export { authSysFromToken, credentialDecode, credentialEncode, type AuthSys } from './auth.js';

/** Whose certificate proves a credential: the base name of its file. */
export const AGENT_ORIGIN = 'agent';
const DIGEST = 'sha512';
/** An origin names a file: no separators, no dots. */
const ORIGIN_RE = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * A credential for an identity. With a private RSA key the verifier is its signature (RSA-PSS, SHA-512, longest
 * salt); without one (insecure mode) the bare SHA-512 digest. Throws DER_BAD_CERT for a key that cannot sign.
 */
export function credentialSign(sys: AuthSys, key: KeyObject | undefined): Credential {
  const token = authSysToToken(sys);
  return { token, verifier: { flavor: Flavor.AUTH_SYS, data: makeVerifier(token, key) }, origin: AGENT_ORIGIN };
}

function makeVerifier(token: Token, key: KeyObject | undefined): Buffer {
  const bytes = encodeMessage(Token, token);
  if (!key) return createHash(DIGEST).update(bytes).digest();
  if (key.asymmetricKeyType !== 'rsa' && key.asymmetricKeyType !== 'rsa-pss') {
    throw new DaosError('BAD_CERT', `a key of type ${key.asymmetricKeyType ?? key.type} cannot sign credentials, RSA can`);
  }
  const input: SignKeyObjectInput = {
    key,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_MAX_SIGN,
  };
  return sign(DIGEST, bytes, input);
}

/** Where a server finds the certificates that prove credentials; insecure: the digest is proof enough. */
export type CredentialTrust = { readonly insecure: true } | { readonly insecure: false; readonly clientCertDir: string };

/**
 * Proves a credential and returns its identity token as received. Throws DER_INVAL (a part is missing, or an origin
 * that names no file), DER_NO_CERT (no certificate of that origin), DER_BAD_CERT (unreadable), DER_NO_PERM (the proof
 * fails).
 */
export async function verifyCredential(credential: Credential | undefined, trust: CredentialTrust): Promise<Token> {
  const token = credential?.token;
  const verifier = credential?.verifier;
  if (!credential || !token || !verifier || verifier.data.length === 0) {
    throw new DaosError('INVAL', 'the credential has no identity or no proof');
  }
  const bytes = encodeMessage(Token, token);
  const proven = trust.insecure
    ? sameBytes(createHash(DIGEST).update(bytes).digest(), verifier.data)
    : isSigned(bytes, verifier.data, await originKey(trust.clientCertDir, credential.origin));
  if (!proven) throw new DaosError('NO_PERM', 'the proof of the credential does not match its identity');
  return token;
}

/** `verifyCredential`, read as an identity. Throws DER_PROTO too, for a flavour other than AUTH_SYS. */
export async function verifyIdentity(credential: Credential | undefined, trust: CredentialTrust): Promise<AuthSys> {
  return authSysFromToken(await verifyCredential(credential, trust));
}

async function originKey(dir: string, origin: string): Promise<KeyObject> {
  if (!ORIGIN_RE.test(origin)) throw new DaosError('INVAL', 'the origin of the credential is not a certificate name');
  const path = join(dir, `${origin}.crt`);
  const pem = await readFile(path).catch((error: unknown) => {
    throw new DaosError('NO_CERT', `the certificate ${path} cannot be read`, { cause: error });
  });
  try {
    return createPublicKey(pem);
  } catch (error) {
    throw new DaosError('BAD_CERT', `the certificate ${path} is not valid`, { cause: error });
  }
}

function isSigned(bytes: Uint8Array, signature: Uint8Array, key: KeyObject): boolean {
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return verify(DIGEST, bytes, { key, padding, saltLength: constants.RSA_PSS_SALTLEN_AUTO }, signature);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
