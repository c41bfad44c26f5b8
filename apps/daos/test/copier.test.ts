import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { runCli } from '@daos/control/cli';

import { Copier, type CopyOptions } from '../src/filesystem/copy/copier.js';
import type { TargetFile, TreeFolder } from '../src/filesystem/copy/folder.js';
import { LocalFolder } from '../src/filesystem/copy/local_folder.js';
import { PROGRAM } from '../src/program.js';

let dir = '';
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'daos-copy-'))));
afterEach(() => {
  execFileSync('chmod', ['-R', 'u+rwx', dir]);
  rmSync(dir, { recursive: true });
});

/** Names, kinds, modes, targets and contents of a tree, as one comparable list. */
function describeTree(path: string, at = '.'): string[] {
  const lines: string[] = [];
  for (const name of readdirSync(path).sort()) {
    const child = join(path, name);
    const found = lstatSync(child);
    const kind = found.isDirectory() ? 'd' : found.isSymbolicLink() ? `l ${readlinkSync(child)}` : `f ${readFileSync(child).toString('base64').slice(0, 64)} ${found.size}`;
    lines.push(`${at}/${name} ${found.isSymbolicLink() ? '' : (found.mode & 0o7777).toString(8)} ${kind}`);
    if (found.isDirectory()) lines.push(...describeTree(child, `${at}/${name}`));
  }
  return lines;
}

function makeTree(): void {
  mkdirSync(join(dir, 'src', 'a', 'deep', 'er'), { recursive: true });
  writeFileSync(join(dir, 'src', 'empty'), '');
  writeFileSync(join(dir, 'src', 'a', 'small'), 'hello', { mode: 0o640 });
  writeFileSync(join(dir, 'src', 'a', 'edge'), randomBytes(256 * 1024));
  writeFileSync(join(dir, 'src', 'a', 'over'), randomBytes(256 * 1024 + 1));
  writeFileSync(join(dir, 'src', 'a', 'deep', 'large'), randomBytes(9 * 1024 * 1024 + 7));
  symlinkSync('../a/small', join(dir, 'src', 'a', 'deep', 'link'));
  symlinkSync('nowhere', join(dir, 'src', 'dangling'));
  for (let i = 0; i < 300; i++) writeFileSync(join(dir, 'src', 'a', 'deep', 'er', `f${i}`), String(i));
  chmodSync(join(dir, 'src', 'a', 'small'), 0o444);
  chmodSync(join(dir, 'src', 'a', 'deep'), 0o750);
}

function options(changes: Partial<CopyOptions> = {}): CopyOptions {
  return { signal: new AbortController().signal, keepsSticky: true, onUnsupported: () => undefined, ...changes };
}

async function copyDir(copier: Copier, to: TreeFolder = LocalFolder.at(dir), name = 'out'): Promise<void> {
  const from = LocalFolder.at(dir);
  const node = await from.node(Buffer.from('src'));
  if (!node) throw new Error('no source');
  await copier.copy(from, node, to, Buffer.from(name));
}

describe('copying a tree', () => {
  it('keeps names, kinds, modes, link targets and contents', async () => {
    makeTree();
    mkdirSync(join(dir, 'src', 'closed'), { mode: 0o700 });
    writeFileSync(join(dir, 'src', 'closed', 'x'), 'x');
    chmodSync(join(dir, 'src', 'closed'), 0o500);
    const copier = new Copier(options());
    await copyDir(copier);
    expect(describeTree(join(dir, 'out'))).toEqual(describeTree(join(dir, 'src')));
    expect(copier.stats).toMatchObject({ directories: 5, files: 306, links: 2, unsupported: 0 });
    expect(copier.stats.bytes).toBeGreaterThan(9 * 1024 * 1024);
  });

  it('overwrites files and leaves links alone when it is repeated', async () => {
    makeTree();
    await copyDir(new Copier(options()));
    chmodSync(join(dir, 'out', 'a', 'small'), 0o644);
    writeFileSync(join(dir, 'out', 'a', 'small'), 'something longer than before');
    await copyDir(new Copier(options()));
    expect(describeTree(join(dir, 'out'))).toEqual(describeTree(join(dir, 'src')));
  });

  it('keeps names that are no UTF-8', async () => {
    mkdirSync(join(dir, 'src'));
    const name = Buffer.concat([Buffer.from(join(dir, 'src/')), Buffer.from([0x6e, 0xff])]);
    writeFileSync(name, 'x');
    await copyDir(new Copier(options()));
    expect(readdirSync(Buffer.from(join(dir, 'out')), { encoding: 'buffer' })).toEqual([Buffer.from([0x6e, 0xff])]);
  });

  it('leaves out special files and sticky bits that the target cannot store, and counts them', async () => {
    mkdirSync(join(dir, 'src'));
    mkdirSync(join(dir, 'src', 'tmp'));
    chmodSync(join(dir, 'src', 'tmp'), 0o1777);
    execFileSync('mkfifo', [join(dir, 'src', 'pipe')]);
    const left: string[] = [];
    const copier = new Copier(options({ keepsSticky: false, onUnsupported: (path, what) => left.push(`${what} ${path}`) }));
    await copyDir(copier);
    expect(copier.stats.unsupported).toBe(2);
    expect(left.sort()).toEqual([`special file ${dir}/src/pipe`, `sticky bit ${dir}/src/tmp`]);
    expect(lstatSync(join(dir, 'out', 'tmp')).mode & 0o7777).toBe(0o777);
    expect(existsSync(join(dir, 'out', 'pipe'))).toBe(false);
  });

  it('stops at the first failure, names the file, and leaves nothing under way', async () => {
    makeTree();
    let underWay = 0;
    let stored = 0;
    const full = failingFolder(LocalFolder.at(dir), () => {
      underWay++;
      return () => underWay--;
    }, () => ++stored > 20);
    await expect(copyDir(new Copier(options()), full)).rejects.toMatchObject({
      name: 'CopyError',
      message: expect.stringMatching(/^File write failed: '.*\/out\/.*': No space on storage target \(-1007\)$/),
      status: { der: 'NOSPACE' },
    });
    expect(underWay).toBe(0);
  });

  it('stops when it is interrupted', async () => {
    makeTree();
    const controller = new AbortController();
    let stored = 0;
    const folder = failingFolder(LocalFolder.at(dir), () => () => undefined, () => {
      if (++stored === 10) controller.abort(new Error('interrupted'));
      return false;
    });
    await expect(copyDir(new Copier(options({ signal: controller.signal })), folder)).rejects.toThrow('interrupted');
    expect(stored).toBeLessThan(200);
  });

  it('holds at most a few buffers of a large file', async () => {
    mkdirSync(join(dir, 'src'));
    writeFileSync(join(dir, 'src', 'big'), Buffer.alloc(100 * 1024 * 1024));
    let inFlight = 0;
    let most = 0;
    const counting = failingFolder(LocalFolder.at(dir), () => {
      most = Math.max(most, ++inFlight);
      return () => inFlight--;
    }, () => false);
    await copyDir(new Copier(options()), counting);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(8);
    expect(lstatSync(join(dir, 'out', 'big')).size).toBe(100 * 1024 * 1024);
  });
});

