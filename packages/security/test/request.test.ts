import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { DaosError } from '@daos/common';
import { DrpcModule, DrpcServer, SecAgentMethod } from '@daos/drpc';
import { GetCredResp, ValidateCredReq, ValidateCredResp } from '@daos/proto/security/auth';

import { credentialDecode, credentialEncode, type AuthSys } from '../src/auth.js';
import { credentialSign, verifyCredential } from '../src/credential.js';
import { dcSecRequestCredential } from '../src/dc/index.js';
import { dsSecValidateCredential } from '../src/ds/index.js';

const WHO: AuthSys = { machineName: 'host1', user: 'user1@', group: 'grp1@', groups: [], securityContext: '' };

let dir: string;
let path: string;
let server: DrpcServer | undefined;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sec-'));
  path = join(dir, 'daos_agent.sock');
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(dir, { recursive: true });
});

function agent(answer: () => Uint8Array): void {
  server = DrpcServer.listen(path);
  server.register(DrpcModule.SEC_AGENT, (method) => {
    if (method !== SecAgentMethod.REQUEST_CREDS) throw new DaosError('NOSYS');
    return answer();
  });
}

async function codeOf(run: Promise<unknown>): Promise<string> {
  return run.then(
    () => 'none',
    (error: unknown) => (error instanceof DaosError ? error.der : Promise.reject(error as Error)),
  );
}

describe('a client asks the agent', () => {
  it('gets its credential as bytes', async () => {
    const cred = credentialSign(WHO, undefined);
    agent(() => GetCredResp.encode({ status: 0, cred }).finish());
    expect(credentialDecode(await dcSecRequestCredential(path))).toEqual(cred);
  });

  it('learns that no agent is there, or why it gets none', async () => {
    expect(await codeOf(dcSecRequestCredential(path))).toBe('AGENT_COMM');
    let answer: Uint8Array = new Uint8Array(0);
    agent(() => answer);
    expect(await codeOf(dcSecRequestCredential(path))).toBe('PROTO'); // no credential at all
    answer = Buffer.from('ffff', 'hex');
    expect(await codeOf(dcSecRequestCredential(path))).toBe('PROTO');
    answer = GetCredResp.encode({ status: -2044, cred: undefined }).finish();
    expect(await codeOf(dcSecRequestCredential(path))).toBe('BAD_CERT');
    const cred = credentialSign(WHO, undefined);
    answer = GetCredResp.encode({ status: 0, cred: { ...cred, verifier: undefined } }).finish();
    expect(await codeOf(dcSecRequestCredential(path))).toBe('PROTO');
  });

  it('tells a failing agent from a missing one, and keeps its deadline', async () => {
    agent(() => {
      throw new DaosError('MISC', 'broken');
    });
    expect(await codeOf(dcSecRequestCredential(path))).toBe('AGENT_COMM');
    expect(await codeOf(dcSecRequestCredential(path, { signal: AbortSignal.abort() }))).toBe('CANCELED');
  });
});

describe('an engine asks daos_server', () => {
  const xs = {
    async callServer(module: number, method: number, body: Uint8Array): Promise<Uint8Array> {
      expect([module, method]).toEqual([4, 401]);
      const { cred } = ValidateCredReq.decode(body);
      try {
        return ValidateCredResp.encode({ status: 0, token: await verifyCredential(cred, { insecure: true }) }).finish();
      } catch (error) {
        return ValidateCredResp.encode({ status: (error as DaosError).status, token: undefined }).finish();
      }
    },
  };
  it('gets the identity of a proven credential', async () => {
    const cred = credentialSign(WHO, undefined);
    expect(await dsSecValidateCredential(xs, credentialEncode(cred))).toEqual(WHO);
  });

  it('gets the reason of a refusal', async () => {
    const cred = credentialSign(WHO, undefined);
    const forged = { ...cred, verifier: { flavor: 1, data: Buffer.alloc(64) } };
    expect(await codeOf(dsSecValidateCredential(xs, credentialEncode(forged)))).toBe('NO_PERM');
    expect(await codeOf(dsSecValidateCredential(xs, new Uint8Array(0)))).toBe('INVAL');
    expect(await codeOf(dsSecValidateCredential(xs, Buffer.from('ff', 'hex')))).toBe('PROTO');
  });
});
