import type { Pool } from '@daos/client';

import { dfsContCreate, dfsMount, type Dfs } from '../src/index.js';
import { FakeContainer } from './fake_container.js';

/** A fresh file system on a container in memory. */
export async function fakeMount(): Promise<{ container: FakeContainer; dfs: Dfs }> {
  const container = new FakeContainer();
  const pool = {
    contCreate: () => Promise.resolve(container.uuid),
    contOpen: () => Promise.resolve(container),
    contDestroy: () => Promise.resolve(),
  } as unknown as Pool;
  await dfsContCreate(pool, { label: 'fake' });
  const dfs = await dfsMount(container);
  // The first object id costs a call to the container's allocator.
  await dfs.writeFile('/warm', Buffer.from('x'));
  await dfs.remove('/warm');
  container.calls = [];
  return { container, dfs };
}

/** Whole tree: path to content, `-> target` for links, `/` for folders. */
export async function treeOf(dfs: Dfs, path = '/'): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  for await (const { name } of dfs.readdir(path)) {
    const below = `${path === '/' ? '' : path}/${name}`;
    const stat = await dfs.lstat(below);
    if (stat.isDirectory()) Object.assign(tree, { [below]: '/' }, await treeOf(dfs, below));
    else if (stat.isSymbolicLink()) tree[below] = `-> ${await dfs.readlink(below)}`;
    else tree[below] = (await dfs.readFile(below)).toString();
  }
  return tree;
}
