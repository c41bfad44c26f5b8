import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { ControlClient, ControlLog, systemQuery, type ControlConfig } from '@daos/control';

import { loadServerConfig, type ServerConfig } from '../src/config/server_config.js';
import { DaosServer, type ServerOptions } from '../src/server.js';

export const FAKE_ENGINE = fileURLToPath(new URL('fake_daos_engine.js', import.meta.url));

export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** A server in this process with fake engines, in a folder of its own. */
export class TestSystem {
  readonly dir = mkdtempSync(join(tmpdir(), 'dsrv-'));
  server: DaosServer | undefined;
  /** Control port of the server that holds the management service; this one when undefined. */
  leaderPort: number | undefined;
  client: ControlClient;

  private constructor(readonly port: number, private readonly engines: number) {
    this.client = new ControlClient(this.controlConfig());
  }

  static async create(engines = 1): Promise<TestSystem> {
    return new TestSystem(await freePort(), engines);
  }

  controlConfig(): ControlConfig {
    return {
      name: 'daos_server',
      port: this.port,
      hostlist: [`127.0.0.1:${this.port}`],
      transport_config: { allow_insecure: true, ca_cert: '', cert: '', key: '' },
      path: undefined,
    };
  }

  mount(index = 0): string {
    return join(this.dir, `engine${index}`, 'scm');
  }
  get logFile(): string {
    return join(this.dir, 'server.log');
  }
  get configPath(): string {
    return join(this.dir, 'daos_server.yml');
  }

  /** Makes the fake engine behave in a special way from now on. */
  tell(what: string, on = true, index = 0): void {
    const path = join(this.mount(index), `fake_${what}`);
    if (on) writeFileSync(path, '');
    else rmSync(path, { force: true });
  }

  config(fields = ''): ServerConfig {
    const engines = Array.from({ length: this.engines }, (_, index) => `
  - targets: 2
    fabric_iface: lo
    fabric_iface_port: ${20_000 + index * 100}
    storage:
      - {class: file, scm_mount: ${this.mount(index)}, scm_size: 0.5}
      - {class: file, bdev_list: [${join(this.dir, `engine${index}`, 'data')}], bdev_size: 4}`);
    const text = `
mgmt_svc_replicas: ['127.0.0.1:${this.leaderPort ?? this.port}']
port: ${this.port}
${fields.includes('transport_config') ? '' : 'transport_config: {allow_insecure: true}'}
provider: ofi+tcp
socket_dir: ${join(this.dir, 'run')}
control_log_file: ${this.logFile}
${fields}
engines:${engines.join('')}
`;
    mkdirSync(this.dir, { recursive: true });
    writeFileSync(this.configPath, text);
    return loadServerConfig(this.configPath);
  }

  async start(options: ServerOptions = {}, fields = ''): Promise<DaosServer> {
    process.env['DAOS_ENGINE_PATH'] = FAKE_ENGINE;
    const config = this.config(fields);
    const log = await ControlLog.open({ file: this.logFile, mask: 'DEBUG' });
    this.server = await DaosServer.start(config, log, options);
    return this.server;
  }

  async waitJoined(count = this.engines): Promise<void> {
    await this.waitFor(async () => {
      const { members } = await systemQuery(this.client, { failOnUnavailable: true }, { timeoutMs: 2_000 });
      return members.filter((member) => member.state === 'joined').length >= count;
    });
  }

  async waitFor(condition: () => Promise<boolean> | boolean, timeoutMs = 15_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const held = await Promise.resolve().then(condition).catch((
        error: unknown,
      ) => (Date.now() > deadline ? Promise.reject(error as Error) : false));
      if (held) return;
      if (Date.now() > deadline) {
        throw new Error(`the condition did not come true in time; the log ends:\n${this.logTail()}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  private logTail(): string {
    return readFileSync(this.logFile, 'utf8').split('\n').slice(-30).join('\n');
  }

  async stop(): Promise<void> {
    await this.server?.stop();
    this.server = undefined;
  }

  async remove(): Promise<void> {
    await this.stop();
    this.client[Symbol.dispose]();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
