import { RpcStatusError, Sentinel, clientFaults } from '@daos/control';
import { StorageFormatResp, StorageScanResp } from '@daos/proto/ctl/storage';
import { SystemQueryResp } from '@daos/proto/mgmt/system';

import { dmg, setUp, tearDown } from './harness.js';

beforeAll(setUp);
afterAll(tearDown);

const EMPTY = StorageScanResp.fromPartial({ nvme: {}, scm: {}, sysMemInfo: { hugepageSizeKb: 2048 } });

describe('dmg storage scan', () => {
  it('shows totals per group of like hosts', async () => {
    expect((await dmg({ StorageScan: EMPTY }, 'storage', 'scan')).out).toBe(
      'Hosts     SCM Total       NVMe Total\n-----     ---------       ----------\n127.0.0.1 0 B (0 modules) 0 B (0 controllers)\n',
    );
    const some = StorageScanResp.fromPartial({ scm: { namespaces: [{ size: 3_000_000_000_000n }] }, nvme: { ctrlrs: [{ namespaces: [{ size: 10n ** 9n }] }] } });
    expect((await dmg({ StorageScan: some }, 'storage', 'scan', '-l', 'wolf-[1-4]')).out).toContain('wolf-[1-4] 3.0 TB (1 namespace) 1.0 GB (1 controller)');
  });

  it('shows hosts one by one with -v', async () => {
    expect((await dmg({ StorageScan: EMPTY }, 'storage', 'scan', '-v')).out).toBe(
      '---------\n127.0.0.1\n---------\nHugePage Size: 2048 KB\n\n  No SCM modules found\n\n  No NVMe devices found\n',
    );
    expect((await dmg({ StorageScan: EMPTY }, 'storage', 'scan', '-n')).out).toBe('---------\n127.0.0.1\n---------\n  No NVMe devices detected\n');
    expect((await dmg({}, 'storage', 'scan', '-n', '-v')).code).toBe(1);
  });

  it('collects the failures of hosts', async () => {
    const answers = { StorageScan: (_request: unknown, address: string) => (address.startsWith('bad') ? clientFaults.faultRefused(address) : EMPTY) };
    expect(await dmg(answers, 'storage', 'scan', '-l', 'bad1')).toMatchObject({
      code: 1,
      out: '',
      err: 'ERROR: Errors:\n  Hosts Error\n  ----- -----\n  bad1  the server at bad1:10001 refused the connection\n\nERROR: dmg: 1 host had errors\n',
    });
    const json = JSON.parse((await dmg(answers, '-j', 'storage', 'scan', '-l', 'bad1')).out) as object;
    expect(json).toEqual({
      response: { host_errors: { 'client: code = 506 description = "the server at bad1:10001 refused the connection"': 'bad1:10001' }, HostStorage: null },
      error: '1 host had errors',
      status: -1025,
    });
  });

  it('tells storage in JSON by a number that stands for it', async () => {
    const { response } = JSON.parse((await dmg({ StorageScan: EMPTY }, '-j', 'storage', 'scan')).out) as { response: { HostStorage: Record<string, object> } };
    const [[key, value]] = Object.entries(response.HostStorage) as [[string, object]];
    expect(key).toMatch(/^\d+$/);
    expect(value).toMatchObject({ storage: { nvme_devices: null, scm_modules: null, mem_info: { hugepage_size_kb: 2048 } }, hosts: '127.0.0.1:10001' });
  });
});

describe('dmg storage query usage', () => {
  it('shows what is used', async () => {
    const used = StorageScanResp.fromPartial({ scm: { namespaces: [{ size: 1n, mount: { totalBytes: 10_737_418_240n, availBytes: 1_182_158_848n } }] } });
    expect((await dmg({ StorageScan: used }, 'storage', 'query', 'usage')).out).toBe(
      'Hosts     SCM-Total SCM-Free SCM-Used NVMe-Total NVMe-Free NVMe-Used\n' +
        '-----     --------- -------- -------- ---------- --------- ---------\n' +
        '127.0.0.1 11 GB     1.2 GB   88 %     0 B        0 B       N/A\n',
    );
  });
});

describe('dmg storage format', () => {
  const uninitialized = new RpcStatusError(2, Sentinel.UNINITIALIZED);
  const formatted = StorageFormatResp.fromPartial({ mrets: [{ mntpoint: '/mnt/daos', state: {} }], crets: [{ pciAddr: '0000:00:00.0', state: {} }] });

  it('formats a system that does not run', async () => {
    expect(await dmg({ SystemQuery: uninitialized, StorageFormat: formatted }, 'storage', 'format')).toMatchObject({
      code: 0,
      out: 'Format Summary:\n  Hosts     SCM Devices NVMe Devices\n  -----     ----------- ------------\n  127.0.0.1 1           0\n',
    });
  });

  it('refuses one that runs', async () => {
    const running = { SystemQuery: SystemQueryResp.fromPartial({ members: [{ rank: 0 }] }), StorageFormat: formatted };
    const ran = await dmg(running, 'storage', 'format');
    expect(ran.calls).toEqual(['SystemQuery']);
    expect(ran.err).toBe(
      'ERROR: dmg: client: code = 509 description = "storage format invoked on a running system"\n' +
        'ERROR: dmg: client: code = 509 resolution = "stop and erase the system, then retry the format operation"\n',
    );
    expect((await dmg(running, 'storage', 'format', '--force')).calls).toEqual(['StorageFormat']);
  });

  it('counts a device that fails as a failure of its host', async () => {
    const failing = StorageFormatResp.fromPartial({ mrets: [{ mntpoint: '/mnt/daos', state: { status: -3, error: 'disk full' } }] });
    expect(await dmg({ SystemQuery: uninitialized, StorageFormat: failing }, 'storage', 'format')).toMatchObject({
      code: 1,
      err: 'ERROR: Errors:\n  Hosts     Error\n  -----     -----\n  127.0.0.1 /mnt/daos: disk full\n\nERROR: dmg: 1 host had errors\n',
    });
  });

  it('takes one host only for --replace', async () => {
    expect((await dmg({}, 'storage', 'format', '--replace')).err).toBe('ERROR: dmg: command expects a single host in hostlist if replace option used\n');
    expect((await dmg({}, 'storage', 'format', '--replace', '--force', '-l', 'h')).code).toBe(1);
  });
});
