import { dfsMount, isDfsError, type Dfs } from '../src/index.js';
import { fakeMount, treeOf } from './fake_mount.js';

/** Every multi-step call, stopped before each of its steps; then the file system is mounted anew and looked at. */
async function atEveryStep(
  prepare: (dfs: Dfs) => Promise<unknown>,
  call: (dfs: Dfs) => Promise<unknown>,
  check: (tree: Record<string, string>, done: boolean, dfs: Dfs) => Promise<void> | void,
): Promise<number> {
  for (let step = 0; ; step++) {
    const { container, dfs } = await fakeMount();
    await prepare(dfs);
    container.callsLeft = step;
    let done = true;
    await call(dfs).catch((error: unknown) => {
      if (!isDfsError(error, 'EHOSTUNREACH')) throw error;
      done = false;
    });
    container.callsLeft = Infinity;
    const again = await dfsMount(container);
    await check(await treeOf(again), done, again);
    if (done) return step;
    expect(step).toBeLessThan(50);
  }
}

describe('a crash at any step', () => {
  it('of a rename leaves the old name, the new one or both, with content and attributes', async () => {
    const steps = await atEveryStep(
      async (dfs) => {
        await dfs.mkdir('/to');
        await dfs.writeFile('/a', Buffer.from('precious'));
        await dfs.setxattr('/a', 'tag', Buffer.from('t'));
      },
      (dfs) => dfs.rename('/a', '/to/b'),
      async (tree, done, dfs) => {
        const holders = ['/a', '/to/b'].filter((path) => tree[path] === 'precious');
        expect(holders.length).toBeGreaterThanOrEqual(1);
        if (done) expect(holders).toEqual(['/to/b']);
        for (const path of holders) expect((await dfs.getxattr(path, 'tag')).toString()).toBe('t');
      },
    );
    expect(steps).toBeGreaterThan(2);
  });

  it('of a rename over a file shows the old or the new content at the name, never none', async () => {
    await atEveryStep(
      async (dfs) => {
        await dfs.writeFile('/a', Buffer.from('new'));
        await dfs.writeFile('/b', Buffer.from('old'));
      },
      (dfs) => dfs.rename('/a', '/b'),
      (tree, done) => {
        expect(['old', 'new']).toContain(tree['/b']);
        if (tree['/b'] === 'old') expect(tree['/a']).toBe('new');
        if (done) expect(tree).toEqual({ '/b': 'new' });
      },
    );
  });

  it('of an exchange keeps both contents reachable', async () => {
    await atEveryStep(
      async (dfs) => {
        await dfs.writeFile('/a', Buffer.from('one'));
        await dfs.writeFile('/b', Buffer.from('two'));
      },
      (dfs) => dfs.exchange('/a', '/b'),
      (tree, done) => {
        expect(new Set(Object.values(tree))).toEqual(new Set(['one', 'two']));
        if (done) expect(tree).toEqual({ '/a': 'two', '/b': 'one' });
      },
    );
  });

  it('of an unlink leaves nothing that no name leads to', async () => {
    await atEveryStep(
      (dfs) => dfs.writeFile('/a', Buffer.from('data')),
      (dfs) => dfs.remove('/a'),
      (tree, done) => {
        if (done) expect(tree).toEqual({});
        else expect(['data', '']).toContain(tree['/a']);
      },
    );
  });

  it('of a small file shows no file, an empty one, or the whole', async () => {
    await atEveryStep(
      () => Promise.resolve(),
      (dfs) => dfs.writeFile('/a', Buffer.from('data')),
      (tree, done) => {
        if (done) expect(tree['/a']).toBe('data');
        else expect([undefined, '', 'data']).toContain(tree['/a']);
      },
    );
  });
});
