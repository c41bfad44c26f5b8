import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ConfigError, Fault } from '@daos/control';

import { FaultDomain } from '../src/config/fault_domain.js';
import { checkLogMask } from '../src/config/log_mask.js';
import { loadServerConfig, type ConfigOverrides } from '../src/config/server_config.js';
import { EngineStorage } from '../src/harness/storage.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'daos-config-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const TIERS = `
      - {class: file, scm_mount: /x/scm, scm_size: 1}
      - {class: file, bdev_list: [/x/data], bdev_size: 4}`;

function engine(fields: Record<string, string> = {}, tiers = TIERS): string {
  const all = { targets: '2', fabric_iface: 'lo', fabric_iface_port: '31416', ...fields };
  return `  - ${
    Object.entries(all).map(([key, value]) => `${key}: ${value}`).join('\n    ')
  }\n    storage:${tiers}\n`;
}

function file(top: Record<string, string> = {}, engines: string = engine()): string {
  const all = { mgmt_svc_replicas: '[127.0.0.1]', provider: 'ofi+tcp', ...top };
  return `${Object.entries(all).map(([key, value]) => `${key}: ${value}`).join('\n')}\nengines:\n${engines}`;
}

function load(text: string, overrides: ConfigOverrides = {}) {
  const path = join(folder, 'daos_server.yml');
  writeFileSync(path, text);
  return loadServerConfig(path, overrides);
}

function codeOf(text: string): number | string {
  try {
    load(text);
  } catch (error) {
    if (error instanceof Fault) return error.code;
    return error instanceof Error ? error.message : String(error);
  }
  return 'accepted';
}

