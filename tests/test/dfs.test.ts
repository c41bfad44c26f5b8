import { daosInit, type Container, type Daos, type Pool } from '@daos/client';
import { dfsContCreate, dfsMount, isDfsError, PUNCH_TO_END, type Dfs, type ErrnoName } from '@daos/dfs';

import { TempSystem } from '../src/index.js';

/** The behaviours that DAOS's own DFS tests check, on a real system with two targets. */
describe('DFS', () => {
  let temp: TempSystem;
  let daos: Daos;
  let pool: Pool;
  let cont: Container;
  let dfs: Dfs;

  beforeAll(async () => {
    temp = await TempSystem.start();
    daos = await daosInit({ agentDir: temp.system.agentDir });
    pool = await daos.poolConnect('tank');
    await dfsContCreate(pool, { label: 'posix' });
    cont = await pool.contOpen('posix', { mode: 'rw' });
    dfs = await dfsMount(cont);
  }, 60_000);
  afterAll(async () => {
    await dfs.umount();
    await daos.close();
    await temp.remove();
  }, 60_000);

  async function errno(call: Promise<unknown>): Promise<ErrnoName | 'none'> {
    try {
      await call;
      return 'none';
    } catch (error) {
      if (isDfsError(error)) return error.code;
      throw error;
    }
  }

  async function names(path: string): Promise<string[]> {
    const found: string[] = [];
    for await (const entry of dfs.readdir(path)) found.push(entry.name);
    return found.sort();
  }

  describe('mount', () => {
    it('of a container without POSIX layout is EINVAL', async () => {
      await pool.contCreate({ label: 'plain' });
      const plain = await pool.contOpen('plain', { mode: 'rw' });
      expect(await errno(dfsMount(plain))).toBe('EINVAL');
      await plain.close();
    });

    it('of the same label twice in a pool is EEXIST', async () => {
      expect(await errno(dfsContCreate(pool, { label: 'posix' }))).toBe('EEXIST');
    });

    it('refuses bad hints, an unknown class and balanced mode', async () => {
      for (const hints of ['bogus', 'file:bogus', 'file', 'file:max,']) expect(await errno(dfsContCreate(pool, { hints }))).toBe('EINVAL');
      expect(await errno(dfsContCreate(pool, { mode: 'balanced' }))).toBe('ENOTSUP');
    });

    it('read-only answers EPERM to every mutation and reads all', async () => {
      await dfs.writeFile('/ro-file', Buffer.from('x'));
      const readOnly = await pool.contOpen('posix', { mode: 'ro' });
      const view = await dfsMount(readOnly);
      expect((await view.readFile('/ro-file')).toString()).toBe('x');
      for (const call of [
        view.mkdir('/m'),
        view.writeFile('/w', Buffer.alloc(1)),
        view.open('/c', { create: true, access: 'rw' }),
        view.symlink('t', '/s'),
        view.remove('/ro-file'),
        view.rename('/ro-file', '/other'),
        view.chmod('/ro-file', 0o600),
        view.setxattr('/ro-file', 'a', Buffer.alloc(1)),
      ]) {
        expect(await errno(call)).toBe('EPERM');
      }
      await view.umount();
      await readOnly.close();
    });
  });

  describe('lookup, open, links', () => {
    it('finds /, folders, files and paths through symlinks and ..', async () => {
      await dfs.mkdir('/l/dir1/dir2', { recursive: true });
      await dfs.writeFile('/l/dir1/file1', Buffer.from('one'));
      await dfs.symlink('dir1', '/l/sym1');
      await dfs.symlink('/l/dir1/file1', '/l/sym2');
      expect((await dfs.stat('/')).isDirectory()).toBe(true);
      expect((await dfs.readFile('/l/sym1/file1')).toString()).toBe('one');
      expect((await dfs.readFile('/l/sym1/dir2/../file1')).toString()).toBe('one');
      expect((await dfs.readFile('/l/sym2')).toString()).toBe('one');
      expect(await errno(dfs.stat('/l/dir1/file1/below'))).toBe('ENOENT');
      expect(await errno(dfs.stat('/l/missing'))).toBe('ENOENT');
    });

    it('follows a symlink at the end unless asked not to', async () => {
      await dfs.symlink('file-of-link', '/a-link');
      await dfs.writeFile('/file-of-link', Buffer.from('12345'));
      expect((await dfs.stat('/a-link')).isFile()).toBe(true);
      expect((await dfs.lstat('/a-link')).isSymbolicLink()).toBe(true);
      expect((await dfs.lstat('/a-link')).size).toBe(BigInt('file-of-link'.length));
      expect(await dfs.readlink('/a-link')).toBe('file-of-link');
      expect(await errno(dfs.readlink('/file-of-link'))).toBe('EINVAL');
    });

    it('answers ELOOP for a cycle and ENOENT for a dangling link', async () => {
      await dfs.symlink('loop-b', '/loop-a');
      await dfs.symlink('loop-a', '/loop-b');
      await dfs.symlink('nowhere', '/dangling');
      expect(await errno(dfs.stat('/loop-a'))).toBe('ELOOP');
      expect(await errno(dfs.stat('/dangling'))).toBe('ENOENT');
      expect((await dfs.lstat('/dangling')).isSymbolicLink()).toBe(true);
    });

    it('lets exactly one of many exclusive creators win; without EXCL all get the same object', async () => {
      const exclusive = await Promise.all(Array.from({ length: 8 }, () => errno(dfs.open('/excl', { create: true, exclusive: true, access: 'rw' }))));
      expect(exclusive.filter((code) => code === 'none')).toHaveLength(1);
      expect(exclusive.filter((code) => code === 'EEXIST')).toHaveLength(7);
      const shared = await Promise.all(Array.from({ length: 8 }, () => dfs.open('/shared', { create: true, access: 'rw' })));
      expect(new Set(shared.map((file) => `${file.oid.hi}.${file.oid.lo}`)).size).toBe(1);
      await dfs.remove('/shared');
      const again = await dfs.open('/shared', { create: true, access: 'rw' });
      expect(again.oid).not.toEqual(shared[0]?.oid);
    });

    it('truncates at open, and refuses a folder opened as a file', async () => {
      await dfs.writeFile('/trunc', Buffer.from('12345'));
      const file = await dfs.open('/trunc', { access: 'rw', truncate: true });
      expect(await file.size()).toBe(0n);
      await dfs.mkdir('/a-folder');
      expect(await errno(dfs.open('/a-folder'))).toBe('EINVAL');
    });
  });

  describe('namespace', () => {
    it('lets one of eight mkdirs of a name win', async () => {
      const codes = await Promise.all(Array.from({ length: 8 }, () => errno(dfs.mkdir('/race'))));
      expect(codes.sort()).toEqual([...Array<string>(7).fill('EEXIST'), 'none']);
    });

    it('keeps a folder with entries, unless forced', async () => {
      await dfs.mkdir('/full/sub', { recursive: true });
      for (let i = 0; i < 30; i++) await dfs.writeFile(`/full/sub/f${i}`, Buffer.from(String(i)));
      expect(await errno(dfs.remove('/full'))).toBe('ENOTEMPTY');
      await dfs.remove('/full', { force: true });
      expect(await errno(dfs.stat('/full'))).toBe('ENOENT');
      expect(await errno(dfs.remove('/full'))).toBe('ENOENT');
    });

    it('renames over a file; old handles see ENOENT; the content is the moved one', async () => {
      await dfs.writeFile('/f1', Buffer.from('old'));
      await dfs.writeFile('/f2', Buffer.from('new'));
      await dfs.setxattr('/f2', 'colour', Buffer.from('red'));
      const f1 = await dfs.open('/f1');
      await dfs.rename('/f2', '/f1');
      expect((await dfs.readFile('/f1')).toString()).toBe('new');
      expect((await dfs.getxattr('/f1', 'colour')).toString()).toBe('red');
      expect(await errno(f1.stat())).toBe('ENOENT');
      expect(await errno(dfs.stat('/f2'))).toBe('ENOENT');
    });

    it('refuses renames that POSIX refuses; onto itself does nothing', async () => {
      await dfs.mkdir('/rn/full/x', { recursive: true });
      await dfs.mkdir('/rn/empty');
      await dfs.writeFile('/rn/file', Buffer.from('f'));
      expect(await errno(dfs.rename('/rn/empty', '/rn/full'))).toBe('ENOTEMPTY');
      expect(await errno(dfs.rename('/rn/file', '/rn/empty'))).toBe('EISDIR');
      expect(await errno(dfs.rename('/rn/empty', '/rn/file'))).toBe('ENOTDIR');
      expect(await errno(dfs.rename('/rn/missing', '/rn/y'))).toBe('ENOENT');
      expect(await errno(dfs.rename('/rn/full', '/rn/full/x/below'))).toBe('EINVAL');
      expect(await errno(dfs.rename('/rn/file', '/rn/empty', { noReplace: true }))).toBe('EEXIST');
      await dfs.rename('/rn/file', '/rn/file');
      expect((await dfs.readFile('/rn/file')).toString()).toBe('f');
      await dfs.rename('/rn/full', '/rn/empty');
      expect(await names('/rn/empty')).toEqual(['x']);
    });

    it('exchanges two entries with their attributes; a missing one is EINVAL', async () => {
      await dfs.writeFile('/x1', Buffer.from('one'), { mode: 0o600 });
      await dfs.mkdir('/x2');
      await dfs.setxattr('/x1', 'tag', Buffer.from('t'));
      await dfs.exchange('/x1', '/x2');
      expect((await dfs.readFile('/x2')).toString()).toBe('one');
      expect((await dfs.getxattr('/x2', 'tag')).toString()).toBe('t');
      expect((await dfs.stat('/x1')).isDirectory()).toBe(true);
      expect(await errno(dfs.exchange('/x1', '/missing'))).toBe('EINVAL');
      expect((await names('/')).filter((name) => name.startsWith('.exchange'))).toEqual([]);
    });
  });

  describe('enumeration', () => {
    it('returns each of 1500 entries once, with type and mode in the plus form', async () => {
      await dfs.mkdir('/many');
      await Promise.all(Array.from({ length: 1500 }, (_, i) => dfs.writeFile(`/many/f${i}`, Buffer.from('x'), { mode: 0o640 })));
      const found = await names('/many');
      expect(found).toHaveLength(1500);
      expect(new Set(found).size).toBe(1500);
      let plus = 0;
      for await (const entry of dfs.readdirPlus('/many')) if (entry.inode.mode === 0o100640) plus++;
      expect(plus).toBe(1500);
    }, 60_000);

    it('of an empty folder is empty, of a file ENOTDIR', async () => {
      await dfs.mkdir('/none');
      expect(await names('/none')).toEqual([]);
      expect(await errno(names('/f1'))).toBe('ENOTDIR');
    });
  });

  describe('data', () => {
    it('reads back odd strides over small chunks', async () => {
      const file = await dfs.open('/stride', { create: true, access: 'rw', chunkSize: 64 });
      const expected = Buffer.alloc(77 * 40 + 13);
      for (let i = 0; i < 40; i++) {
        const part = Buffer.alloc(13, i + 1);
        part.copy(expected, i * 77);
        await file.write(part, i * 77);
      }
      const back = Buffer.alloc(expected.length, 0xee);
      const count = await file.read(back, 0);
      expect(count).toBe(39 * 77 + 13);
      expect(back.subarray(0, count).equals(expected.subarray(0, count))).toBe(true);
      expect(back.subarray(count).every((byte) => byte === 0xee)).toBe(true);
    });

    it('reads nothing of an empty file and beyond the end, and leaves the buffer alone', async () => {
      const file = await dfs.open('/empty', { create: true, access: 'rw' });
      const into = Buffer.alloc(10, 7);
      expect(await file.read(into, 0)).toBe(0);
      await file.write(Buffer.from('abc'), 0);
      expect(await file.read(into, 3)).toBe(0);
      expect(into.every((byte) => byte === 7)).toBe(true);
      expect(await file.read(into, 1)).toBe(2);
      expect(into.toString('latin1', 0, 2)).toBe('bc');
      expect(into.subarray(2).every((byte) => byte === 7)).toBe(true);
    });

    it('of one byte at 10 MiB makes 10485761 bytes of zeros and it', async () => {
      const file = await dfs.open('/sparse', { create: true, access: 'rw' });
      await file.write(Buffer.from([9]), 10_485_760);
      expect(await file.size()).toBe(10_485_761n);
      const back = Buffer.alloc(10_485_761, 0xff);
      expect(await file.read(back, 0)).toBe(10_485_761);
      expect(back[10_485_760]).toBe(9);
      expect(back.subarray(0, -1).every((byte) => byte === 0)).toBe(true);
    });

    it('punched: tail shrinks, hole reads zero, to the end sets the size', async () => {
      const file = await dfs.open('/punch', { create: true, access: 'rw' });
      await file.write(Buffer.from('0123456789'), 0);
      await file.punch(10, PUNCH_TO_END - 1n);
      expect(await file.size()).toBe(10n);
      await file.punch(2, 3);
      const back = Buffer.alloc(10);
      await file.read(back, 0);
      expect(back).toEqual(Buffer.from('01\0\0\x0056789', 'latin1'));
      await file.punch(9, PUNCH_TO_END - 1n);
      expect(await file.size()).toBe(9n);
      await file.punch(20, PUNCH_TO_END);
      expect(await file.size()).toBe(20n);
      await file.punch(0, PUNCH_TO_END);
      expect(await file.size()).toBe(0n);
    });

    it('cut and extended around chunk borders never shows old bytes', async () => {
      const chunk = 4096;
      for (const size of [0, 1, chunk - 1, chunk, chunk + 1, 3 * chunk, 3 * chunk + 5]) {
        const file = await dfs.open('/cut', { create: true, access: 'rw', chunkSize: chunk, truncate: true });
        await file.write(Buffer.alloc(4 * chunk, 1), 0);
        await file.truncate(size);
        expect(await file.size()).toBe(BigInt(size));
        await file.truncate(4 * chunk);
        const back = Buffer.alloc(4 * chunk, 2);
        expect(await file.read(back, 0)).toBe(4 * chunk);
        expect(back.findIndex((byte, at) => byte !== (at < size ? 1 : 0))).toBe(-1);
        await dfs.remove('/cut');
      }
    }, 30_000);

    it('through handles of the wrong access is EPERM', async () => {
      await dfs.writeFile('/acc', Buffer.from('x'));
      expect(await errno((await dfs.open('/acc')).write(Buffer.alloc(1), 0))).toBe('EPERM');
      expect(await errno((await dfs.open('/acc', { access: 'w' })).read(Buffer.alloc(1), 0))).toBe('EPERM');
    });
  });

  describe('attributes and times', () => {
    it('of a new file are as given; the size follows the data', async () => {
      const file = await dfs.open('/attr', { create: true, access: 'rw', mode: 0o640 });
      expect(await file.stat()).toMatchObject({ mode: 0o100640, size: 0n, blockSize: 1_048_576, uid: process.geteuid?.(), gid: process.getegid?.(), nlink: 1 });
      await file.write(Buffer.alloc(64), 64);
      expect((await file.stat()).size).toBe(128n);
    });

    it('mtime moves with writes and children, not with reads', async () => {
      const file = await dfs.open('/times', { create: true, access: 'rw' });
      await file.write(Buffer.from('a'), 0);
      const before = await file.stat();
      await pause();
      await file.read(Buffer.alloc(1), 0);
      expect((await file.stat()).mtimeNs).toBe(before.mtimeNs);
      await file.write(Buffer.from('b'), 0);
      expect((await file.stat()).mtimeNs).toBeGreaterThan(before.mtimeNs);
      await dfs.mkdir('/times-dir');
      await dfs.mkdir('/times-dir/a');
      const dir = await dfs.stat('/times-dir');
      await pause();
      await dfs.remove('/times-dir/a');
      expect((await dfs.stat('/times-dir')).mtimeNs).toBeGreaterThan(dir.mtimeNs);
    });

    it.each([1900, 2020, 2999])('an mtime set to %i holds until the next write', async (year) => {
      const set = BigInt(Date.UTC(year, 11, 31)) * 1_000_000n + 123n;
      await dfs.writeFile('/mtime', Buffer.from('x'));
      await dfs.utimes('/mtime', set);
      expect((await dfs.stat('/mtime')).mtimeNs).toBe(set);
      await dfs.truncate('/mtime', 0n);
      expect((await dfs.stat('/mtime')).mtimeNs).not.toBe(set);
    });

    it('size and mtime set together both hold', async () => {
      const file = await dfs.open('/both', { create: true, access: 'rw' });
      const set = BigInt(Date.UTC(2023, 11, 31)) * 1_000_000n;
      expect(await file.setAttributes({ size: 1000n, mtimeNs: set })).toMatchObject({ size: 1000n, mtimeNs: set });
      expect(await file.stat()).toMatchObject({ size: 1000n, mtimeNs: set });
    });

    it('chmod and chown act on the target of a link; the type cannot change', async () => {
      await dfs.writeFile('/perm', Buffer.from('x'));
      await dfs.symlink('perm', '/perm-link');
      await dfs.chmod('/perm-link', 0o600);
      expect((await dfs.stat('/perm')).mode).toBe(0o100600);
      await dfs.chown('/perm-link', 12, -1);
      expect(await dfs.stat('/perm')).toMatchObject({ uid: 12 });
      await dfs.chown('/perm-link', -1, 13, { follow: false });
      expect((await dfs.lstat('/perm-link')).gid).toBe(13);
      expect(await errno(dfs.chmod('/perm', 0o040600))).toBe('EINVAL');
      expect(await errno(dfs.chmod('/perm', 0o101600))).toBe('ENOTSUP');
    });

    it('access asks the permission bits', async () => {
      await dfs.writeFile('/access', Buffer.from('x'), { mode: 0o600 });
      await dfs.access('/access', { read: true, write: true });
      await dfs.chmod('/access', 0);
      expect(await errno(dfs.access('/access', { read: true }))).toBe('EACCES');
      expect(await errno(dfs.access('/access', {}))).toBe('none');
      expect(await errno(dfs.access('/no-such', {}))).toBe('ENOENT');
    });

    it('extended attributes: set, get, list, remove, empty values, limits', async () => {
      await dfs.writeFile('/xa', Buffer.from('x'));
      expect(await errno(dfs.getxattr('/xa', 'user.none'))).toBe('ENODATA');
      await dfs.setxattr('/xa', 'user.empty', Buffer.alloc(0));
      await dfs.setxattr('/xa', 'user.with_value', Buffer.from('a\0b'));
      expect(await dfs.getxattr('/xa', 'user.empty')).toHaveLength(0);
      expect(await dfs.getxattr('/xa', 'user.with_value')).toEqual(Buffer.from('a\0b'));
      expect((await dfs.listxattr('/xa')).sort()).toEqual(['user.empty', 'user.with_value']);
      expect(await errno(dfs.setxattr('/xa', 'user.empty', Buffer.from('y'), { create: true }))).toBe('EEXIST');
      expect(await errno(dfs.setxattr('/xa', 'user.other', Buffer.from('y'), { replace: true }))).toBe('ENODATA');
      expect(await errno(dfs.setxattr('/xa', 'x'.repeat(256), Buffer.alloc(1)))).toBe('EINVAL');
      expect(await errno(dfs.setxattr('/xa', 'big', Buffer.alloc(65_537)))).toBe('EINVAL');
      await dfs.removexattr('/xa', 'user.empty');
      expect(await errno(dfs.getxattr('/xa', 'user.empty'))).toBe('ENODATA');
      expect(await errno(dfs.removexattr('/xa', 'user.empty'))).toBe('ENODATA');
      expect(await dfs.listxattr('/xa')).toEqual(['user.with_value']);
    });
  });
});

/** Longer than the clock's millisecond. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}