/** A folder that tells of each write and says "no space" when asked to. */
function failingFolder(inner: TreeFolder, begin: () => () => unknown, isFull: () => boolean): TreeFolder {
  const watch = async <T>(work: () => Promise<T>): Promise<T> => {
    const end = begin();
    try {
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (isFull()) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      return await work();
    } finally {
      end();
    }
  };
  const file = (target: TargetFile): TargetFile => ({
    write: (data, offset) => watch(() => target.write(data, offset)),
    close: () => target.close(),
  });
  return {
    path: inner.path,
    nodes: () => inner.nodes(),
    node: (name) => inner.node(name),
    openFolder: (node) => inner.openFolder(node),
    openSource: (node) => inner.openSource(node),
    readLink: (node) => inner.readLink(node),
    storeFile: (name, data, mode) => watch(() => inner.storeFile(name, data, mode)),
    createFile: async (name, mode) => file(await inner.createFile(name, mode)),
    makeFolder: async (name, mode) => failingFolder(await inner.makeFolder(name, mode), begin, isFull),
    makeLink: (name, target) => inner.makeLink(name, target),
    setMode: (name, mode) => inner.setMode(name, mode),
    close: () => inner.close(),
  };
}

describe('daos filesystem copy', () => {
  async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
    let out = '';
    let err = '';
    const code = await runCli(PROGRAM, ['fs', 'copy', ...argv], { stdout: { write: (text) => (out += text) }, stderr: { write: (text) => (err += text) } });
    return { code, out, err };
  }

  it('names the copy by the target, or copies into an existing folder', async () => {
    makeTree();
    const src = join(dir, 'src');
    expect(await run('-s', src, '-d', join(dir, 'out'))).toEqual({
      code: 0,
      out: `Successfully copied to POSIX: ${dir}/out\n    Directories: 4\n    Files:       305\n    Links:       2\n`,
      err: '',
    });
    expect((await run('-s', src, '-d', join(dir, 'out'))).code).toBe(0);
    expect(describeTree(join(dir, 'out', 'src'))).toEqual(describeTree(src));
  });

  it('refuses a target inside its source, and a source that is not there', async () => {
    makeTree();
    expect((await run('-s', join(dir, 'src'), '-d', join(dir, 'src', 'a', 'b'))).err).toContain('DER_INVAL(-1003): Invalid parameters\n');
    expect(await run('-s', join(dir, 'nosuch'), '-d', join(dir, 'x'))).toEqual({
      code: 1,
      out: '',
      err:
        `ERROR: Failed to stat '${dir}/nosuch': The specified entity does not exist (-1005)\n` +
        'ERROR: fs copy failed: The specified entity does not exist (-1005)\n' +
        `ERROR: daos: failed to copy ${dir}/nosuch -> ${dir}/x: DER_NONEXIST(-1005): The specified entity does not exist\n`,
    });
    expect((await run('-s', join(dir, 'src', 'empty'), '-d', join(dir, 'none', 'x'))).err).toContain(`Failed to stat '${dir}/none'`);
  });
});