describe('server configuration', () => {
  it('tells the engine when the device of its data tier is faulty', async () => {
    const scm = mkdtempSync(join(folder, 'scm-'));
    const tiers = TIERS.replace('/x/scm', scm);
    const written = async (fields: Record<string, string>): Promise<unknown> => {
      const [config] = load(file({}, engine(fields, tiers))).engines;
      if (!config) throw new Error('no engine');
      const storage = new EngineStorage(config);
      await storage.writeDataConfig();
      return (JSON.parse(readFileSync(storage.dataConfigPath, 'utf8')) as { daos_data: unknown }).daos_data;
    };
    expect(await written({})).toEqual({ config: [] });
    expect(await written({ bdev_auto_faulty: '{enable: true, max_io_errs: 3}' })).toEqual({
      config: [{ method: 'auto_faulty', params: { enable: true, max_io_errs: 3 } }],
    });
  });

  it('completes a minimal file', () => {
    const config = load(file());
    expect(config).toMatchObject({
      systemName: 'daos_server',
      port: 10001,
      replicas: ['127.0.0.1:10001'],
      listenHost: '127.0.0.1',
      autoRestartMinDelayMs: 300_000,
    });
    expect(config.engines[0]).toMatchObject({
      provider: 'ofi+tcp',
      scm: { mount: '/x/scm', sizeBytes: 2n ** 30n },
      data: { devices: ['/x/data'], sizeBytes: 4n * 2n ** 30n },
    });
  });

  it('lets the command line override', () => {
    const config = load(file(), { port: 7, targets: 5, group: 'other', insecure: true, socketDir: '/s' });
    expect(config).toMatchObject({
      port: 7,
      systemName: 'other',
      socketDir: '/s',
      transport: { allow_insecure: true },
    });
    expect(config.engines[0]?.targets).toBe(5);
  });

  it('names file, line and key of an unknown key', () => {
    expect(() => load(`${file()}\nbogus_key: 1\n`)).toThrow(ConfigError);
    expect(codeOf(`bogus_key: 1\n${file()}`)).toMatch(
      /daos_server\.yml: line 1: key "bogus_key": unknown key/,
    );
    expect(codeOf(file({}, engine({ bogus: '1' })))).toMatch(
      /line 7: key "engines\[0\]\.bogus": unknown key/,
    );
    expect(codeOf(file({}, engine({}, TIERS.replace('scm_size: 1', 'bogus: 1'))))).toMatch(
      /line 8: key "engines\[0\]\.storage\[0\]\.bogus"/,
    );
  });

  it('names line and key of a value of the wrong type', () => {
    expect(codeOf(file({ port: 'abc' }))).toMatch(/line 3: key "port"/);
    expect(codeOf(file({}, engine({ targets: 'x' })))).toMatch(/key "engines\[0\]\.targets"/);
    expect(codeOf(file({ control_log_mask: 'BOGUS' }))).toMatch(/"BOGUS" is not a valid log level/);
    expect(codeOf(file({ name: '""' }))).toMatch(/invalid system name/);
    expect(codeOf(file({ name: 'abcdefghijklmnop' }))).toMatch(/at most 15/);
    expect(codeOf(file({}, engine({}, TIERS.replace('class: file', 'class: bogus'))))).toMatch(
      /unsupported storage class "bogus"/,
    );
  });

  it.each<[string, number, string]>([
    ['port 0', 703, file({ port: '0' })],
    ['port -1', 703, file({ port: '-1' })],
    ['telemetry_port -1', 704, file({ telemetry_port: '-1' })],
    ['no replicas', 705, file({ mgmt_svc_replicas: '[]' })],
    ['replica repeated', 705, file({ mgmt_svc_replicas: '[a, "a:10001", b]' })],
    ['two replicas', 706, file({ mgmt_svc_replicas: '[a, b]' })],
    ['replica port 0', 703, file({ mgmt_svc_replicas: '["a:0"]' })],
    ['replica port not a number', 703, file({ mgmt_svc_replicas: '["a:b"]' })],
    ['nr_hugepages negative', 725, file({ nr_hugepages: '-5' })],
    ['nr_hugepages though disabled', 737, file({ nr_hugepages: '5', disable_hugepages: 'true' })],
    ['system_ram_reserved 0', 734, file({ system_ram_reserved: '0' })],
    ['metadata device without path', 729, file({ control_metadata: '{device: /dev/sdx}' })],
    ['fault_path without root', 717, file({ fault_path: 'bogus' })],
    ['fault_path of three levels', 724, file({ fault_path: '/a/b/c' })],
    ['fault_path and fault_cb', 722, file({ fault_path: '/a', fault_cb: '/b' })],
    ['control_iface unknown', 739, file({ control_iface: 'nope0' })],
    ['targets 0', 701, file({}, engine({ targets: '0' }))],
    ['targets negative', 701, file({}, engine({ targets: '-1' }))],
    ['unknown log level', 701, file({}, engine({ log_mask: 'BOGUS' }))],
    ['only a device tier', 216, file({}, engine({}, '\n      - {class: nvme, bdev_list: ["0000:80:00.0"]}'))],
    ['tier without class', 216, file({}, engine({}, '\n      - {scm_mount: /x}'))],
    ['no scm_mount', 701, file({}, engine({}, '\n      - {class: ram}'))],
    ['ram too small', 730, file({}, engine({}, '\n      - {class: ram, scm_mount: /x, scm_size: 1}'))],
    ['file tier without size', 701, file({}, engine({}, TIERS.replace(', bdev_size: 4', '')))],
    ['file tier without list', 701, file({}, engine({}, TIERS.replace('bdev_list: [/x/data], ', '')))],
    [
      'nvme and file mixed',
      309,
      file({}, engine({}, `${TIERS}\n      - {class: nvme, bdev_list: ["0000:80:00.0"]}`)),
    ],
    [
      'two device tiers',
      315,
      file({}, engine({}, `${TIERS}\n      - {class: file, bdev_list: [/y], bdev_size: 4}`)),
    ],
    ['same fabric port', 709, file({}, engine() + engine({}, TIERS.replaceAll('/x/', '/y/')))],
    [
      'overlapping fabric ports',
      709,
      file({}, engine() + engine({ fabric_iface_port: '31418' }, TIERS.replaceAll('/x/', '/y/'))),
    ],
    [
      'same log file',
      710,
      file(
        {},
        engine({ log_file: '/l' }) +
          engine({ log_file: '/l', fabric_iface_port: '40000' }, TIERS.replaceAll('/x/', '/y/')),
      ),
    ],
    ['same mount', 711, file({}, engine() + engine({ fabric_iface_port: '40000' }))],
    [
      'same devices',
      713,
      file({}, engine() + engine({ fabric_iface_port: '40000' }, TIERS.replace('/x/scm', '/y/scm'))),
    ],
    [
      'target counts differ',
      715,
      file(
        {},
        engine() + engine({ targets: '3', fabric_iface_port: '40000' }, TIERS.replaceAll('/x/', '/y/')),
      ),
    ],
    [
      'helper counts differ',
      716,
      file(
        {},
        engine() + engine({ nr_xs_helpers: '1', fabric_iface_port: '40000' }, TIERS.replaceAll('/x/', '/y/')),
      ),
    ],
  ])('refuses %s with fault %i', (_name, code, text) => {
    expect(codeOf(text)).toBe(code);
  });

  it('refuses a file without provider and a file that does not exist', () => {
    expect(codeOf(file({ provider: '""' }))).toBe(707);
    expect(() => loadServerConfig('/nonexistent.yml')).toThrow(
      /failed to load config from \/nonexistent\.yml: no such file/,
    );
  });

  it('accepts the old name of the replica list with a notice, but not both', () => {
    const old = file().replace('mgmt_svc_replicas', 'access_points');
    expect(load(old).notices[0]).toMatch(/access_points is deprecated/);
    expect(codeOf(`access_points: [a]\n${file()}`)).toBe(701);
  });
});

describe('fault domain', () => {
  it('is trimmed and lower case; labels stand on all levels or none', () => {
    expect(FaultDomain.parse(' /Rack1/ HOST7 ').toString()).toBe('/rack1/host7');
    expect(FaultDomain.parse('/rack=r1/host="h2"').toString()).toBe('/rack=r1/host=h2');
    for (const bad of ['', 'x', '/', '/a/', '//a', '/a=b/c', '/a=b=c', '/=a']) {
      expect(() => FaultDomain.parse(bad)).toThrow(Fault);
    }
    expect(FaultDomain.ofHost('Node1.example.org').toString()).toBe('/node1');
  });
});

describe('engine log mask', () => {
  const check = (mask: string) => {
    checkLogMask(mask, (text) => new Error(text));
  };
  it('takes a base level first, then subsystems', () => {
    for (const good of ['', 'debug', 'ERR', 'INFO,rpc=DEBUG', 'rpc=err,mgmt=dbug']) {
      expect(() => {
        check(good);
      }).not.toThrow();
    }
    for (
      const bad of [
        'bogus',
        'a b',
        'rpc=err,info',
        'info,debug',
        'all=err',
        'rpc=err=err',
        'rpc=1',
        'A'.repeat(1024),
      ]
    ) {
      expect(() => {
        check(bad);
      }).toThrow();
    }
  });
});
