import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';

import { main } from '../src/main.js';
import { CONTAINER, FakeStore, OTHER, PATH, POOL } from './fake_pool.js';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ddb-test-'));
});

afterEach(() => rm(dir, { recursive: true, force: true }));

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly error: string;
  readonly store: FakeStore;
}

/** Runs ddb with words and what is typed into it. */
async function run(argv: string[], typed = ''): Promise<Outcome> {
  const streams = { input: new PassThrough(), output: new PassThrough(), error: new PassThrough() };
  const store = new FakeStore();
  streams.input.end(typed);
  const code = await main(argv, streams, store);
  const text = (stream: PassThrough): string => String(stream.read() ?? '');
  return { code, out: text(streams.output), error: text(streams.error), store };
}

describe('ddb', () => {
  it('runs the command of its command line on the shard at a path', async () => {
    const { code, out, store } = await run([PATH, 'ls']);
    expect([code, out]).toEqual([0, `/\n[0] ${CONTAINER}\n[1] ${OTHER}\n`]);
    expect(store.opened[0]?.write).toBe(false);
    expect(store.pool.isClosed).toBe(true);
  });

  it('leaves the options of the command to the command', async () => {
    const { code, out } = await run(['-w', '-s', PATH, 'feature', '-s']);
    expect([code, out]).toEqual([0, 'Compat Flags: 0\nIncompat Flags: 0\n']);
  });

  it('runs a command that needs no shard without one', async () => {
    const { code, out, store } = await run(['dev_list', '/db']);
    expect(code).toBe(0);
    expect(out).toContain(OTHER);
    expect(store.opened).toEqual([]);
    expect((await run(['version'])).out).toMatch(/^ddb version \d+\.\d+\.\d+\n$/);
    expect((await run(['--version'])).out).toMatch(/^ddb version/);
  });

  it('opens for writing with -w, and tells the database path on', async () => {
    const { store } = await run(['-w', '-p', '/my/db', PATH, 'rm', `/${OTHER}`]);
    expect(store.opened.map(({ write, path }) => [write, path.dbPath])).toEqual([[true, '/my/db']]);
    expect([...store.pool.containers()]).toEqual([CONTAINER]);
  });

  it('ends with 1 and one line when something fails', async () => {
    const { code, error } = await run([PATH, 'ls', '/nothing']);
    expect(code).toBe(1);
    expect(error).toMatch(/^ddb: DER_INVAL\(-1003\): invalid container "nothing".*\n$/);
    expect((await run([`/missing/${POOL}/vos-0`, 'ls'])).code).toBe(1);
    expect((await run(['/no/shard', 'ls'])).error).toContain('DER_INVAL');
    expect((await run(['-z'])).code).toBe(1);
  });

  it('runs the commands of a file up to the first that fails', async () => {
    const path = join(dir, 'commands');
    await writeFile(path, `# looks around\n\nopen -w ${PATH}\nls\nrm /${OTHER}\nls /nothing\nrm /${CONTAINER}\n`);
    const { code, out, error, store } = await run(['-f', path]);
    expect(code).toBe(1);
    expect(out).toContain(`$ ls\n/\n[0] ${CONTAINER}\n`);
    expect(error).toContain('invalid container');
    expect([...store.pool.containers()]).toEqual([CONTAINER]);
    expect((await run(['-f', join(dir, 'missing')])).error).toContain('DER_INVAL');
  });

  it('is interactive without a command: goes on after a failure and ends with quit', async () => {
    const { code, out, error } = await run([PATH], `ls /nothing\nls "\nversion\nquit\nls\n`);
    expect(code).toBe(0);
    expect(error.match(/DER_INVAL/g)).toHaveLength(2);
    expect(out).toContain('ddb version');
    expect(out).not.toContain(CONTAINER);
  });

  it('stops in good order when nobody reads its output any more', async () => {
    const path = join(dir, 'commands');
    await writeFile(path, `open -w ${PATH}\nrm /${OTHER}\n`);
    const output = new Writable({ write: (_chunk, _encoding, done) => done(new Error('write EPIPE')) });
    const streams = { input: new PassThrough(), output, error: new PassThrough() };
    const store = new FakeStore();
    expect(await main(['-f', path], streams, store)).toBe(1);
    expect(String(streams.error.read())).toContain('DER_CANCELED');
    expect(store.pool.isClosed).toBe(true);
    expect([...store.pool.containers()]).toContain(OTHER);
  });

  it('is interactive until its input ends', async () => {
    const { code, out, store } = await run([PATH], 'superblock_dump');
    expect(code).toBe(0);
    expect(out).toContain(`Pool UUID: ${POOL}`);
    expect(store.pool.isClosed).toBe(true);
  });
});
