import { execFile, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { DaosError } from '@daos/common';
import { ControlClient, ControlLog, Fault, clientFaults, type CallOptions, type RpcTransport } from '@daos/control';
import { DrpcModule, MgmtMethod, drpcCall } from '@daos/drpc';
import type { UnaryMethod } from '@daos/proto';
import type { PoolEvictReq } from '@daos/proto/mgmt/pool';
import { GetAttachInfoReq, GetAttachInfoResp, PoolMonitorReq } from '@daos/proto/mgmt/svc';
import { verifyIdentity, credentialDecode } from '@daos/security/credential';
import { dcSecRequestCredential } from '@daos/security/dc';

import { Agent } from '../src/agent.js';
import { defaultAgentConfig, type AgentConfig } from '../src/config.js';

/** The servers, as far as the agent asks them. */
class FakeServers implements RpcTransport {
  readonly calls: { path: string; request: unknown }[] = [];
  failure: Error | undefined;
  info = GetAttachInfoResp.fromPartial({
    sys: 'daos_server',
    rankUris: [{ rank: 0, uri: 'ofi+tcp://127.0.0.1:31416', numCtxs: 4 }],
    clientNetHint: { provider: 'ofi+tcp', netDevClass: 772 },
    dataVersion: 7n,
  });

  async call<Req, Resp>(_address: string, method: UnaryMethod<Req, Resp>, request: Req, _options: CallOptions): Promise<Resp> {
    this.calls.push({ path: method.path, request });
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (this.failure) throw this.failure;
    const answer = method.path.endsWith('GetAttachInfo') ? GetAttachInfoResp.encode(this.info).finish() : new Uint8Array(0);
    return method.responseDeserialize(Buffer.from(answer));
  }
  close(): void {}
}

let dir: string;
let servers: FakeServers;
let log: ControlLog;
let agent: Agent | undefined;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'agent-'));
  servers = new FakeServers();
  log = await ControlLog.open({ file: join(dir, 'agent.log') });
});
afterEach(async () => {
  await agent?.stop();
  agent = undefined;
  await log.close();
  rmSync(dir, { recursive: true });
});

function start(changes: Partial<AgentConfig> = {}): Agent {
  const defaults = defaultAgentConfig();
  const config: AgentConfig = {
    ...defaults,
    access_points: ['127.0.0.1'],
    runtime_dir: join(dir, 'run'),
    transport_config: { ...defaults.transport_config, allow_insecure: true },
    ...changes,
  };
  const control = new ControlClient(
    { name: config.name, port: config.port, hostlist: config.access_points, transport_config: config.transport_config, path: undefined },
    { transport: servers, component: 'agent' },
  );
  agent = Agent.start(config, log, control);
  return agent;
}

async function attach(path: string, request: Partial<GetAttachInfoReq> = {}): Promise<GetAttachInfoResp> {
  const body = GetAttachInfoReq.encode(GetAttachInfoReq.fromPartial(request)).finish();
  return GetAttachInfoResp.decode(await drpcCall(path, DrpcModule.MGMT, MgmtMethod.GET_ATTACH_INFO, body));
}

async function notify(path: string, method: number, handle = '', pool = 'p1'): Promise<void> {
  const body = PoolMonitorReq.encode(PoolMonitorReq.fromPartial({ poolUUID: pool, poolHandleUUID: handle })).finish();
  expect(await drpcCall(path, DrpcModule.MGMT, method, body)).toHaveLength(0);
}

describe('listening', () => {
  it('makes its folder, lets every user connect, and removes its socket at the end', async () => {
    const { socketPath } = start();
    expect(socketPath).toBe(join(dir, 'run', 'daos_agent.sock'));
    expect(statSync(socketPath).mode & 0o777).toBe(0o666);
    await agent?.stop();
    expect(existsSync(socketPath)).toBe(false);
  });

  it('refuses a socket in use, and starts without certificates only when told to', () => {
    start();
    expect(() => start()).toThrow(expect.objectContaining({ code: 6 }));
    const { transport_config: transport } = defaultAgentConfig();
    const key = join(dir, 'agent.key');
    expect(() => start({ runtime_dir: join(dir, 'other'), transport_config: { ...transport, key } })).toThrow(`missing certificate file: ${key}`);
  });
});

