import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { compareTrees } from '@daos/local-app';

import { hasStackTrace, runCommand } from '../src/index.js';

/** A tree with the shapes that copies get wrong: empty, large, odd names, modes, links, deep folders. */
async function makeTree(root: string): Promise<void> {
  await mkdir(join(root, 'a', 'deep', 'er'), { recursive: true, mode: 0o750 });
  await mkdir(join(root, 'empty folder'), { mode: 0o700 });
  await writeFile(join(root, 'empty'), '');
  await writeFile(join(root, 'script.sh'), '#!/bin/sh\necho hi\n', { mode: 0o755 });
  await writeFile(join(root, 'read-only'), 'x', { mode: 0o444 });
  await writeFile(join(root, 'a', '文件 with spaces'), 'text');
  await writeFile(join(root, 'a', 'deep', 'er', 'big.bin'), randomBytes(9_000_001));
  await symlink('../script.sh', join(root, 'a', 'link'));
  await symlink('nowhere/at all', join(root, 'dangling'));
  for (let i = 0; i < 150; i++) await writeFile(join(root, 'a', 'deep', `f${i}`), randomBytes(i * 40));
}

describe('npm run demo', () => {
  let work: string;
  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'daos-demotest-'));
    await makeTree(join(work, 'tree'));
  });
  afterAll(async () => {
    await rm(work, { recursive: true, force: true });
  });

  it('copies a tree in, kills every process, restarts, copies it out, and finds it equal', async () => {
    const result = await runCommand('local', 'daos_local', ['demo', join(work, 'tree')], { timeoutMs: 120_000 });
    expect(result).toMatchObject({ code: 0 });
    expect(result.stdout).toMatch(/EQUAL: .* of all 155 files/);
    expect(result.stdout.match(/MB\/s/g)).toHaveLength(2);
  }, 150_000);

  it('refuses a folder that does not exist', async () => {
    const result = await runCommand('local', 'daos_local', ['demo', join(work, 'none')]);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/none is not a folder/);
    expect(hasStackTrace(result)).toBe(false);
  });

  it('would notice a difference', async () => {
    await makeTree(join(work, 'other'));
    expect((await compareTrees(join(work, 'tree'), join(work, 'other'))).length).toBeGreaterThan(0);
  });
});
