import { fakeMount } from './fake_mount.js';

/** What a call costs decides how many of them a client makes in a second. */
describe('round trips, with the folder known', () => {
  async function calls(prepare: (mount: Awaited<ReturnType<typeof fakeMount>>) => Promise<unknown>, call: (mount: Awaited<ReturnType<typeof fakeMount>>) => Promise<unknown>): Promise<string[]> {
    const mount = await fakeMount();
    await mount.dfs.mkdir('/d');
    await prepare(mount);
    mount.container.calls = [];
    await call(mount);
    return mount.container.calls;
  }
  const nothing = () => Promise.resolve();
  const file = ({ dfs }: Awaited<ReturnType<typeof fakeMount>>) => dfs.writeFile('/d/f', Buffer.from('abc'));

  it('create: one', async () => {
    expect(await calls(nothing, ({ dfs }) => dfs.open('/d/new', { create: true, access: 'rw' }))).toEqual(['update']);
  });
  it('open: one', async () => {
    expect(await calls(file, ({ dfs }) => dfs.open('/d/f'))).toEqual(['fetch']);
  });
  it('mkdir and symlink: one', async () => {
    expect(await calls(nothing, ({ dfs }) => dfs.mkdir('/d/e'))).toEqual(['update']);
    expect(await calls(nothing, ({ dfs }) => dfs.symlink('t', '/d/l'))).toEqual(['update']);
  });
  it('a whole small file: entry and data at once', async () => {
    expect(await calls(nothing, file)).toEqual(['update', 'arrayWrite']);
  });
  it('stat of a file: entry, then size and times of its data', async () => {
    expect(await calls(file, ({ dfs }) => dfs.stat('/d/f'))).toEqual(['fetch', 'arrayStat']);
    expect(await calls(file, ({ dfs }) => dfs.lstat('/d/f'))).toEqual(['fetch', 'arrayStat']);
  });
  it('stat of a symlink: one', async () => {
    expect(await calls(({ dfs }) => dfs.symlink('t', '/d/l'), ({ dfs }) => dfs.lstat('/d/l'))).toEqual(['fetch']);
  });
  it('chmod: read, write', async () => {
    expect(await calls(file, ({ dfs }) => dfs.chmod('/d/f', 0o600))).toEqual(['fetch', 'update']);
  });
  it('unlink: read, data, entry', async () => {
    expect(await calls(file, ({ dfs }) => dfs.remove('/d/f'))).toEqual(['fetch', 'punch', 'punchDkey']);
  });
  it('readdir: one per 512 names', async () => {
    const fill = async ({ dfs }: Awaited<ReturnType<typeof fakeMount>>) => {
      for (let i = 0; i < 600; i++) await dfs.symlink('t', `/d/${i}`);
    };
    const list = async ({ dfs }: Awaited<ReturnType<typeof fakeMount>>) => {
      for await (const _ of dfs.readdir('/d')) continue;
    };
    expect(await calls(fill, list)).toEqual(['listDkeys', 'listDkeys']);
  });
});