describe('credentials', () => {
  it("names the caller's real user, group and machine", async () => {
    const { socketPath } = start();
    const credential = credentialDecode(await dcSecRequestCredential(socketPath));
    const who = await verifyIdentity(credential, { insecure: true });
    expect(who).toMatchObject({ user: `${userInfo().username}@`, machineName: hostname().split('.')[0], group: expect.stringMatching(/.@$/) });
    expect(credential.origin).toBe('agent');
  });

  const isRoot = process.getuid?.() === 0;
  (isRoot ? it : it.skip)('cannot be had for another user, and uses the map or the number for an unknown one', async () => {
    const map = { '54321': { user: 'mapped', group: 'team', groups: ['extra'] } };
    const { socketPath } = start({ credential_config: { cache_expiration: 60_000, client_user_map: map } });
    const module = new URL('../../../../packages/security/dist/src/dc/index.js', import.meta.url).href;
    const native = new URL('../../../../packages/native/dist/src/index.js', import.meta.url).href;
    const ask = async (uid: number): Promise<unknown> => {
      // The addon is loaded before the identity changes: the tree may be closed to other users.
      const code = `const { dcSecRequestCredential } = await import(${JSON.stringify(module)});
        (await import(${JSON.stringify(native)})).userNames(0, 0);
        process.setgid(${uid}); process.setuid(${uid});
        process.stdout.write(Buffer.from(await dcSecRequestCredential(${JSON.stringify(socketPath)})).toString('hex'));`;
      const { stdout: child } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code]);
      return verifyIdentity(credentialDecode(Buffer.from(child, 'hex')), { insecure: true });
    };
    chmodSync(dir, 0o755);
    // the path to the modules must be readable to that user: as it is in this tree, unless its parents are closed
    const reachable = spawnSync('true', { uid: 54321, cwd: new URL('..', import.meta.url).pathname }).status === 0;
    if (!reachable) return;
    expect(await ask(54321)).toMatchObject({ user: 'mapped@', group: 'team@', groups: ['extra@'] });
    expect(await ask(54322)).toMatchObject({ user: '54322@', group: '54322@', groups: [] });
  });
});

describe('attach info', () => {
  it('comes from the servers once, with an interface of their class filled in', async () => {
    const { socketPath } = start();
    const info = await attach(socketPath);
    expect(info.rankUris).toEqual(servers.info.rankUris);
    expect(info.clientNetHint).toMatchObject({ provider: 'ofi+tcp', interface: 'lo', domain: 'lo' });
    expect(await attach(socketPath, { sys: 'daos_server' })).toEqual(info);
    expect(servers.calls.map((call) => call.path)).toEqual(['/mgmt.MgmtSvc/GetAttachInfo']);
    expect(servers.calls[0]?.request).toMatchObject({ allRanks: true });
    agent?.refresh();
    await attach(socketPath);
    expect(servers.calls).toHaveLength(2);
  });

  it('is asked for once by many clients at once', async () => {
    const { socketPath } = start({ disable_caching: true });
    await Promise.all(Array.from({ length: 20 }, () => attach(socketPath)));
    expect(servers.calls.length).toBeLessThan(20);
  });

  it.each([
    ['another system', { sys: 'other' }, undefined, 'INVAL'],
    ['an interface that is not there', { interface: 'nope0' }, undefined, 'NONEXIST'],
    ['servers out of reach', {}, clientFaults.faultRefused('127.0.0.1:10001'), 'UNREACH'],
    ['servers of another version', {}, new Fault({ domain: 'server', code: 616, description: 'incompatible' }), 'CONTROL_INCOMPAT'],
    ['a bad certificate', {}, new Fault({ domain: 'security', code: 903, description: 'expired' }), 'BAD_CERT'],
  ])('answers a status for %s', async (_, request, failure, der) => {
    servers.failure = failure;
    const { socketPath } = start();
    const { status } = await attach(socketPath, request);
    expect(DaosError.fromStatus(status).der).toBe(der);
  });

  it('refuses bodies and methods that it does not know, and goes on', async () => {
    const { socketPath } = start();
    const call = (module: number, method: number, hex: string) => drpcCall(socketPath, module, method, Buffer.from(hex, 'hex'));
    await expect(call(DrpcModule.MGMT, MgmtMethod.GET_ATTACH_INFO, 'ffff')).rejects.toMatchObject({ der: 'PROTO' });
    await expect(call(DrpcModule.MGMT, 999, '')).rejects.toMatchObject({ der: 'NOSYS' });
    await expect(call(DrpcModule.SEC_AGENT, 102, '')).rejects.toMatchObject({ der: 'NOSYS' });
    await expect(call(DrpcModule.SRV, 301, '')).rejects.toMatchObject({ der: 'NOSYS' });
    expect((await attach(socketPath)).status).toBe(0);
  });
});

describe('pool handles', () => {
  const evictions = (): unknown[] => servers.calls.filter((call) => call.path.endsWith('PoolEvict')).map((call) => call.request as PoolEvictReq);

  it('closes what a process held when it says that it ends', async () => {
    const { socketPath } = start();
    await notify(socketPath, MgmtMethod.NOTIFY_POOL_CONNECT, 'h1');
    await notify(socketPath, MgmtMethod.NOTIFY_POOL_CONNECT, 'h2');
    await notify(socketPath, MgmtMethod.NOTIFY_POOL_DISCONNECT, 'h1');
    await notify(socketPath, MgmtMethod.NOTIFY_EXIT);
    expect(evictions()).toMatchObject([{ id: 'p1', handles: ['h2'] }]);
    await notify(socketPath, MgmtMethod.NOTIFY_EXIT);
    expect(evictions()).toHaveLength(1);
  });

  it('closes them when it stops itself, unless told not to', async () => {
    for (const disable_auto_evict of [true, false]) {
      const { socketPath } = start({ disable_auto_evict });
      await notify(socketPath, MgmtMethod.NOTIFY_POOL_CONNECT, 'h3');
      await agent?.stop();
    }
    expect(evictions()).toMatchObject([{ handles: ['h3'] }]);
  });
});
