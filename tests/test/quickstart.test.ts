import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import ts from 'typescript';

import { TempSystem, WORKSPACE, runCommand } from '../src/index.js';

const READY_WITHIN_MS = 20_000;

describe('a system started here', () => {
  let temp: TempSystem;

  beforeAll(async () => {
    temp = await TempSystem.start();
  }, 60_000);
  afterAll(async () => {
    await temp.remove();
  }, 60_000);

  it('has the pool tank, as dmg pool list shows', async () => {
    const result = await temp.dmg(['pool', 'list']);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toMatch(/^tank\s/m);
  });

  it('has the POSIX container home, as daos container query shows', async () => {
    const result = await temp.daos(['container', 'query', 'tank', 'home', '--json']);
    expect(result.code).toBe(0);
    expect(JSON.parse(result.stdout)).toMatchObject({ status: 0, response: { container_label: 'home', container_type: 'POSIX' } });
  });

  it('answers dmg system query with one joined rank', async () => {
    const result = await temp.dmg(['system', 'query', '--json']);
    expect(result.code).toBe(0);
    expect(JSON.parse(result.stdout)).toMatchObject({ response: { members: [{ rank: 0, state: 'joined' }] } });
  });

  it('stores attributes of a container and gives them back', async () => {
    const set = await temp.daos(['container', 'set-attr', 'tank', 'home', 'colour:blue,size:7']);
    expect(set).toMatchObject({ code: 0, stderr: '' });
    const get = await temp.daos(['container', 'get-attr', 'tank', 'home', 'colour', '--json']);
    expect(JSON.parse(get.stdout)).toMatchObject({ status: 0, response: { name: 'colour', value: Buffer.from('blue').toString('base64') } });
    const list = await temp.daos(['container', 'list-attrs', 'tank', 'home']);
    expect(list.stdout).toMatch(/colour/);
  });

  it('creates, lists and destroys a pool and a container of its own', async () => {
    const create = await temp.dmg(['pool', 'create', '--size=1GB', 'second']);
    expect(create).toMatchObject({ code: 0, stderr: '' });
    expect((await temp.daos(['container', 'create', 'second', 'c1', '--type=POSIX'])).code).toBe(0);
    expect((await temp.daos(['container', 'list', 'second'])).stdout).toMatch(/c1/);
    expect((await temp.daos(['container', 'destroy', 'second', 'c1'])).code).toBe(0);
    expect((await temp.dmg(['pool', 'destroy', 'second'])).code).toBe(0);
    expect((await temp.dmg(['pool', 'list'])).stdout).not.toMatch(/second/);
  });

  it('runs the example of the README as printed', async () => {
    const readme = await readFile(join(WORKSPACE, 'README.md'), 'utf8');
    const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
    expect(example.trim().split('\n').length).toBeLessThanOrEqual(11);
    const script = ts.transpileModule(example, { compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 } });
    const output = await runScript(script.outputText, { DAOS_AGENT_DRPC_DIR: temp.system.agentDir });
    expect(output).toBe('42\nexperiment/1\n');
  });

  it('refuses a second system on the same folder, and the first goes on', async () => {
    const second = await runCommand('local', 'daos_local', ['start', '--dir', temp.system.folder.dir]);
    expect(second.code).not.toBe(0);
    expect(second.stderr).toMatch(/already running in/);
    expect((await temp.dmg(['pool', 'list'])).code).toBe(0);
  });
});

describe('npm start in the foreground', () => {
  it('prints a ready line with commands that work, and ends with 0 at Ctrl-C; a second start finds the data', async () => {
    const work = await mkdtemp(join(tmpdir(), 'daos-start-'));
    try {
      const first = await startAndStop(work, async (commands) => {
        expect(commands).toHaveLength(3);
        for (const command of commands.filter((line) => !line.includes('copy'))) {
          const [bin = '', ...args] = command.replace(/^npx /, '').split(' ');
          const result = await runCommand(bin, bin, args, { cwd: work });
          expect({ command, ...result }).toMatchObject({ code: 0 });
        }
        expect((await runCommand('daos', 'daos', ['container', 'create', 'tank', 'mine'], { cwd: work })).code).toBe(0);
      });
      expect(first).toEqual({ code: 0, signal: null });
      const second = await startAndStop(work, async () => {
        const list = await runCommand('daos', 'daos', ['container', 'list', 'tank'], { cwd: work });
        expect(list.stdout).toMatch(/mine/);
      });
      expect(second).toEqual({ code: 0, signal: null });
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }, 120_000);
});

function runScript(source: string, env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', source], { cwd: resolve(WORKSPACE, 'tests'), env: { ...process.env, NODE_OPTIONS: '', ...env } });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('error', fail);
    child.once('close', () => done(output));
  });
}

/** Starts a system in `cwd`, runs `use` with the printed commands once it is ready, then interrupts it as Ctrl-C does. */
function startAndStop(cwd: string, use: (commands: string[]) => Promise<void>): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [resolve(WORKSPACE, 'apps/local/bin/daos_local.mjs'), 'start'], { cwd, env: { ...process.env, NODE_OPTIONS: '' } });
    let output = '';
    let used: Promise<void> | undefined;
    const timer = setTimeout(() => child.kill('SIGKILL'), READY_WITHIN_MS + 40_000);
    const onData = (chunk: Buffer) => {
      output += chunk.toString();
      if (used || !output.includes('Ctrl-C stops it')) return;
      const commands = output.split('\n').filter((line) => line.startsWith('  npx ')).map((line) => line.trim());
      used = use(commands).catch(fail).finally(() => child.kill('SIGINT'));
    };
    child.stdout.on('data', onData);
    child.stderr.on('data', onData);
    child.once('error', fail);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (used) void used.then(() => done({ code, signal }));
      else fail(new Error(`ended before it was ready (${signal ?? code}):\n${output}`));
    });
  });
}
