import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { DaosError } from '@daos/common';
import { Credential, Sys } from '@daos/proto/security/auth';

import { authSysFromToken, authSysToToken, credentialDecode, credentialEncode, credentialOrigin, type AuthSys } from '../src/auth.js';
import { certificatePaths, clientCertificateDir, generateCertificates } from '../src/certificates.js';
import { credentialSign, verifyCredential, verifyIdentity, type CredentialTrust } from '../src/credential.js';

interface Sample {
  type: 'Sys' | 'Credential';
  fields: Record<string, unknown>;
  bytesHex: string;
}

const SAMPLES = JSON.parse(readFileSync(new URL('../../test/data/auth_samples.json', import.meta.url), 'utf8')) as Sample[];
const WHO: AuthSys = { machineName: 'host1', user: 'user1@', group: 'grp1@', groups: ['wheel@', 'users@'], securityContext: '' };
const INSECURE: CredentialTrust = { insecure: true };

async function codeOf(run: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof run === 'function' ? run() : run);
  } catch (error) {
    if (error instanceof DaosError) return error.der;
    throw error;
  }
  return 'none';
}

describe('encoded form', () => {
  it.each(SAMPLES.filter((sample) => sample.type === 'Sys'))('identity $bytesHex', ({ fields, bytesHex }) => {
    const sys = Sys.decode(Buffer.from(bytesHex, 'hex'));
    expect({ ...sys, stamp: String(sys.stamp) }).toEqual(fields);
    expect(Buffer.from(Sys.encode(sys).finish()).toString('hex')).toBe(bytesHex);
  });

  it.each(SAMPLES.filter((sample) => sample.type === 'Credential'))('credential $bytesHex', ({ fields, bytesHex }) => {
    const credential = credentialDecode(Buffer.from(bytesHex, 'hex'));
    expect(Buffer.from(credentialEncode(credential)).toString('hex')).toBe(bytesHex);
    expect(credential.token?.data.toString('hex')).toBe((fields['token'] as { dataHex: string }).dataHex);
    expect(credential.origin).toBe(fields['origin']);
  });

  it('keeps an identity whole, and gives equal bytes for equal identities', () => {
    expect(authSysFromToken(authSysToToken(WHO))).toEqual(WHO);
    expect(authSysToToken(WHO)).toEqual(authSysToToken({ ...WHO }));
    expect(credentialOrigin(credentialEncode(credentialSign(WHO, undefined)))).toEqual(WHO);
  });

  it('refuses what is no identity', async () => {
    expect(await codeOf(() => credentialDecode(Buffer.from('ffff', 'hex')))).toBe('PROTO');
    expect(await codeOf(() => authSysFromToken(undefined))).toBe('PROTO');
    expect(await codeOf(() => authSysFromToken({ flavor: 0, data: Buffer.alloc(0) }))).toBe('PROTO');
    expect(await codeOf(() => authSysFromToken({ flavor: 1, data: Buffer.from('ff', 'hex') }))).toBe('PROTO');
    for (const machineName of ['', 'm'.repeat(65)]) {
      expect(await codeOf(() => authSysFromToken(authSysToToken({ ...WHO, machineName })))).toBe('INVAL');
    }
    expect(authSysFromToken(authSysToToken({ ...WHO, machineName: 'm'.repeat(64) })).machineName).toHaveLength(64);
  });
});

describe('proof without certificates', () => {
  it('accepts the right digest and nothing else', async () => {
    const credential = credentialSign(WHO, undefined);
    expect(credential.verifier?.data).toHaveLength(64);
    expect(await verifyIdentity(credential, INSECURE)).toEqual(WHO);
    const forged = { ...credential, token: authSysToToken({ ...WHO, user: 'root@' }) };
    expect(await codeOf(verifyCredential(forged, INSECURE))).toBe('NO_PERM');
    const short = { ...credential, verifier: { flavor: 1, data: Buffer.alloc(63) } };
    expect(await codeOf(verifyCredential(short, INSECURE))).toBe('NO_PERM');
  });

  it('wants every part', async () => {
    const credential = credentialSign(WHO, undefined);
    const lacking = [undefined, { ...credential, token: undefined }, { ...credential, verifier: undefined }, Credential.fromPartial({})];
    for (const one of lacking) expect(await codeOf(verifyCredential(one, INSECURE))).toBe('INVAL');
  });
});

describe('proof by certificate', () => {
  let dir: string;
  let trust: CredentialTrust;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'certs-'));
    await generateCertificates(dir);
    trust = { insecure: false, clientCertDir: clientCertificateDir(dir) };
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  function key(component: 'agent' | 'admin'): ReturnType<typeof createPrivateKey> {
    return createPrivateKey(readFileSync(certificatePaths(dir, component).key));
  }

  it("accepts what the agent's key signed", async () => {
    const credential = credentialSign(WHO, key('agent'));
    expect(await verifyIdentity(credential, trust)).toEqual(WHO);
  });

  it('refuses changed identities, changed signatures, other keys and bare digests', async () => {
    const good = credentialSign(WHO, key('agent'));
    const flipped = Buffer.from(good.verifier!.data);
    flipped[10] = flipped[10]! ^ 1;
    const bad = [
      { ...good, token: authSysToToken({ ...WHO, group: 'wheel@' }) },
      { ...good, verifier: { flavor: 1, data: flipped } },
      credentialSign(WHO, key('admin')),
      credentialSign(WHO, undefined),
    ];
    for (const credential of bad) expect(await codeOf(verifyCredential(credential, trust))).toBe('NO_PERM');
  });

  it('says which certificate is missing, bad or impossible', async () => {
    const good = credentialSign(WHO, key('agent'));
    expect(await codeOf(verifyCredential({ ...good, origin: 'nobody' }, trust))).toBe('NO_CERT');
    for (const origin of ['../agent', '', 'a/b', '.']) expect(await codeOf(verifyCredential({ ...good, origin }, trust))).toBe('INVAL');
    writeFileSync(join(clientCertificateDir(dir), 'broken.crt'), 'not a certificate');
    expect(await codeOf(verifyCredential({ ...good, origin: 'broken' }, trust))).toBe('BAD_CERT');
  });

  it('does not sign with a key that is not RSA, nor overwrite certificates', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    expect(await codeOf(() => credentialSign(WHO, privateKey))).toBe('BAD_CERT');
    expect(await codeOf(generateCertificates(dir))).toBe('EXIST');
  });
});
