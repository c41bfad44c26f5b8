import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { controlConfigFailure, loadControlConfig, resolveHosts } from '../src/index.js';

describe('the configuration of an administrator', () => {
  let dir = '';
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'daos-control-'))));
  afterEach(() => rmSync(dir, { recursive: true }));

  function write(text: string): string {
    const path = join(dir, 'daos_control.yml');
    writeFileSync(path, text);
    return path;
  }

  it('completes what the file leaves out', async () => {
    const path = write('name: tank\nhostlist: ["node[1-2]", "other:7"]\ntransport_config:\n  allow_insecure: true\n');
    const config = await loadControlConfig(path);
    expect(config).toMatchObject({ name: 'tank', port: 10001, path, transport_config: { allow_insecure: true, cert: '/etc/daos/certs/admin.crt' } });
    expect(resolveHosts(config.hostlist, config.port)).toEqual(['node1:10001', 'node2:10001', 'other:7']);
  });

  it('refuses port 0 (501), an empty host list (503), unknown keys and files that are missing', async () => {
    await expect(loadControlConfig(write('port: 0\n'))).rejects.toMatchObject({ code: 501 });
    await expect(loadControlConfig(write('hostlist: []\n'))).rejects.toMatchObject({ code: 503 });
    await expect(loadControlConfig(write('transport_config:\n  bogus: 1\n'))).rejects.toThrow(/line 2: key "transport_config.bogus": unknown key/);
    const missing = await loadControlConfig('/nonexistent.yml').catch((error: unknown) => error);
    expect(controlConfigFailure(missing)).toBe('failed to load control configuration: open /nonexistent.yml: no such file or directory');
  });
});
