import { seededRandom } from '@daos/gurt';

import { isDfsError, type Dfs } from '../src/index.js';
import { fakeMount, treeOf } from './fake_mount.js';

/** POSIX in a map: path to content, `/` for a folder, `-> target` for a link. */
class Model {
  readonly tree = new Map<string, string>();

  private parentIsFolder(path: string): string | undefined {
    const parent = path.slice(0, path.lastIndexOf('/'));
    if (parent === '') return undefined;
    const found = this.tree.get(parent);
    return found === '/' ? undefined : 'ENOENT';
  }
  private below(path: string): string[] {
    return [...this.tree.keys()].filter((key) => key.startsWith(`${path}/`));
  }
  mkdir(path: string): string {
    const bad = this.parentIsFolder(path);
    if (bad) return bad;
    if (this.tree.has(path)) return 'EEXIST';
    this.tree.set(path, '/');
    return '';
  }
  write(path: string, content: string): string {
    const bad = this.parentIsFolder(path);
    if (bad) return bad;
    const found = this.tree.get(path);
    if (found === '/' || found?.startsWith('->')) return 'EINVAL';
    this.tree.set(path, content);
    return '';
  }
  symlink(path: string, target: string): string {
    const bad = this.parentIsFolder(path);
    if (bad) return bad;
    if (this.tree.has(path)) return 'EEXIST';
    this.tree.set(path, `-> ${target}`);
    return '';
  }
  remove(path: string, force: boolean): string {
    const bad = this.parentIsFolder(path);
    if (bad) return bad;
    if (!this.tree.has(path)) return 'ENOENT';
    const below = this.below(path);
    if (below.length > 0 && !force) return 'ENOTEMPTY';
    for (const key of [path, ...below]) this.tree.delete(key);
    return '';
  }
  rename(from: string, to: string): string {
    const bad = this.parentIsFolder(from) ?? this.parentIsFolder(to);
    if (bad) return bad;
    const moved = this.tree.get(from);
    if (moved === undefined) return 'ENOENT';
    if (from === to) return '';
    if (moved === '/' && to.startsWith(`${from}/`)) return 'EINVAL';
    const existing = this.tree.get(to);
    if (existing === '/' && moved !== '/') return 'EISDIR';
    if (existing !== undefined && existing !== '/' && moved === '/') return 'ENOTDIR';
    if (existing === '/' && this.below(to).length > 0) return 'ENOTEMPTY';
    const entries = [from, ...this.below(from)].map((key) => [key, this.tree.get(key) ?? ''] as const);
    for (const [key] of entries) this.tree.delete(key);
    for (const [key, value] of entries) this.tree.set(to + key.slice(from.length), value);
    return '';
  }
}

async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return '';
  } catch (error) {
    if (isDfsError(error)) return error.code;
    throw error;
  }
}

async function step(dfs: Dfs, model: Model, random: (below: number) => number): Promise<[string, string, string]> {
  const names = ['a', 'b', 'c'];
  const name = (): string => `/${names[random(3)]}`;
  const path = (): string => Array.from({ length: 1 + random(3) }, name).join('');
  const [at, to] = [path(), path()];
  switch (random(6)) {
    case 0:
      return [`mkdir ${at}`, await codeOf(dfs.mkdir(at)), model.mkdir(at)];
    case 1: {
      const content = 'x'.repeat(random(20)) + String(random(1000));
      return [`write ${at}`, await codeOf(dfs.writeFile(at, Buffer.from(content))), model.write(at, content)];
    }
    case 2:
      return [`symlink ${at}`, await codeOf(dfs.symlink('/nowhere', at)), model.symlink(at, '/nowhere')];
    case 3:
      return [`remove ${at}`, await codeOf(dfs.remove(at)), model.remove(at, false)];
    case 4:
      return [`remove force ${at}`, await codeOf(dfs.remove(at, { force: true })), model.remove(at, true)];
    default:
      return [`rename ${at} ${to}`, await codeOf(dfs.rename(at, to)), model.rename(at, to)];
  }
}

describe('random programs', () => {
  it.each([1, 2, 3, 4, 5, 6])('with seed %i end like the model, in every answer and in the tree', async (seed) => {
    const source = seededRandom(seed);
    const random = (below: number): number => source.below(below);
    const { container, dfs } = await fakeMount();
    const model = new Model();
    for (let i = 0; i < 400; i++) {
      const [what, got, want] = await step(dfs, model, random);
      expect([i, what, got]).toEqual([i, what, want]);
    }
    expect(await treeOf(dfs)).toEqual(Object.fromEntries(model.tree));
    // Superblock and root, and one object per folder and file with something in it: nothing leaked.
    const folders = [...model.tree].filter(([key, value]) => value === '/' && [...model.tree.keys()].some((other) => other.startsWith(`${key}/`)));
    const files = [...model.tree.values()].filter((value) => value !== '/' && value !== '' && !value.startsWith('->'));
    const root = model.tree.size > 0 ? 1 : 0;
    expect(container.liveObjects()).toBe(1 + root + folders.length + files.length);
  });
});
