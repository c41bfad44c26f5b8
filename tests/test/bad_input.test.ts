import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { TempSystem, hasStackTrace, runCommand, type CommandResult } from '../src/index.js';

const NOBODY = 65_534;

/** What every refusal owes its user: a non-zero exit, a line that names the subject, no stack trace. */
function expectRefusal(result: CommandResult, subject: RegExp): void {
  expect({ ...result, trace: hasStackTrace(result) }).toMatchObject({ trace: false });
  expect(result.code).not.toBe(0);
  expect(result.stderr).toMatch(subject);
}

describe('wrong input', () => {
  let temp: TempSystem;

  beforeAll(async () => {
    temp = await TempSystem.start();
  }, 60_000);
  afterAll(async () => {
    await temp.remove();
  }, 60_000);

  it('names an unknown pool', async () => {
    expectRefusal(await temp.daos(['pool', 'query', 'nopool']), /nopool|DER_NONEXIST/);
    expectRefusal(await temp.dmg(['pool', 'query', 'nopool']), /nopool/);
  });

  it('names an unknown container', async () => {
    expectRefusal(await temp.daos(['container', 'query', 'tank', 'nocont']), /nocont|DER_NONEXIST/);
  });

  it('refuses a label that exists', async () => {
    expectRefusal(await temp.daos(['container', 'create', 'tank', 'home']), /EXIST|exists/i);
    expectRefusal(await temp.dmg(['pool', 'create', '--size=1GB', 'tank']), /tank|exists/i);
  });

  it.each(['0', '-1', '0%', 'lots', '101%'])('refuses a pool size of %s', async (size) => {
    expectRefusal(await temp.dmg(['pool', 'create', `--size=${size}`, 'bad']), /size|invalid|parse/i);
  });

  it('refuses a pool beyond the device and says what is free', async () => {
    expectRefusal(await temp.dmg(['pool', 'create', '--size=900TB', 'bad']), /NOSPACE|space|size/i);
    expect((await temp.dmg(['pool', 'list'])).stdout).not.toMatch(/bad/);
  });

  it('says that an option or a command is unknown', async () => {
    expectRefusal(await temp.dmg(['pool', 'create', '--bogus', 'x']), /bogus/);
    expectRefusal(await temp.daos(['frobnicate']), /frobnicate/i);
  });

  it('says that the agent is missing and where it was looked for', async () => {
    const result = await temp.daos(['pool', 'query', 'tank'], { env: { DAOS_AGENT_DRPC_DIR: '/nonexistent-agent' } });
    expectRefusal(result, /agent/i);
  });

  it('refuses a user without permission', async () => {
    if (process.getuid?.() !== 0) return;
    await chmod(temp.work, 0o755);
    const result = await temp.daos(['container', 'destroy', 'tank', 'home'], { uid: NOBODY });
    expectRefusal(result, /NO_PERM|permission/i);
    expect((await temp.daos(['container', 'list', 'tank'])).stdout).toMatch(/home/);
  });

  it('reads and deletes in a pool that is full', async () => {
    expect((await temp.dmg(['pool', 'create', '--scm-size=48MB', 'small'])).code).toBe(0);
    const file = join(temp.work, 'big.bin');
    await writeFile(file, Buffer.alloc(96 << 20, 7));
    expect((await temp.daos(['container', 'create', 'small', 'c', '--type=POSIX'])).code).toBe(0);
    await writeFile(join(temp.work, 'little.txt'), 'still here');
    expect((await temp.daos(['filesystem', 'copy', '--src', join(temp.work, 'little.txt'), '--dst', 'daos://small/c/little.txt'])).code).toBe(0);
    const full = await temp.daos(['filesystem', 'copy', '--src', file, '--dst', 'daos://small/c/big.bin']);
    expectRefusal(full, /ENOSPC|NOSPACE|space/i);
    const back = join(temp.work, 'back.txt');
    expect((await temp.daos(['filesystem', 'copy', '--src', 'daos://small/c/little.txt', '--dst', back])).code).toBe(0);
    expect(await readFile(back, 'utf8')).toBe('still here');
    expect((await temp.daos(['container', 'destroy', 'small', 'c'])).code).toBe(0);
    expect((await temp.dmg(['pool', 'destroy', 'small'])).code).toBe(0);
  }, 120_000);
});

describe('a wrong server configuration', () => {
  let work: string;
  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'daos-conf-'));
  });
  afterAll(async () => {
    await rm(work, { recursive: true, force: true });
  });

  async function startWith(text: string): Promise<CommandResult> {
    const path = join(work, 'daos_server.yml');
    await writeFile(path, text);
    return runCommand('server', 'daos_server', ['start', '-o', path], { timeoutMs: 20_000 });
  }

  it('names file, line and key of an unknown key', async () => {
    const result = await startWith('name: daos_server\nport: 12345\nbogus_key: 1\n');
    expectRefusal(result, /daos_server\.yml/);
    expect(result.stderr).toMatch(/line 3/);
    expect(result.stderr).toMatch(/bogus_key/);
  });

  it('names line and key of a value of the wrong type', async () => {
    const result = await startWith('name: daos_server\nport: abc\n');
    expectRefusal(result, /line 2/);
    expect(result.stderr).toMatch(/port/);
  });

  it('names a missing file', async () => {
    expectRefusal(await runCommand('server', 'daos_server', ['start', '-o', join(work, 'none.yml')]), /none\.yml/);
  });

  it('names a port that is in use', async () => {
    const holder = createServer((socket) => socket.on('error', () => undefined).resume());
    await new Promise<void>((done) => holder.listen(0, '127.0.0.1', done));
    const { port } = holder.address() as AddressInfo;
    const result = await runCommand('local', 'daos_local', ['start', '--dir', join(work, 'busy'), '--port', String(port)], { timeoutMs: 40_000 });
    await new Promise((done) => holder.close(done));
    expectRefusal(result, new RegExp(String(port)));
  }, 60_000);
});
