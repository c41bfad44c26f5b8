import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { defaultAgentConfig, loadAgentConfig } from '../src/config.js';
import { durationMs } from '../src/duration.js';

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'agentcfg-'));
  path = join(dir, 'daos_agent.yml');
});
afterEach(() => rmSync(dir, { recursive: true }));

async function load(text: string) {
  writeFileSync(path, text);
  return (await loadAgentConfig(path)).config;
}

describe('daos_agent.yml', () => {
  it('takes defaults for what is absent, even for everything', async () => {
    expect(await load('')).toEqual(defaultAgentConfig());
    const config = await load('name: other\nport: 12345\ntransport_config:\n  allow_insecure: true\n');
    expect(config).toMatchObject({ name: 'other', port: 12345, transport_config: { allow_insecure: true, key: '/etc/daos/certs/agent.key' } });
  });

  it('reads every option', async () => {
    const config = await load(`
access_points: ['a:1', b]
runtime_dir: /run/x
log_file: /tmp/x.log
control_log_mask: debug
credential_config:
  cache_expiration: 1m30s
  client_user_map:
    1000: {user: alice, group: team, groups: [a, b]}
    default: {user: guest, group: guests}
disable_caching: true
cache_expiration: 5
disable_auto_evict: true
enable_evict_on_start: true
exclude_fabric_ifaces: [eth1]
fabric_ifaces:
- numa_node: 0
  devices: [{iface: ib0, domain: mlx5_0}]
`);
    expect(config).toMatchObject({
      access_points: ['a:1', 'b'],
      control_log_mask: 'DEBUG',
      credential_config: { cache_expiration: 90_000, client_user_map: { '1000': { user: 'alice' }, default: { groups: [] } } },
      cache_expiration: 5,
      fabric_ifaces: [{ numa_node: 0, devices: [{ iface: 'ib0', domain: 'mlx5_0' }] }],
    });
  });

  it.each([
    ['an unknown key', 'name: a\nruntime: /x\n', /line 2.*runtime/],
    ['a wrong type', 'port: many\n', /line 1.*port/],
    ['a wrong mask', 'control_log_mask: LOUD\n', /control_log_mask/],
    ['a wrong user id', 'credential_config:\n  client_user_map:\n    -1: {user: a, group: b}\n', /client_user_map/],
    ['a wrong duration', 'credential_config:\n  cache_expiration: soon\n', /cache_expiration/],
    ['interfaces both included and excluded', 'include_fabric_ifaces: [a]\nexclude_fabric_ifaces: [b]\n', /exclude_fabric_ifaces/],
    ['what is no YAML', 'name: [unclosed\n', /daos_agent.yml/],
  ])('refuses %s in one line', async (_, text, message) => {
    await expect(load(text)).rejects.toThrow(message);
    await load(text).catch((error: Error) => expect(error.message).not.toContain('\n'));
  });

  it('names a file that is not there', async () => {
    await expect(loadAgentConfig(path)).rejects.toThrow(
      `failed to load agent configuration: opening config file "${path}": open ${path}: no such file or directory`,
    );
  });
});

describe('durations', () => {
  it.each([['90s', 90_000], ['1h30m', 5_400_000], ['250ms', 250], ['1.5s', 1500], ['10', 10_000], ['0', 0], ['', undefined], ['5x', undefined], ['m', undefined]])(
    '%p is %p ms',
    (text, ms) => expect(durationMs(text as string)).toBe(ms),
  );
});
