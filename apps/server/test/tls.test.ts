import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { ControlClient, GrpcTransport, poolList, systemQuery, type Component } from '@daos/control';
import { unaryMethod } from '@daos/proto';
import { ListPoolsReq, ListPoolsResp } from '@daos/proto/mgmt/pool';
import { GetAttachInfoReq, GetAttachInfoResp } from '@daos/proto/mgmt/svc';
import { certificatePaths, clientCertificateDir, generateCertificates } from '@daos/security/certificates';

import { TestSystem } from './server_harness.js';

const LIST = unaryMethod('/mgmt.MgmtSvc/ListPools', ListPoolsReq, ListPoolsResp);
const ATTACH = unaryMethod('/mgmt.MgmtSvc/GetAttachInfo', GetAttachInfoReq, GetAttachInfoResp);
const SYS = 'daos_server-2.9.100';

let system: TestSystem;
let certs: string;

beforeAll(async () => {
  system = await TestSystem.create();
  certs = join(system.dir, 'certs');
  await generateCertificates(certs);
});
afterEach(() => system.stop());
afterAll(() => system.remove());

function transportYaml(
  change: Partial<Record<'ca_cert' | 'cert' | 'key' | 'client_cert_dir', string>> = {},
): string {
  const paths = {
    ...certificatePaths(certs, 'server'),
    client_cert_dir: clientCertificateDir(certs),
    ...change,
  };
  return `transport_config: {allow_insecure: false, ca_cert: ${paths.ca_cert}, cert: ${paths.cert}, key: ${paths.key}, client_cert_dir: ${paths.client_cert_dir}}`;
}

const start = (change = {}) => system.start({ autoFormat: true }, transportYaml(change));
const transport = (holder: 'admin' | 'agent' | 'server', component: Component = holder) =>
  new GrpcTransport({ allow_insecure: false, ...certificatePaths(certs, holder) }, component);
const address = () => `127.0.0.1:${system.port}`;
const options = { timeoutMs: 5000 };

describe('certificates', () => {
  it('decide who may call what', async () => {
    await start();
    const admin = new ControlClient({
      ...system.controlConfig(),
      transport_config: { allow_insecure: false, ...certificatePaths(certs, 'admin') },
    });
    await system.waitFor(async () =>
      (await systemQuery(admin, { failOnUnavailable: true }, { timeoutMs: 2000 })).members[0]?.state ===
        'joined'
    );
    expect((await poolList(admin, { noQuery: true })).pools).toEqual([]);

    const agent = transport('agent');
    expect(
      (await agent.call(
        address(),
        ATTACH,
        GetAttachInfoReq.fromPartial({ sys: SYS, allRanks: true }),
        options,
      )).rankUris,
    ).toHaveLength(1);
    await expect(agent.call(address(), LIST, ListPoolsReq.fromPartial({ sys: SYS }), options)).rejects
      .toThrow(/agent does not have permission to call \/mgmt.MgmtSvc\/ListPools/);
    const liar = transport('agent', 'admin');
    await expect(liar.call(address(), ATTACH, GetAttachInfoReq.fromPartial({ sys: SYS }), options)).rejects
      .toThrow(/component mismatch/);
    const plain = new GrpcTransport({ allow_insecure: true, ca_cert: '', cert: '', key: '' }, 'admin');
    await expect(plain.call(address(), LIST, ListPoolsReq.fromPartial({ sys: SYS }), options)).rejects
      .toThrow();
    for (const one of [agent, liar, plain]) one.close();
    admin[Symbol.dispose]();
  });

  it('must exist, be secret and be certificates', async () => {
    const bad = join(system.dir, 'bad');
    mkdirSync(bad, { recursive: true });
    const key = join(bad, 'server.key');
    copyFileSync(certificatePaths(certs, 'server').key, key);
    chmodSync(key, 0o644);
    const garbage = join(bad, 'garbage.crt');
    writeFileSync(garbage, 'x', { mode: 0o644 });
    await expect(start({ cert: join(bad, 'none.crt') })).rejects.toMatchObject({ code: 901 });
    await expect(start({ key })).rejects.toThrow(/insecure permissions 0644/);
    await expect(start({ cert: garbage })).rejects.toMatchObject({ code: 903 });
    await expect(start({ client_cert_dir: garbage })).rejects.toMatchObject({ code: 901 });
  });
});
