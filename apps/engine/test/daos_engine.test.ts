import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { engineOptions } from '../src/options.js';
import { EngineProcess } from './engine_process.js';
import { FakeServer } from './fake_server.js';

const dir = mkdtempSync(join(tmpdir(), 'daos-e-'));
const ARGS = ['-t', '2', '-x', '0', '-f', '0', '-g', 'daos_server', '-d', dir, '-I', '0', '-s', join(dir, 'scm'), '-T', '1'];

function dumpsOf(pid: number): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith(`daos_dump_${pid}_`)).map((name) => join(tmpdir(), name));
}

describe('daos_engine', () => {
  let server: FakeServer;
  const running: EngineProcess[] = [];

  beforeAll(() => {
    server = new FakeServer(dir);
  });

  afterAll(async () => {
    for (const engine of running) engine.kill('SIGKILL');
    await server.close();
    rmSync(dir, { recursive: true });
  });

  function start(env: NodeJS.ProcessEnv = {}, args = ARGS): EngineProcess {
    const engine = new EngineProcess(args, { D_PORT: '0', ...env });
    running.push(engine);
    return engine;
  }

  it('announces itself, takes its rank, answers pings, and exits 0 on SIGTERM', async () => {
    const announced = server.nextReady();
    const logFile = join(dir, 'engine.log');
    const engine = start({ D_LOG_FILE: logFile });
    const ready = await announced;
    expect(ready).toMatchObject({ nctxs: 4, ntgts: 2, instanceIdx: 0, drpcListenerSock: join(dir, `daos_engine_${engine.pid}.sock`) });
    expect(ready.uri).toMatch(/^ofi\+tcp:\/\/127\.0\.0\.1:\d+$/);
    await server.bringUp(ready, 6);
    expect(await server.ping(ready, 6)).toBe(0);
    expect(await server.ping(ready, 7)).not.toBe(0);
    engine.kill('SIGUSR2');
    for (let i = 0; i < 200 && dumpsOf(engine.pid).length === 0; i++) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(dumpsOf(engine.pid).length).toBe(1);
    for (const dump of dumpsOf(engine.pid)) rmSync(dump);
    engine.kill('SIGTERM');
    expect(await engine.exited).toEqual({ code: 0, signal: null });
    expect(engine.output).toMatch(/^DAOS I\/O Engine \(v\S+\) process \d+ started on rank 6 with 2 targets, .*\n$/);
    expect(engine.errors).toBe('');
    expect(readFileSync(logFile, 'utf8')).toMatch(
      /^INFO \d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\.\d{6} \S+ DAOS\[\d+\/0\/0\] server engine ready: rank 6, 2 targets/m);
  });

  it('comes back after SIGKILL at the same port', async () => {
    let announced = server.nextReady();
    const first = start();
    const { uri } = await announced;
    first.kill('SIGKILL');
    await first.exited;
    announced = server.nextReady();
    const second = start({ D_PORT: uri.split(':').pop() });
    expect((await announced).uri).toBe(uri);
    second.kill('SIGINT');
    expect((await second.exited).code).toBe(0);
  });

  it('ends when the pipe from its parent does', async () => {
    const announced = server.nextReady();
    const engine = start({ DAOS_ENGINE_PARENT_WATCH: '1' });
    await announced;
    engine.child.stdin?.end();
    expect((await engine.exited).code).toBe(0);
  });

  it('says in one line that a port is in use', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    const engine = start({ D_PORT: String(port), D_LOG_FILE: join(dir, 'busy.log') });
    expect((await engine.exited).code).toBe(1);
    expect(engine.errors).toBe(
      `daos_engine: DER_BUSY(-1012): 127.0.0.1:${port} is in use by another process\n`);
    other.close();
  });

  it('says in one line that there is no daos_server', async () => {
    const engine = start({ D_LOG_FILE: join(dir, 'alone.log') }, [...ARGS, '-d', join(dir, 'scm')]);
    expect((await engine.exited).code).toBe(1);
    expect(engine.errors).toMatch(/^daos_engine: DER_UNREACH\(-1006\): .*daos_server\.sock.*\n$/);
  });

  it('refuses bad options with a usage error', async () => {
    for (const args of [['-t', '0'], ['-t', 'x'], ['--nonsense'], ['-g', 'a-name-that-is-too-long'], ['-T', '5']]) {
      const engine = start({}, args);
      expect((await engine.exited).code).not.toBe(0);
      expect(engine.errors).toMatch(/^error: [^\n]+\n$/);
    }
  });
});

describe('options of daos_engine', () => {
  const env = { D_PORT: '31416' };

  it('follow the command line and the environment', () => {
    const config = join(mkdtempSync(join(tmpdir(), 'daos-o-')), 'daos_nvme.conf');
    writeFileSync(config, JSON.stringify({
      subsystems: [{ subsystem: 'bdev', config: [{ method: 'bdev_aio_create', params: { filename: '/data/0', name: 'AIO_0' } }] }],
    }));
    expect(engineOptions([...ARGS, '-n', config, '-m', 'vos,mgmt,po,co,object'], env)).toMatchObject({
      targetCount: 2, host: '127.0.0.1', port: 31416, systemName: 'daos_server', socketDir: dir, dataDir: '/data/0',
    });
    expect(engineOptions([...ARGS, '-m', 'obj,pool'], env).modules.map((m) => m.exportName)).toEqual(['poolModule', 'objModule']);
    expect(engineOptions(['-c', '3'], { D_INTERFACE: 'lo', D_PORT: '' })).toMatchObject({ targetCount: 3, host: '127.0.0.1', port: 31416 });
  });

  it('say when the device of the data tier is faulty', () => {
    const config = join(mkdtempSync(join(tmpdir(), 'daos-o-')), 'daos_nvme.conf');
    const options = (params: object) => {
      writeFileSync(config, JSON.stringify({
        daos_data: { config: [{ method: 'auto_faulty', params }] },
        subsystems: [{ subsystem: 'bdev', config: [{ method: 'bdev_aio_create', params: { filename: '/data/0' } }] }],
      }));
      return engineOptions([...ARGS, '-n', config], env).autoFaulty;
    };
    expect(options({ enable: true, max_io_errs: 3, max_csum_errs: 5 })).toEqual({ enable: true, ioErrorsMax: 3, checksumErrorsMax: 5 });
    expect(options({ enable: false })).toEqual({ enable: false, ioErrorsMax: 10, checksumErrorsMax: 2 ** 32 - 1 });
    expect(() => options({ enable: true, max_io_errs: -1 })).toThrow(/max_io_errs of auto_faulty is -1/);
  });

  it('throw for what makes no engine', () => {
    expect(() => engineOptions(['-m', 'nonsense'], env)).toThrow(/there is no module "nonsense"/);
    expect(() => engineOptions(['-m', 'rebuild'], env)).toThrow(/DER_NOSYS/);
    expect(() => engineOptions(['-C'], env)).toThrow(/DER_NOSYS/);
    expect(() => engineOptions([], { D_INTERFACE: 'nosuch0' })).toThrow(/no such network interface/);
    expect(() => engineOptions([], { D_PORT: 'x' })).toThrow(/is not a port/);
    expect(() => engineOptions([], { D_PROVIDER: 'ofi+verbs' })).toThrow(/DER_NOTSUPPORTED/);
    expect(() => engineOptions(['-n', '/nonexistent/conf'], env)).toThrow(/block-device configuration/);
  });
});
